/**
 * Which source database each key came from, by fingerprints: never the keys themselves. Open addressing with linear probing, 16 bytes a slot: three
 * words of the fingerprint, and the owner plus one (0: empty). Split into segments that grow one at a time, so that growing needs no second table.
 * Some 21 to 32 bytes a key. Not shared between threads.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { KeyFingerprint } from "./key-fingerprint.ts";

const SEGMENTS = 64;
const SLOT_WORDS = 4;
const OWNER = 3;
const WORD_BYTES = 4;
const MAX_LOAD = 0.75;
const GROWTH = 1.5;
const FIRST_SLOTS = 8;

const NOTHING = new Int32Array(0);

type Segment = { words: Int32Array; keys: number };

export class KeyOwners {
  readonly #limitBytes: number;
  readonly #segments: readonly Segment[];
  #bytes = 0;
  #size = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.#segments = Array.from({ length: SEGMENTS }, () => ({ words: NOTHING, keys: 0 }));
  }

  get size(): number {
    return this.#size;
  }

  get byteLength(): number {
    return this.#bytes;
  }

  /** The owner of the key, or -1. */
  get(print: KeyFingerprint): number {
    const { words } = this.#segment(print);
    return words.length === 0 ? -1 : (words[find(words, print) + OWNER] as number) - 1;
  }

  /** @throws LIMIT_EXCEEDED */
  set(print: KeyFingerprint, owner: number): void {
    const segment = this.#segment(print);
    if (segment.words.length > 0) {
      const known = find(segment.words, print);
      if (segment.words[known + OWNER] !== 0) {
        segment.words[known + OWNER] = owner + 1;
        return;
      }
    }
    if (segment.keys + 1 > (segment.words.length / SLOT_WORDS) * MAX_LOAD) this.#grow(segment);
    const { words } = segment;
    const at = find(words, print);
    words[at] = print.h1;
    words[at + 1] = print.h2;
    words[at + 2] = print.h3;
    words[at + OWNER] = owner + 1;
    segment.keys++;
    this.#size++;
  }

  delete(print: KeyFingerprint): void {
    const segment = this.#segment(print);
    const { words } = segment;
    if (words.length === 0) return;
    const at = find(words, print);
    if (words[at + OWNER] === 0) return;
    closeGap(words, at);
    segment.keys--;
    this.#size--;
  }

  clear(): void {
    for (const segment of this.#segments) {
      segment.words = NOTHING;
      segment.keys = 0;
    }
    this.#bytes = 0;
    this.#size = 0;
  }

  /** By a word that has no part in a slot's place. */
  #segment(print: KeyFingerprint): Segment {
    return this.#segments[print.h4 & (SEGMENTS - 1)] as Segment;
  }

  #grow(segment: Segment): void {
    const old = segment.words;
    const slots = Math.max(FIRST_SLOTS, Math.ceil((old.length / SLOT_WORDS) * GROWTH));
    const bytes = slots * SLOT_WORDS * WORD_BYTES;
    // While it is copied, both are there.
    if (this.#bytes + bytes > this.#limitBytes) throw this.#tooMany();
    const words = new Int32Array(slots * SLOT_WORDS);
    for (let from = 0; from < old.length; from += SLOT_WORDS) {
      if (old[from + OWNER] === 0) continue;
      let at = homeOf(words, old[from + 1] as number);
      while (words[at + OWNER] !== 0) at = after(words, at);
      copySlot(old, from, words, at);
    }
    segment.words = words;
    this.#bytes += bytes - old.byteLength;
  }

  #tooMany(): Df2RedisError {
    return new Df2RedisError(
      "LIMIT_EXCEEDED",
      `\`databases\` merges databases, so it has to be known which of them each key came from: for more than ${this.#size} keys of one flow ` +
        `that takes more than the ${this.#limitBytes} bytes that are its share of conflict.memoryBytes; raise that, or give each database a prefix`,
      { context: { keys: this.#size, limitBytes: this.#limitBytes, limit: "conflict.memoryBytes" } },
    );
  }
}

/** The slot of the fingerprint, or the empty one where it would stand: the load limit leaves one. */
function find(words: Int32Array, { h1, h2, h3 }: KeyFingerprint): number {
  let at = homeOf(words, h2);
  while (words[at + OWNER] !== 0) {
    if (words[at] === h1 && words[at + 1] === h2 && words[at + 2] === h3) return at;
    at = after(words, at);
  }
  return at;
}

/** Where the search begins: the second word, scaled to the number of slots. */
function homeOf(words: Int32Array, h2: number): number {
  return Math.floor(((h2 >>> 0) / 2 ** 32) * (words.length / SLOT_WORDS)) * SLOT_WORDS;
}

function after(words: Int32Array, at: number): number {
  const next = at + SLOT_WORDS;
  return next < words.length ? next : 0;
}

/** Empties the slot and moves up those behind it that a search would no longer reach. */
function closeGap(words: Int32Array, empty: number): void {
  let gap = empty;
  for (let at = after(words, gap); words[at + OWNER] !== 0; at = after(words, at)) {
    const home = homeOf(words, words[at + 1] as number);
    const homeIsBehindGap = gap <= at ? home > gap && home <= at : home > gap || home <= at;
    if (homeIsBehindGap) continue;
    copySlot(words, at, words, gap);
    gap = at;
  }
  words[gap + OWNER] = 0;
}

function copySlot(from: Int32Array, at: number, to: Int32Array, toAt: number): void {
  for (let i = 0; i < SLOT_WORDS; i++) to[toAt + i] = from[at + i] as number;
}
