import { describe, expect, test } from "vitest";
import { journalCommand, type Word } from "../../test/support/journal-translation.ts";
import { Slice } from "../bytes/slice.ts";
import { parseDatabasePairs } from "../config/database-pairs.ts";
import type { ObjectHeader } from "../rdb/rdb-handler.ts";
import { databaseMap } from "./database-map.ts";
import { KeyMapper } from "./key-mapper.ts";

const MIB = 1024 * 1024;

function mapperOf(pairs: string): KeyMapper {
  const map = databaseMap(parseDatabasePairs(pairs));
  if (map === undefined) throw new Error("the map changes nothing");
  return new KeyMapper({ map, guardLimitBytes: MIB });
}

function header(db: number, key: string): ObjectHeader {
  return { type: 4, db, key: Slice.from(key), expireAtMs: 9, sticky: true, mcFlags: 7 };
}

/** What becomes of an entry, with the database in front. */
function mapped(mapper: KeyMapper, db: number, line: string | readonly Word[]): string {
  const command = journalCommand(typeof line === "string" ? line.split(" ") : line, { db, lsn: 5, txid: 3 });
  const outcome = mapper.map(command);
  if (outcome === "unrunnable") return `unrunnable: ${mapper.why}`;
  if (outcome === "nothing") return "nothing";
  if (outcome === "move") {
    const { from, to } = mapper.moved;
    return `move ${from.db} ${from.key.toText()} to ${to.db} ${to.key.toText()}`;
  }
  const { command: own } = mapper;
  expect([own.lsn, own.txid]).toEqual([5, 3]);
  return `${own.db} ${Array.from({ length: own.argc }, (_, i) => own.arg(i).toText()).join(" ")}`;
}

describe("objects", () => {
  test("another database and a prefix; the rest stays", () => {
    const mapper = mapperOf("1=4:p:");
    const object = header(1, "k");
    const { key, ...rest } = mapper.header(object);
    expect(key.toText()).toBe("p:k");
    expect(rest).toEqual({ type: 4, db: 4, expireAtMs: 9, sticky: true, mcFlags: 7 });
    expect(object).toMatchObject({ db: 1 });
    expect(object.key.toText()).toBe("k");
  });

  test("no key is copied where only the database changes", () => {
    const object = header(1, "k");
    expect(mapperOf("1=4").header(object).key).toBe(object.key);
  });

  test("a huge key is not kept", () => {
    const mapper = mapperOf("1=4:p:");
    expect(mapper.header(header(1, "k".repeat(3 * MIB))).key.length).toBe(3 * MIB + 2);
    expect(mapper.header(header(1, "k")).key.buf.length).toBeLessThan(MIB);
  });
});

