/**
 * The one reader of binary input: a position in contiguous bytes, with every length checked before it is used.
 *
 * `mark` is the last committed position. When bytes run out a read throws `NEEDS_MORE`; the owner rewinds to the mark and tries again
 * once `wanted` bytes stand behind the mark. `hardEnd` is where the input ends for good (a decompressed blob, a tagged chunk): reading across
 * it is corruption and never waiting. Positions are indexes into `buf`; `base` is the stream offset of `buf[0]`.
 *
 * A cursor owns no bytes. `StreamBuffer` feeds one from a socket, a blob's cursor points at the decompressor's output.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { NEEDS_MORE } from "./needs-more.ts";

const EMPTY = Buffer.alloc(0);

export class Cursor {
  buf: Buffer = EMPTY;
  pos = 0;
  /** First index that has not arrived yet, or that `hardEnd` forbids. */
  end = 0;
  mark = 0;
  /** Bytes that must stand behind `mark` before another try makes sense. */
  wanted = 0;
  base = 0;
  #arrived = 0;
  #hardEnd = Number.POSITIVE_INFINITY;

  /** Points the cursor at `buf[start, end)`, all that there will be. */
  resetTo(buf: Buffer, start: number, end: number, base = 0): this {
    this.buf = buf;
    this.pos = start;
    this.mark = start;
    this.base = base;
    this.#arrived = end;
    this.#hardEnd = end;
    this.end = end;
    this.wanted = 0;
    return this;
  }

  /** For `StreamBuffer`: the bytes moved to another place (`shift` lower) and/or more of them arrived. */
  rebase(buf: Buffer, shift: number, arrived: number): void {
    this.buf = buf;
    this.pos -= shift;
    this.mark -= shift;
    this.base += shift;
    this.#hardEnd -= shift;
    this.#arrived = arrived;
    this.end = Math.min(arrived, this.#hardEnd);
  }

  get hardEnd(): number {
    return this.#hardEnd;
  }

  /** Forbids reading past index `hardEnd`, which may lie beyond what has arrived; infinite to allow all. */
  limitTo(hardEnd: number): void {
    this.#hardEnd = hardEnd;
    this.end = Math.min(this.#arrived, hardEnd);
  }

  /** Stream offset of the next byte. */
  get offset(): number {
    return this.base + this.pos;
  }

  commit(): void {
    this.mark = this.pos;
    this.wanted = 0;
  }

  rewind(): void {
    this.pos = this.mark;
  }

  /** Makes sure that `size` bytes stand at the position. */
  need(size: number): void {
    if (this.pos + size > this.end) this.miss(size);
  }

  /** Out of bytes: waits, or reports corruption when no more can come. */
  miss(size: number): never {
    if (this.pos + size > this.#hardEnd) {
      throw new Df2RedisError(
        "STREAM_CORRUPT",
        `the data ends inside an element: ${size} more bytes were announced than there are`,
        {
          context: { offset: this.offset },
        },
      );
    }
    this.wanted = this.pos + size - this.mark;
    throw NEEDS_MORE;
  }

  u8(): number {
    if (this.pos >= this.end) this.miss(1);
    return this.buf[this.pos++] as number;
  }

  peek(): number {
    if (this.pos >= this.end) this.miss(1);
    return this.buf[this.pos] as number;
  }

  u16be(): number {
    this.need(2);
    const at = this.pos;
    this.pos = at + 2;
    return ((this.buf[at] as number) << 8) | (this.buf[at + 1] as number);
  }

  u32le(): number {
    this.need(4);
    const value = this.buf.readUInt32LE(this.pos);
    this.pos += 4;
    return value;
  }

  u32be(): number {
    this.need(4);
    const value = this.buf.readUInt32BE(this.pos);
    this.pos += 4;
    return value;
  }

  u64le(): bigint {
    this.need(8);
    const value = this.buf.readBigUInt64LE(this.pos);
    this.pos += 8;
    return value;
  }

  u64be(): bigint {
    this.need(8);
    const value = this.buf.readBigUInt64BE(this.pos);
    this.pos += 8;
    return value;
  }

  doubleLe(): number {
    this.need(8);
    const value = this.buf.readDoubleLE(this.pos);
    this.pos += 8;
    return value;
  }

  /** Signed 64-bit, as a number. @throws STREAM_CORRUPT when it is not exact below 2^53 */
  i64leNumber(): number {
    this.need(8);
    const low = this.buf.readUInt32LE(this.pos);
    const high = this.buf.readInt32LE(this.pos + 4);
    const value = high * 0x1_0000_0000 + low;
    if (!Number.isSafeInteger(value)) this.corrupt("a 64-bit integer is out of range");
    this.pos += 8;
    return value;
  }

  skip(size: number): void {
    this.need(size);
    this.pos += size;
  }

  corrupt(what: string): never {
    throw new Df2RedisError("STREAM_CORRUPT", what, { context: { offset: this.offset } });
  }
}
