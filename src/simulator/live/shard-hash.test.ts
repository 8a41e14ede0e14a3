import { describe, expect, test } from "vitest";
import { keyHash, shardOfKey } from "./shard-hash.ts";

const MASK = (1n << 64n) - 1n;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;
const rotl = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (64n - n))) & MASK;
const round = (acc: bigint, input: bigint): bigint => (rotl((acc + input * P2) & MASK, 31n) * P1) & MASK;

/** XXH64 as its specification says it, slowly. */
function reference(key: Buffer, seed: bigint): bigint {
  let at = 0;
  let h = (seed + P5) & MASK;
  if (key.length >= 32) {
    const v = [seed + P1 + P2, seed + P2, seed, seed - P1].map((x) => x & MASK);
    for (; at + 32 <= key.length; at += 32) {
      for (let lane = 0; lane < 4; lane++) v[lane] = round(v[lane] ?? 0n, key.readBigUInt64LE(at + lane * 8));
    }
    h = v.reduce((sum, x, lane) => (sum + rotl(x, [1n, 7n, 12n, 18n][lane] ?? 0n)) & MASK, 0n);
    for (const x of v) h = ((h ^ round(0n, x)) * P1 + P4) & MASK;
  }
  h = (h + BigInt(key.length)) & MASK;
  for (; at + 8 <= key.length; at += 8) h = (rotl(h ^ round(0n, key.readBigUInt64LE(at)), 27n) * P1 + P4) & MASK;
  if (at + 4 <= key.length) {
    h = (rotl(h ^ ((BigInt(key.readUInt32LE(at)) * P1) & MASK), 23n) * P2 + P3) & MASK;
    at += 4;
  }
  for (; at < key.length; at++) h = (rotl(h ^ ((BigInt(key[at] ?? 0) * P5) & MASK), 11n) * P1) & MASK;
  h = ((h ^ (h >> 33n)) * P2) & MASK;
  h = ((h ^ (h >> 29n)) * P3) & MASK;
  return h ^ (h >> 32n);
}

describe("shardOfKey", () => {
  test("is XXH64 with Dragonfly's seed, for keys of every length", () => {
    for (let length = 0; length < 150; length++) {
      const key = Buffer.from(Array.from({ length }, (_, i) => (i * 151 + length * 7) & 0xff));
      expect(keyHash(key).toString(16)).toBe(reference(key, 120_577_240_643n).toString(16));
    }
  });

  test.each([1, 2, 3, 16, 1000, 1024])("is the hash modulo %d", (shards) => {
    for (let i = 0; i < 200; i++) {
      const key = Buffer.from(`key:${i}`);
      expect(shardOfKey(key, shards)).toBe(Number(reference(key, 120_577_240_643n) % BigInt(shards)));
    }
  });
});
