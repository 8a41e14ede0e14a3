/** A count-min sketch: rows of counters, of which each element has one a row (Dragonfly src/core/cms.cc). Pure; counters wrap at 64 bits. */
import type { CountMinValue } from "../values.ts";
import { itemHash } from "./item-hash.ts";

const COUNTER_BYTES = 8;

export function createCountMin(width: number, depth: number): CountMinValue {
  return { type: "cms", width, depth, total: 0n, counters: Buffer.alloc(width * depth * COUNTER_BYTES) };
}

/** @returns how often the element was counted, or more */
export function addToCountMin(sketch: CountMinValue, item: Buffer, increment: bigint): bigint {
  sketch.total = BigInt.asIntN(64, sketch.total + increment);
  for (const at of offsets(sketch, item)) {
    const sum = sketch.counters.readBigInt64LE(at) + increment;
    sketch.counters.writeBigInt64LE(BigInt.asIntN(64, sum), at);
  }
  return countOf(sketch, item);
}

export function countOf(sketch: CountMinValue, item: Buffer): bigint {
  const counts = offsets(sketch, item).map((at) => sketch.counters.readBigInt64LE(at));
  return counts.reduce((least, count) => (count < least ? count : least));
}

function offsets({ width, depth }: CountMinValue, item: Buffer): number[] {
  const [start, step] = [itemHash(item, 0), itemHash(item, 1)];
  return Array.from({ length: depth }, (_, row) => {
    const column = Number(BigInt.asUintN(64, start + step * BigInt(row)) % BigInt(width));
    return (row * width + column) * COUNTER_BYTES;
  });
}
