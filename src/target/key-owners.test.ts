import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Slice } from "../bytes/slice.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { KeyFingerprint } from "./key-fingerprint.ts";
import { KeyOwners } from "./key-owners.ts";

const MIB = 1024 * 1024;

/** Words of one's own choice, so that slots collide. */
function print(h1: number, h2: number, h4 = 0): KeyFingerprint {
  return Object.assign(new KeyFingerprint([0, 0, 0, 0]), { h1, h2, h3: 0, h4 });
}

test("random writes and deletes end as in a Map, probes that wrap around included", () => {
  const home = fc.constantFrom(0, 1, 0x40000000, -0x40000000, -1, -2);
  const step = fc.tuple(fc.integer({ min: 0, max: 12 }), home, fc.integer({ min: -1, max: 3 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const owners = new KeyOwners(MIB);
      const model = new Map<string, number>();
      const prints = new Map<string, KeyFingerprint>();
      for (const [h1, h2, owner] of steps) {
        const name = `${h1} ${h2}`;
        const key = print(h1, h2);
        prints.set(name, key);
        if (owner < 0) {
          owners.delete(key);
          model.delete(name);
        } else {
          owners.set(key, owner);
          model.set(name, owner);
        }
      }
      expect(owners.size).toBe(model.size);
      for (const [name, key] of prints) expect(owners.get(key)).toBe(model.get(name) ?? -1);
    }),
    { numRuns: 500 },
  );
});

test("a hundred thousand keys at 21 to 32 bytes each, found again; cleared, nothing is left", () => {
  const owners = new KeyOwners(16 * MIB);
  const fingerprint = new KeyFingerprint([1, 2, 3, 4]);
  const key = new Slice();
  const of = (i: number) => fingerprint.of(0, key.setInteger(i));
  for (let i = 0; i < 100_000; i++) owners.set(of(i), i % 16);
  expect(owners.size).toBe(100_000);
  expect(owners.byteLength / owners.size).toBeGreaterThan(21);
  expect(owners.byteLength / owners.size).toBeLessThan(33);
  let wrong = 0;
  for (let i = 0; i < 100_000; i++) if (owners.get(of(i)) !== i % 16) wrong++;
  expect(wrong).toBe(0);
  expect(owners.get(of(100_000))).toBe(-1);
  owners.clear();
  expect([owners.size, owners.byteLength, owners.get(of(1))]).toEqual([0, 0, -1]);
});

describe("memory", () => {
  test("never passes the limit, and says what to do", () => {
    const owners = new KeyOwners(64 * 1024);
    const fingerprint = new KeyFingerprint([1, 2, 3, 4]);
    const key = new Slice();
    let thrown: unknown;
    for (let i = 0; thrown === undefined && i < 100_000; i++) {
      try {
        owners.set(fingerprint.of(0, key.setInteger(i)), 0);
      } catch (error) {
        thrown = error;
      }
      expect(owners.byteLength).toBeLessThanOrEqual(64 * 1024);
    }
    expect(thrown).toBeInstanceOf(Df2RedisError);
    expect(thrown).toMatchObject({ code: "LIMIT_EXCEEDED", message: expect.stringContaining("conflict.memoryBytes") });
    expect(owners.size).toBeGreaterThan(1500);
  });

  test("a table without keys takes none", () => {
    expect(new KeyOwners(MIB).byteLength).toBe(0);
  });
});
