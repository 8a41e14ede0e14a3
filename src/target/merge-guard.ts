/**
 * Sees to it that of merged databases no two hold a key of the same name: the second would overwrite the first (KEY_CONFLICT).
 *
 * One per flow is enough. A Dragonfly chooses a key's shard by its name alone, not by its database (src/server/sharding.cc `Shard`), so all
 * keys of one name come on one flow. Only databases that share their place are looked at; for the others nothing is kept.
 *
 * What it cannot see, it takes as there: a collection that is emptied by taking its last element, a MOVE that took the key away. Then a name is
 * refused that would have been free. It never lets a collision pass. Owns all it keeps; a key's bytes are read and not held.
 */
import type { Slice } from "../bytes/slice.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { keyText } from "../observability/key-text.ts";
import type { PlacedDatabase } from "./database-map.ts";
import { KeyFingerprint, randomSeed } from "./key-fingerprint.ts";
import { KeyOwners } from "./key-owners.ts";

/** `remove`: the key is gone afterwards, for certain. */
export type KeyTouch = "read" | "write" | "remove";

export class MergeGuard {
  readonly #owners: KeyOwners;
  readonly #print = new KeyFingerprint(randomSeed());

  constructor(limitBytes: number) {
    this.#owners = new KeyOwners(limitBytes);
  }

  /** Keys remembered. */
  get size(): number {
    return this.#owners.size;
  }

  get byteLength(): number {
    return this.#owners.byteLength;
  }

  /** @param db of the source, one of the place's @param key its name in the source @throws KEY_CONFLICT, LIMIT_EXCEEDED */
  touch(place: PlacedDatabase, db: number, key: Slice, how: KeyTouch): void {
    const owner = this.owner(place, key);
    if (owner >= 0 && owner !== db) throw collision(place, key, owner, db);
    if (how === "remove") this.#owners.delete(this.#print);
    else if (how === "write" && owner < 0) this.#owners.set(this.#print, db);
  }

  /** The source database that the key came from, or -1. */
  owner(place: PlacedDatabase, key: Slice): number {
    // The place's first database stands for the place.
    return this.#owners.get(this.#print.of(place.sources[0] ?? 0, key));
  }

  /** The source moved the key inside the place: from now on it is `to`'s, if it was `from`'s. */
  transfer(place: PlacedDatabase, key: Slice, from: number, to: number): void {
    if (this.owner(place, key) === from) this.#owners.set(this.#print, to);
  }

  /** Everything was flushed. */
  clear(): void {
    this.#owners.clear();
  }
}

function collision(place: PlacedDatabase, key: Slice, owner: number, db: number): Df2RedisError {
  const text = keyText(key.view());
  return new Df2RedisError(
    "KEY_CONFLICT",
    `the source's databases ${owner} and ${db} both have the key ${text}, and \`databases\` merges them into database ${place.db} of the target: ` +
      "rename it in one of them, or give one of them a prefix",
    { context: { key: text, db, otherDb: owner, targetDb: place.db } },
  );
}
