/** What journal entries about strings and whole keys do on a target. See `JournalScenario`. */
import { expect } from "vitest";
import { FUTURE_MS as FUTURE, type JournalScenario } from "./journal-effects.ts";

export const KEY_SCENARIOS: Readonly<Record<string, JournalScenario>> = {
  APPEND: {
    before: ["SET k ab"],
    entries: ["APPEND k cd", "APPEND new x"],
    after: [
      ["GET k", "abcd"],
      ["GET new", "x"],
    ],
  },
  BITFIELD: { entries: ["BITFIELD k SET u8 0 200 INCRBY u8 0 10"], after: [["BITFIELD_RO k GET u8 0", [210]]] },
  DECR: { before: ["SET k 5"], entries: ["DECR k"], after: [["GET k", "4"]] },
  DECRBY: { before: ["SET k 5"], entries: ["DECRBY k 7"], after: [["GET k", "-2"]] },
  GETDEL: { before: ["SET k v"], entries: ["GETDEL k"], after: [["EXISTS k", 0]] },
  GETSET: {
    before: [`SET k v PXAT ${FUTURE}`],
    entries: ["GETSET k w"],
    after: [
      ["GET k", "w"],
      ["PTTL k", -1],
    ],
  },
  INCR: { before: ["SET k 9223372036854775806"], entries: ["INCR k"], after: [["GET k", "9223372036854775807"]] },
  INCRBY: { before: ["SET k 1"], entries: ["INCRBY k 41"], after: [["GET k", "42"]] },
  MSET: { entries: ["MSET a 1 b 2"], after: [["MGET a b", ["1", "2"]]] },
  MSETNX: { before: ["SET b 9"], entries: ["MSETNX a 1 b 2", "MSETNX c 3"], after: [["MGET a b c", [null, "9", "3"]]] },
  PFADD: { entries: ["PFADD k a b c"], after: [["PFCOUNT k", 3]] },
  PFMERGE: { before: ["PFADD a x", "PFADD b y"], entries: ["PFMERGE a b"], after: [["PFCOUNT a", 2]] },
  PFCOUNT: { entries: ["PFCOUNT k"], after: [["EXISTS k", 0]] },
  SETBIT: { entries: ["SETBIT k 7 1"], after: [["GET k", "\u0001"]] },
  SETNX: { before: ["SET b 9"], entries: ["SETNX a 1", "SETNX b 2"], after: [["MGET a b", ["1", "9"]]] },
  SETRANGE: { before: ["SET k hello"], entries: ["SETRANGE k 1 EY"], after: [["GET k", "hEYlo"]] },
  SET: {
    before: [`SET keep a PXAT ${FUTURE}`, "RPUSH list x"],
    entries: [`SET k v PXAT ${FUTURE} STICK`, "SET keep b KEEPTTL", "SET list v _MCFLAGS 7"],
    after: [
      ["PEXPIRETIME k", FUTURE],
      ["GET keep", "b"],
      ["PEXPIRETIME keep", FUTURE],
      ["GET list", "v"],
    ],
  },
  SETEX: {
    entries: ["SETEX k 1000 v"],
    after: [
      ["GET k", "v"],
      ["EXPIRETIME k", near(1000)],
    ],
  },
  PSETEX: {
    entries: ["PSETEX k 1000000 v"],
    after: [
      ["GET k", "v"],
      ["EXPIRETIME k", near(1000)],
    ],
  },
  GETEX: { before: ["SET k v"], entries: ["GETEX k EX 1000"], after: [["EXPIRETIME k", near(1000)]] },
  PREPEND: {
    before: [`SET k world PXAT ${FUTURE}`],
    entries: [["PREPEND", "k", "hello "], "PREPEND new x", ["PREPEND", "empty", ""]],
    after: [
      ["GET k", "hello world"],
      ["PEXPIRETIME k", FUTURE],
      ["GET new", "x"],
      ["GET empty", ""],
    ],
  },
  INCRBYFLOAT: {
    before: [`SET k 0.1 PXAT ${FUTURE}`],
    entries: ["INCRBYFLOAT k 0.2", "INCRBYFLOAT new 10.5", "INCRBYFLOAT big 1e21", "INCRBYFLOAT zero 0"],
    after: [
      ["GET k", "0.30000000000000004"],
      ["PEXPIRETIME k", FUTURE],
      ["GET new", "10.5"],
      ["GET big", "1e+21"],
      ["GET zero", "0"],
    ],
  },
  DEL: { before: ["MSET a 1 b 2"], entries: ["DEL a b missing"], after: [["EXISTS a b", 0]] },
  UNLINK: { before: ["SET a 1"], entries: ["UNLINK a"], after: [["EXISTS a", 0]] },
  PERSIST: { before: [`SET k v PXAT ${FUTURE}`], entries: ["PERSIST k"], after: [["PTTL k", -1]] },
  EXPIRE: { before: ["SET k v"], entries: ["EXPIRE k 1000"], after: [["EXPIRETIME k", near(1000)]] },
  PEXPIRE: { before: ["SET k v"], entries: ["PEXPIRE k 1000000"], after: [["EXPIRETIME k", near(1000)]] },
  EXPIREAT: { before: ["SET k v"], entries: ["EXPIREAT k 1900000000"], after: [["EXPIRETIME k", 1_900_000_000]] },
  PEXPIREAT: { before: ["SET k v"], entries: [`PEXPIREAT k ${FUTURE}`], after: [["PEXPIRETIME k", FUTURE]] },
  RENAME: {
    before: [`SET a 1 PXAT ${FUTURE}`, "SET b 2", "SET stale x", "SET same v"],
    entries: ["RENAME a b", "RENAME missing stale", "RENAME same same", "RENAME nothing nothing"],
    after: [
      ["GET b", "1"],
      ["PEXPIRETIME b", FUTURE],
      ["EXISTS a stale", 0],
      ["GET same", "v"],
    ],
  },
  RENAMENX: {
    before: ["SET a 1", "SET c 3", "SET d 4"],
    entries: ["RENAMENX a b", "RENAMENX c d", "RENAMENX missing e"],
    after: [["MGET a b c d e", [null, "1", "3", "4", null]]],
  },
  COPY: {
    before: ["SET a 1", "SET b 2", "SET stale x"],
    entries: ["COPY a new", "COPY a b REPLACE", "COPY missing stale REPLACE", "COPY missing none"],
    after: [["MGET a new b stale none", ["1", "1", "1", null, null]]],
  },
  MOVE: {
    before: ["SET k v"],
    entries: ["MOVE k 3", "MOVE missing 3"],
    after: [
      ["EXISTS k", 0],
      ["SELECT 3", "OK"],
      ["GET k", "v"],
    ],
  },
  DELEX: {
    before: ["MSET a 1 b 2 c 3 d 4 e 5", "RPUSH list x"],
    entries: [
      "DELEX a",
      "DELEX b IFEQ 2",
      "DELEX c IFEQ 9",
      "DELEX d IFNE 4",
      "DELEX e ifne 9",
      "DELEX missing IFNE x",
      "DELEX list",
    ],
    after: [
      ["MGET a b c d e", [null, null, "3", "4", null]],
      ["EXISTS list", 0],
    ],
  },
  SORT: {
    before: ["RPUSH k b c a", "SET d old"],
    entries: ["SORT k ALPHA STORE d", "SORT k ALPHA STORE k", "SORT k ALPHA"],
    after: [
      ["LRANGE d 0 -1", ["a", "b", "c"]],
      ["LRANGE k 0 -1", ["a", "b", "c"]],
    ],
  },
  STICK: { before: ["SET k v"], entries: ["STICK k"], after: [["GET k", "v"]] },
  SHRINK: { before: ["SADD k v"], entries: ["SHRINK k"], after: [["SMEMBERS k", ["v"]]] },
  "JSON.SET": { before: ["SET k old"], entries: ["JSON.SET k $ {}"], after: [["EXISTS k", 0]] },
  "JSON.MSET": { before: ["MSET a 1 b 2"], entries: ["JSON.MSET a $ 1 b $.x 2"], after: [["MGET a b", [null, "2"]]] },
  ...Object.fromEntries(
    [
      "ARRAPPEND",
      "ARRINSERT",
      "ARRPOP",
      "ARRTRIM",
      "CLEAR",
      "MERGE",
      "NUMINCRBY",
      "NUMMULTBY",
      "STRAPPEND",
      "TOGGLE",
    ].map((name) => [
      `JSON.${name}`,
      { before: ["SET k v"], entries: [`JSON.${name} k $.a 1`], after: [["GET k", "v"]] },
    ]),
  ),
  "JSON.DEL": {
    before: ["MSET k v m v"],
    entries: ["JSON.DEL k $.a", "JSON.DEL m"],
    after: [["MGET k m", ["v", null]]],
  },
  "JSON.FORGET": {
    before: ["MSET k v m v"],
    entries: ["JSON.FORGET k $.a", "JSON.FORGET m $"],
    after: [["MGET k m", ["v", null]]],
  },
  "FT.CREATE": { entries: ["FT.CREATE i SCHEMA a TEXT"], after: [["DBSIZE", 0]] },
  "FT.ALTER": { entries: ["FT.ALTER i SCHEMA ADD a TEXT"], after: [["DBSIZE", 0]] },
  "FT.SYNUPDATE": { entries: ["FT.SYNUPDATE i g a"], after: [["DBSIZE", 0]] },
  "FT.DROPINDEX": { before: ["HSET h a 1"], entries: ["FT.DROPINDEX i DD"], after: [["DBSIZE", 1]] },
  "CL.THROTTLE": {
    entries: ["CL.THROTTLE k 4 10 3600", "CL.THROTTLE k 4 10 3600"],
    after: [["TTL k", expect.closeTo(720, -1)]],
  },
  SCRIPT: { entries: ["SCRIPT FLUSH"], after: [] },
};

/** A time in seconds from now, give or take. */
function near(seconds: number): unknown {
  return expect.closeTo(Math.floor(Date.now() / 1000) + seconds, -2) as unknown;
}
