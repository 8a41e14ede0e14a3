import { describe, expect, test } from "vitest";
import { xxh32 } from "./xxh32.ts";

describe("xxh32", () => {
  test.each([
    ["", 0, 0x02cc5d05],
    ["a", 0, 0x550d7456],
    ["abc", 0, 0x32d153ff],
    ["Nobody inspects the spammish repetition", 0, 0xe2293b2f],
    ["", 0x9e3779b1, 0x36b78ae7],
  ])("of %j with seed %d", (text, seed, expected) => {
    const bytes = Buffer.from(`--${text}--`);
    expect(xxh32(bytes, 2, bytes.length - 2, seed)).toBe(expected);
  });
});
