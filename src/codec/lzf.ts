/**
 * LZF, with which Redis and Dragonfly compress single strings. Facts: liblzf's lzf_d.c; Redis src/rdb.c rdbLoadLzfStringObject.
 * Writes into the caller's buffer only; keeps nothing.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { corrupt, overLimit } from "./codec-error.ts";

/** The densest form is a 3-byte reference that stands for 264 bytes. */
const MAX_RATIO = 88;
const LONG_COPY = 48;

/** Checks the two lengths in front of an LZF string, before the caller makes room for `expectedLength` bytes. */
export function checkLzfLengths(compressedLength: number, expectedLength: number, limitBytes: number): void {
  if (expectedLength > limitBytes) throw overLimit("lzf", expectedLength, limitBytes, 0);
  if (compressedLength === 0 || expectedLength === 0 || expectedLength > compressedLength * MAX_RATIO) {
    throw corrupt("lzf", `${compressedLength} bytes cannot hold ${expectedLength}`, 0);
  }
}

/** Decodes `src[start, end)` to exactly `expectedLength` bytes at `out[outStart]`. */
export function lzfDecompress(
  src: Buffer,
  start: number,
  end: number,
  out: Buffer,
  outStart: number,
  expectedLength: number,
): void {
  const outEnd = outStart + expectedLength;
  if (outEnd > out.length) throw new Df2RedisError("INTERNAL", "lzf: the output buffer is too small");
  let ip = start;
  let op = outStart;
  while (ip < end) {
    const control = src[ip++] as number;
    if (control < 32) {
      const length = control + 1;
      if (length > end - ip) throw corrupt("lzf", "literals run past the input", ip - start);
      if (length > outEnd - op) throw corrupt("lzf", "literals run past the expected length", ip - start);
      const copyEnd = op + length;
      while (op < copyEnd) out[op++] = src[ip++] as number;
      continue;
    }
    let length = (control >>> 5) + 2;
    if (length === 9) {
      if (ip >= end) throw corrupt("lzf", "a reference is cut off", ip - start);
      length += src[ip++] as number;
    }
    if (ip >= end) throw corrupt("lzf", "a reference is cut off", ip - start);
    const offset = (((control & 31) << 8) | (src[ip++] as number)) + 1;
    let from = op - offset;
    if (from < outStart) throw corrupt("lzf", `reference offset ${offset} points before the output`, ip - start);
    if (length > outEnd - op) throw corrupt("lzf", "a reference runs past the expected length", ip - start);
    const copyEnd = op + length;
    if (length > LONG_COPY && offset >= length) {
      out.copyWithin(op, from, from + length);
      op = copyEnd;
    } else {
      while (op < copyEnd) out[op++] = out[from++] as number;
    }
  }
  if (op !== outEnd) throw corrupt("lzf", `${op - outStart} bytes where ${expectedLength} were announced`, end - start);
}
