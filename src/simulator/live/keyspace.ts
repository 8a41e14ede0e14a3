/**
 * All keys of the simulated master: the shards, which key lives where, deadlines, and the numbers of transactions. Commands read and change keys
 * through it; it announces each change to the shard's watchers before it happens (see shard.ts). An expired key is removed when it is met, or by the
 * active cycle, and journaled as DEL in an entry of its own (docs/protocol.md §5); while clients are paused nothing expires.
 */
import { ExpiringKeys } from "./expiring-keys.ts";
import { ScanCursors } from "./scan-cursors.ts";
import { shardOfKey } from "./shard-hash.ts";
import { DATABASES, Shard } from "./shard.ts";
import type { KeyEntry, Value } from "./values.ts";
import { DEL } from "./words.ts";

/** Keys that one active cycle looks at, per shard and database. */
const CYCLE_KEYS = 2000;

export type KeyspaceOptions = {
  readonly shards: number;
  readonly nowMs: () => number;
  /** A value as it stands in a RESTORE entry. */
  readonly dump: (value: Value) => Buffer;
};

export class Keyspace {
  readonly shards: readonly Shard[];
  readonly nowMs: () => number;
  readonly dump: (value: Value) => Buffer;
  readonly scans: ScanCursors;
  /** While false, no key expires (CLIENT PAUSE). */
  expiryAllowed = true;
  /** By database. */
  readonly hits: number[] = Array.from({ length: DATABASES }, () => 0);
  readonly misses: number[] = Array.from({ length: DATABASES }, () => 0);
  expired = 0;
  readonly #expiring: readonly ExpiringKeys[];
  #txid = 0;

  constructor(options: KeyspaceOptions) {
    this.nowMs = options.nowMs;
    this.dump = options.dump;
    this.shards = Array.from({ length: options.shards }, (_, index) => new Shard(index));
    this.scans = new ScanCursors(this.shards);
    this.#expiring = this.shards.map(() => new ExpiringKeys());
  }

  nextTxid(): number {
    this.#txid += 1;
    return this.#txid;
  }

  shardOf(key: Buffer): Shard {
    return this.shards[shardOfKey(key, this.shards.length)] as Shard;
  }

  /** The live entry of a key. */
  find(shard: Shard, db: number, key: Buffer): KeyEntry | undefined {
    const entry = shard.get(db, key);
    if (entry === undefined || entry.expireAtMs < 0 || entry.expireAtMs > this.nowMs() || !this.expiryAllowed)
      return entry;
    this.#expire(shard, db, entry);
    return undefined;
  }

  /** Adds or replaces a key. The Buffers in `entry` must not be views of a client's request. */
  put(shard: Shard, db: number, entry: KeyEntry): void {
    const old = shard.get(db, entry.key);
    shard.put(db, entry);
    const expiring = this.#expiringOf(shard);
    if (old !== undefined) expiring.forget(db, old);
    if (entry.expireAtMs >= 0) expiring.note(db, entry);
  }

  /** Adds or replaces a key with a value of no deadline; copies the key. */
  create<T extends Value>(shard: Shard, db: number, key: Buffer, value: T): KeyEntry & { value: T } {
    const entry = { key: Buffer.from(key), value, expireAtMs: -1, sticky: false };
    this.put(shard, db, entry);
    return entry;
  }

  remove(shard: Shard, db: number, entry: KeyEntry): void {
    shard.remove(db, entry.key);
    this.#expiringOf(shard).forget(db, entry);
  }

  /** The caller has announced the change. -1 for no deadline. */
  setDeadline(shard: Shard, db: number, entry: KeyEntry, expireAtMs: number): void {
    entry.expireAtMs = expireAtMs;
    this.#expiringOf(shard).note(db, entry);
  }

  /** @param db -1 for all */
  flush(shard: Shard, db: number): void {
    shard.flush(db);
    this.#expiringOf(shard).clear(db);
  }

  /** Under the entry's new name or in another database; the value moves along. */
  move(
    from: { readonly shard: Shard; readonly db: number; readonly entry: KeyEntry },
    to: { readonly shard: Shard; readonly db: number; readonly key: Buffer },
  ): void {
    const { value, expireAtMs, sticky } = from.entry;
    this.remove(from.shard, from.db, from.entry);
    this.put(to.shard, to.db, { key: Buffer.from(to.key), value, expireAtMs, sticky });
  }

  size(db: number): number {
    return this.shards.reduce((sum, shard) => sum + (shard.databases[db]?.size ?? 0), 0);
  }

  expiringCount(db: number): number {
    return this.#expiring.reduce((sum, expiring) => sum + expiring.count(db), 0);
  }

  /** One turn of the active expiry. */
  expireDue(): void {
    if (!this.expiryAllowed) return;
    const nowMs = this.nowMs();
    for (const shard of this.shards) {
      const expiring = this.#expiringOf(shard);
      for (let db = 0; db < DATABASES; db++) {
        for (const entry of expiring.due(db, nowMs, CYCLE_KEYS)) this.#expire(shard, db, entry);
      }
    }
  }

  #expire(shard: Shard, db: number, entry: KeyEntry): void {
    this.remove(shard, db, entry);
    this.expired += 1;
    shard.record({ db, txid: 0, args: [DEL, entry.key] });
  }

  #expiringOf(shard: Shard): ExpiringKeys {
    return this.#expiring[shard.index] as ExpiringKeys;
  }
}
