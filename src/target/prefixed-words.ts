/**
 * Words of one command with a prefix put before them, in a buffer of its own that is reused: what `add` returns is valid until the next `start`.
 * Never writes into the words it is given.
 */
import { Slice } from "../bytes/slice.ts";

/** More is let go after its command: one huge entry must not stay in memory. */
const KEPT_BYTES = 1024 * 1024;
const KEPT_SLICES = 4096;
const FIRST_BYTES = 4096;

export class PrefixedWords {
  #buf = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #slices: Slice[] = [];
  #used = 0;
  #at = 0;

  /** Begins anew. @param bytes room for all words, prefixes included */
  start(bytes: number): void {
    this.#used = 0;
    this.#at = 0;
    if (this.#buf.length >= bytes && this.#buf.length <= KEPT_BYTES && this.#slices.length <= KEPT_SLICES) return;
    // Unused slices would keep the old buffer alive.
    this.#slices = [];
    this.#buf = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, bytes));
  }

  add(prefix: Buffer, word: Slice): Slice {
    const start = this.#at;
    const from = start + prefix.length;
    const end = from + word.length;
    this.#buf.set(prefix, start);
    word.buf.copy(this.#buf, from, word.start, word.end);
    this.#at = end;
    let slice = this.#slices[this.#used];
    if (slice === undefined) this.#slices.push((slice = new Slice()));
    this.#used++;
    return slice.set(this.#buf, start, end);
  }
}
