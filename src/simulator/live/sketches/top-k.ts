/**
 * The k most frequent elements, by decaying counters (HeavyKeeper; Dragonfly src/core/topk.cc). A counter goes down instead of up with the probability
 * decay^count, so even two equal runs differ. Pure but for that chance. Of equally rare elements any may be the one that goes.
 */
import type { TopKItem, TopKValue } from "../values.ts";
import { itemHash } from "./item-hash.ts";

export type TopKParameters = {
  readonly k: number;
  readonly width: number;
  readonly depth: number;
  readonly decay: number;
};

export const DEFAULT_TOP_K = { width: 8, depth: 7, decay: 0.9 } as const;

const COUNTER_BYTES = 4;
const MAX_COUNT = 0xffff_ffff;

export function createTopK({ k, width, depth, decay }: TopKParameters): TopKValue {
  return { type: "topk", k, width, depth, decay, items: [], counters: Buffer.alloc(width * depth * COUNTER_BYTES) };
}

/** @returns the element that had to go */
export function addToTopK(sketch: TopKValue, item: Buffer): Buffer | undefined {
  const count = countUp(sketch, item);
  const { items, k } = sketch;
  const known = items.find((other) => other.item.equals(item));
  if (known !== undefined) {
    known.count = count;
    return undefined;
  }
  const added = { item: Buffer.from(item), count };
  if (items.length < k) {
    items.push(added);
    return undefined;
  }
  const rarest = items.reduce((least, other) => (other.count < least.count ? other : least));
  if (count <= rarest.count) return undefined;
  items[items.indexOf(rarest)] = added;
  return rarest.item;
}

/** The most frequent first, equally frequent ones by their bytes. */
export function topItems(sketch: TopKValue): TopKItem[] {
  return sketch.items.toSorted((a, b) => b.count - a.count || Buffer.compare(a.item, b.item));
}

function countUp({ width, depth, decay, counters }: TopKValue, item: Buffer): number {
  let least = MAX_COUNT;
  for (let row = 0; row < depth; row++) {
    const at = (row * width + Number(itemHash(item, row) % BigInt(width))) * COUNTER_BYTES;
    const count = counters.readUInt32LE(at);
    const decays = count > 0 && Math.random() < decay ** count;
    const next = decays ? count - 1 : Math.min(count + 1, MAX_COUNT);
    counters.writeUInt32LE(next, at);
    least = Math.min(least, next);
  }
  return least;
}
