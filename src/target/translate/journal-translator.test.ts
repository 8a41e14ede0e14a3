import { describe, expect, test } from "vitest";
import { REDIS_62 } from "../../../test/support/capabilities.ts";
import { JournalTranslation } from "../../../test/support/journal-translation.ts";
import { takeCommandLines } from "../../../test/support/parse-commands.ts";

const NOW = 1_700_000_000_000;
const FUTURE = NOW + 3_600_000;

function becomes(...words: (string | number)[]): string[] {
  return new JournalTranslation({ now: NOW }).lines(...words);
}

describe("entries that are passed", () => {
  test("go out word by word, in their database", () => {
    const translation = new JournalTranslation();
    translation.translate(["HSET", "h", "a", "1"], { db: 3 });
    translation.translate(["INCR", "n"], { db: 3 });
    translation.translate(["INCR", "n"], { db: 0 });
    expect(takeCommandLines(translation.encoder)).toEqual(["SELECT 3", "HSET h a 1", "INCR n", "SELECT 0", "INCR n"]);
  });

  test("keep bytes that are no text", () => {
    const value = Buffer.from([0, 255, 13, 10, 128]);
    expect(new JournalTranslation().commands(["APPEND", "k", value])).toEqual([
      [Buffer.from("APPEND"), Buffer.from("k"), value],
    ]);
  });
});

describe("unknown commands", () => {
  test("end the run, with name, database and LSN", () => {
    const translation = new JournalTranslation();
    expect(() => translation.translate(["NEWCMD", "secret-key"], { db: 2, lsn: 77 })).toThrow(
      expect.objectContaining({ code: "UNKNOWN_COMMAND", context: { command: "NEWCMD", db: 2, lsn: 77 } }),
    );
    expect(translation.encoder.commandCount).toBe(0);
  });

  test("are named shortly however long they are", () => {
    expect(() => becomes("X".repeat(10_000))).toThrow(/^the journal holds the command "X{64}": /);
  });

  test("include commands of the source's cluster", () => {
    expect(() => becomes("DFLYCLUSTER", "FLUSHSLOTS", "0", "100")).toThrow(
      expect.objectContaining({ code: "UNKNOWN_COMMAND" }),
    );
  });
});

test.each([[["FLUSHALL"]], [["FLUSHDB"]], [["flushdb", "SYNC"]]])("%j is left to the barrier", (words) => {
  const translation = new JournalTranslation();
  expect(translation.translate(words)).toBe("flush");
  expect(translation.encoder.commandCount).toBe(0);
});

describe("what the target cannot hold", () => {
  test.each([
    [["JSON.NUMINCRBY", "k", "$.a", "1"], "json 0 k"],
    [["BF.ADD", "k", "x"], "bloom 0 k"],
    [["CF.DEL", "k", "x"], "cuckoo 0 k"],
    [["CMS.INCRBY", "k", "x", "1"], "cms 0 k"],
    [["TOPK.ADD", "k", "x"], "topk 0 k"],
    [["FT.CREATE", "idx"], "search 0 idx"],
    [["STICK", "k"], "sticky 0 k"],
    [["FIELDEXPIRE", "k", "10", "f"], "fieldTtl 0 k"],
    [["SCRIPT", "LOAD", "return 1"], "lua -1 LOAD"],
  ])("%j is recorded as a loss", (words, loss) => {
    const translation = new JournalTranslation();
    expect(translation.lines(...words)).toEqual([]);
    expect(translation.losses).toEqual([loss]);
  });

  test.each([[["SHRINK", "k"]], [["PFCOUNT", "k"]], [["PING"]], [["SCRIPT", "FLUSH"]]])(
    "%j changes nothing and is no loss",
    (words) => {
      const translation = new JournalTranslation();
      expect(translation.lines(...words)).toEqual([]);
      expect(translation.losses).toEqual([]);
    },
  );

  test("STICK names each key", () => {
    const translation = new JournalTranslation();
    translation.lines("STICK", "a", "b");
    expect(translation.losses).toEqual(["sticky 0 a", "sticky 0 b"]);
  });

  test("a whole JSON document takes the place of what the target has", () => {
    expect(becomes("JSON.SET", "k", "$", "{}")).toEqual(["DEL k"]);
    expect(becomes("JSON.SET", "k", ".", "{}", "XX")).toEqual(["DEL k"]);
    expect(becomes("JSON.SET", "k", "$", "{}", "nx")).toEqual([]);
    expect(becomes("JSON.SET", "k", "$.a", "1")).toEqual([]);
    expect(becomes("JSON.MSET", "a", "$", "1", "b", "$.x", "2", "c", ".", "3")).toEqual(["DEL a", "DEL c"]);
  });
});

