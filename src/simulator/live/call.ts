/**
 * What a command works with: the keys of its connection's database, the reply, and the journal. One per connection, reused for every request. A
 * command parses its arguments first, throws `CommandError` for what is wrong, and only then changes keys; all in one turn of the event loop.
 */
import type { ClientState } from "./client-state.ts";
import { CommandError, WRONG_TYPE } from "./command-error.ts";
import type { Keyspace } from "./keyspace.ts";
import type { MasterServices } from "./master-services.ts";
import { dropExpiredMembers } from "./member-deadlines.ts";
import type { ReplyWriter } from "./reply-writer.ts";
import type { Shard } from "./shard.ts";
import type { KeyEntry, Value } from "./values.ts";
import { DEL } from "./words.ts";

export type ValueType = Value["type"];
export type ValueOf<T extends ValueType> = Extract<Value, { readonly type: T }>;
export type EntryOf<T extends ValueType> = KeyEntry & { value: ValueOf<T> };

export class Call {
  readonly reply: ReplyWriter;
  readonly keyspace: Keyspace;
  readonly state: ClientState;
  readonly master: MasterServices;
  /** The transaction of MULTI/EXEC, which its commands share; 0 outside. */
  execTxid = 0;
  #txid = 0;

  constructor(options: { readonly reply: ReplyWriter; readonly master: MasterServices; readonly state: ClientState }) {
    this.reply = options.reply;
    this.master = options.master;
    this.keyspace = options.master.keyspace;
    this.state = options.state;
  }

  get db(): number {
    return this.state.db;
  }

  get nowMs(): number {
    return this.keyspace.nowMs();
  }

  /** A new command begins. */
  reset(): void {
    this.#txid = 0;
  }

  shard(key: Buffer): Shard {
    return this.keyspace.shardOf(key);
  }

  find(shard: Shard, key: Buffer): KeyEntry | undefined {
    const entry = this.keyspace.find(shard, this.db, key);
    return entry === undefined ? undefined : this.#withLiveMembers(shard, entry);
  }

  /** For reading commands: counts as a hit or a miss. */
  look(shard: Shard, key: Buffer): KeyEntry | undefined {
    const entry = this.find(shard, key);
    const counts = entry === undefined ? this.keyspace.misses : this.keyspace.hits;
    counts[this.db] = (counts[this.db] ?? 0) + 1;
    return entry;
  }

  /** The entry if it exists; throws WRONGTYPE when it holds something else. */
  findOf<T extends ValueType>(shard: Shard, key: Buffer, type: T): EntryOf<T> | undefined {
    return ofType(this.find(shard, key), type);
  }

  lookOf<T extends ValueType>(shard: Shard, key: Buffer, type: T): EntryOf<T> | undefined {
    return ofType(this.look(shard, key), type);
  }

  change(shard: Shard, entry: KeyEntry): void {
    shard.change(this.db, entry);
  }

  /** Copies the key. */
  create<T extends Value>(shard: Shard, key: Buffer, value: T): KeyEntry & { value: T } {
    return this.keyspace.create(shard, this.db, key, value);
  }

  /** `entry`, announced as about to change, or a new one with `empty`. */
  changeOrCreate<T extends Value>(
    shard: Shard,
    key: Buffer,
    options: { readonly entry: (KeyEntry & { value: T }) | undefined; readonly empty: () => T },
  ): KeyEntry & { value: T } {
    if (options.entry === undefined) return this.create(shard, key, options.empty());
    this.change(shard, options.entry);
    return options.entry;
  }

  remove(shard: Shard, entry: KeyEntry): void {
    this.keyspace.remove(shard, this.db, entry);
  }

  /** Journals a command that stands on its own: no transaction number outside of MULTI. */
  record(shard: Shard, args: readonly Buffer[]): void {
    shard.record({ db: this.db, txid: this.execTxid, args });
  }

  /** Journals a part of a transaction: all parts of one command share its number. */
  recordPart(shard: Shard, args: readonly Buffer[]): void {
    if (this.execTxid === 0 && this.#txid === 0) this.#txid = this.keyspace.nextTxid();
    shard.record({ db: this.db, txid: this.execTxid || this.#txid, args });
  }

  #withLiveMembers(shard: Shard, entry: KeyEntry): KeyEntry | undefined {
    const { value } = entry;
    if (!("deadlines" in value) || !value.deadlines || !this.keyspace.expiryAllowed) return entry;
    if (dropExpiredMembers(value, { nowMs: this.nowMs, beforeDrop: () => this.change(shard, entry) })) return entry;
    this.remove(shard, entry);
    // Members go silently, a key that lost its last one does not (recording `expiry`).
    this.record(shard, [DEL, entry.key]);
    return undefined;
  }
}

function ofType<T extends ValueType>(entry: KeyEntry | undefined, type: T): EntryOf<T> | undefined {
  if (entry === undefined || entry.value.type === type) return entry as EntryOf<T> | undefined;
  throw new CommandError(WRONG_TYPE);
}
