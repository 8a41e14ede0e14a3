/**
 * Decimal text of integers without a JavaScript string in between, and the 64-bit integers of packed bodies.
 */
import type { Slice } from "../bytes/slice.ts";

/** "-9223372036854775808" has 20 characters. */
const MAX_DIGITS = 20;
const ZERO = 0x30;
const MINUS = 0x2d;
const TWO_32 = 0x1_0000_0000;
const BILLION = 1_000_000_000;

/** Writes the digits of `value` (0 to 2^31 - 1) so that they end before `end`, and returns where they begin. */
function writeDigits(buf: Buffer, end: number, value: number): number {
  let at = end;
  let rest = value | 0;
  do {
    const quotient = (rest / 10) | 0;
    buf[--at] = ZERO + rest - quotient * 10;
    rest = quotient;
  } while (rest !== 0);
  return at;
}

/** Points `out` at the decimal text of a safe integer, in its scratch space. */
export function setDecimal(out: Slice, value: number): void {
  const buf = out.scratch(MAX_DIGITS);
  let rest = value < 0 ? -value : value;
  let at = MAX_DIGITS;
  while (rest >= BILLION) {
    let quotient = Math.floor(rest / BILLION);
    let remainder = rest - quotient * BILLION;
    // Near 2^53 the division may round up to the next integer.
    if (remainder < 0) {
      quotient--;
      remainder += BILLION;
    }
    const low = at - 9;
    at = writeDigits(buf, at, remainder);
    while (at > low) buf[--at] = ZERO;
    rest = quotient;
  }
  at = writeDigits(buf, at, rest);
  if (value < 0) buf[--at] = MINUS;
  out.start = at;
}

/** Whether the 64-bit integer with this signed upper half lies in [-2^53, 2^53). */
function fitsNumber(high: number): boolean {
  return high >= -0x20_0000 && high < 0x20_0000;
}

/** The signed 64-bit integer at `buf[at]`: a number where a number is exact, else a bigint. */
export function readInt64LE(buf: Buffer, at: number): number | bigint {
  const high = buf.readInt32LE(at + 4);
  return fitsNumber(high) ? high * TWO_32 + buf.readUInt32LE(at) : buf.readBigInt64LE(at);
}

/** Points `out` at the decimal text of the signed 64-bit integer at `buf[at]`. */
export function setInt64LE(out: Slice, buf: Buffer, at: number): void {
  const value = readInt64LE(buf, at);
  if (typeof value === "number") setDecimal(out, value);
  else out.setInteger(value);
}
