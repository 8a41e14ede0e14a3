/**
 * The keys that the target held before the run, as fingerprints in shared memory. The main thread fills it before the workers start (`add`);
 * from then on all threads look keys up in it (`has`) and claim them (`claim`): exactly one caller wins each key.
 *
 * Open addressing with linear probing, 16 bytes a slot: a fingerprint whose three lowest bits are the slot's state. An empty slot is all 0 in
 * its first word, and an owned one never is. Once it is built, nothing but those bits changes, so a reader needs no lock. Never forgets a key,
 * never holds the key itself.
 */
import type { Slice } from "../bytes/slice.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { type FingerprintSeed, KeyFingerprint, randomSeed } from "./key-fingerprint.ts";

const OWNED = 1;
const CLAIMED = 2;
const LISTED = 4;
const STATE_BITS = OWNED | CLAIMED | LISTED;

const SLOT_WORDS = 4;
const SLOT_BYTES = 4 * SLOT_WORDS;
/** In words: keys held, keys not claimed, whether it is retired, and one to align the slots. */
const HEADER_WORDS = 4;
const HEADER_BYTES = 4 * HEADER_WORDS;
const KEYS = 0;
const UNCLAIMED = 1;
const RETIRED = 2;

const MAX_LOAD = 0.75;
/** Keys that may turn up beyond the expected ones before the table has to be built anew. */
const SLACK = 1.125;
const GROWTH = 1.5;
const MIN_SLOTS = 64;

/** What another thread needs in order to `attach`. Crosses threads as it is. */
export type SharedOwnedKeys = {
  readonly buffer: SharedArrayBuffer;
  readonly seed: FingerprintSeed;
};

export type OwnedKeysOptions = {
  /** How many keys the target says it has; 0 when it does not say. More may come. */
  readonly expectedKeys: number;
  readonly memoryBytes: number;
  /** Random unless a test wants to know it. */
  readonly seed?: FingerprintSeed | undefined;
};

export class OwnedKeys {
  readonly #seed: FingerprintSeed;
  readonly #fingerprint: KeyFingerprint;
  readonly #memoryBytes: number;
  #words: Int32Array;
  #slots: number;
  /** First word of the slot that `#find` ended at. */
  #at = 0;

  private constructor(shared: SharedOwnedKeys, memoryBytes: number) {
    this.#seed = shared.seed;
    this.#fingerprint = new KeyFingerprint(shared.seed);
    this.#memoryBytes = memoryBytes;
    this.#words = new Int32Array(shared.buffer);
    this.#slots = slotsOf(shared.buffer.byteLength);
  }

  /** An empty table. @throws LIMIT_EXCEEDED when so many keys do not fit into `memoryBytes` */
  static create({ expectedKeys, memoryBytes, seed = randomSeed() }: OwnedKeysOptions): OwnedKeys {
    const wanted = slotsFor(expectedKeys * SLACK);
    // The slack is a courtesy; that the expected keys themselves fit is not.
    const slots = Math.min(wanted, Math.max(slotsFor(expectedKeys), slotsOf(memoryBytes)));
    return new OwnedKeys({ buffer: allocate(slots, memoryBytes, expectedKeys), seed }, memoryBytes);
  }

  /** The same table in another thread. Only `has` and `claim` are for it. */
  static attach(shared: SharedOwnedKeys): OwnedKeys {
    return new OwnedKeys(shared, 0);
  }

