import { describe, expect, test } from "vitest";
import { StreamIdIndex } from "./stream-id-index.ts";

describe("StreamIdIndex", () => {
  test("an empty index has nothing, and everything lies beyond it", () => {
    const index = new StreamIdIndex(1024);
    expect(index.reader().has(0n, 0n)).toBe(false);
    expect(index.reader().has(5n, 1n)).toBe(false);
    expect(index.isBeyond(0n, 1n)).toBe(true);
  });

  test("stops at its limit and says so; what it took stays right", () => {
    const index = new StreamIdIndex(40);
    for (let i = 1; i <= 100; i++) index.add(`${i}-0`);
    expect(index.complete).toBe(false);
    const reader = index.reader();
    expect(reader.has(1n, 0n)).toBe(true);
    expect(index.isBeyond(100n, 0n)).toBe(true);
    expect(index.isBeyond(2n, 0n)).toBe(false);
  });

  test("never skips an id in the middle: once it has stopped it takes no more", () => {
    const index = new StreamIdIndex(1024);
    index.add("5-0");
    index.add("18446744073709551615-0");
    expect(index.complete).toBe(false);
    index.add("18446744073709551615-1");
    expect(index.isBeyond(18446744073709551615n, 0n)).toBe(true);
    expect(index.reader().has(5n, 0n)).toBe(true);
  });

  test("an id that is not later than the one before ends the index instead of corrupting it", () => {
    const index = new StreamIdIndex(1024);
    index.add("5-5");
    index.add("5-4");
    expect(index.complete).toBe(false);
    expect(index.reader().has(5n, 5n)).toBe(true);
  });
});
