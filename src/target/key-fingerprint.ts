/**
 * A 128-bit fingerprint of a key and its database: MurmurHash3 x86_128 (Austin Appleby, public domain), written out for a `Slice` and started
 * from 128 random bits instead of 32. Allocates nothing: the four words stand in fields that the next call overwrites.
 *
 * Among a billion keys the chance that any two share one is about 10^-21. It is not a cryptographic hash: somebody who may write crafted keys
 * to both servers could make two of his own be taken for each other.
 */
import { randomFillSync } from "node:crypto";
import type { Slice } from "../bytes/slice.ts";

/** Four 32-bit words, drawn per run. Plain data: every thread of a run needs the same. */
export type FingerprintSeed = readonly [number, number, number, number];

export function randomSeed(): FingerprintSeed {
  const words = randomFillSync(new Int32Array(4));
  return [words[0] ?? 0, words[1] ?? 0, words[2] ?? 0, words[3] ?? 0];
}

const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;
/** Odd, so that every database gives another start: 2^32 divided by the golden ratio. */
const DB_STEP = 0x9e3779b9 | 0;

export class KeyFingerprint {
  /** Signed 32-bit words. */
  h1 = 0;
  h2 = 0;
  h3 = 0;
  h4 = 0;
  readonly #seed: FingerprintSeed;

  constructor(seed: FingerprintSeed) {
    this.#seed = seed;
  }

  of(db: number, key: Slice): this {
    return this.ofRange(db, key.buf, key.start, key.end);
  }

  ofRange(db: number, buf: Uint8Array, start: number, end: number): this {
    const step = Math.imul(db, DB_STEP);
    this.h1 = this.#seed[0] ^ step;
    this.h2 = this.#seed[1] ^ step;
    this.h3 = this.#seed[2] ^ step;
    this.h4 = this.#seed[3] ^ step;
    const tail = start + ((end - start) & ~15);
    this.#blocks(buf, start, tail);
    this.#tail(buf, tail, end);
    this.#finish(end - start);
    return this;
  }

  #blocks(buf: Uint8Array, start: number, end: number): void {
    let { h1, h2, h3, h4 } = this;
    for (let at = start; at < end; at += 16) {
      h1 ^= Math.imul(rotate(Math.imul(word(buf, at), C1), 15), C2);
      h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
      h2 ^= Math.imul(rotate(Math.imul(word(buf, at + 4), C2), 16), C3);
      h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
      h3 ^= Math.imul(rotate(Math.imul(word(buf, at + 8), C3), 17), C4);
      h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
      h4 ^= Math.imul(rotate(Math.imul(word(buf, at + 12), C4), 18), C1);
      h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
    }
    this.h1 = h1;
    this.h2 = h2;
    this.h3 = h3;
    this.h4 = h4;
  }

  /** Fewer than 16 bytes; a word without bytes is 0 and changes nothing. */
  #tail(buf: Uint8Array, start: number, end: number): void {
    this.h4 ^= Math.imul(rotate(Math.imul(wordUpTo(buf, start + 12, end), C4), 18), C1);
    this.h3 ^= Math.imul(rotate(Math.imul(wordUpTo(buf, start + 8, end), C3), 17), C4);
    this.h2 ^= Math.imul(rotate(Math.imul(wordUpTo(buf, start + 4, end), C2), 16), C3);
    this.h1 ^= Math.imul(rotate(Math.imul(wordUpTo(buf, start, end), C1), 15), C2);
  }

  #finish(length: number): void {
    let h2 = this.h2 ^ length;
    let h3 = this.h3 ^ length;
    let h4 = this.h4 ^ length;
    let h1 = ((this.h1 ^ length) + h2 + h3 + h4) | 0;
    h2 = mix((h2 + h1) | 0);
    h3 = mix((h3 + h1) | 0);
    h4 = mix((h4 + h1) | 0);
    h1 = mix(h1);
    h1 = (h1 + h2 + h3 + h4) | 0;
    this.h1 = h1;
    this.h2 = (h2 + h1) | 0;
    this.h3 = (h3 + h1) | 0;
    this.h4 = (h4 + h1) | 0;
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Little-endian; the caller knows that four bytes are there. */
function word(buf: Uint8Array, at: number): number {
  return (
    (buf[at] as number) |
    ((buf[at + 1] as number) << 8) |
    ((buf[at + 2] as number) << 16) |
    ((buf[at + 3] as number) << 24)
  );
}

/** As `word`, with 0 for bytes from `end` on. */
function wordUpTo(buf: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let i = Math.min(end, at + 4) - 1; i >= at; i--) value = (value << 8) | (buf[i] as number);
  return value;
}

function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