describe("entries", () => {
  test.each([
    ["SET k v PXAT 9", "4 SET p:k v PXAT 9"],
    ["MSET a 1 b 2", "4 MSET p:a 1 p:b 2"],
    ["DEL a b c", "4 DEL p:a p:b p:c"],
    ["LMPOP 2 a b LEFT", "4 LMPOP 2 p:a p:b LEFT"],
    ["ZUNIONSTORE d 2 a b WEIGHTS 1 2", "4 ZUNIONSTORE p:d 2 p:a p:b WEIGHTS 1 2"],
    ["RENAME a b", "4 RENAME p:a p:b"],
    ["XGROUP CREATE k g $", "4 XGROUP CREATE p:k g $"],
    ["JSON.MSET a $ 1 b $ 2", "4 JSON.MSET p:a $ 1 p:b $ 2"],
    ["COPY a b REPLACE", "4 COPY p:a p:b REPLACE"],
    ["SORT k STORE d", "4 SORT p:k STORE p:d"],
    ["SORT k BY w_* GET # GET o_*->f BY nosort STORE d", "4 SORT p:k BY p:w_* GET # GET p:o_*->f BY nosort STORE p:d"],
    ["GEORADIUS k 1 2 3 m STORE d", "4 GEORADIUS p:k 1 2 3 m STORE p:d"],
    ["FT.CREATE index", "4 FT.CREATE index"],
    ["PING", "4 PING"],
    ["NOSUCH k", "4 NOSUCH k"],
    ["FLUSHDB", "1 FLUSHDB"],
    ["FLUSHALL", "1 FLUSHALL"],
  ])("%s", (line, expected) => {
    expect(mapped(mapperOf("1=4:p:"), 1, line)).toBe(expected);
  });

  test("a database that keeps its number", () => {
    expect(mapped(mapperOf("1=4:p:"), 2, "SET k v")).toBe("2 SET k v");
  });

  test("no argument is copied where only the database changes", () => {
    const mapper = mapperOf("1=4");
    const command = journalCommand(["MSET", "a", "1"], { db: 1 });
    expect(mapper.map(command)).toBe("run");
    expect(mapper.command.db).toBe(4);
    expect(mapper.command.arg(1)).toBe(command.arg(1));
    expect(command.db).toBe(1);
  });

  test("one after the other, long and short, with many keys", () => {
    const mapper = mapperOf("1=4:p:");
    const many = Array.from({ length: 10_000 }, (_, i) => `k${i}`);
    expect(mapped(mapper, 1, `DEL ${many.join(" ")}`)).toBe(`4 DEL ${many.map((key) => `p:${key}`).join(" ")}`);
    expect(mapped(mapper, 1, "DEL a")).toBe("4 DEL p:a");
    expect(mapper.command.args.length).toBeLessThan(100);
    expect(mapped(mapper, 1, ["DEL", "x".repeat(2 * MIB)])).toBe(`4 DEL p:${"x".repeat(2 * MIB)}`);
    expect(mapped(mapper, 1, "SET a b")).toBe("4 SET p:a b");
    expect(mapper.command.arg(1).buf.length).toBeLessThan(MIB);
  });

  test("what names another database or a pattern that the prefix spoils", () => {
    expect(mapped(mapperOf("1=4"), 1, "COPY a b DB 2")).toMatch(/^unrunnable: COPY to another database/);
    expect(mapped(mapperOf("1=4:*:"), 1, "SORT k GET o_* STORE d")).toMatch(/^unrunnable: .*prefix has a `\*`/);
    expect(mapped(mapperOf("1=4:*:"), 1, "SORT k STORE d")).toBe("4 SORT *:k STORE *:d");
    expect(mapped(mapperOf("1=0"), 1, "SORT k GET o_* STORE d")).toMatch(/^unrunnable: .*merged/);
    expect(mapped(mapperOf("1=0"), 1, "SORT k GET o_*")).toBe("0 SORT k GET o_*");
    expect(mapped(mapperOf("1=0:one:"), 0, "SORT k GET on* STORE d")).toMatch(/^unrunnable: .*longer prefix/);
    expect(mapped(mapperOf("1=0:one:"), 0, "SORT k GET w* STORE d")).toBe("0 SORT k GET w* STORE d");
  });
});

describe("MOVE", () => {
  test.each([
    ["to another database, the name stays", "0=5, 1=6", "5 MOVE k 6"],
    ["the same with the same prefix", "0=5:p:, 1=6:p:", "5 MOVE p:k 6"],
    ["to another name in the same database", "0=5:a:, 1=5:b:", "5 RENAMENX a:k b:k"],
    ["to another name without a prefix", "0=5:a:, 1=5", "5 RENAMENX a:k k"],
    ["to both", "0=5:a:, 1=6:b:", "move 5 a:k to 6 b:k"],
    ["to both, without a prefix", "0=5:a:, 1=6", "move 5 a:k to 6 k"],
    ["inside a merged database", "0=5, 1=5", "nothing"],
  ])("%s", (_, pairs, expected) => {
    expect(mapped(mapperOf(pairs), 0, "MOVE k 1")).toBe(expected);
  });

  test("cut short, or to no number", () => {
    for (const line of ["MOVE", "MOVE k", "MOVE k x", "MOVE k -1", "MOVE k 1 2"]) {
      expect(mapped(mapperOf("0=5"), 0, line)).toMatch(/^unrunnable/);
    }
  });

  test("to where it is", () => {
    expect(mapped(mapperOf("0=5"), 0, "MOVE k 0")).toBe("nothing");
  });
});

