/**
 * Listpacks: packed lists, hashes, sets, sorted sets and the nodes of streams. Facts: Redis src/listpack.c. Everything that
 * lpValidateIntegrity checks is checked here, element by element.
 */
import type { Slice } from "../bytes/slice.ts";
import { corrupt } from "./codec-error.ts";
import { readInt64LE, setDecimal } from "./decimal.ts";
import type { ElementReader } from "./element-reader.ts";

const HEADER_BYTES = 6;
const END = 0xff;
const COUNT_UNKNOWN = 0xffff;

const STRING_32_BITS = 0xf0;
const INT_16 = 0xf1;
const INT_24 = 0xf2;
const INT_32 = 0xf3;
const INT_64 = 0xf4;

/** What `step` found. */
export type ListpackStep = 0 | 1 | 2;
export const STEP_END = 0;
export const STEP_STRING = 1;
export const STEP_INTEGER = 2;

export class ListpackReader implements ElementReader {
  /** After STEP_STRING: where the string stands in the body's buffer. */
  stringStart = 0;
  stringEnd = 0;
  /** After STEP_INTEGER: its value; a bigint only where a number is not exact. */
  integer: number | bigint = 0;

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

  /** Where the next element stands, from the body's start: for the messages of those who read what is in a listpack. */
  get inputOffset(): number {
    return this.#at - this.#start;
  }

  reset(buf: Buffer, start: number, end: number): this {
    const length = end - start;
    if (length < HEADER_BYTES + 1) throw corrupt("listpack", "the header is cut off", length);
    if (buf.readUInt32LE(start) !== length)
      throw corrupt("listpack", `its header says ${buf.readUInt32LE(start)} bytes, it has ${length}`, 0);
    if (buf[end - 1] !== END) throw corrupt("listpack", "the terminator is missing", length - 1);
    const count = buf.readUInt16LE(start + 4);
    this.#buf = buf;
    this.#start = start;
    this.#end = end - 1;
    this.#at = start + HEADER_BYTES;
    this.#count = count === COUNT_UNKNOWN ? -1 : count;
    this.#seen = 0;
    return this;
  }

  next(out: Slice): boolean {
    const step = this.step();
    if (step === STEP_END) return false;
    this.give(out, step);
    return true;
  }

  /** Points `out` at the element that `step` has just found. */
  give(out: Slice, step: ListpackStep): void {
    const integer = this.integer;
    if (step === STEP_STRING) out.set(this.#buf, this.stringStart, this.stringEnd);
    else if (typeof integer === "number") setDecimal(out, integer);
    else out.setInteger(integer);
  }

  /** Moves over one element and leaves what it is in the public fields. */
  step(): ListpackStep {
    const at = this.#at;
    if (at === this.#end) return this.#finish();
    const buf = this.#buf;
    const first = buf[at] as number;
    if (first < 0x80) {
      this.integer = first;
      return this.#pass(at, 1, STEP_INTEGER);
    }
    if (first < 0xc0) return this.#passString(at, 1, first & 0x3f);
    if (first < 0xe0) {
      this.#need(at, 2);
      const bits = ((first & 0x1f) << 8) | (buf[at + 1] as number);
      this.integer = (bits << 19) >> 19;
      return this.#pass(at, 2, STEP_INTEGER);
    }
    if (first < 0xf0) {
      this.#need(at, 2);
      return this.#passString(at, 2, ((first & 0x0f) << 8) | (buf[at + 1] as number));
    }
    return this.#stepLong(at, first);
  }

  #stepLong(at: number, first: number): ListpackStep {
    const buf = this.#buf;
    switch (first) {
      case STRING_32_BITS:
        this.#need(at, 5);
        return this.#passString(at, 5, buf.readUInt32LE(at + 1));
      case INT_16:
        this.#need(at, 3);
        this.integer = buf.readInt16LE(at + 1);
        return this.#pass(at, 3, STEP_INTEGER);
      case INT_24:
        this.#need(at, 4);
        this.integer = buf.readIntLE(at + 1, 3);
        return this.#pass(at, 4, STEP_INTEGER);
      case INT_32:
        this.#need(at, 5);
        this.integer = buf.readInt32LE(at + 1);
        return this.#pass(at, 5, STEP_INTEGER);
      case INT_64:
        this.#need(at, 9);
        this.integer = readInt64LE(buf, at + 1);
        return this.#pass(at, 9, STEP_INTEGER);
      case END:
        throw this.#corrupt("the terminator stands before the end", at);
      default:
        throw this.#corrupt(`unknown encoding ${first}`, at);
    }
  }

  #need(at: number, bytes: number): void {
    if (bytes > this.#end - at) throw this.#corrupt("an element is cut off", at);
  }

  #passString(at: number, headBytes: number, length: number): ListpackStep {
    this.stringStart = at + headBytes;
    this.stringEnd = at + headBytes + length;
    return this.#pass(at, headBytes + length, STEP_STRING);
  }

  /** Moves over an element of `bytes` bytes and over its length that stands behind it, which must be right. */
  #pass(at: number, bytes: number, step: ListpackStep): ListpackStep {
    const lengthAt = at + bytes;
    if (bytes <= 127) {
      if (lengthAt >= this.#end) throw this.#corrupt("an element runs past the end", at);
      if (this.#buf[lengthAt] !== bytes) throw this.#corrupt("the length behind an element is wrong", lengthAt);
      this.#at = lengthAt + 1;
    } else {
      this.#at = this.#passLongLength(at, bytes);
    }
    this.#seen++;
    return step;
  }

  #passLongLength(at: number, bytes: number): number {
    const width = backLengthWidth(bytes);
    const lengthAt = at + bytes;
    if (width > this.#end - lengthAt) throw this.#corrupt("an element runs past the end", at);
    let rest = bytes;
    for (let place = lengthAt + width - 1; place >= lengthAt; place--) {
      const more = place > lengthAt ? 0x80 : 0;
      if (this.#buf[place] !== ((rest & 0x7f) | more))
        throw this.#corrupt("the length behind an element is wrong", place);
      rest = Math.floor(rest / 128);
    }
    return lengthAt + width;
  }

  #finish(): ListpackStep {
    if (this.#count >= 0 && this.#seen !== this.#count)
      throw this.#corrupt(`${this.#seen} elements where ${this.#count} were announced`, this.#at);
    return STEP_END;
  }

  #corrupt(what: string, at: number): Error {
    return corrupt("listpack", what, at - this.#start);
  }
}

/** Redis src/listpack.c lpEncodeBacklen: the limits of the longer forms are one lower than 7 bits a byte would allow. */
function backLengthWidth(bytes: number): number {
  if (bytes <= 127) return 1;
  if (bytes < 16383) return 2;
  if (bytes < 2097151) return 3;
  return bytes < 268435455 ? 4 : 5;
}
