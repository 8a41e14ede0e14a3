/** Stream ids as text and in order. Pure. Ids above 2^53 lose their last bits: no session needs them. */
import { text } from "./arguments.ts";
import { CommandError } from "./command-error.ts";
import type { StreamId } from "./values.ts";

export const INVALID_ID = "ERR Invalid stream ID specified as stream command argument";

export const NO_ID: StreamId = { ms: 0, seq: 0 };
const MAX_SEQ = Number.MAX_SAFE_INTEGER;

export function idText({ ms, seq }: StreamId): string {
  return `${ms}-${seq}`;
}

export function compareIds(a: StreamId, b: StreamId): number {
  return a.ms - b.ms || a.seq - b.seq;
}

export function isZero({ ms, seq }: StreamId): boolean {
  return ms === 0 && seq === 0;
}

/** `ms-seq` or `ms`, whose seq is then `missingSeq`. */
export function parseId(bytes: Buffer, missingSeq = 0): StreamId {
  const match = /^(\d{1,20})(?:-(\d{1,20}))?$/.exec(text(bytes));
  if (match === null) throw new CommandError(INVALID_ID);
  return { ms: Number(match[1]), seq: match[2] === undefined ? missingSeq : Number(match[2]) };
}

/** The bound of a range: `-`, `+`, an id, or one behind `(`. */
export function parseRangeBound(bytes: Buffer, side: "start" | "end"): StreamId {
  const bound = text(bytes);
  if (bound === "-") return NO_ID;
  if (bound === "+") return { ms: Infinity, seq: MAX_SEQ };
  if (!bound.startsWith("(")) return parseId(bytes, side === "start" ? 0 : MAX_SEQ);
  const { ms, seq } = parseId(bytes.subarray(1), side === "start" ? 0 : MAX_SEQ);
  if (side === "start") return seq === MAX_SEQ ? { ms: ms + 1, seq: 0 } : { ms, seq: seq + 1 };
  return seq === 0 ? { ms: ms - 1, seq: MAX_SEQ } : { ms, seq: seq - 1 };
}
