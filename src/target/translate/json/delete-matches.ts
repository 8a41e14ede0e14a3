/** Takes out what a path leads to, container by container while the path is walked, as Dragonfly does. Pure. */
import type { JsonCell } from "./json-tree.ts";
import type { PathStep } from "./json-path.ts";
import type { EditOutcome } from "./edit-matches.ts";
import { resolveRange, type Walk, walkPath } from "./walk-path.ts";

export function deleteMatches(walk: Walk): EditOutcome {
  const last = walk.steps.at(-1);
  if (last === undefined) return "unmatched";
  let removed = 0;
  const complete = walkPath(walk, (container) => void (removed += removeFrom(container, last)));
  if (!complete) return "exhausted";
  return removed === 0 ? "unmatched" : "changed";
}

/** How many. */
function removeFrom({ content }: JsonCell, step: PathStep): number {
  if (Array.isArray(content)) {
    if (step.kind === "member") return 0;
    const { from, end } = step.kind === "range" ? resolveRange(step, content.length) : { from: 0, end: content.length };
    return content.splice(from, end - from).length;
  }
  if (!(content instanceof Map) || step.kind === "range") return 0;
  if (step.kind === "member") return content.delete(step.name) ? 1 : 0;
  const { size } = content;
  content.clear();
  return size;
}
