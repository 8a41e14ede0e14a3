/**
 * CRC-64 of Redis ("Jones"): reflected polynomial 0x95ac9329ac4bc9b5, start 0, no final xor; check("123456789") = e9c6d914c4b8d9ca.
 * Facts: Redis src/crc64.c. It stands at the end of DUMP payloads and RDB files, little-endian.
 *
 * Slices by 8 on two 32-bit halves, since JavaScript has no fast 64-bit integer; longer input goes through the WebAssembly kernel, whose memory it
 * is copied to.
 */
import { CRC_AT, INPUT_AT, INPUT_BYTES, instantiateCrc64Kernel, type Crc64Kernel } from "./crc64-kernel.ts";

const POLYNOMIAL_LOW = 0xac4bc9b5 | 0;
const POLYNOMIAL_HIGH = 0x95ac9329 | 0;
const SLICES = 8;
/** From here on the kernel is worth the copy and the call (measured on Node 24). */
const KERNEL_FROM_BYTES = 128;

/** Entry `slice * 256 + byte`: what `byte` does to the checksum when `slice` bytes follow it. */
const TABLE_LOW = new Int32Array(SLICES * 256);
const TABLE_HIGH = new Int32Array(SLICES * 256);
fillTables();

function fillTables(): void {
  for (let byte = 0; byte < 256; byte++) {
    let low = byte;
    let high = 0;
    for (let bit = 0; bit < 8; bit++) {
      const carry = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (carry !== 0) {
        low ^= POLYNOMIAL_LOW;
        high ^= POLYNOMIAL_HIGH;
      }
    }
    TABLE_LOW[byte] = low;
    TABLE_HIGH[byte] = high;
  }
  for (let at = 256; at < SLICES * 256; at++) {
    const low = TABLE_LOW[at - 256] as number;
    const high = TABLE_HIGH[at - 256] as number;
    TABLE_LOW[at] = ((low >>> 8) | (high << 24)) ^ (TABLE_LOW[low & 0xff] as number);
    TABLE_HIGH[at] = (high >>> 8) ^ (TABLE_HIGH[low & 0xff] as number);
  }
}

/** The kernel with views over its memory. */
type Kernel = { readonly exports: Crc64Kernel; readonly memory: Uint8Array; readonly crc: Int32Array };

let shared: Kernel | undefined;
let isKernelTried = false;

/** This thread's kernel; undefined where WebAssembly is switched off. */
function threadKernel(): Kernel | undefined {
  if (!isKernelTried) {
    isKernelTried = true;
    try {
      const kernel = instantiateCrc64Kernel((slice, byte) => [
        TABLE_LOW[slice * 256 + byte] as number,
        TABLE_HIGH[slice * 256 + byte] as number,
      ]);
      const { buffer } = kernel.memory;
      shared = { exports: kernel, memory: new Uint8Array(buffer), crc: new Int32Array(buffer, CRC_AT, 2) };
    } catch {
      shared = undefined;
    }
  }
  return shared;
}

export class Crc64 {
  readonly #kernel: Kernel | undefined;
  #low = 0;
  #high = 0;

  /** @param useKernel false: in plain TypeScript, for tests */
  constructor(useKernel = true) {
    this.#kernel = useKernel ? threadKernel() : undefined;
  }

  reset(): this {
    this.#low = 0;
    this.#high = 0;
    return this;
  }

  update(buf: Uint8Array, start: number, end: number): this {
    if (end - start < KERNEL_FROM_BYTES || this.#kernel === undefined) this.#updatePlain(buf, start, end);
    else this.#updateInKernel(this.#kernel, buf, start, end);
    return this;
  }

  #updateInKernel(kernel: Kernel, buf: Uint8Array, start: number, end: number): void {
    const { crc, memory } = kernel;
    crc[0] = this.#low;
    crc[1] = this.#high;
    for (let at = start; at < end; at += INPUT_BYTES) {
      const stop = Math.min(end, at + INPUT_BYTES);
      memory.set(buf.subarray(at, stop), INPUT_AT);
      kernel.exports.update(INPUT_AT, INPUT_AT + stop - at);
    }
    this.#low = crc[0] ?? 0;
    this.#high = crc[1] ?? 0;
  }

  #updatePlain(buf: Uint8Array, start: number, end: number): void {
    let low = this.#low;
    let high = this.#high;
    let at = start;
    for (const last = end - 8; at <= last; at += 8) {
      const a =
        low ^
        ((buf[at] as number) |
          ((buf[at + 1] as number) << 8) |
          ((buf[at + 2] as number) << 16) |
          ((buf[at + 3] as number) << 24));
      const b =
        high ^
        ((buf[at + 4] as number) |
          ((buf[at + 5] as number) << 8) |
          ((buf[at + 6] as number) << 16) |
          ((buf[at + 7] as number) << 24));
      const i7 = 1792 + (a & 0xff);
      const i6 = 1536 + ((a >>> 8) & 0xff);
      const i5 = 1280 + ((a >>> 16) & 0xff);
      const i4 = 1024 + (a >>> 24);
      const i3 = 768 + (b & 0xff);
      const i2 = 512 + ((b >>> 8) & 0xff);
      const i1 = 256 + ((b >>> 16) & 0xff);
      const i0 = b >>> 24;
      low =
        (TABLE_LOW[i7] as number) ^
        (TABLE_LOW[i6] as number) ^
        (TABLE_LOW[i5] as number) ^
        (TABLE_LOW[i4] as number) ^
        (TABLE_LOW[i3] as number) ^
        (TABLE_LOW[i2] as number) ^
        (TABLE_LOW[i1] as number) ^
        (TABLE_LOW[i0] as number);
      high =
        (TABLE_HIGH[i7] as number) ^
        (TABLE_HIGH[i6] as number) ^
        (TABLE_HIGH[i5] as number) ^
        (TABLE_HIGH[i4] as number) ^
        (TABLE_HIGH[i3] as number) ^
        (TABLE_HIGH[i2] as number) ^
        (TABLE_HIGH[i1] as number) ^
        (TABLE_HIGH[i0] as number);
    }
    for (; at < end; at++) {
      const index = (low ^ (buf[at] as number)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (TABLE_LOW[index] as number);
      high = (high >>> 8) ^ (TABLE_HIGH[index] as number);
    }
    this.#low = low;
    this.#high = high;
  }

  updateByte(byte: number): this {
    const index = (this.#low ^ byte) & 0xff;
    this.#low = ((this.#low >>> 8) | (this.#high << 24)) ^ (TABLE_LOW[index] as number);
    this.#high = (this.#high >>> 8) ^ (TABLE_HIGH[index] as number);
    return this;
  }

  /** Writes the 8 bytes of the checksum, little-endian, at `out[at]`; the state goes on. */
  writeLE(out: Buffer, at: number): void {
    out.writeInt32LE(this.#low, at);
    out.writeInt32LE(this.#high, at + 4);
  }

  /** Whether the 8 bytes at `buf[at]` are this checksum. */
  equalsLE(buf: Buffer, at: number): boolean {
    return buf.readInt32LE(at) === this.#low && buf.readInt32LE(at + 4) === this.#high;
  }

  /** 16 hex digits, for messages and tests. */
  toHex(): string {
    return (this.#high >>> 0).toString(16).padStart(8, "0") + (this.#low >>> 0).toString(16).padStart(8, "0");
  }
}
