/**
 * Builds listpacks as Dragonfly and Redis do: integers in the shortest form, each element with its length behind it. Facts: Redis src/listpack.c.
 * Owns its bytes.
 */
import { ByteWriter } from "./byte-writer.ts";
import { fitsBits, integerOf } from "./integer-text.ts";

const HEADER_BYTES = 6;
const END = 0xff;
const COUNT_UNKNOWN = 0xffff;

export class ListpackWriter {
  readonly #out = new ByteWriter(256);
  #count = 0;

  constructor() {
    this.clear();
  }

  /** Bytes of the whole listpack, header and terminator included. */
  get byteLength(): number {
    return this.#out.length + 1;
  }

  get count(): number {
    return this.#count;
  }

  clear(): void {
    this.#out.clear();
    this.#out.intLe(0, HEADER_BYTES);
    this.#count = 0;
  }

  /** A string, stored as an integer when it is the text of one. */
  add(bytes: Buffer): void {
    const value = integerOf(bytes);
    if (value === undefined) this.addString(bytes);
    else this.addInteger(value);
  }

  addInteger(value: bigint): void {
    const out = this.#out;
    const start = out.length;
    if (value >= 0n && value < 128n) out.u8(Number(value));
    else if (fitsBits(value, 13)) {
      const bits = Number(BigInt.asUintN(13, value));
      out.u8(0xc0 | (bits >> 8));
      out.u8(bits & 0xff);
    } else if (fitsBits(value, 16)) this.#wide(0xf1, value, 2);
    else if (fitsBits(value, 24)) this.#wide(0xf2, value, 3);
    else if (fitsBits(value, 32)) this.#wide(0xf3, value, 4);
    else {
      out.u8(0xf4);
      out.int64Le(value);
    }
    this.#finish(start);
  }

  addString(bytes: Buffer): void {
    const out = this.#out;
    const start = out.length;
    const { length } = bytes;
    if (length < 64) out.u8(0x80 | length);
    else if (length < 4096) {
      out.u8(0xe0 | (length >> 8));
      out.u8(length & 0xff);
    } else {
      out.u8(0xf0);
      out.intLe(length, 4);
    }
    out.bytes(bytes);
    this.#finish(start);
  }

  /** The whole listpack; a view, valid until the next call. */
  finish(): Buffer {
    const out = this.#out;
    out.u8(END);
    out.patchU32Le(0, out.length);
    out.patchU16Le(4, Math.min(this.#count, COUNT_UNKNOWN));
    return out.view();
  }

  #wide(head: number, value: bigint, size: number): void {
    this.#out.u8(head);
    this.#out.intLe(Number(value), size);
  }

  #finish(start: number): void {
    writeBackLength(this.#out, this.#out.length - start);
    this.#count++;
  }
}

/** Groups of 7 bits, the highest first; all but the first have their high bit set (Redis src/listpack.c lpEncodeBacklen). */
function writeBackLength(out: ByteWriter, size: number): void {
  const width = size <= 127 ? 1 : size < 16383 ? 2 : size < 2097151 ? 3 : size < 268435455 ? 4 : 5;
  for (let group = width - 1; group >= 0; group--) {
    const bits = Math.floor(size / 128 ** group) & 0x7f;
    out.u8(group === width - 1 ? bits : bits | 0x80);
  }
}