describe("SET", () => {
  test.each([
    [["SET", "k", "v"], "SET k v", []],
    [["SET", "k", "STICK"], "SET k STICK", []],
    [["SET", "k", "_MCFLAGS"], "SET k _MCFLAGS", []],
    [["SET", "k", "PXAT"], "SET k PXAT", []],
    [["SET", "STICK", "v", "STICK"], "SET STICK v", ["sticky 0 STICK"]],
    [["SET", "k", "STICK", "KEEPTTL", "STICK"], "SET k STICK KEEPTTL", ["sticky 0 k"]],
    [["SET", "k", "v", "_MCFLAGS", "5"], "SET k v", ["memcacheFlags 0 k"]],
    [["SET", "k", "v", "PXAT", FUTURE], `SET k v PXAT ${FUTURE}`, []],
    [
      ["SET", "k", "v", "PXAT", FUTURE, "STICK", "_MCFLAGS", "7"],
      `SET k v PXAT ${FUTURE}`,
      ["sticky 0 k", "memcacheFlags 0 k"],
    ],
    [["SET", "k", "v", "KEEPTTL"], "SET k v KEEPTTL", []],
    [["SET", "k", "v", "EX", "10"], `SET k v PXAT ${NOW + 10_000}`, []],
    [["SET", "k", "v", "px", "2500", "NX"], `SET k v NX PXAT ${NOW + 2500}`, []],
    [["SET", "k", "v", "EXAT", FUTURE / 1000], `SET k v PXAT ${FUTURE}`, []],
    [["SET", "k", "v", "PXAT", "soon"], "SET k v PXAT soon", []],
  ])("%j", (words, expected, losses) => {
    const translation = new JournalTranslation({ now: NOW });
    expect(translation.lines(...words)).toEqual([expected]);
    expect(translation.losses).toEqual(losses);
  });
});

describe("deadlines are absolute", () => {
  test.each([
    [["SETEX", "k", "10", "v"], `SET k v PXAT ${NOW + 10_000}`],
    [["PSETEX", "k", "2500", "v"], `SET k v PXAT ${NOW + 2500}`],
    [["EXPIRE", "k", "10"], `PEXPIREAT k ${NOW + 10_000}`],
    [["PEXPIRE", "k", "5000"], `PEXPIREAT k ${NOW + 5000}`],
    [["EXPIREAT", "k", FUTURE / 1000], `PEXPIREAT k ${FUTURE}`],
    [["PEXPIREAT", "k", FUTURE], `PEXPIREAT k ${FUTURE}`],
    [["GETEX", "k", "PX", "5000"], `PEXPIREAT k ${NOW + 5000}`],
    [["GETEX", "k", "PERSIST"], "PERSIST k"],
  ])("%j", (words, expected) => {
    expect(becomes(...words)).toEqual([expected]);
  });

  test("GETEX without an option changes nothing", () => {
    expect(becomes("GETEX", "k")).toEqual([]);
  });
});

