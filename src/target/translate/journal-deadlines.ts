/**
 * Deadlines of keys that are held back. On the source a key may have lived on because an entry renewed or removed its deadline in time, and we
 * see both late: a target that is a master of its own would delete the key at its first deadline, and the renewal would find nothing. So such
 * a deadline D is written as the stand-in `D + STAND_IN_OFFSET_MS`. Dragonfly's own deadlines lie at most about 8.5 years ahead (kMaxExpireDeadlineMs
 * in src/server/common.h), so a deadline more than `STAND_IN_BEYOND_MS` ahead is a stand-in, and the true one is known from it: no memory per key is
 * needed for correctness, and RENAME, COPY and MOVE carry it along by themselves. `release` arms keys: it puts true deadlines in place
 * where there still is a stand-in; a key that was renewed, persisted or deleted since is left alone, so arming twice does no harm.
 * The source says itself when a key has expired (`DEL`), so nothing lives longer than there while the journal flows.
 *
 * Until `beginStable` every deadline nearer than `withinMs` is held, then only those that are past or within `marginMs`.
 * The keys are remembered in a bounded list, so that arming them is direct; above its limit `overflowed` is set, and a scan of the target has to
 * arm the rest (`arm-deadlines.ts`).
 *
 * One instance per flow, shared by all that write deadlines for it. Sans-IO.
 */
import { Slice } from "../../bytes/slice.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { OptionalCommand } from "../capabilities.ts";
import { ALWAYS_MS, armScript, NEVER_MS, STAND_IN_BEYOND_MS, STAND_IN_OFFSET_MS } from "./deadline-scripts.ts";

const YEAR_MS = 365 * 24 * 3600 * 1000;
const KEYS_PER_COMMAND = 256;
const DEFAULT_WITHIN_MS = 24 * 3600 * 1000;
const DEFAULT_MARGIN_MS = 1000;
const DEFAULT_LIMIT = 100_000;

export type HoldPolicy = "snapshot" | "never";

export type HeldDeadlinesOptions = {
  /** Unix ms. */
  readonly clock: () => number;
  /** `never`: every deadline is written as it is, one that is past too. */
  readonly hold?: HoldPolicy;
  /** Deadlines further ahead are not held while the flow catches up. */
  readonly withinMs?: number;
  /** Once the flow has caught up, deadlines nearer than this are still held: an entry needs some time from the source to the target. */
  readonly marginMs?: number;
  /** Keys remembered at most. */
  readonly limit?: number;
  /** What the target has; all when not given. Without EVAL nothing could be armed, so nothing is held. */
  readonly commands?: ReadonlySet<OptionalCommand>;
};

/** Whether the key has this deadline from now on. */
type Certainty = "is" | "maybe";

type ReleaseBounds = {
  readonly db: number;
  readonly keys: Map<string, number>;
  readonly before: number;
  readonly afterMs: number;
};

export class HeldDeadlines {
  /** May be raised while the flow lags. */
  marginMs: number;
  /** Keys were held that the list had no room for: arming them needs a scan of the target. The one who has scanned sets it back. */
  overflowed = false;
  /** False when deadlines should be held but the target forbids EVAL: keys may be lost that are renewed at the last moment. */
  readonly canHold: boolean;
  readonly hold: HoldPolicy;
  readonly hasPExpireTime: boolean;
  readonly #clock: () => number;
  readonly #limit: number;
  readonly #withinMs: number;
  #stable = false;
  /** By database: key to true deadline, in Unix ms. */
  readonly #byDb = new Map<number, Map<string, number>>();
  readonly #key = new Slice();
  #size = 0;

  constructor(options: HeldDeadlinesOptions) {
    this.#clock = options.clock;
    this.hold = options.hold ?? "snapshot";
    this.marginMs = options.marginMs ?? DEFAULT_MARGIN_MS;
    this.#withinMs = options.withinMs ?? DEFAULT_WITHIN_MS;
    this.#limit = options.limit ?? DEFAULT_LIMIT;
    this.canHold = options.commands?.has("EVAL") ?? true;
    this.hasPExpireTime = options.commands?.has("PEXPIRETIME") ?? true;
  }

  /** Keys in the list. */
  get size(): number {
    return this.#size;
  }

  /** Whether the flow has caught up. */
  get isStable(): boolean {
    return this.#stable;
  }

  /** Deadlines of keys are, or could be, stand-ins on the target. */
  get isHolding(): boolean {
    return this.hold === "snapshot" && this.canHold;
  }

  /** The flow has caught up. What is held stays held until `release`. */
  beginStable(): void {
    this.#stable = true;
  }

  /** Whether a renewal of this deadline may be under way still. Also asked for deadlines of hash fields. */
  isNear(deadlineMs: number): boolean {
    if (this.hold === "never") return false;
    const reachMs = this.#stable ? this.marginMs : Math.max(this.marginMs, this.#withinMs);
    return deadlineMs <= this.#clock() + reachMs;
  }

