/**
 * The packed unsigned integer of RDB and of the journal, "len" in docs/protocol.md §3 (Redis src/rdb.c rdbLoadLenByRef).
 */
import type { Cursor } from "./cursor.ts";

const LEN_32BIT = 0x80;
const LEN_64BIT = 0x81;

/** Reads a length. @throws STREAM_CORRUPT for a special string encoding, an unknown form, or 2^53 and more */
export function readLen(cursor: Cursor): number {
  const first = cursor.u8();
  if (first < 0x40) return first;
  if (first < 0x80) return ((first & 0x3f) << 8) | cursor.u8();
  if (first === LEN_32BIT) return cursor.u32be();
  if (first === LEN_64BIT) {
    const value = cursor.u64be();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      cursor.pos -= 9;
      cursor.corrupt(`a length of ${value} is impossible`);
    }
    return Number(value);
  }
  cursor.pos--;
  return cursor.corrupt(`byte 0x${first.toString(16)} starts no length`);
}

/** As `readLen`, for values that use all 64 bits (stream ids and counters). */
export function readLen64(cursor: Cursor): bigint {
  const first = cursor.peek();
  if (first === LEN_64BIT) {
    cursor.need(9);
    cursor.pos++;
    return cursor.u64be();
  }
  return BigInt(readLen(cursor));
}
