/**
 * One shard of the live simulator: its slice of the keys, in 16 databases, and what watches its changes. Commands change keys only through
 * `change`, `put` and `remove`, and journal what they did by `record`, in the same turn of the event loop; so a snapshot can serialize the
 * old state of a key right before its first change, as the real master does, and the journal entry always comes behind it.
 */
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import type { KeyEntry } from "./values.ts";

export const DATABASES = 16;

/** One command as it stands in the journal: already rewritten to the form that the master writes. */
export type JournalRecord = {
  readonly db: number;
  /** 0 for a single-key command on its own. */
  readonly txid: number;
  /** On how many shards the transaction ran; only old releases tell it. Default 1. */
  readonly shardCount?: number;
  /** The DEL of an expired key; old releases journal it by an op of its own. */
  readonly expired?: boolean;
  /** Name first. */
  readonly args: readonly Buffer[];
};

export type ShardWatcher = {
  /** The key is about to change, appear or go; `entry` is its state before, undefined when it does not exist. */
  beforeChange(db: number, key: Buffer, entry: KeyEntry | undefined): void;
  /** FLUSHALL (-1) or FLUSHDB is about to happen. */
  beforeFlush(db: number): void;
};

export class Shard {
  readonly index: number;
  /** By latin1 key. */
  readonly databases: readonly Map<string, KeyEntry>[] = Array.from(
    { length: DATABASES },
    () => new Map<string, KeyEntry>(),
  );
  readonly watchers = new Set<ShardWatcher>();
  /** Where journal records go: the shard's journal, which gives them their LSN. */
  onRecord: (record: JournalRecord) => void = () => {};

  constructor(index: number) {
    this.index = index;
  }

  /** The stored entry, expired or not. */
  get(db: number, key: Buffer): KeyEntry | undefined {
    return this.#database(db).get(key.toString("latin1"));
  }

  /** Announces a change of an entry that the caller then makes in place. */
  change(db: number, entry: KeyEntry): void {
    for (const watcher of this.watchers) watcher.beforeChange(db, entry.key, entry);
  }

  /** Adds or replaces a key. */
  put(db: number, entry: KeyEntry): void {
    const text = entry.key.toString("latin1");
    const database = this.#database(db);
    for (const watcher of this.watchers) watcher.beforeChange(db, entry.key, database.get(text));
    database.set(text, entry);
  }

  remove(db: number, key: Buffer): boolean {
    const text = key.toString("latin1");
    const database = this.#database(db);
    const entry = database.get(text);
    if (entry === undefined) return false;
    for (const watcher of this.watchers) watcher.beforeChange(db, key, entry);
    return database.delete(text);
  }

  /** @param db -1 for all */
  flush(db: number): void {
    for (const watcher of this.watchers) watcher.beforeFlush(db);
    for (const [index, database] of this.databases.entries()) if (db === -1 || db === index) database.clear();
  }

  record(record: JournalRecord): void {
    this.onRecord(record);
  }

  #database(db: number): Map<string, KeyEntry> {
    const database = this.databases[db];
    if (database === undefined) throw new Df2RedisError("INTERNAL", `the simulator has no database ${db}`);
    return database;
  }
}
