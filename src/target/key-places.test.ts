import { describe, expect, test } from "vitest";
import { placeFilters, wholeDatabases } from "./key-places.ts";

const holds = (places: Parameters<typeof placeFilters>[0], db: number, key: string): boolean =>
  placeFilters(places).some((filter) => filter.db === db && filter.holds(Buffer.from(key)));

describe("holds", () => {
  test.each([
    ["a key of a whole database", [{ db: 1, prefix: "" }], 1, "k", true],
    ["not one of another", [{ db: 1, prefix: "" }], 0, "k", false],
    ["a key below the prefix", [{ db: 0, prefix: "a:" }], 0, "a:k", true],
    ["the prefix itself", [{ db: 0, prefix: "a:" }], 0, "a:", true],
    ["not a shorter one", [{ db: 0, prefix: "a:" }], 0, "a", false],
    [
      "a key below one of several",
      [
        { db: 0, prefix: "a:" },
        { db: 0, prefix: "b:" },
      ],
      0,
      "b:k",
      true,
    ],
    ["not one of the exceptions", [{ db: 0, prefix: "a", except: ["ab:"] }], 0, "ab:k", false],
    [
      "an exception of another place",
      [
        { db: 0, prefix: "a", except: ["ab:"] },
        { db: 0, prefix: "ab:" },
      ],
      0,
      "ab:k",
      true,
    ],
    ["never ours", [{ db: 0, prefix: "" }], 0, "df2redis:task:position", false],
    ["one that only looks like ours", [{ db: 0, prefix: "" }], 0, "df2redis", true],
  ])("%s", (_, places, db, key, expected) => {
    expect(holds(places, db, key)).toBe(expected);
  });
});

describe("the pattern for SCAN", () => {
  const match = (...prefixes: string[]): string | undefined =>
    placeFilters(prefixes.map((prefix) => ({ db: 0, prefix })))[0]?.match;

  test("is there for one prefix only", () => {
    expect([match("a:"), match(""), match("a:", "b:")]).toEqual(["a:*", undefined, undefined]);
  });

  test("takes a prefix by the letter", () => {
    expect(match(String.raw`*?[]\^-é:`)).toBe(String.raw`\*\?\[\]\\^-é:*`);
  });
});

test("databases come in order, each once", () => {
  const filters = placeFilters([{ db: 3, prefix: "a" }, ...wholeDatabases(2), { db: 3, prefix: "b" }]);
  expect(filters.map(({ db }) => db)).toEqual([0, 1, 3]);
});
