/**
 * The walks of SCAN. A cursor stands for a live iterator over a shard's keys, which sees every key that is there from start to end exactly once,
 * whatever comes and goes meanwhile; so a cursor can be used once only, unlike the real master's, and an unknown one ends its walk.
 */
import type { Shard } from "./shard.ts";
import type { KeyEntry } from "./values.ts";

type Walk = { readonly db: number; shard: number; entries: Iterator<KeyEntry> };

/** Walks that nobody finished are forgotten, the oldest first. */
const MAX_WALKS = 10_000;

export class ScanCursors {
  readonly #shards: readonly Shard[];
  readonly #walks = new Map<number, Walk>();
  #last = 0;

  constructor(shards: readonly Shard[]) {
    this.#shards = shards;
  }

  /** Visits up to `count` further keys from `cursor` (0: from the start); returns the cursor to go on with, 0 at the end. */
  scan(
    cursor: number,
    options: { readonly db: number; readonly count: number; readonly visit: (entry: KeyEntry) => void },
  ): number {
    const walk = cursor === 0 ? this.#start(options.db) : this.#walks.get(cursor);
    this.#walks.delete(cursor);
    if (walk === undefined) return 0;
    for (let left = options.count; left > 0; left--) {
      const entry = this.#next(walk);
      if (entry === undefined) return 0;
      options.visit(entry);
    }
    return this.#keep(walk);
  }

  #start(db: number): Walk {
    return { db, shard: 0, entries: this.#entries(0, db) };
  }

  #entries(shard: number, db: number): Iterator<KeyEntry> {
    return this.#shards[shard]?.databases[db]?.values() ?? [].values();
  }

  #next(walk: Walk): KeyEntry | undefined {
    for (;;) {
      const next = walk.entries.next();
      if (next.done !== true) return next.value;
      walk.shard += 1;
      if (walk.shard >= this.#shards.length) return undefined;
      walk.entries = this.#entries(walk.shard, walk.db);
    }
  }

  #keep(walk: Walk): number {
    this.#last += 1;
    this.#walks.set(this.#last, walk);
    if (this.#walks.size > MAX_WALKS) for (const oldest of this.#walks.keys()) return this.#forget(oldest);
    return this.#last;
  }

  #forget(oldest: number): number {
    this.#walks.delete(oldest);
    return this.#last;
  }
}
