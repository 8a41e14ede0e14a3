/**
 * Intsets: sorted integers of one width. Facts: Redis src/intset.c. Ascending order is checked: a set with a double or in disorder
 * would answer wrongly in the target.
 */
import type { Slice } from "../bytes/slice.ts";
import { corrupt } from "./codec-error.ts";
import { setDecimal, setInt64LE } from "./decimal.ts";
import type { ElementReader } from "./element-reader.ts";

const HEADER_BYTES = 8;

export class IntsetReader implements ElementReader {
  #buf: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #at = 0;
  #width = 2;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  reset(buf: Buffer, start: number, end: number): this {
    if (end - start < HEADER_BYTES) throw corrupt("intset", "the header is cut off", end - start);
    const width = buf.readUInt32LE(start);
    if (width !== 2 && width !== 4 && width !== 8) throw corrupt("intset", `${width} is no width of an integer`, 0);
    const count = buf.readUInt32LE(start + 4);
    if (count * width !== end - start - HEADER_BYTES)
      throw corrupt("intset", `its length does not fit ${count} integers`, 4);
    this.#buf = buf;
    this.#start = start;
    this.#end = end;
    this.#at = start + HEADER_BYTES;
    this.#width = width;
    this.#count = count;
    return this;
  }

  next(out: Slice): boolean {
    const at = this.#at;
    if (at >= this.#end) return false;
    if (at > this.#start + HEADER_BYTES && !this.#ascends(at))
      throw corrupt("intset", "not in ascending order", at - this.#start);
    const buf = this.#buf;
    if (this.#width === 2) setDecimal(out, buf.readInt16LE(at));
    else if (this.#width === 4) setDecimal(out, buf.readInt32LE(at));
    else setInt64LE(out, buf, at);
    this.#at = at + this.#width;
    return true;
  }

  #ascends(at: number): boolean {
    const buf = this.#buf;
    if (this.#width === 2) return buf.readInt16LE(at - 2) < buf.readInt16LE(at);
    if (this.#width === 4) return buf.readInt32LE(at - 4) < buf.readInt32LE(at);
    const before = buf.readInt32LE(at - 4);
    const high = buf.readInt32LE(at + 4);
    return before < high || (before === high && buf.readUInt32LE(at - 8) < buf.readUInt32LE(at));
  }
}
