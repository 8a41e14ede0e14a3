/**
 * Ziplists: lists, hashes and sorted sets of Redis before 7.0 and of older Dragonflies. Facts: Redis src/ziplist.c. Everything that
 * ziplistValidateIntegrity checks is checked here, element by element.
 */
import type { Slice } from "../bytes/slice.ts";
import { corrupt } from "./codec-error.ts";
import { setDecimal, setInt64LE } from "./decimal.ts";
import type { ElementReader } from "./element-reader.ts";

const HEADER_BYTES = 10;
const END = 0xff;
const COUNT_UNKNOWN = 0xffff;
const BIG_PREVIOUS = 254;

const STRING_6_BITS = 0;
const STRING_14_BITS = 1;
const STRING_32_BITS = 2;
const INT_16 = 0xc0;
const INT_32 = 0xd0;
const INT_64 = 0xe0;
const INT_24 = 0xf0;
const INT_8 = 0xfe;
/** 0xf1 … 0xfd hold 0 … 12 in the byte itself. */
const FIRST_IMMEDIATE = 0xf1;
const LAST_IMMEDIATE = 0xfd;

export class ZiplistReader implements ElementReader {
  #buf: Buffer = Buffer.alloc(0);
  #start = 0;
  /** Where the terminator stands. */
  #end = 0;
  #at = 0;
  #tail = 0;
  #last = 0;
  #previousBytes = 0;
  #count = 0;
  #seen = 0;

  get count(): number {
    return this.#count;
  }

  reset(buf: Buffer, start: number, end: number): this {
    const length = end - start;
    if (length < HEADER_BYTES + 1) throw corrupt("ziplist", "the header is cut off", length);
    if (buf.readUInt32LE(start) !== length)
      throw corrupt("ziplist", `its header says ${buf.readUInt32LE(start)} bytes, it has ${length}`, 0);
    if (buf[end - 1] !== END) throw corrupt("ziplist", "the terminator is missing", length - 1);
    const count = buf.readUInt16LE(start + 8);
    this.#buf = buf;
    this.#start = start;
    this.#end = end - 1;
    this.#at = start + HEADER_BYTES;
    this.#tail = start + buf.readUInt32LE(start + 4);
    this.#last = start + HEADER_BYTES;
    this.#previousBytes = 0;
    this.#count = count === COUNT_UNKNOWN ? -1 : count;
    this.#seen = 0;
    return this;
  }

  next(out: Slice): boolean {
    const at = this.#at;
    if (at === this.#end) return this.#finish();
    const buf = this.#buf;
    const encodingAt = this.#checkPrevious(at);
    const encoding = buf[encodingAt] as number;
    const next =
      encoding < INT_16 ? this.#readString(out, encodingAt, encoding) : this.#readInteger(out, encodingAt, encoding);
    this.#last = at;
    this.#previousBytes = next - at;
    this.#at = next;
    this.#seen++;
    return true;
  }

  /** Reads the length of the element before, which must be right, and returns where the encoding stands. */
  #checkPrevious(at: number): number {
    const buf = this.#buf;
    let previous = buf[at] as number;
    let encodingAt = at + 1;
    if (previous === END) throw this.#corrupt("the terminator stands before the end", at);
    if (previous === BIG_PREVIOUS) {
      if (this.#end - at < 5) throw this.#corrupt("an element is cut off", at);
      previous = buf.readUInt32LE(at + 1);
      encodingAt = at + 5;
    }
    if (previous !== this.#previousBytes)
      throw this.#corrupt(`the element before has ${this.#previousBytes} bytes, not ${previous}`, at);
    if (encodingAt >= this.#end) throw this.#corrupt("an element is cut off", at);
    return encodingAt;
  }

  #readString(out: Slice, at: number, encoding: number): number {
    const buf = this.#buf;
    const form = encoding >>> 6;
    let from = at + 1;
    let length = encoding & 0x3f;
    if (form !== STRING_6_BITS) {
      from = at + (form === STRING_14_BITS ? 2 : 5);
      if (from > this.#end) throw this.#corrupt("a string's length is cut off", at);
      if (form === STRING_32_BITS && length !== 0) throw this.#corrupt(`unknown encoding ${encoding}`, at);
      length = form === STRING_14_BITS ? (length << 8) | (buf[at + 1] as number) : buf.readUInt32BE(at + 1);
    }
    if (length > this.#end - from) throw this.#corrupt("a string runs past the end", at);
    out.set(buf, from, from + length);
    return from + length;
  }

  #readInteger(out: Slice, at: number, encoding: number): number {
    const buf = this.#buf;
    const from = at + 1;
    const width = integerWidth(encoding);
    if (width < 0) throw this.#corrupt(`unknown encoding ${encoding}`, at);
    if (width > this.#end - from) throw this.#corrupt("an integer runs past the end", at);
    if (width === 8) setInt64LE(out, buf, from);
    else setDecimal(out, width === 0 ? encoding - FIRST_IMMEDIATE : buf.readIntLE(from, width));
    return from + width;
  }

  #finish(): false {
    if (this.#count >= 0 && this.#seen !== this.#count)
      throw this.#corrupt(`${this.#seen} elements where ${this.#count} were announced`, this.#at);
    // An empty ziplist's tail offset points behind the header, where its terminator stands.
    if (this.#tail !== this.#last)
      throw this.#corrupt("the tail offset is not that of the last element", this.#start + 4);
    return false;
  }

  #corrupt(what: string, at: number): Error {
    return corrupt("ziplist", what, at - this.#start);
  }
}

/** Bytes behind the encoding byte, or -1. */
function integerWidth(encoding: number): number {
  if (encoding >= FIRST_IMMEDIATE && encoding <= LAST_IMMEDIATE) return 0;
  if (encoding === INT_8) return 1;
  if (encoding === INT_16) return 2;
  if (encoding === INT_24) return 3;
  if (encoding === INT_32) return 4;
  return encoding === INT_64 ? 8 : -1;
}
