import { describe, expect, test } from "vitest";
import { expectSteps, LiveCommands } from "../../../../test/support/live-commands.ts";

const NOW = 1_800_000_000_000;
const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";

describe("SET", () => {
  test("stores, and journals what it stored", () => {
    expectSteps(new LiveCommands(), [
      ["SET k v", "OK", "SET k v"],
      ["GET k", "v"],
      ["SET k w EX 10", "OK", `SET k w PXAT ${NOW + 10_000}`],
      ["PTTL k", 10_000],
      ["SET k x PX 500", "OK", `SET k x PXAT ${NOW + 500}`],
      ["SET k y KEEPTTL", "OK", "SET k y KEEPTTL"],
      ["PEXPIRETIME k", NOW + 500],
      [`SET k z EXAT ${NOW / 1000 + 60}`, "OK", `SET k z PXAT ${NOW + 60_000}`],
      ["SET k plain", "OK", "SET k plain"],
      ["PTTL k", -1],
      ["SET k v STICK", "OK", "SET k v STICK"],
      ["set k v px 1000 stick", "OK", `SET k v PXAT ${NOW + 1000} STICK`],
    ]);
  });

  test("with a condition that does not hold does and journals nothing", () => {
    expectSteps(new LiveCommands(), [
      ["SET k v XX", null],
      ["SET k v NX", "OK", "SET k v"],
      ["SET k w NX", null],
      ["SET k w NX GET", "v"],
      ["SET k w XX GET", "v", "SET k w"],
      ["SET other w GET", null, "SET other w"],
    ]);
  });

  test("with a time that is past deletes", () => {
    expectSteps(new LiveCommands(), [
      ["SET k v", "OK", "SET k v"],
      ["SET k w PXAT 1", "OK", "DEL k"],
      ["SET k w PXAT 1", "OK"],
      ["EXISTS k", 0],
    ]);
  });

  test.each([
    ["SET k v EX 0", "-ERR invalid expire time in 'set' command"],
    ["SET k v EX -1", "-ERR invalid expire time in 'set' command"],
    ["SET k v EX x", "-ERR value is not an integer or out of range"],
    ["SET k v EX", "-ERR syntax error"],
    ["SET k v NX XX", "-ERR syntax error"],
    ["SET k v KEEPTTL EX 5", "-ERR syntax error"],
    ["SET k v NONSENSE", "-ERR syntax error"],
    ["SET k", "-ERR wrong number of arguments for 'set' command"],
    ["SETEX k 0 v", "-ERR invalid expire time in 'setex' command"],
  ])("refuses %s", (request, error) => {
    const live = new LiveCommands();
    expectSteps(live, [
      [request, error],
      ["EXISTS k", 0],
    ]);
  });

  test("replaces a value of any type, but GET wants a string", () => {
    expectSteps(new LiveCommands(), [
      ["RPUSH k a", 1, "RPUSH k a"],
      ["SET k v GET", WRONG_TYPE],
      ["SET k v", "OK", "SET k v"],
      ["TYPE k", "string"],
    ]);
  });
});

test("SETEX, PSETEX, SETNX, GETSET, GETDEL, GETEX", () => {
  expectSteps(new LiveCommands(), [
    ["SETEX a 5 v", "OK", `SET a v PXAT ${NOW + 5000}`],
    ["PSETEX b 5 v", "OK", `SET b v PXAT ${NOW + 5}`],
    ["SETNX c v", 1, "SETNX c v"],
    ["SETNX c w", 0],
    ["GETSET a w", "v", "GETSET a w"],
    ["PTTL a", -1],
    ["GETEX a EX 5", "w", `PEXPIREAT a ${NOW + 5000}`],
    ["GETEX a", "w"],
    ["GETEX a PERSIST", "w", "PERSIST a"],
    ["GETDEL a", "w", "GETDEL a"],
    ["GETDEL a", null],
  ]);
});

