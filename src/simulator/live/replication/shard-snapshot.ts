/**
 * The snapshot of one shard for one flow, while clients go on writing. It walks over the shard in slices; before a key changes that has not been
 * serialized yet, its old state goes into the stream, and the journal entry follows as a blob. So in stream order each key is an object first and then
 * its changes. Journal blobs go on after the walk until `finish`.
 *
 * Never lets a value change while it is half written: a change makes it finish the value first.
 */
import { RDB_OPCODE_FULLSYNC_END, RDB_OPCODE_JOURNAL_OFFSET } from "../../../rdb/opcodes.ts";
import type { Shard, ShardWatcher } from "../shard.ts";
import type { KeyEntry } from "../values.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { JournalConsumer, ShardJournal } from "./shard-journal.ts";
import type { OpenObject, SnapshotSerializer } from "./snapshot-serializer.ts";

export type SnapshotOptions = {
  readonly shard: Shard;
  readonly journal: ShardJournal;
  readonly serializer: SnapshotSerializer;
  /** Lets others run and waits for room in the flow. Called between two slices. */
  readonly pause: () => Promise<void>;
};

/** Keys in one turn of the event loop at most, when they are too small to fill a blob. */
const SLICE_KEYS = 256;

export class ShardSnapshot implements ShardWatcher, JournalConsumer {
  readonly #shard: Shard;
  readonly #journal: ShardJournal;
  readonly #serializer: SnapshotSerializer;
  readonly #pause: () => Promise<void>;
  /** Per database the keys that need no object any more: it was written, or they came into being since. */
  readonly #settled: readonly Set<string>[];
  #open: { readonly db: number; readonly key: string; readonly object: OpenObject } | undefined;
  #isWalking = true;
  #isStopped = false;

  constructor(options: SnapshotOptions) {
    this.#shard = options.shard;
    this.#journal = options.journal;
    this.#serializer = options.serializer;
    this.#pause = options.pause;
    this.#settled = this.#shard.databases.map(() => new Set<string>());
  }

  /** True until FULLSYNC_END is written. */
  get isWalking(): boolean {
    return this.#isWalking;
  }

  /** Takes the moment of the snapshot: all shards of a session do so in one turn of the event loop. */
  start(): void {
    this.#shard.watchers.add(this);
    this.#journal.addConsumer(this);
  }

  /** Walks over all keys and writes FULLSYNC_END. Ends early when the snapshot is stopped. */
  async walk(): Promise<void> {
    for (const [db, database] of this.#shard.databases.entries()) {
      await this.#walkDatabase(db, database);
      if (this.#isStopped) return;
      this.#serializer.flush();
    }
    this.#shard.watchers.delete(this);
    for (const settled of this.#settled) settled.clear();
    this.#serializer.raw(Buffer.from([RDB_OPCODE_FULLSYNC_END, 0, 0, 0, 0, 0, 0, 0, 0]));
    this.#serializer.flush();
    this.#isWalking = false;
  }

  /** After the walk: ends the journal blobs and writes at which LSN the stable journal starts. */
  finish(): void {
    this.#journal.removeConsumer(this);
    const out = new ByteWriter(16);
    out.u8(RDB_OPCODE_JOURNAL_OFFSET);
    out.int64Le(this.#journal.lsn);
    this.#serializer.raw(out.view());
    this.#serializer.flush();
  }

  /** Gives up: nothing more is written. */
  stop(): void {
    this.#isStopped = true;
    this.#shard.watchers.delete(this);
    this.#journal.removeConsumer(this);
  }

  beforeChange(db: number, key: Buffer, entry: KeyEntry | undefined): void {
    const text = key.toString("latin1");
    if (this.#open?.db === db && this.#open.key === text) {
      this.#finishOpen();
      return;
    }
    const settled = this.#settled[db];
    if (settled === undefined || settled.has(text)) return;
    settled.add(text);
    if (entry === undefined) return;
    this.#makeRoom();
    this.#serializer.finish(this.#serializer.begin(db, entry));
  }

  beforeFlush(): void {
    this.#finishOpen();
  }

  onEntry(_lsn: number, bytes: Buffer): void {
    this.#makeRoom();
    this.#serializer.journal(bytes);
    this.#serializer.flushIfLarge();
  }

  async #walkDatabase(db: number, database: ReadonlyMap<string, KeyEntry>): Promise<void> {
    const settled = this.#settled[db] ?? new Set<string>();
    let keys = 0;
    // A Map's iterator meets keys that are added meanwhile, too; those are settled.
    for (const [key, entry] of database) {
      if (settled.has(key)) continue;
      settled.add(key);
      const hasFlushed = await this.#writeObject(db, key, entry);
      if (!hasFlushed && ++keys < SLICE_KEYS) continue;
      keys = 0;
      await this.#pause();
      if (this.#isStopped) return;
    }
  }

  /** @returns true when a blob has gone out */
  async #writeObject(db: number, key: string, entry: KeyEntry): Promise<boolean> {
    const object = this.#serializer.begin(db, entry);
    this.#open = { db, key, object };
    while (!object.done && !this.#serializer.advance(object)) {
      await this.#pause();
      if (this.#isStopped) return true;
    }
    this.#open = undefined;
    return this.#serializer.flushIfLarge();
  }

  /** Without tags nothing may stand between the pieces of a value. */
  #makeRoom(): void {
    if (!this.#serializer.isTagged) this.#finishOpen();
  }

  #finishOpen(): void {
    if (this.#open === undefined) return;
    if (!this.#open.object.done) this.#serializer.finish(this.#open.object);
    this.#open = undefined;
  }
}
