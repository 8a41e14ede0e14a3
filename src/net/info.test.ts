import { expect, test } from "vitest";
import { infoNumber, keysInDatabases } from "./info.ts";

test("keysInDatabases: the lines of Redis and of Dragonfly, empty databases left out", () => {
  const info = new Map([
    ["db0", "keys=12,expires=3,avg_ttl=0"],
    ["db1", "keys=0,expires=0,hits=0,misses=0,hit_ratio=0.00,avg_ttl=-1"],
    ["db12", "keys=7,expires=0,hits=0"],
    ["db_version", "keys=99"],
  ]);
  expect([...keysInDatabases(info)]).toEqual([
    [0, 12],
    [12, 7],
  ]);
});

test.each([
  ["12", 12],
  ["0", 0],
  ["-1", undefined],
  ["2.00GiB", undefined],
  ["", undefined],
])("infoNumber of %j", (text, expected) => {
  expect(infoNumber(new Map([["x", text]]), "x")).toBe(expected);
});

test("infoNumber of a field that is not there", () => {
  expect(infoNumber(new Map(), "x")).toBeUndefined();
});
