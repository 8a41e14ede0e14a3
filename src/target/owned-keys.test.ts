import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import type { ClaimThreadData } from "../../test/support/claim-thread.ts";
import { Slice } from "../bytes/slice.ts";
import { OwnedKeys } from "./owned-keys.ts";

const MIB = 1024 * 1024;
const key = (i: number | string): Slice => Slice.from(`key:${i}`);

function tableOf(
  keys: number,
  options: { readonly expectedKeys?: number; readonly memoryBytes?: number } = {},
): OwnedKeys {
  const owned = OwnedKeys.create({ expectedKeys: keys, memoryBytes: MIB, ...options });
  for (let i = 0; i < keys; i++) owned.add(i % 3, key(i));
  return owned;
}

describe("the table", () => {
  test("holds what was added, in its database, and nothing else", () => {
    const owned = tableOf(10_000);
    expect([owned.size, owned.remaining]).toEqual([10_000, 10_000]);
    for (let i = 0; i < 10_000; i++) {
      expect(owned.has(i % 3, key(i))).toBe(true);
      expect(owned.has((i + 1) % 3, key(i))).toBe(false);
      expect(owned.has(i % 3, key(i + 10_000))).toBe(false);
    }
  });

  test("a key that is added twice, as SCAN may do, counts once", () => {
    const owned = tableOf(5);
    owned.add(0, key(0));
    expect([owned.size, owned.remaining]).toEqual([5, 5]);
  });

  test("an empty one answers", () => {
    const owned = OwnedKeys.create({ expectedKeys: 0, memoryBytes: MIB });
    expect([owned.size, owned.remaining, owned.has(0, key(1)), owned.claim(0, key(1))]).toEqual([0, 0, false, false]);
  });

  test("grows when more keys turn up than were expected, and keeps all of them and their claims", () => {
    const owned = OwnedKeys.create({ expectedKeys: 0, memoryBytes: MIB });
    owned.add(0, key("first"));
    owned.claim(0, key("first"));
    for (let i = 0; i < 20_000; i++) owned.add(i % 3, key(i));
    expect([owned.size, owned.remaining]).toEqual([20_001, 20_000]);
    for (let i = 0; i < 20_000; i++) expect(owned.isUnclaimed(i % 3, key(i))).toBe(true);
    expect([owned.has(0, key("first")), owned.isUnclaimed(0, key("first"))]).toEqual([true, false]);
  });

  test("takes about 22 to 26 bytes a key when the target has told how many there are", () => {
    const bytes = tableOf(40_000).byteLength / 40_000;
    expect(bytes).toBeGreaterThan(21);
    expect(bytes).toBeLessThan(26);
  });
});

describe("memory (I9)", () => {
  test("refuses at once when the expected keys do not fit, with the numbers", () => {
    expect(() => OwnedKeys.create({ expectedKeys: 1_000_000, memoryBytes: MIB })).toThrow(
      expect.objectContaining({
        code: "LIMIT_EXCEEDED",
        context: expect.objectContaining({ keys: 1_000_000, limitBytes: MIB, limit: "conflict.memoryBytes" }),
      }),
    );
  });

  test("fills the allowed memory before it refuses a key too many", () => {
    const owned = OwnedKeys.create({ expectedKeys: 100, memoryBytes: MIB });
    const fits = Math.floor((MIB / 16) * 0.75) - 3;
    for (let i = 0; i < fits; i++) owned.add(0, key(i));
    expect(() => {
      for (let i = fits; i < fits + 10; i++) owned.add(0, key(i));
    }).toThrow(/conflict\.memoryBytes allows 1048576: raise it, or empty the target/);
    expect(owned.byteLength).toBeLessThanOrEqual(MIB);
  });

  test("does without slack where there is no room for it", () => {
    const keys = Math.floor((MIB / 16) * 0.75) - 10;
    expect(tableOf(keys).byteLength).toBeLessThanOrEqual(MIB);
  });
});

describe("a claim", () => {
  test("is won once, and only for keys that were there", () => {
    const owned = tableOf(3);
    expect([owned.claim(1, key(1)), owned.claim(1, key(1)), owned.claim(1, key(0))]).toEqual([true, false, false]);
    expect([owned.has(1, key(1)), owned.isUnclaimed(1, key(1)), owned.isUnclaimed(0, key(0))]).toEqual([
      true,
      false,
      true,
    ]);
    expect(owned.remaining).toBe(2);
  });

  test("is seen wherever the table is attached", () => {
    const owned = tableOf(3);
    const other = OwnedKeys.attach(structuredClone(owned.share()));
    expect(other.claim(0, key(0))).toBe(true);
    expect([owned.claim(0, key(0)), owned.remaining, owned.isUnclaimed(0, key(0))]).toEqual([false, 2, false]);
  });

  test("of threads that race for the same keys: each key has exactly one winner", { timeout: 30_000 }, async () => {
    const keys = 30_000;
    const threads = 2;
    const owned = tableOf(keys);
    const data: ClaimThreadData = { shared: owned.share(), keys, threads, start: new SharedArrayBuffer(8) };
    const won = await Promise.all(
      Array.from({ length: threads }, async () => {
        const thread = new Worker(new URL("../../test/support/claim-thread.ts", import.meta.url), { workerData: data });
        const [numbers] = (await once(thread, "message")) as [number[]];
        await thread.terminate();
        return numbers;
      }),
    );
    expect(won.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: keys }, (_, i) => i));
    expect(owned.remaining).toBe(0);
  });
});

test("lists each unclaimed key once", () => {
  const owned = tableOf(3);
  owned.claim(0, key(0));
  expect([owned.list(0, key(0)), owned.list(1, key(1)), owned.list(1, key(1)), owned.list(1, key(2))]).toEqual([
    false,
    true,
    false,
    false,
  ]);
  expect([owned.claim(1, key(1)), owned.remaining]).toEqual([true, 1]);
});

test("once it is retired, nothing remains to be claimed, for all threads", () => {
  const owned = tableOf(3);
  const other = OwnedKeys.attach(owned.share());
  owned.retire();
  expect([owned.remaining, other.remaining, other.size, other.has(0, key(0))]).toEqual([0, 0, 3, true]);
  expect([other.claim(0, key(0)), other.remaining]).toEqual([true, 0]);
});