describe("deadlines of members", () => {
  test.each([
    [["SADDEX", "k", "10", "a", "b"], ["SADD k a b"], ["memberTtl 0 k"]],
    [["SADDEX", "k", "keepttl", "10", "a"], ["SADD k a"], ["memberTtl 0 k"]],
    [["SADDEX", "k", "10", "KEEPTTL"], ["SADD k KEEPTTL"], ["memberTtl 0 k"]],
    [["HSETEX", "k", "10", "f", "v", "g", "w"], ["HSET k f v g w"], ["fieldTtl 0 k"]],
    [["HSETEX", "k", "KEEPTTL", "10", "f", "v"], ["HSET k f v"], ["fieldTtl 0 k"]],
    [["HSETEX", "k", "NX", "10", "f", "v", "g", "w"], ["HSETNX k f v", "HSETNX k g w"], ["fieldTtl 0 k"]],
    [["HSETEX", "k", "10", "FIELDS", "v"], ["HSET k FIELDS v"], ["fieldTtl 0 k"]],
    [["HSETEX", "k", "EX", "10", "FIELDS", "1", "f", "v"], ["HSET k f v"], ["fieldTtl 0 k"]],
    [["HSETEX", "k", "FIELDS", "1", "f", "v"], ["HSET k f v"], []],
    [["HSETEX", "k", "KEEPTTL", "FIELDS", "2", "f", "v", "g", "w"], ["HSET k f v g w"], []],
    [["HEXPIRE", "k", "10", "FIELDS", "1", "f"], [], ["fieldTtl 0 k"]],
    [["HEXPIRE", "k", "10", "NX", "FIELDS", "1", "f"], [], ["fieldTtl 0 k"]],
    [["HEXPIRE", "k", "0", "FIELDS", "2", "f", "g"], ["HDEL k f g"], []],
    [["HGETEX", "k", "FIELDS", "1", "f"], [], []],
    [["HGETEX", "k", "PERSIST", "FIELDS", "1", "f"], [], []],
    [["HGETEX", "k", "EX", "10", "FIELDS", "1", "f"], [], ["fieldTtl 0 k"]],
    [["HGETEX", "k", "EX", "0", "FIELDS", "1", "f"], ["HDEL k f"], []],
    [["HGETEX", "k", "PXAT", "1000", "FIELDS", "1", "f"], [], ["fieldTtl 0 k"]],
  ])("%j", (words, expected, losses) => {
    const translation = new JournalTranslation();
    expect(translation.lines(...words)).toEqual(expected);
    expect(translation.losses).toEqual(losses);
    expect(translation.unrunnable).toEqual([]);
  });

  test.each([
    [["HEXPIRE", "k", "0", "XX", "FIELDS", "1", "f"]],
    [["SADDEX", "k", "10"]],
    [["HSETEX", "k", "10", "f"]],
    [["HSETEX", "k", "EX", "10", "f", "v"]],
    [["HSETEX", "k"]],
  ])("%j cannot be decided, and is recorded", (words) => {
    const translation = new JournalTranslation();
    expect(translation.lines(...words)).toEqual([]);
    expect(translation.unrunnable).toHaveLength(1);
  });
});

describe("forms", () => {
  test.each([
    [["DELEX", "k"], ["DEL k"]],
    [["BRPOPLPUSH", "a", "b", "0"], ["RPOPLPUSH a b"]],
    [["BLMOVE", "a", "b", "LEFT", "RIGHT", "0"], ["LMOVE a b LEFT RIGHT"]],
    [["SORT", "k", "ALPHA", "STORE", "d"], ["SORT k ALPHA STORE d"]],
    [["SORT", "k", "ALPHA"], []],
    [["GEORADIUS", "k", "15", "37", "200", "km", "STORE", "d"], ["GEORADIUS k 15 37 200 km STORE d"]],
    [["GEORADIUS", "k", "15", "37", "200", "km", "ASC"], []],
    [["GEORADIUSBYMEMBER", "k", "m", "200", "km", "STOREDIST", "d"], ["GEORADIUSBYMEMBER k m 200 km STOREDIST d"]],
    [["COPY", "a", "b"], ["COPY a b"]],
    [["MOVE", "k", "2"], ["MOVE k 2"]],
    [["XGROUP", "SETID", "x", "g", "1-1", "ENTRIESREAD", "3"], ["XGROUP SETID x g 1-1 ENTRIESREAD 3"]],
  ])("%j", (words, expected) => {
    const translation = new JournalTranslation();
    expect(translation.lines(...words)).toEqual(expected);
    expect(translation.unrunnable).toEqual([]);
  });

  test.each([
    [["SORT", "k"]],
    [["GEORADIUS", "k"]],
    [["GEORADIUSBYMEMBER", "k"]],
    [["DELEX", "k", "IFDEQ", "0123456789abcdef"]],
    [["DELEX", "k", "IFDNE", "0123456789abcdef"]],
  ])("%j of a transaction cannot be run, and is recorded", (words) => {
    const translation = new JournalTranslation();
    translation.translate(words, { txid: 5 });
    expect(translation.encoder.commandCount).toBe(0);
    expect(translation.unrunnable).toHaveLength(1);
  });

  test("an older target is spared a word that it does not know", () => {
    const translation = new JournalTranslation({ capabilities: REDIS_62 });
    expect(translation.lines("XGROUP", "SETID", "x", "g", "1-1", "ENTRIESREAD", "3")).toEqual(["XGROUP SETID x g 1-1"]);
  });
});
