/** The keys of one shard that have a deadline, per database: what the active expiry walks, and what INFO KEYSPACE counts. */
import { DATABASES } from "./shard.ts";
import type { KeyEntry } from "./values.ts";

export class ExpiringKeys {
  readonly #entries: readonly Set<KeyEntry>[] = Array.from({ length: DATABASES }, () => new Set<KeyEntry>());
  readonly #walks: (Iterator<KeyEntry> | undefined)[] = [];

  count(db: number): number {
    return this.#entries[db]?.size ?? 0;
  }

  /** To be called whenever an entry came or its deadline changed. */
  note(db: number, entry: KeyEntry): void {
    if (entry.expireAtMs >= 0) this.#entries[db]?.add(entry);
    else this.forget(db, entry);
  }

  forget(db: number, entry: KeyEntry): void {
    const entries = this.#entries[db];
    if (entries !== undefined && entries.size > 0) entries.delete(entry);
  }

  /** @param db -1 for all */
  clear(db: number): void {
    for (const [index, entries] of this.#entries.entries()) if (db === -1 || db === index) entries.clear();
  }

  /** Looks at up to `limit` further keys of `db`, in turn, and returns those that are due. */
  due(db: number, nowMs: number, limit: number): KeyEntry[] {
    const entries = this.#entries[db];
    if (entries === undefined || entries.size === 0) return [];
    const due: KeyEntry[] = [];
    let walk = this.#walks[db] ?? entries.values();
    // A walk that began in the middle goes on from the start; no key is looked at twice in one call.
    for (let left = Math.min(limit, entries.size); left > 0; left--) {
      let next = walk.next();
      if (next.done === true) {
        walk = entries.values();
        next = walk.next();
        if (next.done === true) break;
      }
      if (next.value.expireAtMs <= nowMs) due.push(next.value);
    }
    this.#walks[db] = walk;
    return due;
  }
}
