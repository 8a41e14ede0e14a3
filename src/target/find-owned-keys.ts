/** Finds out before a run which keys the target holds, for a target that is not empty. Only reads. */
import { Slice } from "../bytes/slice.ts";
import type { KeyPlace } from "./key-places.ts";
import { OwnedKeys } from "./owned-keys.ts";
import { scanKeys, type ScanKeysOptions } from "./scan-keys.ts";

export type FindOwnedKeysOptions = ScanKeysOptions & {
  /** How many keys the target said it holds; empty when it did not. More may be found. */
  readonly keysByDatabase: ReadonlyMap<number, number>;
  /** `conflict.memoryBytes` */
  readonly memoryBytes: number;
  /** Called after every page, with the keys found so far. */
  onProgress?(keys: number): void;
};

/** @throws LIMIT_EXCEEDED when there are more keys than `memoryBytes` allows, and what `scanKeys` throws */
export async function findOwnedKeys(options: FindOwnedKeysOptions): Promise<OwnedKeys> {
  const { memoryBytes, places, keysByDatabase } = options;
  const owned = OwnedKeys.create({ memoryBytes, expectedKeys: expectedKeys(places, keysByDatabase) });
  const slice = new Slice();
  for await (const { db, keys } of scanKeys(options)) {
    for (const key of keys) owned.add(db, slice.set(key, 0, key.length));
    options.onProgress?.(owned.size);
  }
  return owned;
}

/** Of the databases that are meant as a whole. How many keys lie below a prefix nobody knows: the table grows. */
function expectedKeys(places: readonly KeyPlace[], keysByDatabase: ReadonlyMap<number, number>): number {
  const whole = new Set(places.filter(({ prefix }) => prefix === "").map(({ db }) => db));
  let keys = 0;
  for (const db of whole) keys += keysByDatabase.get(db) ?? 0;
  return keys;
}
