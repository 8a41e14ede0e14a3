/** The lines of a recording's expected.ndjson as `KeyState`s, to compare with what a server holds. */
import type { ExpectedLine, RecordedString } from "./recordings.ts";
import { recordedBytes } from "./recordings.ts";
import { type Bytes, type KeyState, parseScore, sortGroups, toPairs, type Value } from "./server-state.ts";

type ExpectedStream = readonly [
  entries: readonly (readonly [string, readonly RecordedString[]])[],
  lastId: string,
  groups: readonly (readonly [RecordedString, string, readonly (readonly [string, RecordedString, number])[]])[],
];

/** The text of a JSON document. */
export function expectedDocument({ type, value }: ExpectedLine): string | undefined {
  return type === "ReJSON-RL" ? recordedBytes(value as RecordedString).toString() : undefined;
}

export function expectedKey(line: ExpectedLine): KeyState {
  return { db: line.db, key: bytes(line.key), expireAt: line.expireAt, value: expectedValue(line) };
}

function expectedValue({ type, value }: ExpectedLine): Value {
  switch (type) {
    case "string":
      return { type, text: bytes(value as RecordedString) };
    case "list":
      return { type, items: (value as RecordedString[]).map(bytes) };
    case "set":
      return { type, members: new Set((value as RecordedString[]).map(bytes)) };
    case "hash":
      return {
        type,
        fields: new Map((value as [RecordedString, RecordedString][]).map(([f, v]) => [bytes(f), bytes(v)])),
      };
    case "zset":
      return {
        type,
        members: toPairs((value as RecordedString[]).map(bytes)).map(([member, score]) => [member, parseScore(score)]),
      };
    case "stream":
      return expectedStream(value as ExpectedStream);
    default:
      return { type: "other", name: type };
  }
}

function expectedStream([entries, lastId, groups]: ExpectedStream): Value {
  return {
    type: "stream",
    entries: entries.map(([id, fields]) => ({ id, fields: fields.map(bytes) })),
    lastId,
    groups: sortGroups(
      groups.map(([name, last, pending]) => ({
        name: bytes(name),
        lastId: last,
        pending: pending.map(([id, consumer, count]) => `${id} ${bytes(consumer)} ${count}`),
      })),
    ),
  };
}

function bytes(text: RecordedString): Bytes {
  return recordedBytes(text).toString("latin1");
}