  /** To pass to other threads, once all keys are in it. */
  share(): SharedOwnedKeys {
    return { buffer: this.#words.buffer as SharedArrayBuffer, seed: this.#seed };
  }

  get byteLength(): number {
    return this.#words.byteLength;
  }

  /** How many keys the target held. */
  get size(): number {
    return (this.#words[KEYS] ?? 0) >>> 0;
  }

  /** How many of them nobody has claimed; 0 once it is retired. */
  get remaining(): number {
    if (Atomics.load(this.#words, RETIRED) !== 0) return 0;
    return Atomics.load(this.#words, UNCLAIMED) >>> 0;
  }

  /** Adds a key of the target; one that is in it already changes nothing. Only before the table is shared. @throws LIMIT_EXCEEDED */
  add(db: number, key: Slice): void {
    if (this.#find(this.#fingerprint.of(db, key))) return;
    if (this.size + 1 > this.#slots * MAX_LOAD) {
      this.#grow();
      this.#find(this.#fingerprint);
    }
    const words = this.#words;
    const { h1, h2, h3, h4 } = this.#fingerprint;
    words[this.#at] = (h1 & ~STATE_BITS) | OWNED;
    words[this.#at + 1] = h2;
    words[this.#at + 2] = h3;
    words[this.#at + 3] = h4;
    words[KEYS] = (words[KEYS] ?? 0) + 1;
    words[UNCLAIMED] = (words[UNCLAIMED] ?? 0) + 1;
  }

  /** Whether the target held it before the run, claimed or not. */
  has(db: number, key: Slice): boolean {
    return this.#find(this.#fingerprint.of(db, key));
  }

  /** Whether the target held it before the run and nobody has claimed it. */
  isUnclaimed(db: number, key: Slice): boolean {
    return this.has(db, key) && (Atomics.load(this.#words, this.#at) & CLAIMED) === 0;
  }

  /** True for the one caller who is the first to claim a key that the target held. */
  claim(db: number, key: Slice): boolean {
    if (!this.has(db, key)) return false;
    if ((Atomics.or(this.#words, this.#at, CLAIMED) & CLAIMED) !== 0) return false;
    Atomics.sub(this.#words, UNCLAIMED, 1);
    return true;
  }

  /**
   * None of the unclaimed is left in the target: nobody needs to make room for a write any more. To be said after a sweep that kept nothing; what is
   * asked about single keys is answered as before.
   */
  retire(): void {
    Atomics.store(this.#words, RETIRED, 1);
  }

  /** True once for each key that nobody has claimed: SCAN may show a key twice, and a count wants it once. */
  list(db: number, key: Slice): boolean {
    if (!this.has(db, key)) return false;
    return (Atomics.or(this.#words, this.#at, LISTED) & (LISTED | CLAIMED)) === 0;
  }

  /** Sets `#at` to the fingerprint's slot, or to the empty one where it would stand. The load limit leaves an empty one. */
  #find({ h1, h2, h3, h4 }: KeyFingerprint): boolean {
    const words = this.#words;
    const wanted = h1 & ~STATE_BITS;
    for (let at = this.#home(h2); ; at = this.#next(at)) {
      this.#at = at;
      const first = words[at] as number;
      if (first === 0) return false;
      if ((first & ~STATE_BITS) === wanted && words[at + 1] === h2 && words[at + 2] === h3 && words[at + 3] === h4) {
        return true;
      }
    }
  }

  /** Where the search begins: the second word, which has no state in it, scaled to the number of slots. */
  #home(h2: number): number {
    return HEADER_WORDS + Math.floor(((h2 >>> 0) / 2 ** 32) * this.#slots) * SLOT_WORDS;
  }

  #next(at: number): number {
    const next = at + SLOT_WORDS;
    return next < this.#words.length ? next : HEADER_WORDS;
  }

  /** The fingerprints are all there, so no key is needed again. For a moment both tables are in memory. */
  #grow(): void {
    const old = this.#words;
    const keys = this.size;
    const wanted = Math.min(Math.ceil(this.#slots * GROWTH), slotsOf(this.#memoryBytes));
    const slots = Math.max(wanted, slotsFor(keys + 1));
    this.#words = new Int32Array(allocate(slots, this.#memoryBytes, keys + 1));
    this.#slots = slots;
    for (let at = 0; at < HEADER_WORDS; at++) this.#words[at] = old[at] ?? 0;
    for (let at = HEADER_WORDS; at < old.length; at += SLOT_WORDS) if (old[at] !== 0) this.#copySlot(old, at);
  }

  #copySlot(old: Int32Array, from: number): void {
    let at = this.#home(old[from + 1] ?? 0);
    while (this.#words[at] !== 0) at = this.#next(at);
    for (let i = 0; i < SLOT_WORDS; i++) this.#words[at + i] = old[from + i] ?? 0;
  }
}

function slotsFor(keys: number): number {
  return Math.max(MIN_SLOTS, Math.ceil(keys / MAX_LOAD) + 1);
}

function slotsOf(bytes: number): number {
  return Math.floor((bytes - HEADER_BYTES) / SLOT_BYTES);
}

function allocate(slots: number, memoryBytes: number, keys: number): SharedArrayBuffer {
  const bytes = HEADER_BYTES + slots * SLOT_BYTES;
  if (bytes > memoryBytes) throw tooMany(keys, bytes, memoryBytes);
  try {
    return new SharedArrayBuffer(bytes);
  } catch (thrown) {
    throw new Df2RedisError("LIMIT_EXCEEDED", `${bytes} bytes for the keys that the target holds cannot be had`, {
      context: { keys, bytes },
      cause: thrown,
    });
  }
}

function tooMany(keys: number, bytes: number, memoryBytes: number): Df2RedisError {
  return new Df2RedisError(
    "LIMIT_EXCEEDED",
    `the target holds at least ${keys} keys; to know them takes ${bytes} bytes, and conflict.memoryBytes allows ${memoryBytes}: raise it, or empty the target`,
    { context: { keys, bytes, limitBytes: memoryBytes, limit: "conflict.memoryBytes" } },
  );
}
