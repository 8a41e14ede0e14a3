/** Hashes, lists, sets, zsets and JSON: what the recordings do not show. */
import { describe, expect, test } from "vitest";
import { expectSteps, LiveCommands } from "../../../../test/support/live-commands.ts";

const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";

describe("hashes", () => {
  test("fields", () => {
    expectSteps(new LiveCommands(), [
      ["HSET h a 1 b 2", 2, "HSET h a 1 b 2"],
      ["HSET h a 9", 0, "HSET h a 9"],
      ["HGETALL h", ["a", "9", "b", "2"]],
      ["HMGET h b x a", ["2", null, "9"]],
      ["HSETNX h a 5", 0, "HSETNX h a 5"],
      ["HSETNX h c 5", 1, "HSETNX h c 5"],
      ["HINCRBY h c 5", 10, "HINCRBY h c 5"],
      ["HINCRBYFLOAT h c 0.5", "10.5", "HINCRBYFLOAT h c 0.5"],
      ["HINCRBY h c 1", "-ERR hash value is not an integer"],
      ["HLEN h", 3],
      ["HEXISTS h c", 1],
      ["HKEYS h", ["a", "b", "c"]],
      ["HSET h odd", "-ERR wrong number of arguments for 'hset' command"],
      ["HSET h a 1 odd", "-ERR wrong number of arguments for 'hset' command"],
      ["GET h", WRONG_TYPE],
      ["HDEL h none", 0, "HDEL h none"],
      ["HDEL h a b c", 3, "HDEL h a b c"],
      ["EXISTS h", 0],
      ["HDEL h a", 0],
    ]);
  });

  test("deadlines of fields pass silently, until nothing is left", () => {
    const live = new LiveCommands();
    expectSteps(live, [
      ["HSETEX h 10 a 1 b 2", 2, "HSETEX h 10 a 1 b 2"],
      ["HSET h c 3", 1, "HSET h c 3"],
      ["FIELDEXPIRE h 20 b none", [1, -2], "FIELDEXPIRE h 20 b none"],
      ["FIELDEXPIRE none 20 b", [-2], "FIELDEXPIRE none 20 b"],
      ["HEXPIRE h 20 FIELDS 1 c", [1], "HEXPIRE h 20 FIELDS 1 c"],
    ]);
    live.nowMs += 10_000;
    expectSteps(live, [["HGETALL h", ["b", "2", "c", "3"]]]);
    live.nowMs += 10_000;
    expectSteps(live, [
      ["HGETALL h", [], "DEL h"],
      ["EXISTS h", 0],
    ]);
  });

  test("a field that is set again has no deadline any more", () => {
    const live = new LiveCommands();
    live.ask("HSETEX h 10 a 1 b 1");
    live.ask("HSET h a 2");
    live.ask("HSETEX h KEEPTTL 100 b 2");
    live.nowMs += 10_000;
    expect(live.ask("HGETALL h")).toEqual(["a", "2"]);
  });
});

describe("lists", () => {
  test("ends and middles", () => {
    expectSteps(new LiveCommands(), [
      ["RPUSHX l x", 0, "RPUSHX l x"],
      ["RPUSH l a b c", 3, "RPUSH l a b c"],
      ["LPUSH l y z", 5, "LPUSH l y z"],
      ["LRANGE l 0 -1", ["z", "y", "a", "b", "c"]],
      ["LINSERT l AFTER a aa", 6, "LINSERT l AFTER a aa"],
      ["LINSERT l BEFORE none aa", -1, "LINSERT l BEFORE none aa"],
      ["LINSERT none BEFORE a aa", 0],
      ["LINDEX l -1", "c"],
      ["LSET l -1 C", "OK", "LSET l -1 C"],
      ["LSET l 9 C", "-ERR index out of range"],
      ["LSET none 0 C", "-ERR no such key"],
      ["LREM l 1 aa", 1, "LREM l 1 aa"],
      ["LTRIM l 1 -1", "OK", "LTRIM l 1 -1"],
      ["LPOP l", "y", "LPOP l"],
      ["RPOP l 2", ["C", "b"], "RPOP l 2"],
      ["LPOP l 5", ["a"], "LPOP l 5"],
      ["EXISTS l", 0],
      ["LPOP l", null],
      ["RPOP l 2", null],
      ["LTRIM l 0 0", "OK"],
    ]);
  });

  test("LREM counts from the end it is told", () => {
    const live = new LiveCommands();
    live.ask("RPUSH l a x a x a");
    expect(live.ask("LREM l -2 a")).toBe(2);
    expect(live.ask("LRANGE l 0 -1")).toEqual(["a", "x", "x"]);
    expect(live.ask("LREM l 0 x")).toBe(2);
    expect(live.ask("LRANGE l 0 -1")).toEqual(["a"]);
  });

  test("moves are a pop and a push, with a number when they cross shards", () => {
    const live = new LiveCommands({ shards: 2 });
    live.ask("RPUSH a 1 2 3");
    live.takeJournal();
    expect(live.ask("LMOVE a b LEFT RIGHT")).toBe("1");
    expect(live.ask("RPOPLPUSH a c")).toBe("3");
    expect(live.ask("RPOPLPUSH a a")).toBe("2");
    expect(live.ask("RPOPLPUSH none a")).toBeNull();
    expect(live.takeJournal().map(({ txid, text }) => `${txid} ${text}`)).toEqual([
      "1 LPOP a",
      "1 RPUSH b 1",
      "0 RPOP a",
      "0 LPUSH c 3",
      "0 RPOP a",
      "0 LPUSH a 2",
    ]);
    expect(live.ask("LRANGE a 0 -1")).toEqual(["2"]);
  });

  test("a move onto another type changes nothing", () => {
    const live = new LiveCommands({ shards: 2 });
    live.ask("RPUSH a 1");
    live.ask("SET b v");
    live.journal();
    expect(live.ask("LMOVE a b LEFT RIGHT")).toBe(WRONG_TYPE);
    expect(live.ask("LLEN a")).toBe(1);
    expect(live.journal()).toEqual([]);
  });
});