  /** The deadline to write for `key`: its own, or its stand-in. */
  settle(db: number, key: Slice, deadlineMs: number): number {
    const settled = this.#settle(db, key, deadlineMs, "is");
    if (settled < STAND_IN_OFFSET_MS && this.#size > 0) this.forget(db, key);
    return settled;
  }

  /** The same for a command that may leave the key with the deadline that it has. */
  settleIf(db: number, key: Slice, deadlineMs: number): number {
    return this.#settle(db, key, deadlineMs, "maybe");
  }

  #settle(db: number, key: Slice, deadlineMs: number, how: Certainty): number {
    if (!this.canHold || !this.isNear(deadlineMs)) return Math.max(1, deadlineMs);
    // Clamped: the stand-in of one from the 1970s would not lie far enough ahead to be known as such. Past is past.
    const held = Math.max(deadlineMs, this.#clock() - YEAR_MS);
    // Without room no text is made of the key: with many deadlines this is the way of nearly all of them.
    if (this.#size < this.#limit) this.#remember(db, key.toLatin1(), held, how);
    else this.overflowed = true;
    return held + STAND_IN_OFFSET_MS;
  }

  /** The key is gone, or has another deadline or none. Only saves work: `release` would see it too. */
  forget(db: number, key: Slice): void {
    if (this.#size === 0) return;
    if (this.#byDb.get(db)?.delete(key.toLatin1()) === true) this.#size--;
  }

  /**
   * A key's deadline goes along to another key (RENAME, MOVE, COPY): the other name may have a stand-in, too, its own if nothing was done (the source
   * journals such a MOVE).
   */
  follow(db: number, key: Slice, toDb: number, toKey: Slice): void {
    if (this.#size === 0 && !this.overflowed) return;
    const held = this.#byDb.get(db)?.get(key.toLatin1());
    if (held !== undefined) this.#remember(toDb, toKey.toLatin1(), held, "maybe");
    // Possibly one that the list has no room for, and a scan under way may miss a key that changes its name.
    else if (this.overflowed) this.#remember(toDb, toKey.toLatin1(), this.#clock() + 2 * this.marginMs, "maybe");
  }

  /** @param db the database that was flushed, or -1 for all @param holds which keys of it were; all when not given */
  flushed(db: number, holds?: (key: Buffer) => boolean): void {
    for (const [held, keys] of this.#byDb) {
      if (db !== -1 && db !== held) continue;
      for (const key of keys.keys()) {
        if (holds?.(Buffer.from(key, "latin1")) === false) continue;
        keys.delete(key);
        this.#size--;
      }
    }
  }

  /**
   * Encodes commands that arm keys of the list and takes them off it: those whose true deadline is at or before `upToMs`, or all. `upToMs` is
   * a time up to which everything that the source has sent is encoded, minus a margin for clocks; `due` is now, and `all` for the end of a run.
   * @param afterMs those at or after it, too: at the end of catching up, behind `beginStable`, what is not near any more (now and the margin). In
   * between, renewals may be under way. The encoder's `lsn` is the caller's business.
   */
  release(encoder: CommandEncoder, upToMs: number | "due" | "all", afterMs = NEVER_MS): void {
    if (this.#size === 0) return;
    const before = upToMs === "all" ? ALWAYS_MS : upToMs === "due" ? this.#clock() : upToMs;
    for (const [db, keys] of this.#byDb) {
      let batch: string[] = [];
      for (const [key, deadlineMs] of keys) {
        if (deadlineMs > before && deadlineMs < afterMs) continue;
        batch.push(key);
        if (batch.length === KEYS_PER_COMMAND)
          batch = this.#releaseBatch(encoder, { db, keys, before, afterMs }, batch);
      }
      if (batch.length > 0) this.#releaseBatch(encoder, { db, keys, before, afterMs }, batch);
    }
  }

  #releaseBatch(
    encoder: CommandEncoder,
    { db, keys, before, afterMs }: ReleaseBounds,
    batch: readonly string[],
  ): string[] {
    encoder.select(db);
    encoder.begin(6 + batch.length);
    encoder.argText("EVAL");
    encoder.argBytes(armScript(this.hasPExpireTime));
    encoder.argInt(batch.length);
    for (const key of batch) {
      this.#key.scratch(key.length).latin1Write(key);
      encoder.arg(this.#key);
      keys.delete(key);
    }
    encoder.argInt(this.#clock() + STAND_IN_BEYOND_MS);
    encoder.argInt(before);
    encoder.argInt(afterMs);
    this.#size -= batch.length;
    return [];
  }

  /** What `release` finds too early it takes off the list all the same: in doubt the later one counts. */
  #remember(db: number, key: string, deadlineMs: number, how: Certainty): void {
    let keys = this.#byDb.get(db);
    if (keys === undefined) this.#byDb.set(db, (keys = new Map()));
    if (!keys.has(key)) {
      if (this.#size >= this.#limit) {
        this.overflowed = true;
        return;
      }
      this.#size++;
    }
    keys.set(key, how === "is" ? deadlineMs : Math.max(deadlineMs, keys.get(key) ?? deadlineMs));
  }
}
