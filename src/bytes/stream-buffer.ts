/**
 * The bytes of a stream that have arrived and are not decoded yet, contiguous, with a cursor over them. Every chunk is copied in, so no view of
 * a caller's buffer outlives a call. The buffer grows only as bytes really arrive, never by a length that the wire announces, and
 * goes back to its normal size once a large element is done.
 */
import { Cursor } from "./cursor.ts";

export class StreamBuffer {
  readonly cursor = new Cursor();
  readonly #normalBytes: number;
  #buf: Buffer;
  #length = 0;

  constructor(normalBytes = 512 * 1024) {
    this.#normalBytes = normalBytes;
    this.#buf = Buffer.allocUnsafeSlow(normalBytes);
    this.cursor.rebase(this.#buf, 0, 0);
  }

  /** Bytes that arrived and stand behind the cursor's mark. */
  get pendingBytes(): number {
    return this.#length - this.cursor.mark;
  }

  /** True when another try to decode makes sense. */
  get hasWanted(): boolean {
    return this.pendingBytes >= this.cursor.wanted;
  }

  append(chunk: Uint8Array): void {
    const shift = this.#makeRoom(chunk.length);
    this.#buf.set(chunk, this.#length);
    this.#length += chunk.length;
    this.cursor.rebase(this.#buf, shift, this.#length);
  }

  /** Moves what is pending to the front, into a larger or smaller buffer when that fits better. Returns by how much it moved. */
  #makeRoom(size: number): number {
    const pending = this.pendingBytes;
    const needed = pending + size;
    const oversized = this.#buf.length > 4 * this.#normalBytes && needed <= this.#normalBytes;
    if (this.#length + size <= this.#buf.length && !oversized) return 0;
    const shift = this.cursor.mark;
    const target = this.#targetSize(needed, oversized);
    if (target === this.#buf.length) this.#buf.copyWithin(0, shift, this.#length);
    else {
      const next = Buffer.allocUnsafeSlow(target);
      this.#buf.copy(next, 0, shift, this.#length);
      this.#buf = next;
    }
    this.#length = pending;
    return shift;
  }

  #targetSize(needed: number, oversized: boolean): number {
    if (oversized) return this.#normalBytes;
    // More than half full after moving would make the next append move again: grow instead.
    if (needed * 2 <= this.#buf.length || needed <= this.#normalBytes) return this.#buf.length;
    return Math.max(this.#buf.length, 2 * needed);
  }
}