describe("sets", () => {
  test("members", () => {
    expectSteps(new LiveCommands(), [
      ["SADD s a b b", 2, "SADD s a b b"],
      ["SADD s a", 0, "SADD s a"],
      ["SISMEMBER s a", 1],
      ["SMISMEMBER s a x", [1, 0]],
      ["SREM s x", 0, "SREM s x"],
      ["SREM s a", 1, "SREM s a"],
      ["SPOP s", "b", "DEL s"],
      ["SPOP s", null],
      ["SREM s a", 0],
      ["SPOP s 3", []],
    ]);
  });

  test("SPOP journals what it took", () => {
    const live = new LiveCommands();
    live.ask("SADD s a b c d e");
    live.journal();
    const taken = live.ask("SPOP s 2") as string[];
    expect(live.journal()).toEqual([`SREM s ${taken.join(" ")}`]);
    expect(live.ask("SCARD s")).toBe(3);
    const rest = (live.ask("SMEMBERS s") as string[]).toSorted();
    expect([...taken, ...rest].toSorted()).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("operations and their store forms", () => {
    expectSteps(new LiveCommands(), [
      ["SADD a 1 2 3", 3, "SADD a 1 2 3"],
      ["SADD b 2 3 4", 3, "SADD b 2 3 4"],
      ["SINTER a b", ["2", "3"]],
      ["SUNION a b none", ["1", "2", "3", "4"]],
      ["SDIFFSTORE d a b", 1, "DEL d", "SADD d 1"],
      ["SINTERSTORE d a b", 2, "DEL d", "SADD d 2 3"],
      ["SINTERSTORE d a none", 0, "DEL d"],
      ["SINTERSTORE d a none", 0],
      ["SMOVE a b 1", 1, "SREM a 1", "SADD b 1"],
      ["SMOVE a b 9", 0],
      ["SMEMBERS b", ["2", "3", "4", "1"]],
    ]);
  });

  test("SADDEX", () => {
    const live = new LiveCommands();
    expectSteps(live, [
      ["SADDEX s 10 a b", 2, "SADDEX s 10 a b"],
      ["SADD s c", 1, "SADD s c"],
      ["SADDEX s KEEPTTL 100 a", 0, "SADDEX s KEEPTTL 100 a"],
      ["SADDEX s 100 b", 0, "SADDEX s 100 b"],
      ["SADDEX s 0 b", "-ERR value is not an integer or out of range"],
    ]);
    live.nowMs += 10_000;
    expectSteps(live, [["SMEMBERS s", ["b", "c"]]]);
  });
});

describe("zsets", () => {
  test("ZADD and its flags", () => {
    expectSteps(new LiveCommands(), [
      ["ZADD z XX 1 a", 0],
      ["ZADD z 1 a 2 b", 2, "ZADD z 1 a 2 b"],
      ["ZADD z NX 9 a 3 c", 1, "ZADD z NX 9 a 3 c"],
      ["ZADD z XX CH 9 a 4 d", 1, "ZADD z XX CH 9 a 4 d"],
      ["ZADD z GT CH 5 a 5 b", 1, "ZADD z GT CH 5 a 5 b"],
      ["ZADD z LT CH 5 a 9 b", 1, "ZADD z LT CH 5 a 9 b"],
      ["ZADD z INCR 2.5 a", "7.5", "ZADD z INCR 2.5 a"],
      ["ZADD z NX INCR 2.5 a", null],
      ["ZINCRBY z -1 a", "6.5", "ZINCRBY z -1 a"],
      ["ZRANGE z 0 -1 WITHSCORES", ["c", "3", "b", "5", "a", "6.5"]],
      ["ZADD z NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"],
      ["ZADD z GT NX 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"],
      ["ZADD z INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair"],
      ["ZADD z x a", "-ERR value is not a valid float"],
      ["ZADD z 1", "-ERR wrong number of arguments for 'zadd' command"],
      ["ZADD z 1 a 2", "-ERR syntax error"],
    ]);
  });

  test("ranges", () => {
    const live = new LiveCommands();
    live.ask("ZADD z 1 a 2 b 2 c 3 d inf e");
    live.journal();
    expectSteps(live, [
      ["ZRANGE z 1 2", ["b", "c"]],
      ["ZRANGE z 0 1 REV", ["e", "d"]],
      ["ZRANGEBYSCORE z (1 2", ["b", "c"]],
      ["ZRANGE z -inf +inf BYSCORE LIMIT 1 2", ["b", "c"]],
      ["ZREVRANGEBYSCORE z 3 2", ["d", "c", "b"]],
      ["ZRANGE z [b (d BYLEX", ["b", "c"]],
      ["ZCOUNT z 2 (3", 2],
      ["ZRANK z c", 2],
      ["ZREVRANK z e", 0],
      ["ZSCORE z e", "inf"],
      ["ZMSCORE z a none", ["1", null]],
      ["ZRANGEBYSCORE z x 2", "-ERR min or max is not a float"],
      ["ZPOPMAX z", ["e", "inf"], "ZPOPMAX z"],
      ["ZPOPMIN z 2", ["a", "1", "b", "2"], "ZPOPMIN z 2"],
      ["ZREMRANGEBYRANK z 0 0", 1, "ZREMRANGEBYRANK z 0 0"],
      ["ZREMRANGEBYSCORE z 9 9", 0, "ZREMRANGEBYSCORE z 9 9"],
      ["ZREM z d", 1, "ZREM z d"],
      ["EXISTS z", 0],
      ["ZREM z d", 0],
      ["ZPOPMIN z", []],
    ]);
  });

  test("store forms, with six digits in the journal and all in the value", () => {
    expectSteps(new LiveCommands(), [
      ["ZADD a 1.23456789 x 1 y", 2, "ZADD a 1.23456789 x 1 y"],
      ["SADD b x z", 2, "SADD b x z"],
      ["ZUNIONSTORE d 2 a b WEIGHTS 1000000 1", 3, "DEL d", "ZADD d 1.23457e+06 x 1e+06 y 1 z"],
      ["ZSCORE d x", "1234568.89"],
      ["ZINTERSTORE d 2 a b AGGREGATE MIN", 1, "DEL d", "ZADD d 1 x"],
      ["ZDIFFSTORE d 2 a b", 1, "DEL d", "ZADD d 1 y"],
      ["ZRANGESTORE d a 0 0 REV", 1, "DEL d", "ZADD d 1.23457 x"],
      ["ZRANGESTORE d a 9 9", 0, "DEL d"],
      ["ZUNIONSTORE d 0 a", "-ERR at least 1 input key is needed for 'zunionstore' command"],
    ]);
  });
});

describe("JSON", () => {
  test("documents and simple paths", () => {
    expectSteps(new LiveCommands(), [
      [["JSON.SET", "j", "$", '{"a":{"b":[1,2]},"c":"x"}'], "OK", 'JSON.SET j $ {"a":{"b":[1,2]},"c":"x"}'],
      ["JSON.GET j", '{"a":{"b":[1,2]},"c":"x"}'],
      ["JSON.GET j $.a.b[1]", "[2]"],
      ["JSON.GET j .a.b", "[1,2]"],
      ["JSON.GET j $.none", "[]"],
      ["JSON.SET j $.a.b[0] 7", "OK", "JSON.SET j $.a.b[0] 7"],
      ["JSON.SET j $.new true", "OK", "JSON.SET j $.new true"],
      ["JSON.SET j $.x.y 1", null],
      ["JSON.SET j $.c 1 NX", null],
      ["JSON.DEL j $.a", 1, "JSON.DEL j $.a"],
      ["JSON.GET j", '{"c":"x","new":true}'],
      ["JSON.SET j $ nonsense", "-ERR failed to parse JSON"],
      ["JSON.SET none $.a 1", "-ERR new objects must be created at the root"],
      ["JSON.GET none", null],
    ]);
  });
});
