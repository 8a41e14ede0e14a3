/**
 * One node of a stream: the id of its first entry (16 bytes, big-endian) and a listpack of entries relative to it. Facts: the drawing over
 * streamAppendItem in Redis src/t_stream.c; what streamValidateListpackIntegrity (src/t_stream.c) checks is checked here too.
 *
 *   count, deleted, number of fields, field…, 0                                    the master entry
 *   flags, ms difference, seq difference, [number of fields, field, value… | value…], number of elements     each entry
 *
 * The field slices belong to the reader and are overwritten by the next entry. A node's buffer must stay unchanged while it is read.
 */
import { Slice } from "../bytes/slice.ts";
import { corrupt } from "./codec-error.ts";
import { ListpackReader, STEP_END, STEP_INTEGER } from "./listpack.ts";

const FLAG_DELETED = 1;
const FLAG_SAMEFIELDS = 2;
/** Flags, ms and seq of an entry count for its number of elements; the number itself does not. */
const ENTRY_HEAD_ELEMENTS = 3;
const STREAM_ID_BYTES = 16;
/** Slices kept from one node to the next. */
const KEEP_SLICES = 2048;
const TWO_32 = 0x1_0000_0000;
/** Below this, the upper half of a 64-bit number leaves it exact as a number. */
const SAFE_HIGH = 0x20_0000;

export class StreamNodeReader {
  /** The entry's id, `ms-seq`, after `next` returned true. */
  id = "";
  /** field, value, field, value, …: only the first `fieldCount` slices are of this entry. */
  readonly fields: Slice[] = [];
  fieldCount = 0;

  readonly #listpack = new ListpackReader();
  readonly #masterFields: Slice[] = [];
  #masterFieldCount = 0;
  #masterMs: number | bigint = 0;
  #masterSeq: number | bigint = 0;
  /** Entries and deleted entries that are still to come. */
  #left = 0;
  #deletedLeft = 0;

  /** Begins with a node: its key `keyBuf[keyStart, keyEnd)` and its listpack `buf[start, end)`. */
  reset(keyBuf: Buffer, keyStart: number, keyEnd: number, buf: Buffer, start: number, end: number): this {
    if (keyEnd - keyStart !== STREAM_ID_BYTES)
      throw corrupt("stream node", `a key of ${keyEnd - keyStart} bytes is no stream id`, 0);
    if (this.fields.length > KEEP_SLICES) this.fields.length = KEEP_SLICES;
    if (this.#masterFields.length > KEEP_SLICES) this.#masterFields.length = KEEP_SLICES;
    this.#masterMs = readUInt64BE(keyBuf, keyStart);
    this.#masterSeq = readUInt64BE(keyBuf, keyStart + 8);
    this.#listpack.reset(buf, start, end);
    const valid = this.#readCount("entry count");
    this.#deletedLeft = this.#readCount("count of deleted entries");
    this.#left = valid + this.#deletedLeft;
    this.#masterFieldCount = this.#readCount("field count");
    for (let i = 0; i < this.#masterFieldCount; i++) this.#readInto(this.#masterFields, i);
    if (this.#readInteger("end of the master entry") !== 0) throw this.#corrupt("the master entry does not end with 0");
    return this;
  }

  /** Moves to the next entry that is not deleted. False at the end, when the whole node has been found sound. */
  next(): boolean {
    while (this.#left > 0) {
      this.#left--;
      if (this.#readEntry()) return true;
      this.#deletedLeft--;
    }
    if (this.#deletedLeft !== 0) throw this.#corrupt("the count of deleted entries is wrong");
    if (this.#listpack.step() !== STEP_END) throw this.#corrupt("elements follow the last entry");
    return false;
  }

  /** Reads one entry; false when it is a deleted one. */
  #readEntry(): boolean {
    const flags = this.#readCount("flags");
    if (flags > (FLAG_DELETED | FLAG_SAMEFIELDS)) throw this.#corrupt(`unknown flags ${flags}`);
    const ms = addUInt64(this.#masterMs, this.#readInteger("ms of an id"));
    const seq = addUInt64(this.#masterSeq, this.#readInteger("seq of an id"));
    const sameFields = (flags & FLAG_SAMEFIELDS) !== 0;
    const pairs = sameFields ? this.#masterFieldCount : this.#readCount("field count");
    if (pairs === 0) throw this.#corrupt("an entry without fields");
    for (let i = 0; i < pairs; i++) {
      if (sameFields) sliceAt(this.fields, 2 * i).copyFrom(this.#masterFields[i] as Slice);
      else this.#readInto(this.fields, 2 * i);
      this.#readInto(this.fields, 2 * i + 1);
    }
    const elements = ENTRY_HEAD_ELEMENTS + (sameFields ? pairs : 2 * pairs + 1);
    if (this.#readInteger("element count") !== elements) throw this.#corrupt("an entry's element count is wrong");
    if ((flags & FLAG_DELETED) !== 0) return false;
    this.id = `${ms}-${seq}`;
    this.fieldCount = 2 * pairs;
    return true;
  }

  #readInto(slices: Slice[], index: number): void {
    const step = this.#listpack.step();
    if (step === STEP_END) throw this.#corrupt("an entry is cut off");
    this.#listpack.give(sliceAt(slices, index), step);
  }

  #readInteger(what: string): number | bigint {
    if (this.#listpack.step() !== STEP_INTEGER) throw this.#corrupt(`the ${what} is not an integer`);
    return this.#listpack.integer;
  }

  #readCount(what: string): number {
    const count = this.#readInteger(what);
    if (typeof count !== "number" || count < 0) throw this.#corrupt(`the ${what} is ${count}`);
    return count;
  }

  #corrupt(what: string): Error {
    return corrupt("stream node", what, this.#listpack.inputOffset);
  }
}

function sliceAt(slices: Slice[], index: number): Slice {
  const slice = slices[index];
  if (slice !== undefined) return slice;
  const added = new Slice();
  slices[index] = added;
  return added;
}

/** An unsigned 64-bit number: a number where that is exact, else a bigint. */
function readUInt64BE(buf: Buffer, at: number): number | bigint {
  const high = buf.readUInt32BE(at);
  return high < SAFE_HIGH ? high * TWO_32 + buf.readUInt32BE(at + 4) : buf.readBigUInt64BE(at);
}

/** The sum as C computes it with uint64_t: it wraps around. */
function addUInt64(base: number | bigint, difference: number | bigint): number | bigint {
  if (typeof base === "number" && typeof difference === "number") {
    const sum = base + difference;
    if (sum >= 0 && sum <= Number.MAX_SAFE_INTEGER) return sum;
  }
  return BigInt.asUintN(64, BigInt(base) + BigInt(difference));
}
