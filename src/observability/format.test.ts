import { describe, expect, test } from "vitest";
import { formatBytes, formatCount, formatDuration, formatShortCount, perSecond } from "./format.ts";

describe("formatBytes", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [1234, "1.2 kB"],
    [999_949, "999.9 kB"],
    [999_950, "1.0 MB"],
    [123_400_000, "123.4 MB"],
    [5e12, "5.0 TB"],
    [5e18, "5000.0 PB"],
  ])("%d", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe("formatCount", () => {
  test.each([
    [0, "0"],
    [999, "999"],
    [1000, "1,000"],
    [1_234_567, "1,234,567"],
    [12.6, "13"],
  ])("%d", (count, text) => expect(formatCount(count)).toBe(text));
});

describe("formatShortCount", () => {
  test.each([
    [0, "0"],
    [999.4, "999"],
    [45_230, "45.2 k"],
    [3_900_000, "3.9 M"],
  ])("%d", (count, text) => expect(formatShortCount(count)).toBe(text));
});

describe("formatDuration", () => {
  test.each([
    [0, "0 ms"],
    [999.9, "999 ms"],
    [1000, "1.0 s"],
    [12_345, "12.3 s"],
    [59_999, "59.9 s"],
    [60_000, "1 min 00 s"],
    [192_000, "3 min 12 s"],
    [3_599_999, "59 min 59 s"],
    [7_500_000, "2 h 05 min"],
    [86_400_000, "1 d 0 h"],
    [273_600_000, "3 d 4 h"],
  ])("%d ms", (ms, text) => expect(formatDuration(ms)).toBe(text));
});

test("a rate over no time is 0, not infinite", () => {
  expect(perSecond(5, 0)).toBe(0);
  expect(perSecond(5, 500)).toBe(10);
});
