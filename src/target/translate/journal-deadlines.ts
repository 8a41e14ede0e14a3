/**
 * Deadlines that are past, or nearly, by the time they are applied. On the source such a key may have lived on: a later entry renewed or
 * removed its deadline in time, and we only see both late. A target that is a master of its own would delete the key at once, and the
 * renewal would find nothing. So the key is given a stand-in deadline, far enough away, and the true one is put in place once the flow has
 * caught up (`release`), if the stand-in is still there: every entry that ends or renews a deadline also removes the stand-in.
 * The source says itself when a key has expired (`DEL`), so nothing lives longer than there as long as the journal flows.
 *
 * One instance per flow, shared by all that write deadlines for it. Sans-IO. Bounded: above `limit` keys a deadline is written as it is.
 * Should `release` never come (a crash), the stand-in itself ends the key after `STAND_IN_MS`.
 */
import { Slice } from "../../bytes/slice.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";

/** Longer than any catching up, short enough to clean up after a crash. */
const STAND_IN_MS = 7 * 24 * 3600 * 1000;
const KEYS_PER_COMMAND = 256;

/**
 * The comparison makes it safe: a key whose deadline is not its stand-in has been written since. PEXPIRETIME came with Redis 7.0; before, the
 * deadline is known to a few ms only, hence the tolerance.
 */
const RELEASE = Buffer.from(
  "local function deadline(k) local at=redis.pcall('PEXPIRETIME',k) if type(at)=='number' then return at end " +
    "local t=redis.call('TIME') return redis.call('PTTL',k)+t[1]*1000+math.floor(t[2]/1000) end " +
    "for i,k in ipairs(KEYS) do " +
    "if math.abs(deadline(k)-tonumber(ARGV[2*i-1]))<500 then redis.call('PEXPIREAT',k,ARGV[2*i]) end " +
    "end return 0",
);

/**
 * The same without PEXPIRETIME, for 6.2. PTTL and TIME may be read a moment apart, so a little slack is allowed: nothing but a stand-in lies
 * a week ahead to the second.
 */
const RELEASE_BY_PTTL = Buffer.from(
  "local t=redis.call('TIME') local now=t[1]*1000+math.floor(t[2]/1000) " +
    "for i,k in ipairs(KEYS) do local left=redis.call('PTTL',k) " +
    "if left>0 and math.abs(now+left-ARGV[2*i-1])<1000 then redis.call('PEXPIREAT',k,ARGV[2*i]) end " +
    "end return 0",
);

type Held = { readonly standIn: number; readonly deadlineMs: number };

export type HeldDeadlinesOptions = {
  /** Unix ms. */
  readonly clock: () => number;
  /** Deadlines nearer than this are held too: an entry needs some time from the source to the target. */
  readonly marginMs?: number;
  /** Keys held at most. */
  readonly limit?: number;
  /** Whether the target knows PEXPIRETIME (Redis 7.0 and later); true when not given. */
  readonly hasPExpireTime?: boolean;
};

export class HeldDeadlines {
  /** May be raised while the flow lags. */
  marginMs: number;
  /** Deadlines that were written as they are because `limit` was reached. */
  overflowed = 0;
  readonly #clock: () => number;
  readonly #limit: number;
  readonly #release: Buffer;
  readonly #byDb = new Map<number, Map<string, Held>>();
  readonly #key = new Slice();
  #size = 0;

  constructor(options: HeldDeadlinesOptions) {
    this.#clock = options.clock;
    this.marginMs = options.marginMs ?? 1000;
    this.#limit = options.limit ?? 100_000;
    this.#release = options.hasPExpireTime === false ? RELEASE_BY_PTTL : RELEASE;
  }

  get size(): number {
    return this.#size;
  }

  /** The deadline to write for `key`: its own, or a stand-in that is remembered. */
  settle(db: number, key: Slice, deadlineMs: number): number {
    const now = this.#clock();
    if (deadlineMs > now + this.marginMs) {
      if (this.#size > 0) this.forget(db, key);
      return deadlineMs;
    }
    return this.#hold(db, key.toLatin1(), { standIn: now + STAND_IN_MS, deadlineMs });
  }

  /** The key is gone, or has another deadline or none. Only saves memory: `release` would see it too. */
  forget(db: number, key: Slice): void {
    if (this.#size === 0) return;
    if (this.#byDb.get(db)?.delete(key.toLatin1()) === true) this.#size--;
  }

  /** A key's deadline went along to another key (RENAME, MOVE, COPY). */
  follow(db: number, key: Slice, toDb: number, toKey: Slice): void {
    if (this.#size === 0) return;
    const held = this.#byDb.get(db)?.get(key.toLatin1());
    if (held === undefined) return;
    this.#hold(toDb, toKey.toLatin1(), held);
  }

  /** @param db the database that was flushed, or -1 for all. */
  flushed(db: number): void {
    for (const [held, keys] of this.#byDb) {
      if (db !== -1 && db !== held) continue;
      this.#size -= keys.size;
      keys.clear();
    }
  }

  /**
   * Encodes the true deadlines. Call it when the flow has caught up: `due` from time to time, `all` at the end of a run.
   * The encoder's `lsn` is the caller's business.
   */
  release(encoder: CommandEncoder, which: "due" | "all"): void {
    const before = which === "all" ? Number.POSITIVE_INFINITY : this.#clock();
    for (const [db, keys] of this.#byDb) {
      let batch: [string, Held][] = [];
      for (const entry of keys) {
        if (entry[1].deadlineMs > before) continue;
        batch.push(entry);
        if (batch.length === KEYS_PER_COMMAND) batch = this.#releaseBatch(encoder, db, keys, batch);
      }
      if (batch.length > 0) this.#releaseBatch(encoder, db, keys, batch);
    }
  }

  #releaseBatch(
    encoder: CommandEncoder,
    db: number,
    keys: Map<string, Held>,
    batch: readonly [string, Held][],
  ): [string, Held][] {
    encoder.select(db);
    encoder.begin(3 + 3 * batch.length);
    encoder.argText("EVAL");
    encoder.argBytes(this.#release);
    encoder.argInt(batch.length);
    for (const [key] of batch) {
      this.#key.scratch(key.length).latin1Write(key);
      encoder.arg(this.#key);
      keys.delete(key);
    }
    for (const [, { standIn, deadlineMs }] of batch) {
      encoder.argInt(standIn);
      encoder.argInt(deadlineMs);
    }
    this.#size -= batch.length;
    return [];
  }

  #hold(db: number, key: string, held: Held): number {
    let keys = this.#byDb.get(db);
    if (keys === undefined) this.#byDb.set(db, (keys = new Map()));
    if (!keys.has(key)) {
      if (this.#size >= this.#limit) {
        this.overflowed++;
        return held.deadlineMs;
      }
      this.#size++;
    }
    keys.set(key, held);
    return held.standIn;
  }
}
