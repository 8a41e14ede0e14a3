/** What the commands do at each place that their path leads to: one function a command, from the words after the path to the edit. Pure. */
import { type DocumentChange, UNCHANGED, unrunnable } from "./document-change.ts";
import type { MatchEdit } from "./edit-matches.ts";
import type { JsonDialect } from "./json-dialect.ts";
import { calculate, numberKind, type Operation, parseOperand } from "./json-numbers.ts";
import { countCells, isContainer, type JsonCell, type JsonContent, JsonNumber } from "./json-tree.ts";
import { parseValue } from "./json-words.ts";
import { mergeJson } from "./merge-json.ts";

export type JsonEdit = MatchEdit & {
  /** What stands in place of the change once the edit has run everywhere: of a command that the master refused as a whole. */
  readonly refusal?: () => DocumentChange | undefined;
};

export type EditResult = JsonEdit | DocumentChange;
export type MakeEdit = (words: readonly string[], dialect: JsonDialect) => EditResult;

export const NOT_WELL_FORMED = unrunnable("its arguments are not of a form that a master runs");

export const toggle: MakeEdit = () => ({
  copies: 0,
  apply: (cell) => {
    if (typeof cell.content !== "boolean") return false;
    cell.content = !cell.content;
    return true;
  },
});

/** Empties arrays and objects, and makes numbers 0. */
export const clear: MakeEdit = () => ({
  copies: 0,
  apply: (cell) => {
    if (isContainer(cell.content)) cell.content = Array.isArray(cell.content) ? [] : new Map<string, JsonCell>();
    else if (cell.content instanceof JsonNumber) cell.content = new JsonNumber("0");
    else return false;
    return true;
  },
});

export const appendToString: MakeEdit = ([word]) => {
  const value = word === undefined ? undefined : parseValue(word);
  if (value === undefined) return NOT_WELL_FORMED;
  if ("change" in value) return value.change;
  const suffix = stringOf(value.content);
  if (suffix === undefined) return UNCHANGED;
  return {
    copies: 0,
    apply: (cell) => {
      const text = stringOf(cell.content);
      if (text !== undefined) cell.content = text + suffix;
      return text !== undefined;
    },
  };
};

/** A master keeps a number that fits nowhere as a string. */
function stringOf(content: JsonContent): string | undefined {
  if (content instanceof JsonNumber) return numberKind(content.text) === "wide" ? content.text : undefined;
  return typeof content === "string" ? content : undefined;
}

export function arithmetic(operation: Operation): MakeEdit {
  return ([word], dialect) => {
    const operand = word === undefined ? undefined : parseOperand(word);
    if (word === undefined) return NOT_WELL_FORMED;
    if (operand === undefined) return UNCHANGED;
    let refusal: DocumentChange | undefined;
    return {
      copies: 0,
      refusal: () => refusal,
      apply: (cell) => {
        if (!(cell.content instanceof JsonNumber)) return false;
        const result = calculate(cell.content.text, operation, operand, dialect);
        if (result === "unknown")
          refusal = unrunnable("the master's result is undefined outside of the integers of its version");
        else if (result === "overflow") refusal ??= UNCHANGED;
        else cell.content = new JsonNumber(result.text);
        return typeof result === "object";
      },
    };
  };
}

export const merge: MakeEdit = ([word]) => {
  const patch = word === undefined ? undefined : parseValue(word);
  if (patch === undefined) return NOT_WELL_FORMED;
  if ("change" in patch) return patch.change;
  return {
    copies: countCells(patch.content),
    apply: (cell) => {
      mergeJson(cell, patch.content);
      return true;
    },
  };
};
