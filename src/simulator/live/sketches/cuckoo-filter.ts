/**
 * A cuckoo filter: a fingerprint of each element in one of two buckets, in a row of filters to which another is added when all are full. Sizes, growth
 * and compaction are Dragonfly's (src/core/cuckoo.cc; the recorded objects show them). Pure.
 */
import type { CuckooValue } from "../values.ts";
import { itemHash } from "./item-hash.ts";
import { nextPowerOfTwo } from "./next-power-of-two.ts";

export type CuckooParameters = {
  readonly capacity: number;
  readonly slotsPerBucket: number;
  readonly maxIterations: number;
  readonly expansion: number;
};

/** What a filter that was not reserved gets. */
export const DEFAULT_CUCKOO: CuckooParameters = { capacity: 1024, slotsPerBucket: 2, maxIterations: 20, expansion: 1 };

/** Any odd number does: with bucket counts that are powers of two, going from one bucket to the other and back ends where it began. */
const ALTERNATE = 0x5bd1e995n;
const FINGERPRINTS = 255n;
/** Of the items, after which a filter is compacted. */
const DELETED_SHARE = 10;

type Place = { readonly filter: Buffer; readonly slot: number };

export function createCuckoo({ capacity, slotsPerBucket, maxIterations, expansion }: CuckooParameters): CuckooValue {
  const buckets = nextPowerOfTwo(Math.floor(capacity / slotsPerBucket));
  return {
    type: "cuckoo",
    slotsPerBucket,
    maxIterations,
    expansion: expansion === 0 ? 0 : nextPowerOfTwo(expansion),
    buckets,
    items: 0,
    deletes: 0,
    filters: [Buffer.alloc(buckets * slotsPerBucket)],
  };
}

/** False when it is full and may not grow. Equal elements are kept more than once. */
export function addToCuckoo(cuckoo: CuckooValue, item: Buffer): boolean {
  const hash = itemHash(item, 0);
  const print = fingerprint(hash);
  if (!place(cuckoo, cuckoo.filters.toReversed(), { hash, print }) && !displace(cuckoo, hash, print)) {
    if (cuckoo.expansion === 0) return false;
    const size = cuckoo.buckets * cuckoo.expansion ** cuckoo.filters.length * cuckoo.slotsPerBucket;
    const filter = Buffer.alloc(size);
    cuckoo.filters.push(filter);
    place(cuckoo, [filter], { hash, print });
  }
  cuckoo.items += 1;
  return true;
}

export function isInCuckoo(cuckoo: CuckooValue, item: Buffer): boolean {
  const hash = itemHash(item, 0);
  return findSlot(cuckoo, cuckoo.filters, { hash, print: fingerprint(hash), wanted: fingerprint(hash) }) !== undefined;
}

export function removeFromCuckoo(cuckoo: CuckooValue, item: Buffer): boolean {
  const hash = itemHash(item, 0);
  const print = fingerprint(hash);
  const found = findSlot(cuckoo, cuckoo.filters.toReversed(), { hash, print, wanted: print });
  if (found === undefined) return false;
  found.filter[found.slot] = 0;
  cuckoo.items -= 1;
  cuckoo.deletes += 1;
  if (cuckoo.filters.length > 1 && cuckoo.deletes > Math.floor(cuckoo.items / DELETED_SHARE)) compact(cuckoo);
  return true;
}

function fingerprint(hash: bigint): number {
  return Number(hash % FINGERPRINTS) + 1;
}

function alternate(index: bigint, print: number): bigint {
  return index ^ (BigInt(print) * ALTERNATE);
}

/** The first slot, of those where an element with this hash may lie, that holds `wanted`. */
function findSlot(
  { slotsPerBucket }: CuckooValue,
  filters: readonly Buffer[],
  { hash, print, wanted }: { readonly hash: bigint; readonly print: number; readonly wanted: number },
): Place | undefined {
  for (const filter of filters) {
    for (const index of [hash, alternate(hash, print)]) {
      const first = bucketOf(filter, index, slotsPerBucket) * slotsPerBucket;
      const slot = filter.subarray(first, first + slotsPerBucket).indexOf(wanted);
      if (slot >= 0) return { filter, slot: first + slot };
    }
  }
  return undefined;
}

function bucketOf(filter: Buffer, index: bigint, slotsPerBucket: number): number {
  return Number(index & BigInt(filter.length / slotsPerBucket - 1));
}

function place(
  cuckoo: CuckooValue,
  filters: readonly Buffer[],
  { hash, print }: { readonly hash: bigint; readonly print: number },
): boolean {
  const free = findSlot(cuckoo, filters, { hash, print, wanted: 0 });
  if (free === undefined) return false;
  free.filter[free.slot] = print;
  return true;
}

/** Pushes others to their second buckets; when that comes to no end, everything is as before. */
function displace({ filters, slotsPerBucket, maxIterations }: CuckooValue, hash: bigint, print: number): boolean {
  const last = filters.at(-1);
  if (last === undefined) return false;
  const moved: { readonly slot: number; readonly old: number }[] = [];
  let bucket = bucketOf(last, hash, slotsPerBucket);
  let homeless = print;
  for (let i = 0; i < maxIterations; i++) {
    const slot = bucket * slotsPerBucket + (i % slotsPerBucket);
    const old = last[slot] ?? 0;
    moved.push({ slot, old });
    last[slot] = homeless;
    homeless = old;
    bucket = bucketOf(last, alternate(BigInt(bucket), homeless), slotsPerBucket);
    const free = last.subarray(bucket * slotsPerBucket, (bucket + 1) * slotsPerBucket).indexOf(0);
    if (free >= 0) {
      last[bucket * slotsPerBucket + free] = homeless;
      return true;
    }
  }
  for (const { slot, old } of moved.toReversed()) last[slot] = old;
  return false;
}

/** Moves elements to older filters, from the newest one on, for as long as that empties one. */
function compact(cuckoo: CuckooValue): void {
  for (let i = cuckoo.filters.length - 1; i > 0 && emptyInto(cuckoo, i); i--) cuckoo.filters.pop();
  cuckoo.deletes = 0;
}

function emptyInto(cuckoo: CuckooValue, index: number): boolean {
  const filter = cuckoo.filters[index] ?? Buffer.alloc(0);
  const older = cuckoo.filters.slice(0, index);
  for (const [slot, print] of filter.entries()) {
    // Its bucket stands for its hash: bucket counts are multiples of those of older filters.
    const hash = BigInt(Math.floor(slot / cuckoo.slotsPerBucket));
    if (print !== 0 && place(cuckoo, older, { hash, print })) filter[slot] = 0;
  }
  return filter.every((print) => print === 0);
}
