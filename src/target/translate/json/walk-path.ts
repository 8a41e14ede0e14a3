/**
 * Where a path leads in a document, as Dragonfly walks it (jsoncons_dfs.cc): all its steps but the last give containers, and the last is taken in
 * each of them. A container comes up once for each way in which the path leads to it. No recursion: the depth is the document's times the path's. Pure.
 */
import { childrenOf, isContainer, type JsonCell, type JsonContent } from "./json-tree.ts";
import type { PathStep } from "./json-path.ts";
import type { WorkBudget } from "./work-budget.ts";

export type Walk = { readonly root: JsonCell; readonly steps: readonly PathStep[]; readonly budget: WorkBudget };

/** `alone`: of a descent, only what lies below is left; the cell itself has been taken. */
type Visit = { readonly cell: JsonCell; readonly step: number; readonly alone: boolean };

/**
 * Calls `found` with each container that the last step is to be taken in, before the walk looks at what is in that container, so that `found` may take
 * members out of it. False if the budget was used up.
 */
export function walkPath({ root, steps, budget }: Walk, found: (container: JsonCell) => void): boolean {
  if (steps.length === 1) found(root);
  if (steps.length <= 1) return true;
  const open: Visit[] = [{ cell: root, step: 0, alone: false }];
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    if (!budget.spend(1)) return false;
    if (!isContainer(visit.cell.content)) continue;
    if (visit.step === steps.length - 1) found(visit.cell);
    else for (const next of nextVisits(visit, steps[visit.step])) open.push(next);
  }
  return true;
}

/** The last one is visited first. */
function nextVisits({ cell, step, alone }: Visit, pathStep: PathStep | undefined): Visit[] {
  if (pathStep === undefined) return [];
  if (pathStep.kind !== "descent") {
    return cellsOf(cell.content, pathStep).map((child) => ({ cell: child, step: step + 1, alone: false }));
  }
  if (alone) return [...childrenOf(cell.content)].map((child) => ({ cell: child, step, alone: false }));
  return [
    { cell, step, alone: true },
    { cell, step: step + 1, alone: false },
  ];
}

/** The places that one step leads to. */
export function cellsOf(content: JsonContent, step: PathStep): JsonCell[] {
  switch (step.kind) {
    case "member": {
      const cell = content instanceof Map ? content.get(step.name) : undefined;
      return cell === undefined ? [] : [cell];
    }
    case "range": {
      if (!Array.isArray(content)) return [];
      const { from, end } = resolveRange(step, content.length);
      return content.slice(from, end);
    }
    case "every":
    case "descent":
      return [...childrenOf(content)];
  }
}

/**
 * The range in an array of `length`; `end` is not in it. Ends before the array count as its first element, also where both are: Dragonfly takes
 * `[-9]` of a short array for `[0]`, and `[0:0]`, whose last element is -1, for all of it.
 */
export function resolveRange(
  range: { readonly first: number; readonly last: number },
  length: number,
): {
  readonly from: number;
  readonly end: number;
} {
  const fromEnd = (index: number): number => (index < 0 ? Math.max(0, length + index) : index);
  const from = fromEnd(range.first);
  const end = length === 0 ? 0 : Math.min(length - 1, fromEnd(range.last)) + 1;
  return { from, end: Math.max(from, end) };
}
