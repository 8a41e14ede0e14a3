/**
 * Writes the strings of an RDB stream (docs/protocol.md §3): integers in binary form, LZF where it is wanted and pays, else length and bytes. Facts:
 * Dragonfly src/server/rdb_save.cc SaveString; the recordings show the limits.
 */
import type { ByteWriter } from "./byte-writer.ts";
import { fitsBits, integerOf } from "./integer-text.ts";
import { lzfCompress } from "./lzf-compress.ts";

const ENC_INT8 = 0xc0;
const ENC_INT16 = 0xc1;
const ENC_INT32 = 0xc2;
const ENC_LZF = 0xc3;

const LONGEST_INT32_TEXT = 11;
const SHORTEST_LZF_BYTES = 21;
const LZF_GAIN_BYTES = 8;
const LZF_RATIO = 0.85;

export function writeString(out: ByteWriter, bytes: Buffer, lzf: boolean): void {
  if (bytes.length <= LONGEST_INT32_TEXT) {
    const value = integerOf(bytes);
    if (value !== undefined && fitsBits(value, 32)) {
      writeInteger(out, Number(value));
      return;
    }
  }
  const compressed = lzf && bytes.length >= SHORTEST_LZF_BYTES ? lzfCompress(bytes, lzfLimit(bytes.length)) : undefined;
  if (compressed === undefined) {
    out.lenBytes(bytes);
    return;
  }
  out.u8(ENC_LZF);
  out.len(compressed.length);
  out.len(bytes.length);
  out.bytes(compressed);
}

/** A string that is the text of an integer. */
export function writeIntegerString(out: ByteWriter, value: number): void {
  if (fitsBits(BigInt(value), 32)) writeInteger(out, value);
  else {
    const text = value.toString();
    out.len(text.length);
    out.latin1(text);
  }
}

function writeInteger(out: ByteWriter, value: number): void {
  if (value >= -128 && value < 128) {
    out.u8(ENC_INT8);
    out.intLe(value, 1);
  } else if (value >= -32768 && value < 32768) {
    out.u8(ENC_INT16);
    out.intLe(value, 2);
  } else {
    out.u8(ENC_INT32);
    out.intLe(value, 4);
  }
}

function lzfLimit(size: number): number {
  return Math.min(size - LZF_GAIN_BYTES, Math.ceil(size * LZF_RATIO));
}