test("counters", () => {
  expectSteps(new LiveCommands(), [
    ["INCR n", 1, "INCR n"],
    ["INCRBY n 41", 42, "INCRBY n 41"],
    ["DECR n", 41, "DECR n"],
    ["DECRBY n -9", 50, "DECRBY n -9"],
    ["SET big 9223372036854775807", "OK", "SET big 9223372036854775807"],
    ["INCR big", "-ERR increment or decrement would overflow"],
    ["SET text x", "OK", "SET text x"],
    ["INCR text", "-ERR value is not an integer or out of range"],
    ["SET zeros 007", "OK", "SET zeros 007"],
    ["INCR zeros", "-ERR value is not an integer or out of range"],
    ["INCRBYFLOAT f 10.5", "10.5", "INCRBYFLOAT f 10.5"],
    ["INCRBYFLOAT f 0.1", "10.6", "INCRBYFLOAT f 0.1"],
    ["INCRBYFLOAT text 1", "-ERR value is not a valid float"],
    ["INCRBYFLOAT f inf", "-ERR increment would produce NaN or Infinity"],
  ]);
});

test("pieces of strings keep the deadline", () => {
  expectSteps(new LiveCommands(), [
    ["SET k Hello PX 100", "OK", `SET k Hello PXAT ${NOW + 100}`],
    ["APPEND k -World", 11, "APPEND k -World"],
    ["PREPEND k >", 12, "PREPEND k >"],
    ["SETRANGE k 7 REDIS", 12, "SETRANGE k 7 REDIS"],
    ["GET k", ">Hello-REDIS"],
    ["GETRANGE k -5 -1", "REDIS"],
    ["STRLEN k", 12],
    ["PTTL k", 100],
    ["SETRANGE new 2 x", 3, "SETRANGE new 2 x"],
    ["GET new", "\0\0x"],
    ["SETRANGE new -1 x", "-ERR offset is out of range"],
    [["SETRANGE", "none", 5, ""], 0],
    ["EXISTS none", 0],
  ]);
});

describe("MSET", () => {
  test("is one entry with no number within a shard", () => {
    const live = new LiveCommands();
    live.ask("MSET a 1 b 2");
    expect(live.takeJournal()).toEqual([{ shard: 0, db: 0, txid: 0, text: "MSET a 1 b 2" }]);
  });

  test("is cut by shard, under one number", () => {
    const live = new LiveCommands({ shards: 16 });
    const keys = Array.from({ length: 40 }, (_, i) => `key:${i}`);
    live.ask(["MSET", ...keys.flatMap((key) => [key, "v"])]);
    const entries = live.takeJournal();
    expect(new Set(entries.map(({ shard }) => shard)).size).toBe(entries.length);
    expect(entries.length).toBeGreaterThan(5);
    expect(new Set(entries.map(({ txid }) => txid))).toEqual(new Set([1]));
    expect(entries.flatMap(({ text }) => text.split(" ").filter((word) => word.startsWith("key:"))).toSorted()).toEqual(
      keys.toSorted(),
    );
    expect(live.ask(["MGET", "key:0", "none", "key:39"])).toEqual(["v", null, "v"]);
  });

  test("MSETNX does all or nothing", () => {
    expectSteps(new LiveCommands(), [
      ["MSETNX a 1 b 2", 1, "MSET a 1 b 2"],
      ["MSETNX b 3 c 4", 0],
      ["EXISTS a b c", 2],
      ["MSET a", "-ERR wrong number of arguments for 'mset' command"],
      ["MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"],
    ]);
  });
});

test("any bytes are a key and a value", () => {
  const live = new LiveCommands({ shards: 4 });
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  live.ask(["SET", bytes, bytes]);
  expect(Buffer.from(live.ask(["GET", bytes]) as string, "latin1")).toEqual(bytes);
});

test("what is stored does not change with the client's buffer", () => {
  const live = new LiveCommands();
  const request = Buffer.from("value");
  live.ask(["SET", "k", request]);
  request.fill("x");
  expect(live.ask("GET k")).toBe("value");
});
