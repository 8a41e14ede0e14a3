/** Compares two values of one key, element by element, and says in words where they differ first. */
import type { Bytes, StreamEntry, StreamGroup, Value } from "./server-state.ts";

/** Where two values differ, e.g. `item 3`, and what stands there on each side. */
export type ValueDifference = { readonly where: string; readonly expected: string; readonly actual: string };

/** Elements that the target may have beyond what is expected: of a hash with their value, of a set with "". */
export type Leftovers = ReadonlyMap<Bytes, Bytes>;

const NONE = "nothing";

export function compareValues(expected: Value, actual: Value, leftovers: Leftovers): ValueDifference | undefined {
  if (expected.type === "string" && actual.type === "string") return compareText("value", expected.text, actual.text);
  if (expected.type === "list" && actual.type === "list") return compareSequences("item", expected.items, actual.items);
  if (expected.type === "set" && actual.type === "set")
    return compareMaps("member", asMap(expected.members), asMap(actual.members), leftovers);
  if (expected.type === "hash" && actual.type === "hash")
    return compareMaps("field", expected.fields, actual.fields, leftovers);
  if (expected.type === "zset" && actual.type === "zset")
    return compareSequences("rank", scores(expected.members), scores(actual.members));
  if (expected.type === "stream" && actual.type === "stream") return compareStreams(expected, actual);
  return { where: "type", expected: typeName(expected), actual: typeName(actual) };
}

export function typeName(value: Value): string {
  return value.type === "other" ? value.name : value.type;
}

type StreamValue = Extract<Value, { readonly type: "stream" }>;

function compareStreams(expected: StreamValue, actual: StreamValue): ValueDifference | undefined {
  return (
    compareSequences("entry", expected.entries.map(entryText), actual.entries.map(entryText)) ??
    compareText("last id", expected.lastId, actual.lastId) ??
    compareSequences("group", expected.groups.map(groupText), actual.groups.map(groupText)) ??
    comparePending(expected.groups, actual.groups)
  );
}

function comparePending(expected: readonly StreamGroup[], actual: readonly StreamGroup[]): ValueDifference | undefined {
  for (const [i, group] of expected.entries()) {
    const difference = compareSequences(`pending of ${show(group.name)}:`, group.pending, actual[i]?.pending ?? []);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function entryText(entry: StreamEntry): string {
  return [entry.id, ...entry.fields.map((field) => JSON.stringify(field))].join(" ");
}

function groupText(group: StreamGroup): string {
  return `${group.name} at ${group.lastId}`;
}

/** A double in a text that no other double has; -0 and 0 differ. */
function scores(members: readonly (readonly [Bytes, number])[]): string[] {
  return members.map(([member, score]) => `${member} ${Object.is(score, -0) ? "-0" : score}`);
}

function asMap(members: ReadonlySet<Bytes>): Map<Bytes, Bytes> {
  return new Map([...members].map((member) => [member, ""]));
}

function compareText(where: string, expected: Bytes, actual: Bytes): ValueDifference | undefined {
  if (expected === actual) return undefined;
  const at = firstDifference(expected, actual);
  const from = at > 40 ? at - 20 : 0;
  const part = (text: Bytes): string =>
    `${from > 0 ? "…" : ""}${abridge(show(text.slice(from)))} (${text.length} bytes)`;
  return { where: from > 0 ? `${where} from byte ${from}` : where, expected: part(expected), actual: part(actual) };
}

function compareSequences(
  what: string,
  expected: readonly string[],
  actual: readonly string[],
): ValueDifference | undefined {
  const length = Math.max(expected.length, actual.length);
  for (let i = 0; i < length; i++) {
    if (expected[i] !== actual[i])
      return {
        where: `${what} ${i} of ${expected.length}`,
        expected: element(expected[i]),
        actual: element(actual[i]),
      };
  }
  return undefined;
}

function compareMaps(
  what: string,
  expected: ReadonlyMap<Bytes, Bytes>,
  actual: ReadonlyMap<Bytes, Bytes>,
  leftovers: Leftovers,
): ValueDifference | undefined {
  for (const [name, content] of expected) {
    if (actual.get(name) === content) continue;
    return { where: `${what} ${abridge(show(name))}`, expected: element(content), actual: element(actual.get(name)) };
  }
  for (const [name, content] of actual) {
    if (expected.has(name) || leftovers.get(name) === content) continue;
    return { where: `${what} ${abridge(show(name))}`, expected: NONE, actual: element(content) };
  }
  return undefined;
}

function element(content: Bytes | undefined): string {
  if (content === undefined) return NONE;
  return content === "" ? "(empty)" : abridge(show(content));
}

function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}

const SHOWN_CHARACTERS = 120;

export function abridge(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}… (${text.length} characters)`;
}

/** Bytes as text; those that are no printable ASCII as \xNN, so that two that differ never look the same. */
export function show(bytes: Bytes): string {
  return bytes.replace(
    /[^\x20-\x5b\x5d-\x7e]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
