/**
 * The ids of a stream's live entries, packed (about 3 bytes each: varints of the differences), so that pending entries whose message is
 * gone can be told from the others once the groups arrive. Bounded: from `limitBytes` on it takes no more ids and says so.
 */
import { compareIds } from "./stream-id.ts";

const VARINT_MAX_BYTES = 8;

export class StreamIdIndex {
  /** False when ids after the last one in here are not known. */
  complete = true;
  readonly #limitBytes: number;
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;
  #lastMs = 0;
  #lastSeq = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Ids come in ascending order. */
  add(id: string): void {
    if (!this.complete) return;
    const dash = id.indexOf("-");
    const ms = Number(id.slice(0, dash));
    const seq = Number(id.slice(dash + 1));
    if (!this.#fits(ms, seq)) {
      this.complete = false;
      return;
    }
    const ahead = ms - this.#lastMs;
    this.#write(ahead);
    this.#write(ahead === 0 ? seq - this.#lastSeq : seq);
    this.#lastMs = ms;
    this.#lastSeq = seq;
  }

  reader(): StreamIdReader {
    return new StreamIdReader(this.#bytes, this.#length);
  }

  /** Whether an id lies after all that are in here. */
  isBeyond(ms: bigint, seq: bigint): boolean {
    return this.#length === 0 || compareIds(ms, seq, this.#lastMs, this.#lastSeq) > 0;
  }

  #fits(ms: number, seq: number): boolean {
    if (!Number.isSafeInteger(ms) || !Number.isSafeInteger(seq)) return false;
    if (compareIds(ms, seq, this.#lastMs, this.#lastSeq) <= 0) return false;
    return this.#length + 2 * VARINT_MAX_BYTES <= this.#limitBytes;
  }

  #write(value: number): void {
    if (this.#length + VARINT_MAX_BYTES > this.#bytes.length) this.#grow();
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = 128 | (rest % 128);
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  #grow(): void {
    const bigger = Buffer.allocUnsafe(2 * this.#bytes.length);
    this.#bytes.copy(bigger, 0, 0, this.#length);
    this.#bytes = bigger;
  }
}

/** Answers, for ascending ids, whether each is in the index. */
export class StreamIdReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at = 0;
  #ms = 0;
  #seq = 0;

  constructor(bytes: Buffer, end: number) {
    this.#bytes = bytes;
    this.#end = end;
  }

  /** @param id later than that of the call before */
  has(ms: bigint, seq: bigint): boolean {
    let order = compareIds(this.#ms, this.#seq, ms, seq);
    while (order < 0 && this.#at < this.#end) {
      this.#next();
      order = compareIds(this.#ms, this.#seq, ms, seq);
    }
    return order === 0 && this.#at > 0;
  }

  #next(): void {
    const ahead = this.#varint();
    const seq = this.#varint();
    this.#seq = ahead === 0 ? this.#seq + seq : seq;
    this.#ms += ahead;
  }

  #varint(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte % 128) * unit;
      if (byte < 128) return value;
    }
  }
}
