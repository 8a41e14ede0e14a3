import { describe, expect, test } from "vitest";
import { journalCommand } from "../../../test/support/journal-translation.ts";
import { COMMAND_KEYS, commandKeys, forEachSortPattern, type KeyAccess, SENT_COMMANDS } from "./command-keys.ts";
import { JOURNAL_COMMANDS } from "./journal-command-table.ts";

/** `index:access` of each key of the command in `line`. */
function keysOf(line: string): string[] {
  const command = journalCommand(line.split(" "));
  const found: string[] = [];
  commandKeys(command)?.forEach(command, (index: number, access: KeyAccess) => void found.push(`${index}:${access}`));
  return found;
}

const names = COMMAND_KEYS.map(([name]) => name);

describe("the table", () => {
  test("knows every command of the journal's table, those that are sent, and no other", () => {
    const known = [...JOURNAL_COMMANDS, ...SENT_COMMANDS].map(([name]) => name);
    expect(names.toSorted()).toEqual(known.toSorted());
  });

  test("says one thing about each command", () => {
    expect(new Set(names).size).toBe(names.length);
  });

  test("does not guess at others", () => {
    expect(commandKeys(journalCommand(["NOSUCH", "k"]))).toBeUndefined();
  });

  test("letters of the name have no case", () => {
    expect(keysOf("mSeT a 1 b 2")).toEqual(["1:write", "3:write"]);
  });
});

describe("keys of Dragonfly's own commands and of modules, which Redis 7.0 cannot be asked about", () => {
  test.each([
    ["PREPEND k v", ["1:write"]],
    ["DELEX k IFEQ v", ["1:write"]],
    ["STICK a b c", ["1:write", "2:write", "3:write"]],
    ["SHRINK k", ["1:read"]],
    ["SADDEX k KEEPTTL 10 m", ["1:write"]],
    ["HSETEX k NX 10 f v", ["1:write"]],
    ["HGETEX k EX 10 FIELDS 1 f", ["1:write"]],
    ["HEXPIRE k 10 FIELDS 1 f", ["1:write"]],
    ["FIELDEXPIRE k 10 f", ["1:write"]],
    ["JSON.SET k $ 1", ["1:write"]],
    ["JSON.MERGE k $ 1", ["1:write"]],
    ["JSON.DEL k", ["1:write"]],
    ["JSON.MSET a $ 1 b $ 2", ["1:write", "4:write"]],
    ["JSON.MSET a $ 1 b", ["1:write", "4:write"]],
    ["BF.ADD k x", ["1:write"]],
    ["CF.INSERT k ITEMS x", ["1:write"]],
    ["CMS.INCRBY k x 1", ["1:write"]],
    ["CMS.MERGE dst 2 a b WEIGHTS 1 2", ["1:write", "3:read", "4:read"]],
    ["TOPK.ADD k x", ["1:write"]],
    ["CL.THROTTLE k 1 2 3", ["1:write"]],
    ["FT.CREATE index ON HASH PREFIX 1 p: SCHEMA a TEXT", []],
    ["FT.DROPINDEX index", []],
    ["FLUSHALL", []],
    ["FLUSHDB ASYNC", []],
    ["SCRIPT LOAD body", []],
    ["PING", []],
    ["DFLYCLUSTER FLUSHSLOTS 1 2", []],
    ["HPEXPIREAT k 1 FIELDS 1 f", ["1:write"]],
    ["SELECT 1", []],
    ["EVAL script 2 a b c", ["3:write", "4:write"]],
  ])("%s", (line, expected) => {
    expect(keysOf(line)).toEqual(expected);
  });
});

describe("malformed commands yield what is there", () => {
  test.each([
    ["SET", []],
    ["MSET", []],
    ["MSET a 1 b", ["1:write", "3:write"]],
    ["RENAME a", ["1:write"]],
    ["XGROUP CREATE", []],
    ["XGROUP", []],
    ["LMPOP", []],
    ["LMPOP 2", []],
    ["LMPOP 9007199254740993 a LEFT", ["2:write", "3:write"]],
    ["LMPOP -1 a LEFT", []],
    ["LMPOP x a LEFT", []],
    ["LMPOP 99999999999999999999999 a LEFT", []],
    ["ZUNIONSTORE dst", ["1:write"]],
    ["ZUNIONSTORE dst x a", ["1:write"]],
    ["ZUNIONSTORE dst 9 a b", ["1:write", "3:read", "4:read"]],
    ["CMS.MERGE dst 1000000000 a", ["1:write", "3:read"]],
    ["SORT", []],
    ["SORT k STORE", ["1:read"]],
    ["SORT k BY STORE", ["1:read"]],
    ["SORT k LIMIT 1", ["1:read"]],
    ["GEORADIUS k 1 2 3 m STORE", ["1:read"]],
    ["GEORADIUSBYMEMBER k", ["1:read"]],
    ["EVAL script 0 a", []],
    ["EVAL", []],
  ])("%s", (line, expected) => {
    expect(keysOf(line)).toEqual(expected);
  });
});

test("of several destinations the last is the one that is written", () => {
  expect(keysOf("GEORADIUS k 1 2 3 km STORE d STOREDIST e")).toEqual(["1:read", "9:write"]);
  expect(keysOf("SORT k STORE d STORE e")).toEqual(["1:read", "5:write"]);
});

test("a destination that is named like an option", () => {
  expect(keysOf("SORT k STORE get STORE x")).toEqual(["1:read", "5:write"]);
  expect(keysOf("SORT k GET STORE STORE dst")).toEqual(["1:read", "5:write"]);
  expect(keysOf("SORT k LIMIT STORE 2 STORE dst")).toEqual(["1:read", "6:write"]);
  expect(keysOf("GEORADIUSBYMEMBER k m 1 m STORE STORE")).toEqual(["1:read", "6:write"]);
});

test("the patterns of a SORT: with a star, behind BY and GET", () => {
  const found: number[] = [];
  const line = "SORT k BY w_* LIMIT 0 9 GET # GET o_*->f GET fixed STORE d";
  forEachSortPattern(journalCommand(line.split(" ")), (index) => void found.push(index));
  expect(found).toEqual([3, 10]);
});
