/**
 * Strings of the RDB stream: plain bytes, integers in binary form, LZF (docs/protocol.md §3; Redis src/rdb.c rdbGenericLoadStringObject).
 */
import type { Cursor } from "../bytes/cursor.ts";
import type { Slice } from "../bytes/slice.ts";
import { checkLzfLengths, lzfDecompress } from "../codec/lzf.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { readLen } from "../bytes/packed-uint.ts";

const ENC_INT8 = 0xc0;
const ENC_INT16 = 0xc1;
const ENC_INT32 = 0xc2;
const ENC_LZF = 0xc3;

/**
 * Reads a string into `out`: a view of the cursor's bytes, or `out`'s own scratch space.
 * @throws LIMIT_EXCEEDED before anything is waited for or allocated, STREAM_CORRUPT
 */
export function readString(cursor: Cursor, out: Slice, limitBytes: number): void {
  const first = cursor.peek();
  if (first < 0x40) {
    const start = cursor.pos + 1;
    const end = start + first;
    if (end > cursor.end) cursor.miss(1 + first);
    out.set(cursor.buf, start, end);
    cursor.pos = end;
    return;
  }
  if (first >= ENC_INT8) {
    readEncoded(cursor, out, limitBytes);
    return;
  }
  const size = readLen(cursor);
  checkSize(cursor, size, limitBytes);
  cursor.need(size);
  out.set(cursor.buf, cursor.pos, cursor.pos + size);
  cursor.pos += size;
}

/** Moves over a string without looking into it. */
export function skipString(cursor: Cursor, limitBytes: number): void {
  const first = cursor.peek();
  if (first < ENC_INT8) {
    const size = readLen(cursor);
    checkSize(cursor, size, limitBytes);
    cursor.skip(size);
    return;
  }
  cursor.pos++;
  if (first === ENC_INT8) cursor.skip(1);
  else if (first === ENC_INT16) cursor.skip(2);
  else if (first === ENC_INT32) cursor.skip(4);
  else if (first === ENC_LZF) {
    const compressed = readLen(cursor);
    checkSize(cursor, readLen(cursor), limitBytes);
    checkSize(cursor, compressed, limitBytes);
    cursor.skip(compressed);
  } else unknownEncoding(cursor, first);
}

function readEncoded(cursor: Cursor, out: Slice, limitBytes: number): void {
  const encoding = cursor.u8();
  switch (encoding) {
    case ENC_INT8: {
      out.setInteger((cursor.u8() << 24) >> 24);
      return;
    }
    case ENC_INT16: {
      cursor.need(2);
      out.setInteger(cursor.buf.readInt16LE(cursor.pos));
      cursor.pos += 2;
      return;
    }
    case ENC_INT32: {
      cursor.need(4);
      out.setInteger(cursor.buf.readInt32LE(cursor.pos));
      cursor.pos += 4;
      return;
    }
    case ENC_LZF: {
      readLzf(cursor, out, limitBytes);
      return;
    }
    default:
      unknownEncoding(cursor, encoding);
  }
}

function readLzf(cursor: Cursor, out: Slice, limitBytes: number): void {
  const compressed = readLen(cursor);
  const size = readLen(cursor);
  checkSize(cursor, size, limitBytes);
  checkSize(cursor, compressed, limitBytes);
  checkLzfLengths(compressed, size, limitBytes);
  cursor.need(compressed);
  lzfDecompress(cursor.buf, cursor.pos, cursor.pos + compressed, out.scratch(size), 0, size);
  cursor.pos += compressed;
}

function checkSize(cursor: Cursor, size: number, limitBytes: number): void {
  if (size <= limitBytes) return;
  throw new Df2RedisError(
    "LIMIT_EXCEEDED",
    `a string of ${size} bytes is over the limit of ${limitBytes} (advanced.limits.stringBytes)`,
    { context: { offset: cursor.offset } },
  );
}

function unknownEncoding(cursor: Cursor, encoding: number): never {
  cursor.pos--;
  return cursor.corrupt(`byte 0x${encoding.toString(16)} starts no string`);
}
