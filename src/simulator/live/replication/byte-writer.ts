/**
 * A buffer that grows: where the simulated master puts the bytes that it sends. Owns its bytes; `view` is valid until the next write, `take` gives a
 * copy away. Writes the packed integers of docs/protocol.md §3.
 */
const FIRST_BYTES = 1024;
const LEN_14_BITS = 0x40;
const LEN_32_BITS = 0x80;
const LEN_64_BITS = 0x81;

export class ByteWriter {
  #buf: Buffer;
  #length = 0;

  constructor(firstBytes = FIRST_BYTES) {
    this.#buf = Buffer.allocUnsafeSlow(firstBytes);
  }

  get length(): number {
    return this.#length;
  }

  view(start = 0, end = this.#length): Buffer {
    return this.#buf.subarray(start, end);
  }

  /** A copy of everything, which the caller owns; the writer is empty then. */
  take(): Buffer {
    const bytes = Buffer.from(this.view());
    this.#length = 0;
    return bytes;
  }

  clear(): void {
    this.#length = 0;
  }

  u8(value: number): void {
    this.#room(1);
    this.#buf[this.#length++] = value;
  }

  /** A signed or unsigned integer of 1 to 6 bytes, little-endian. */
  intLe(value: number, size: number): void {
    this.#room(size);
    let rest = value;
    for (let i = 0; i < size; i++) {
      this.#buf[this.#length++] = rest & 0xff;
      rest = Math.floor(rest / 256);
    }
  }

  /** Modulo 2^64, so signed ones too. */
  int64Le(value: number | bigint): void {
    this.#room(8);
    this.#length = this.#buf.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), this.#length);
  }

  uint64Be(value: number | bigint): void {
    this.#room(8);
    this.#length = this.#buf.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)), this.#length);
  }

  doubleLe(value: number): void {
    this.#room(8);
    this.#length = this.#buf.writeDoubleLE(value, this.#length);
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#buf.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  latin1(text: string): void {
    this.#room(text.length);
    this.#length += this.#buf.latin1Write(text, this.#length, text.length);
  }

  /** The packed unsigned integer. */
  len(value: number): void {
    if (value < 0x40) this.u8(value);
    else if (value < 0x4000) {
      this.u8(LEN_14_BITS | (value >> 8));
      this.u8(value & 0xff);
    } else if (value <= 0xffff_ffff) {
      this.#room(5);
      this.#buf[this.#length] = LEN_32_BITS;
      this.#length = this.#buf.writeUInt32BE(value, this.#length + 1);
    } else this.len64(BigInt(value));
  }

  /** The same for all 64 bits; negative ones modulo 2^64. */
  len64(value: bigint): void {
    if (value >= 0n && value <= 0xffff_ffffn) this.len(Number(value));
    else {
      this.u8(LEN_64_BITS);
      this.uint64Be(value);
    }
  }

  /** `len` and the bytes as they are. */
  lenBytes(bytes: Uint8Array): void {
    this.len(bytes.length);
    this.bytes(bytes);
  }

  patchU32Le(at: number, value: number): void {
    this.#buf.writeUInt32LE(value, at);
  }

  patchU16Le(at: number, value: number): void {
    this.#buf.writeUInt16LE(value, at);
  }

  /** Puts bytes in between: what stands at `at` and behind moves up. */
  insert(at: number, bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#buf.copyWithin(at + bytes.length, at, this.#length);
    this.#buf.set(bytes, at);
    this.#length += bytes.length;
  }

  #room(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buf.length) return;
    const bigger = Buffer.allocUnsafeSlow(2 * needed);
    this.#buf.copy(bigger, 0, 0, this.#length);
    this.#buf = bigger;
  }
}
