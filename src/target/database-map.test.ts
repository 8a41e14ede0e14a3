import { describe, expect, test } from "vitest";
import { parseDatabasePairs } from "../config/database-pairs.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { checkDatabaseMap, checkSearchPlace } from "./check-database-map.ts";
import { type DatabaseMap, databaseMap } from "./database-map.ts";

function mapOf(pairs: string): DatabaseMap {
  const map = databaseMap(parseDatabasePairs(pairs));
  if (map === undefined) throw new Error("the map changes nothing");
  return map;
}

function errorOf(run: () => unknown): Df2RedisError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Df2RedisError) return thrown;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}

/** `db prefix` of a source database. */
function placed(map: DatabaseMap, source: number): string {
  const { db, prefix } = map.place(source);
  return `${db} ${prefix.toString()}`;
}

describe("no map where nothing changes", () => {
  test.each(["0=0", "3=3, 5=5"])("%s", (pairs) => {
    expect(databaseMap(parseDatabasePairs(pairs))).toBeUndefined();
  });

  test("no rules", () => {
    expect(databaseMap([])).toBeUndefined();
  });

  test.each(["0=1", "0=0:p", "*=0"])("but one for %s", (pairs) => {
    expect(databaseMap(parseDatabasePairs(pairs))).toBeDefined();
  });
});

describe("places", () => {
  test("a rule, the rest by *, the number in the prefix", () => {
    const map = mapOf("1=0, 2=3:two:, *=4:db{db}:{db}:");
    expect([0, 1, 2, 15].map((db) => placed(map, db))).toEqual(["4 db0:0:", "0 ", "3 two:", "4 db15:15:"]);
  });

  test("without * the others keep their numbers, and share them with what comes there", () => {
    const map = mapOf("1=5");
    expect([0, 1, 5, 1023].map((db) => placed(map, db))).toEqual(["0 ", "5 ", "5 ", "1023 "]);
    expect(map.place(5).sources).toEqual([1, 5]);
    expect(map.place(1).sources).toEqual([1, 5]);
    expect(map.place(0).sources).toEqual([0]);
  });

  test("a longer prefix in the same database reserves its names", () => {
    const map = mapOf("0=0, 1=0:a:, 2=0:a:b:, 3=1:a:");
    const reserved = (db: number) => map.place(db).reserved.map(({ start, source }) => `${source} ${start.toString()}`);
    expect(reserved(0)).toEqual(["1 a:", "2 a:b:"]);
    expect(reserved(1)).toEqual(["2 b:"]);
    expect(reserved(2)).toEqual([]);
    expect(reserved(3)).toEqual([]);
  });

  test("a database that no Dragonfly has", () => {
    expect(errorOf(() => mapOf("*=0").place(1024)).code).toBe("PROTOCOL_VIOLATION");
  });
});

describe("refused", () => {
  test.each([
    ["1=0, 1=2", /databases: names 1 twice/],
    ["*=0, *=2", /databases: names `\*` twice/],
    ["1024=0", /databases: names database 1024, but a Dragonfly has only databases 0 to 1023/],
    ["1=0:df2redis:x", /begins with df2redis:/],
  ])("%s", (pairs, text) => {
    const { code, message } = errorOf(() => databaseMap(parseDatabasePairs(pairs)));
    expect(code).toBe("CONFIG_INVALID");
    expect(message).toMatch(text);
  });
});

describe("search indices, which cover database 0 under its own names", () => {
  test.each(["0=1", "0=0:p:", "*=0:{db}:"])("are refused with %s", (pairs) => {
    expect(errorOf(() => checkSearchPlace({ search: "native" }, mapOf(pairs))).code).toBe("CONFIG_INVALID");
    expect(() => checkSearchPlace({ search: "drop" }, mapOf(pairs))).not.toThrow();
  });

  test("are left alone by a map of other databases", () => {
    expect(() => checkSearchPlace({ search: "native" }, mapOf("3=4"))).not.toThrow();
    expect(() => checkSearchPlace({ search: "native" }, undefined)).not.toThrow();
  });
});

