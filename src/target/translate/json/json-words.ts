/** The words of a JSON command, read as Dragonfly reads them. Pure. */
import { changeOfBadValue, type DocumentChange } from "./document-change.ts";
import type { JsonContent } from "./json-tree.ts";
import { parseJson } from "./parse-json.ts";

const MIN_INDEX = -(2 ** 31);
const MAX_INDEX = 2 ** 31 - 1;

/** undefined: no 32-bit integer; a master refuses it before it runs the command. */
export function parseIndex(word: string): number | undefined {
  const index = /^\s*[+-]?[0-9]+\s*$/.test(word) ? Number(word) : Number.NaN;
  return index >= MIN_INDEX && index <= MAX_INDEX ? index : undefined;
}

export type JsonValue = { readonly content: JsonContent } | { readonly change: DocumentChange };

/** What follows the value in the text is not looked at, as on the master. */
export function parseValue(word: string): JsonValue {
  const parsed = parseJson(word, { ignoreRest: true });
  return parsed.problem === undefined ? parsed : { change: changeOfBadValue(parsed.problem) };
}

export type JsonValues = { readonly contents: readonly JsonContent[] } | { readonly change: DocumentChange };

export function parseValues(words: readonly string[]): JsonValues {
  const contents: JsonContent[] = [];
  for (const word of words) {
    const value = parseValue(word);
    if ("change" in value) return value;
    contents.push(value.content);
  }
  return { contents };
}
