import { describe, expect, test } from "vitest";
import { keySlot, SLOT_COUNT } from "./crc16-slot.ts";

function slot(key: string): number {
  const bytes = Buffer.from(`{x}${key}{y}`);
  return keySlot(bytes, 3, bytes.length - 3);
}

describe("keySlot", () => {
  // From the Redis cluster specification and from CLUSTER KEYSLOT of Redis 7.0.
  test.each([
    ["123456789", 12739],
    ["", 0],
    ["foo", 12182],
    ["foo{}{bar}", 8363],
    ["{user1000}.following", 3443],
    ["{user1000}.followers", 3443],
    ["foo{{bar}}zap", 4015],
    ["foo{bar}{zap}", 5061],
  ])("of %j is %d", (key, expected) => {
    expect(slot(key)).toBe(expected);
  });

  test("only the tag counts", () => {
    expect(slot("a{tag}b")).toBe(slot("tag"));
    expect(slot("{tag}")).toBe(slot("tag"));
    expect(slot("}a{tag}b}")).toBe(slot("tag"));
    expect(slot("{{tag}")).toBe(slot("{tag"));
  });

  test("without a whole tag the key counts", () => {
    for (const key of ["a{tag", "a}b", "{", "}", "{}", "}{"]) {
      const shifted = Buffer.from(key);
      expect(keySlot(shifted, 0, shifted.length)).toBe(slot(key));
      expect(slot(key)).not.toBe(slot("tag"));
    }
  });

  test("is always a slot", () => {
    for (let i = 0; i < 2000; i++) {
      const got = slot(`key:${i}`);
      expect(got).toBeGreaterThanOrEqual(0);
      expect(got).toBeLessThan(SLOT_COUNT);
    }
  });
});
