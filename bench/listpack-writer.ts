/** Writes a listpack into a string of an RDB stream, as Redis and Dragonfly store small hashes and zsets. Facts: Redis src/listpack.c. */
import { ByteWriter } from "./byte-writer.ts";
import { type Part, partText } from "./dataset.ts";

const END = 0xff;

export class ListpackWriter {
  readonly #out = new ByteWriter();

  /** The listpack of `parts`; a view, valid until the next call. */
  encode(parts: readonly Part[]): Buffer {
    const out = this.#out;
    out.clear();
    out.u32le(0);
    out.u16le(parts.length);
    for (const part of parts) this.#element(part);
    out.u8(END);
    out.patchU32le(0, out.length);
    return out.bytes();
  }

  #element(part: Part): void {
    const out = this.#out;
    const start = out.length;
    if (typeof part === "number" && Number.isInteger(part)) this.#integer(part);
    else this.#string(partText(part));
    backLength(out, out.length - start);
  }

  #integer(value: number): void {
    const out = this.#out;
    if (value >= 0 && value < 128) out.u8(value);
    else if (value >= -4096 && value < 4096) {
      out.u8(0xc0 | ((value >> 8) & 0x1f));
      out.u8(value & 0xff);
    } else if (fits(value, 16)) this.#wide(0xf1, value, 2);
    else if (fits(value, 24)) this.#wide(0xf2, value, 3);
    else this.#wide(0xf3, value, 4);
  }

  #wide(head: number, value: number, size: number): void {
    this.#out.u8(head);
    this.#out.intLe(value, size);
  }

  #string(bytes: Buffer): void {
    const out = this.#out;
    if (bytes.length < 64) out.u8(0x80 | bytes.length);
    else {
      out.u8(0xe0 | (bytes.length >> 8));
      out.u8(bytes.length & 0xff);
    }
    out.copy(bytes);
  }
}

/** The size of the element in front of it, in groups of 7 bits, for walking backwards. Elements here are short. */
function backLength(out: ByteWriter, size: number): void {
  if (size < 128) {
    out.u8(size);
    return;
  }
  out.u8(size >> 7);
  out.u8((size & 0x7f) | 0x80);
}

function fits(value: number, bits: number): boolean {
  return value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1);
}
