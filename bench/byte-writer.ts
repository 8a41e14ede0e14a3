/** A buffer that grows: where the generators put their bytes. `bytes` is a view, valid until the next write. */
export class ByteWriter {
  #buf = Buffer.allocUnsafeSlow(64 * 1024);
  length = 0;

  bytes(): Buffer {
    return this.#buf.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  u8(value: number): void {
    this.#room(1);
    this.#buf[this.length++] = value;
  }

  u16le(value: number): void {
    this.#room(2);
    this.length = this.#buf.writeUInt16LE(value, this.length);
  }

  u32le(value: number): void {
    this.#room(4);
    this.length = this.#buf.writeUInt32LE(value, this.length);
  }

  u64le(value: bigint): void {
    this.#room(8);
    this.length = this.#buf.writeBigUInt64LE(value, this.length);
  }

  /** A signed integer of `size` bytes, at most 6, little-endian. */
  intLe(value: number, size: number): void {
    this.#room(size);
    this.length = this.#buf.writeIntLE(value, this.length, size);
  }

  copy(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#buf.set(bytes, this.length);
    this.length += bytes.length;
  }

  latin1(text: string): void {
    this.#room(text.length);
    this.length += this.#buf.latin1Write(text, this.length, text.length);
  }

  /** The packed unsigned integer of RDB and of the journal (docs/protocol.md §3). */
  len(value: number): void {
    if (value < 0x40) this.u8(value);
    else if (value < 0x4000) {
      this.u8(0x40 | (value >> 8));
      this.u8(value & 0xff);
    } else {
      this.#room(5);
      this.#buf[this.length] = 0x80;
      this.length = this.#buf.writeUInt32BE(value, this.length + 1);
    }
  }

  /** `len` and the bytes. */
  string(bytes: Uint8Array): void {
    this.len(bytes.length);
    this.copy(bytes);
  }

  /** Overwrites 4 bytes at `at`. */
  patchU32le(at: number, value: number): void {
    this.#buf.writeUInt32LE(value, at);
  }

  #room(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.#buf.length) return;
    const bigger = Buffer.allocUnsafeSlow(2 * needed);
    this.#buf.copy(bigger, 0, 0, this.length);
    this.#buf = bigger;
  }
}
