/**
 * JSON.SET: at the root the document itself; else the value of each place that the path leads to; else, where there is none, one new place. That is
 * found by JSON Pointer (RFC 6901), as Dragonfly finds it: so an index names a member of an object too, and a member's name can be an
 * array's index. Pure.
 */
import { changeOf, type DocumentChange, UNCHANGED, unrunnable } from "./document-change.ts";
import { editMatches } from "./edit-matches.ts";
import type { JsonDialect } from "./json-dialect.ts";
import type { JsonPath, PathStep } from "./json-path.ts";
import { copyContent, countCells, type JsonCell, type JsonContent } from "./json-tree.ts";
import { printJson } from "./print-json.ts";
import { WorkBudget } from "./work-budget.ts";

/** NX: only where nothing is. XX: only where something is. */
export type SetCondition = "NX" | "XX" | undefined;

export function setRoot(content: JsonContent, condition: SetCondition, exists: boolean): DocumentChange {
  if ((condition === "NX" && exists) || (condition === "XX" && !exists)) return UNCHANGED;
  return { kind: "set", text: printJson(content) };
}

export type SetWithin = {
  readonly root: JsonCell;
  readonly path: JsonPath;
  readonly content: JsonContent;
  readonly condition: SetCondition;
  readonly dialect: JsonDialect;
};

export function setWithin({ root, path, content, condition, dialect }: SetWithin): DocumentChange {
  const apply = (cell: JsonCell): boolean => {
    if (condition !== "NX") cell.content = copyContent(content);
    return condition !== "NX";
  };
  const walk = { root, steps: path.steps, budget: new WorkBudget() };
  const outcome = editMatches(walk, { apply, copies: countCells(content) });
  if (outcome !== "unmatched") return changeOf(outcome, root);
  if (condition === "XX") return UNCHANGED;
  if (path.hasBrackets && !dialect.createsByAnyPath)
    return unrunnable("masters of its version make odd members of such a path");
  return addAt(root, path.steps, content) ? changeOf("changed", root) : UNCHANGED;
}

/** False where a master refuses. */
function addAt(root: JsonCell, steps: readonly PathStep[], content: JsonContent): boolean {
  const tokens = steps.map(tokenOf);
  let cell: JsonCell | undefined = root;
  for (const token of tokens.slice(0, -1)) cell = token === undefined ? undefined : childAt(cell, token);
  const last = tokens.at(-1);
  return cell !== undefined && last !== undefined && addTo(cell.content, last, content);
}

/** undefined: the step names more than one place. */
function tokenOf(step: PathStep): string | undefined {
  if (step.kind === "member") return step.name;
  return step.kind === "range" && step.first === step.last ? String(step.first) : undefined;
}

function childAt(cell: JsonCell | undefined, token: string): JsonCell | undefined {
  if (cell?.content instanceof Map) return cell.content.get(token);
  return Array.isArray(cell?.content) ? cell.content[indexOf(token) ?? -1] : undefined;
}

function addTo(parent: JsonContent, token: string, content: JsonContent): boolean {
  if (parent instanceof Map) {
    parent.set(token, { content });
    return true;
  }
  if (!Array.isArray(parent)) return false;
  const index = token === "-" ? parent.length : indexOf(token);
  if (index === undefined || index > parent.length) return false;
  parent.splice(index, 0, { content });
  return true;
}

function indexOf(token: string): number | undefined {
  return /^[0-9]+$/.test(token) ? Number(token) : undefined;
}
