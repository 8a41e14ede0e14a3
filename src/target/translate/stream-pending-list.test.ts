import { describe, expect, test } from "vitest";
import { StreamPendingList } from "./stream-pending-list.ts";

const CORRUPT = expect.objectContaining({ code: "STREAM_CORRUPT" });

describe("StreamPendingList", () => {
  test("finds each of many entries, with its time and count", () => {
    const list = new StreamPendingList();
    for (let i = 1; i <= 1000; i++) list.add(`${Math.floor(i / 3)}-${i}`, 1_700_000_000_000 + i, i);
    expect(list.size).toBe(1000);
    expect(list.ownerless).toBe(1000);
    for (let i = 1000; i >= 1; i--) {
      const at = list.own(`${Math.floor(i / 3)}-${i}`);
      expect([at, list.timeMs(at), list.count(at)]).toEqual([i - 1, 1_700_000_000_000 + i, i]);
    }
    expect(list.ownerless).toBe(0);
  });

  test("keeps all 64 bits of an id", () => {
    const list = new StreamPendingList();
    list.add("9007199254740993-9007199254740993", 1, 1);
    list.add("18446744073709551615-18446744073709551615", 1, 1);
    expect(() => list.own("9007199254740992-9007199254740992")).toThrow(CORRUPT);
    expect(list.own("9007199254740993-9007199254740993")).toBe(0);
    expect(list.own("18446744073709551615-18446744073709551615")).toBe(1);
  });

  test("an entry of no group, with two owners, or out of order is corrupt", () => {
    const list = new StreamPendingList();
    expect(() => list.own("1-1")).toThrow(CORRUPT);
    list.add("1-1", 1, 1);
    list.own("1-1");
    expect(() => list.own("1-1")).toThrow(CORRUPT);
    expect(() => list.add("1-0", 1, 1)).toThrow(CORRUPT);
    expect(() => list.add("1-1", 1, 1)).toThrow(CORRUPT);
  });

  test("marking one entry deleted leaves the others and its owner alone", () => {
    const list = new StreamPendingList();
    list.add("1-1", 1, 1);
    list.add("1-2", 1, 1);
    list.markDeleted(0);
    expect([list.isDeleted(0), list.isDeleted(1)]).toEqual([true, false]);
    expect(list.own("1-1")).toBe(0);
    expect(list.ownerless).toBe(1);
  });
});
