/** Builds ziplists, the packed form that Dragonflies up to about 1.27 send for small hashes and sorted sets. Facts: Redis src/ziplist.c. Owns its bytes. */
import { ByteWriter } from "./byte-writer.ts";
import { fitsBits, integerOf } from "./integer-text.ts";

const HEADER_BYTES = 10;
const TAIL_AT = 4;
const COUNT_AT = 8;
const END = 0xff;
const BIG_PREVIOUS = 254;
const COUNT_UNKNOWN = 0xffff;
/** Above it an integer is not tried (ziplist.c zipTryEncoding). */
const LONGEST_INTEGER = 31;

export class ZiplistWriter {
  readonly #out = new ByteWriter(256);
  #count = 0;
  #last = HEADER_BYTES;
  #previousBytes = 0;

  constructor() {
    this.#out.bytes(Buffer.alloc(HEADER_BYTES));
  }

  add(bytes: Buffer): void {
    const out = this.#out;
    const start = out.length;
    if (this.#previousBytes < BIG_PREVIOUS) out.u8(this.#previousBytes);
    else {
      out.u8(BIG_PREVIOUS);
      out.intLe(this.#previousBytes, 4);
    }
    const value = bytes.length <= LONGEST_INTEGER ? integerOf(bytes) : undefined;
    if (value === undefined) this.#string(bytes);
    else this.#integer(value);
    this.#last = start;
    this.#previousBytes = out.length - start;
    this.#count++;
  }

  /** The whole ziplist; a view. Nothing can be added any more. */
  finish(): Buffer {
    const out = this.#out;
    out.u8(END);
    out.patchU32Le(0, out.length);
    out.patchU32Le(TAIL_AT, this.#last);
    out.patchU16Le(COUNT_AT, Math.min(this.#count, COUNT_UNKNOWN));
    return out.view();
  }

  #string(bytes: Buffer): void {
    const out = this.#out;
    const { length } = bytes;
    if (length < 64) out.u8(length);
    else if (length < 16384) {
      out.u8(0x40 | (length >> 8));
      out.u8(length & 0xff);
    } else {
      out.u8(0x80);
      for (let shift = 24; shift >= 0; shift -= 8) out.u8((length >>> shift) & 0xff);
    }
    out.bytes(bytes);
  }

  #integer(value: bigint): void {
    const out = this.#out;
    if (value >= 0n && value <= 12n) out.u8(0xf1 + Number(value));
    else if (fitsBits(value, 8)) this.#wide(0xfe, value, 1);
    else if (fitsBits(value, 16)) this.#wide(0xc0, value, 2);
    else if (fitsBits(value, 24)) this.#wide(0xf0, value, 3);
    else if (fitsBits(value, 32)) this.#wide(0xd0, value, 4);
    else {
      out.u8(0xe0);
      out.int64Le(value);
    }
  }

  #wide(head: number, value: bigint, size: number): void {
    this.#out.u8(head);
    this.#out.intLe(Number(value), size);
  }
}