describe("the check against the target", () => {
  test.each([
    ["a rule", "3=16", [], /`databases` sends database 3 of the source to 16, but the target has only 16 databases/],
    ["the rest", "0=0, *=17:x", [], /sends database 1 of the source to 17/],
    ["one in use that keeps its number", "0=1", [0, 20], /database 20 of the source keeps its number, but the target/],
  ])("%s", (_, pairs, sourceDatabases, text) => {
    const error = errorOf(() => checkDatabaseMap(mapOf(pairs), { sourceDatabases, targetDatabases: 16 }));
    expect(error.code).toBe("TARGET_UNSUITABLE");
    expect(error.message).toMatch(text);
  });

  test("without a map the databases in use are checked", () => {
    expect(errorOf(() => checkDatabaseMap(undefined, { sourceDatabases: [1], targetDatabases: 1 })).code).toBe(
      "TARGET_UNSUITABLE",
    );
    expect(() => checkDatabaseMap(undefined, { sourceDatabases: [0, 15], targetDatabases: 16 })).not.toThrow();
  });

  test("a database that keeps its number and is not in use does not matter", () => {
    expect(() => checkDatabaseMap(mapOf("1=0"), { targetDatabases: 1 })).not.toThrow();
    expect(() => checkDatabaseMap(mapOf("*=0:{db}:"), { sourceDatabases: [0, 900], targetDatabases: 1 })).not.toThrow();
  });
});

describe("what a flush empties", () => {
  test("one database: its prefix, without longer ones", () => {
    const map = mapOf("0=0, 1=0:a:, 2=0:a:b:, 3=0:c:");
    expect(map.flushScope(0, 16)).toEqual({
      kind: "places",
      places: [{ db: 0, prefix: "", except: ["a:", "c:"] }],
    });
    expect(map.flushScope(1, 16)).toEqual({ kind: "places", places: [{ db: 0, prefix: "a:", except: ["a:b:"] }] });
    expect(map.flushScope(2, 16)).toEqual({ kind: "places", places: [{ db: 0, prefix: "a:b:", except: [] }] });
  });

  test("a database of its own", () => {
    expect(mapOf("0=3, 3=0").flushScope(0, 16)).toEqual({
      kind: "places",
      places: [{ db: 3, prefix: "", except: [] }],
    });
  });

  test("a merged one cannot be told apart", () => {
    const scope = mapOf("1=0, 2=0, 3=0, 4=0").flushScope(1, 16);
    expect(scope).toEqual({
      kind: "mixed",
      why: expect.stringMatching(
        /emptied its database 1, .* database 0 of the target among those of database 0, 2, 3 and others/,
      ),
    });
  });

  test("all: every place of the source, and nothing else of the target", () => {
    const scope = mapOf("0=1:a:, 1=1:a:b:, 2=1:c:, 3=0, *=2").flushScope(-1, 4);
    expect(scope).toEqual({
      kind: "places",
      places: [
        { db: 0, prefix: "", except: [] },
        { db: 1, prefix: "a:", except: [] },
        { db: 1, prefix: "c:", except: [] },
        { db: 2, prefix: "", except: [] },
      ],
    });
  });

  test("all, where databases keep their numbers: as far as the target has them", () => {
    const scope = mapOf("0=1").flushScope(-1, 4);
    expect(scope.kind === "places" && scope.places.map(({ db }) => db)).toEqual([1, 2, 3]);
  });
});

test("the way back: by the longest prefix", () => {
  const map = mapOf("0=0, 1=0:a:, 2=0:a:b:, 3=7:x, 4=7:x, *=9:{db}/");
  const back = (db: number, key: string) => {
    const found = map.sourceOf(db, Buffer.from(key));
    return found === undefined ? undefined : `${found.databases.join("+")} ${found.key.toString()}`;
  };
  expect(back(0, "k")).toBe("0 k");
  expect(back(0, "a:k")).toBe("1 k");
  expect(back(0, "a:b:k")).toBe("2 k");
  expect(back(7, "xk")).toBe("3+4 k");
  expect(back(7, "k")).toBeUndefined();
  expect(back(9, "12/k")).toBe("12 k");
  expect(back(8, "k")).toBeUndefined();
});
