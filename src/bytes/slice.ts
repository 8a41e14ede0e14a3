/**
 * A mutable view of bytes: `buf[start, end)`. The decoders hand out slices that they own and reuse, so a receiver reads or
 * copies one before it returns and never keeps it. A slice may point into a caller's chunk, into a decompressed blob or into
 * its own scratch space (integers in text form, LZF output).
 */
const EMPTY = Buffer.alloc(0);

export class Slice {
  buf: Buffer = EMPTY;
  start = 0;
  end = 0;
  #scratch: Buffer = EMPTY;

  static from(bytes: Uint8Array | string): Slice {
    const buf =
      typeof bytes === "string" ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new Slice().set(buf, 0, buf.length);
  }

  get length(): number {
    return this.end - this.start;
  }

  set(buf: Buffer, start: number, end: number): this {
    this.buf = buf;
    this.start = start;
    this.end = end;
    return this;
  }

  /** Points this slice at `size` bytes of its own scratch space, which lives until the next call. The caller fills them. */
  scratch(size: number): Buffer {
    if (this.#scratch.length < size) this.#scratch = Buffer.allocUnsafeSlow(Math.max(32, size));
    this.buf = this.#scratch;
    this.start = 0;
    this.end = size;
    return this.#scratch;
  }

  /** Lets go of the bytes it points at and of its scratch space, when either is in a buffer larger than `keepBytes`: one huge value must not stay in memory. */
  release(keepBytes = 0): void {
    if (this.buf.length > keepBytes) this.set(EMPTY, 0, 0);
    if (this.#scratch.length > keepBytes) this.#scratch = EMPTY;
  }

  /** The decimal text of an integer, in scratch space. */
  setInteger(value: number | bigint): this {
    const text = value.toString();
    const buf = this.scratch(text.length);
    buf.latin1Write(text, 0, text.length);
    return this;
  }

  copyFrom(other: Slice): this {
    return this.set(other.buf, other.start, other.end);
  }

  /** A copy that the caller owns. */
  toBuffer(): Buffer {
    return Buffer.from(this.buf.subarray(this.start, this.end));
  }

  /** A view without a copy, valid as long as the slice is. */
  view(): Buffer {
    return this.buf.subarray(this.start, this.end);
  }

  /** Each byte as one character: cheap, exact for ASCII. */
  toLatin1(): string {
    return this.buf.latin1Slice(this.start, this.end);
  }

  toText(): string {
    return this.buf.utf8Slice(this.start, this.end);
  }

  /** Whether the bytes are `upper` (upper-case ASCII), letters compared without case. */
  equalsIgnoreCase(upper: string): boolean {
    if (this.end - this.start !== upper.length) return false;
    for (let i = 0; i < upper.length; i++) {
      let c = this.buf[this.start + i] ?? 0;
      if (c >= 0x61 && c <= 0x7a) c -= 0x20;
      if (c !== upper.charCodeAt(i)) return false;
    }
    return true;
  }
}
