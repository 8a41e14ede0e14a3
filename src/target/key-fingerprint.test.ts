import { describe, expect, test } from "vitest";
import { Slice } from "../bytes/slice.ts";
import { type FingerprintSeed, KeyFingerprint, randomSeed } from "./key-fingerprint.ts";

function hex(seed: FingerprintSeed, db: number, key: Uint8Array | string): string {
  const { h1, h2, h3, h4 } = new KeyFingerprint(seed).of(db, Slice.from(key));
  return [h1, h2, h3, h4].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

describe("with one seed for all four words, database 0 gives MurmurHash3 x86_128", () => {
  // Vectors as published with several implementations of it.
  test.each([
    ["", 0, "00000000000000000000000000000000"],
    ["The quick brown fox jumps over the lazy dog", 0, "2f1583c3ecee2c675d7bf66ce5e91d2c"],
    ["The quick brown fox jumps over the lazy dog", 1223, "7d485923d325727ccaadcb738425e1e4"],
    ["MurmurHash3 was written by Austin Appleby, and is placed in the public", 0, "6d3583489d9d1e5a898493af67e2ad10"],
  ])("%j with seed %i", (text, seed, expected) => {
    expect(hex([seed, seed, seed, seed], 0, text)).toBe(expected);
  });
});

describe("tells apart", () => {
  const seed = randomSeed();

  test("keys that differ in one bit, at every length around the block size", () => {
    for (let length = 1; length <= 40; length++) {
      const key = Buffer.alloc(length, 0xa5);
      const seen = new Set([hex(seed, 0, key)]);
      for (let bit = 0; bit < 8 * length; bit++) {
        const other = Buffer.from(key);
        other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        seen.add(hex(seed, 0, other));
      }
      expect(seen.size).toBe(8 * length + 1);
    }
  });

  test("runs of zero bytes by their length", () => {
    const all = Array.from({ length: 50 }, (_, length) => hex(seed, 0, Buffer.alloc(length)));
    expect(new Set(all).size).toBe(50);
  });

  test("the same key in different databases", () => {
    const all = Array.from({ length: 1024 }, (_, db) => hex(seed, db, "key"));
    expect(new Set(all).size).toBe(1024);
  });

  test("runs, by their seeds", () => {
    expect(hex([1, 2, 3, 4], 0, "key")).not.toBe(hex([1, 2, 3, 5], 0, "key"));
    expect(randomSeed()).not.toEqual(randomSeed());
  });
});

test("looks at the bytes of the slice only", () => {
  const seed = randomSeed();
  const inside = new Slice().set(Buffer.from("xxsome binary key \0\u00ff of more than 16 bytesyy"), 2, 39);
  expect(hex(seed, 7, inside.view())).toBe(hex(seed, 7, inside.toBuffer()));
  const shifted = new Slice().set(Buffer.concat([Buffer.alloc(5, 1), inside.view(), Buffer.alloc(9, 2)]), 5, 42);
  const fingerprint = new KeyFingerprint(seed).of(7, shifted);
  const expected = new KeyFingerprint(seed).of(7, inside);
  expect([fingerprint.h1, fingerprint.h2, fingerprint.h3, fingerprint.h4]).toEqual([
    expected.h1,
    expected.h2,
    expected.h3,
    expected.h4,
  ]);
});

test("spreads numbered keys evenly by each of its words", () => {
  const fingerprint = new KeyFingerprint(randomSeed());
  const buckets = Array.from({ length: 4 }, () => new Uint32Array(64));
  const keys = 64 * 500;
  for (let i = 0; i < keys; i++) {
    const { h1, h2, h3, h4 } = fingerprint.of(0, Slice.from(`user:${i}`));
    for (const [word, h] of [h1, h2, h3, h4].entries()) {
      const bucket = buckets[word];
      if (bucket !== undefined) bucket[h >>> 26] = (bucket[h >>> 26] ?? 0) + 1;
    }
  }
  for (const bucket of buckets) {
    const chiSquare = bucket.reduce((sum, count) => sum + (count - 500) ** 2 / 500, 0);
    // 63 degrees of freedom: above 150 once in 10^9 times.
    expect(chiSquare).toBeLessThan(150);
  }
});
