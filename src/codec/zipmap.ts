/**
 * Zipmaps: small hashes of Redis before 2.6. Facts: Redis src/zipmap.c. Gives field, value, field, value, …
 */
import type { Slice } from "../bytes/slice.ts";
import { corrupt } from "./codec-error.ts";
import type { ElementReader } from "./element-reader.ts";

const END = 0xff;
/** As a length: four bytes follow. As the count: it cannot say. */
const BIG = 254;

export class ZipmapReader implements ElementReader {
  #buf: Buffer = Buffer.alloc(0);
  #start = 0;
  /** Where the terminator stands. */
  #end = 0;
  #at = 0;
  #count = 0;
  #seen = 0;

  get count(): number {
    return this.#count;
  }

  reset(buf: Buffer, start: number, end: number): this {
    if (end - start < 2) throw corrupt("zipmap", "the header is cut off", end - start);
    if (buf[end - 1] !== END) throw corrupt("zipmap", "the terminator is missing", end - start - 1);
    const pairs = buf[start] as number;
    this.#buf = buf;
    this.#start = start;
    this.#end = end - 1;
    this.#at = start + 1;
    this.#count = pairs < BIG ? pairs * 2 : -1;
    this.#seen = 0;
    return this;
  }

  next(out: Slice): boolean {
    const isValue = (this.#seen & 1) === 1;
    if (this.#at === this.#end && !isValue) {
      if (this.#count >= 0 && this.#seen !== this.#count)
        throw this.#corrupt(`${this.#seen} elements where ${this.#count} were announced`, this.#at);
      return false;
    }
    const length = this.#readLength();
    const free = isValue ? this.#readByte() : 0;
    const at = this.#at;
    if (length + free > this.#end - at) throw this.#corrupt("an element runs past the end", at);
    out.set(this.#buf, at, at + length);
    this.#at = at + length + free;
    this.#seen++;
    return true;
  }

  #readByte(): number {
    if (this.#at >= this.#end) throw this.#corrupt("an element is cut off", this.#at);
    return this.#buf[this.#at++] as number;
  }

  #readLength(): number {
    const at = this.#at;
    const first = this.#readByte();
    if (first < BIG) return first;
    if (first === END) throw this.#corrupt("the terminator stands before the end", at);
    if (this.#end - this.#at < 4) throw this.#corrupt("a length is cut off", at);
    const length = this.#buf.readUInt32LE(this.#at);
    // Redis takes the size of a length from its value, so it could not walk past such a one either.
    if (length < BIG) throw this.#corrupt("a short length in the long form", at);
    this.#at += 4;
    return length;
  }

  #corrupt(what: string, at: number): Error {
    return corrupt("zipmap", what, at - this.#start);
  }
}
