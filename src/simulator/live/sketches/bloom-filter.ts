/**
 * A scalable Bloom filter: a row of filters, each for half the error rate of the one before. Sizes and the point at which it grows are Dragonfly's
 * (src/core/bloom.cc; the recorded objects show them). Pure: works on a value that the caller has announced as about to change.
 */
import type { BloomValue } from "../values.ts";
import { itemHash } from "./item-hash.ts";
import { nextPowerOfTwo } from "./next-power-of-two.ts";

export type BloomParameters = { readonly capacity: number; readonly errorRate: number; readonly growth: number };

/** What a filter that was not reserved gets. */
export const DEFAULT_BLOOM: BloomParameters = { capacity: 0, errorRate: 0.01, growth: 2 };

const TIGHTENING = 0.5;
const MAX_ERROR_RATE = 0.5;
const MIN_BITS = 512;

export function createBloom({ capacity, errorRate, growth }: BloomParameters): BloomValue {
  const bloom: BloomValue = {
    type: "bloom",
    growth,
    errorRate: errorRate * TIGHTENING,
    size: 0,
    capacity: 0,
    previousCapacity: 0,
    filters: [],
  };
  addFilter(bloom, capacity);
  return bloom;
}

/** False when it was there already, or seems so. */
export function addToBloom(bloom: BloomValue, item: Buffer): boolean {
  const last = bloom.filters.at(-1);
  if (last === undefined || isInBloom(bloom, item)) return false;
  for (const at of positions(item, last)) {
    const byte = Math.floor(at / 8);
    last.bits[byte] = (last.bits[byte] ?? 0) | (1 << (at & 7));
  }
  bloom.size += 1;
  if (bloom.size >= bloom.capacity) grow(bloom);
  return true;
}

export function isInBloom(bloom: BloomValue, item: Buffer): boolean {
  return bloom.filters.some((filter) =>
    positions(item, filter).every((at) => ((filter.bits[Math.floor(at / 8)] ?? 0) & (1 << (at & 7))) !== 0),
  );
}

function grow(bloom: BloomValue): void {
  const entries = bloom.capacity * bloom.growth;
  bloom.previousCapacity += bloom.capacity;
  bloom.errorRate *= TIGHTENING;
  bloom.size = 0;
  addFilter(bloom, entries);
}

function addFilter(bloom: BloomValue, entries: number): void {
  const bitsPerEntry = -Math.log(Math.min(bloom.errorRate, MAX_ERROR_RATE)) / Math.LN2 ** 2;
  const bits = nextPowerOfTwo(Math.max(MIN_BITS, Math.ceil(entries * bitsPerEntry)));
  bloom.filters.push({ hashCount: Math.ceil(Math.LN2 * bitsPerEntry), bits: Buffer.alloc(bits / 8) });
  bloom.capacity = Math.floor(bits / bitsPerEntry);
}

function positions(item: Buffer, { hashCount, bits }: BloomValue["filters"][number]): number[] {
  const mask = BigInt(bits.length * 8 - 1);
  const [start, step] = [itemHash(item, 0), itemHash(item, 1)];
  return Array.from({ length: hashCount }, (_, i) => Number((start + step * BigInt(i)) & mask));
}