describe("merged databases", () => {
  const CONFLICT = expect.objectContaining({ code: "KEY_CONFLICT" });

  test("one name in two databases is refused, with key and databases named", () => {
    const mapper = mapperOf("1=0, 2=0");
    mapper.header(header(1, "k"));
    mapper.header(header(1, "k"));
    mapper.header(header(2, "other"));
    expect(() => mapper.header(header(2, "k"))).toThrow(
      expect.objectContaining({
        code: "KEY_CONFLICT",
        message: expect.stringContaining("databases 1 and 2 both have the key k"),
        context: { key: "k", db: 2, otherDb: 1, targetDb: 0 },
      }),
    );
    expect(() => mapped(mapper, 2, "SET k v")).toThrow(CONFLICT);
    expect(() => mapped(mapper, 2, "DEL k")).toThrow(CONFLICT);
    expect(() => mapped(mapper, 2, "COPY k new")).toThrow(CONFLICT);
  });

  test("the same name elsewhere is none", () => {
    const mapper = mapperOf("1=0, 2=0, 3=0:p:, 4=5");
    for (const db of [1, 3, 4, 5]) mapper.header(header(db, db === 5 ? "other" : "k"));
    expect(mapper.guardedKeys).toBe(3);
  });

  test.each(["DEL x k", "UNLINK k", "GETDEL k", "DELEX k", "RENAME k there", "RENAMENX k there"])(
    "a name is free again after %s",
    (line) => {
      const mapper = mapperOf("1=0, 2=0");
      mapped(mapper, 1, "SET k v");
      mapped(mapper, 1, line);
      expect(mapped(mapper, 2, "SET k w")).toBe("0 SET k w");
      if (line.endsWith("there")) expect(() => mapped(mapper, 2, "SET there v")).toThrow(CONFLICT);
    },
  );

  test.each(["SREM k a", "DELEX k IFEQ v", "RESTORE k 0 dump REPLACE", "PEXPIREAT k 1", "MSET k 1", "SORT k"])(
    "but not after %s",
    (line) => {
      const mapper = mapperOf("1=0, 2=0");
      mapped(mapper, 1, "SET k v");
      mapped(mapper, 1, line);
      expect(() => mapped(mapper, 2, "SET k w")).toThrow(CONFLICT);
    },
  );

  test("what is only read is not claimed", () => {
    const mapper = mapperOf("1=0, 2=0");
    mapped(mapper, 1, "COPY k copy");
    expect(mapped(mapper, 2, "SET k w")).toBe("0 SET k w");
  });

  test("a key that is moved between them changes hands", () => {
    const mapper = mapperOf("1=0, 2=0");
    mapped(mapper, 1, "SET k v");
    expect(mapped(mapper, 1, "MOVE k 2")).toBe("nothing");
    expect(mapped(mapper, 2, "SET k w")).toBe("0 SET k w");
    expect(() => mapped(mapper, 1, "SET k w")).toThrow(CONFLICT);
  });

  test("a MOVE that did nothing on the source does not take a sibling's key away", () => {
    const mapper = mapperOf("1=0, 2=0, 3=7");
    mapped(mapper, 1, "SET k v");
    expect(mapped(mapper, 2, "MOVE k 1")).toBe("nothing");
    expect(mapped(mapper, 2, "MOVE k 3")).toBe("nothing");
    expect(mapped(mapper, 1, "MOVE k 3")).toBe("0 MOVE k 7");
  });

  test("a key that is moved there from elsewhere must be free", () => {
    const mapper = mapperOf("1=0, 2=0, 3=7");
    expect(mapped(mapper, 3, "MOVE new 2")).toBe("7 MOVE new 0");
    expect(() => mapped(mapper, 1, "SET new v")).toThrow(CONFLICT);
    mapped(mapper, 1, "SET k v");
    expect(() => mapped(mapper, 3, "MOVE k 2")).toThrow(CONFLICT);
  });

  test("FLUSHALL forgets all", () => {
    const mapper = mapperOf("1=0, 2=0");
    mapped(mapper, 1, "SET k v");
    mapper.flushed(3);
    expect(() => mapped(mapper, 2, "SET k w")).toThrow(CONFLICT);
    mapper.flushed(-1);
    expect(mapped(mapper, 2, "SET k w")).toBe("0 SET k w");
  });

  test("nothing is remembered where nothing is merged", () => {
    const mapper = mapperOf("1=0:one:, 2=0:two:");
    mapper.header(header(1, "k"));
    mapped(mapper, 2, "SET k v");
    expect(mapper.guardedKeys).toBe(0);
  });
});

describe("a name that would look like another database's", () => {
  test("is refused, whether or not that database has such a key", () => {
    const mapper = mapperOf("1=0:one:");
    expect(() => mapper.header(header(0, "one:k"))).toThrow(
      expect.objectContaining({
        code: "KEY_CONFLICT",
        message: expect.stringMatching(
          /key one:k of the source's database 0 .* its database 1, .* prefix one: in database 0/,
        ),
      }),
    );
    for (const line of ["SET one:k v", "DEL a one:", "MOVE one:k 1", "SORT a STORE one:k"]) {
      expect(() => mapped(mapper, 0, line)).toThrow(expect.objectContaining({ code: "KEY_CONFLICT" }));
    }
    expect(() => mapped(mapper, 3, "MOVE one:k 0")).toThrow(expect.objectContaining({ code: "KEY_CONFLICT" }));
    expect(mapped(mapper, 0, "MSET one one:k onE: v")).toBe("0 MSET one one:k onE: v");
    expect(mapped(mapper, 1, "SET one:k v")).toBe("0 SET one:one:k v");
  });
});
