import { describe, expect, test } from "vitest";
import { expectSteps, LiveCommands } from "../../../../test/support/live-commands.ts";

const NOW = 1_800_000_000_000;

describe("deadlines", () => {
  test("EXPIRE and its like are journaled as PEXPIREAT", () => {
    expectSteps(new LiveCommands(), [
      ["SET k v", "OK", "SET k v"],
      ["TTL k", -1],
      ["EXPIRE k 100", 1, `PEXPIREAT k ${NOW + 100_000}`],
      ["TTL k", 100],
      ["EXPIRETIME k", (NOW + 100_000) / 1000],
      ["PEXPIRE k 1500", 1, `PEXPIREAT k ${NOW + 1500}`],
      ["PTTL k", 1500],
      [`EXPIREAT k ${NOW / 1000 + 7}`, 1, `PEXPIREAT k ${NOW + 7000}`],
      [`PEXPIREAT k ${NOW + 9}`, 1, `PEXPIREAT k ${NOW + 9}`],
      ["PERSIST k", 1, "PERSIST k"],
      ["PERSIST k", 0],
      ["EXPIRE none 100", 0],
      ["TTL none", -2],
      ["PEXPIRETIME none", -2],
    ]);
  });

  test("conditions", () => {
    expectSteps(new LiveCommands(), [
      ["SET k v", "OK", "SET k v"],
      ["EXPIRE k 10 XX", 0],
      ["EXPIRE k 10 GT", 0],
      ["EXPIRE k 10 NX", 1, `PEXPIREAT k ${NOW + 10_000}`],
      ["EXPIRE k 20 NX", 0],
      ["EXPIRE k 5 GT", 0],
      ["EXPIRE k 20 GT", 1, `PEXPIREAT k ${NOW + 20_000}`],
      ["EXPIRE k 30 LT", 0],
      ["EXPIRE k 5 LT", 1, `PEXPIREAT k ${NOW + 5000}`],
      ["EXPIRE k 5 ZZ", "-ERR Unsupported option: ZZ"],
    ]);
  });

  test("one that is past deletes", () => {
    expectSteps(new LiveCommands(), [
      ["SET k v", "OK", "SET k v"],
      ["EXPIRE k -1", 1, "DEL k"],
      ["EXISTS k", 0],
    ]);
  });

  test("a key that is met after its deadline is deleted in an entry of its own, with no number", () => {
    const live = new LiveCommands();
    live.ask("SET k v PX 10");
    live.nowMs += 10;
    live.journal();
    expect(live.ask("MULTI")).toBe("OK");
    expect(live.ask("GET k")).toBe("QUEUED");
    expect(live.ask("EXEC")).toEqual([null]);
    expect(live.takeJournal()).toEqual([{ shard: 0, db: 0, txid: 0, text: "DEL k" }]);
  });

  test("the active cycle finds what nobody meets, in every database, and nothing else", () => {
    const live = new LiveCommands({ shards: 3 });
    live.ask("SELECT 5");
    for (let i = 0; i < 100; i++) live.ask(["SET", `k${i}`, "v", "PX", i < 60 ? 10 : 10_000]);
    live.ask("SET stays v PX 10");
    live.ask("PERSIST stays");
    live.ask("SET replaced v PX 10");
    live.ask("SET replaced v");
    live.journal();
    live.nowMs += 11;
    live.master.expireDue();
    const gone = live.takeJournal();
    expect(gone.map(({ db, txid, text }) => [db, txid, text.split(" ")[0]])).toEqual(gone.map(() => [5, 0, "DEL"]));
    expect(gone.map(({ text }) => text.slice(4)).toSorted()).toEqual(
      Array.from({ length: 60 }, (_, i) => `k${i}`).toSorted(),
    );
    expect(live.ask("DBSIZE")).toBe(42);
    live.master.expireDue();
    expect(live.journal()).toEqual([]);
  });

  test("nothing expires while clients are paused", () => {
    const live = new LiveCommands();
    live.ask("SET k v PX 10");
    live.journal();
    live.ask("CLIENT PAUSE 100000 WRITE");
    live.nowMs += 1000;
    live.master.expireDue();
    expect(live.ask("GET k")).toBe("v");
    live.ask("CLIENT UNPAUSE");
    expect(live.ask("GET k")).toBeNull();
    expect(live.journal()).toEqual(["DEL k"]);
  });
});

describe("DEL", () => {
  test("is journaled with the keys that existed, by shard", () => {
    const live = new LiveCommands({ shards: 4 });
    for (let i = 0; i < 20; i += 2) live.ask(`SET k${i} v`);
    live.journal();
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    expect(live.ask(["DEL", ...keys])).toBe(10);
    const entries = live.takeJournal();
    expect(new Set(entries.map(({ txid }) => txid)).size).toBe(1);
    expect(entries[0]?.txid).toBeGreaterThan(0);
    const named = entries.flatMap(({ text }) => text.split(" ").slice(1));
    expect(named.toSorted()).toEqual(keys.filter((_, i) => i % 2 === 0).toSorted());
  });

  test("of one key, and UNLINK", () => {
    const live = new LiveCommands({ shards: 4 });
    live.ask("MSET a 1 b 2");
    live.journal();
    expectSteps(live, [
      ["DEL a", 1, "DEL a"],
      ["DEL a", 0],
      ["UNLINK b", 1, "DEL b"],
    ]);
  });
});

test("EXISTS counts a key as often as it is named; TYPE", () => {
  expectSteps(new LiveCommands(), [
    ["SET k v", "OK", "SET k v"],
    ["EXISTS k k none", 2],
    ["TYPE k", "string"],
    ["TYPE none", "none"],
    ["JSON.SET j $ 1", "OK", "JSON.SET j $ 1"],
    ["TYPE j", "ReJSON-RL"],
  ]);
});

test("FIELDTTL, HSCAN and SSCAN show members and how long they have", () => {
  expectSteps(new LiveCommands(), [
    ["SADD s a", 1, "SADD s a"],
    ["SADDEX s 100 b", 1, "SADDEX s 100 b"],
    ["HSET h f v", 1, "HSET h f v"],
    ["SET k v", "OK", "SET k v"],
    ["FIELDTTL s a", -1],
    ["FIELDTTL s b", 100],
    ["FIELDTTL s c", -3],
    ["FIELDTTL h f", -1],
    ["FIELDTTL none f", -2],
    ["FIELDTTL k f", "-WRONGTYPE Operation against a key holding the wrong kind of value"],
    ["HSCAN h 0 COUNT 5", ["0", ["f", "v"]]],
    ["SSCAN s 0", ["0", ["a", "b"]]],
    ["SSCAN none 0", ["0", []]],
  ]);
});

describe("RENAME, COPY, MOVE", () => {
  /** Two keys on different shards, and one on the first's. */
  const [A, B, SAME] = ["a", "b", "c"] as const;

  test("the keys lie as the tests need them", () => {
    const { master } = new LiveCommands({ shards: 2 });
    const shards = [A, B, SAME].map((key) => master.keyspace.shardOf(Buffer.from(key)).index);
    expect(shards[0]).not.toBe(shards[1]);
    expect(shards[0]).toBe(shards[2]);
  });

  test("within a shard the command itself is journaled, the deadline moves along", () => {
    expectSteps(new LiveCommands({ shards: 2 }), [
      [`SET ${A} v PX 100`, "OK", `SET ${A} v PXAT ${NOW + 100}`],
      [`RENAME ${A} ${SAME}`, "OK", `RENAME ${A} ${SAME}`],
      [`PTTL ${SAME}`, 100],
      [`EXISTS ${A}`, 0],
      [`RENAME ${A} ${SAME}`, "-ERR no such key"],
      [`SET ${A} w`, "OK", `SET ${A} w`],
      [`RENAMENX ${A} ${SAME}`, 0],
      [`RENAME ${A} ${SAME}`, "OK", `RENAME ${A} ${SAME}`],
      [`PTTL ${SAME}`, -1],
    ]);
  });

  test("across shards it is DEL and RESTORE under one number", () => {
    const live = new LiveCommands({ shards: 2 });
    live.ask(`SET ${A} v PX 100 STICK`);
    live.takeJournal();
    expect(live.ask(`RENAME ${A} ${B}`)).toBe("OK");
    const entries = live.takeJournal();
    expect(entries.map(({ txid }) => txid)).toEqual([1, 1]);
    expect(entries[0]?.text).toBe(`DEL ${A}`);
    expect(entries[1]?.text).toMatch(new RegExp(`^RESTORE ${B} ${NOW + 100} .* REPLACE ABSTTL STICK$`));
    expect(entries[0]?.shard).not.toBe(entries[1]?.shard);
    expect(live.ask(`GET ${B}`)).toBe("v");
  });

  test("a copy lives on its own", () => {
    const live = new LiveCommands({ shards: 2 });
    live.ask(`RPUSH ${A} 1 2`);
    live.journal();
    expect(live.ask(`COPY ${A} ${B}`)).toBe(1);
    expect(live.journal()).toEqual([expect.stringMatching(new RegExp(`^RESTORE ${B} 0 .* REPLACE ABSTTL$`))]);
    live.ask(`RPUSH ${A} 3`);
    expect(live.ask(`LRANGE ${B} 0 -1`)).toEqual(["1", "2"]);
    live.journal();
    expect(live.ask(`COPY ${A} ${B}`)).toBe(0);
    expect(live.journal()).toEqual([]);
    expect(live.ask(`COPY ${A} ${B} REPLACE`)).toBe(1);
    expect(live.ask(`LLEN ${B}`)).toBe(3);
    expect(live.ask(`COPY none ${B} REPLACE`)).toBe(0);
  });

  test("MOVE has a number of its own and keeps to one shard", () => {
    const live = new LiveCommands();
    live.ask("SET k v PX 100");
    live.takeJournal();
    expect(live.ask("MOVE k 3")).toBe(1);
    expect(live.takeJournal()).toEqual([{ shard: 0, db: 0, txid: 1, text: "MOVE k 3" }]);
    expect(live.ask("MOVE k 3")).toBe(0);
    expect(live.ask("MOVE k 16")).toBe("-ERR DB index is out of range");
    live.ask("SELECT 3");
    expect(live.ask("PTTL k")).toBe(100);
    expect(live.ask("SET other v")).toBe("OK");
    expect(live.takeJournal()[0]?.db).toBe(3);
  });
});

describe("FLUSHALL and FLUSHDB", () => {
  test("come on every shard under one number, and empty what they say", () => {
    const live = new LiveCommands({ shards: 3 });
    live.ask("SET a v PX 100");
    live.ask("SELECT 2");
    live.ask("MSET b v c v d v");
    live.takeJournal();
    expect(live.ask("FLUSHDB")).toBe("OK");
    const entries = live.takeJournal();
    expect(entries.map(({ shard, db, text }) => [shard, db, text])).toEqual(
      [0, 1, 2].map((shard) => [shard, 2, "FLUSHDB"]),
    );
    expect(new Set(entries.map(({ txid }) => txid)).size).toBe(1);
    expect(entries[0]?.txid).toBeGreaterThan(0);
    expect(live.ask("DBSIZE")).toBe(0);
    live.ask("SELECT 0");
    expect(live.ask("DBSIZE")).toBe(1);
    expect(live.ask("FLUSHALL SYNC")).toBe("OK");
    expect(live.journal()).toEqual(["FLUSHALL SYNC", "FLUSHALL SYNC", "FLUSHALL SYNC"]);
    expect(live.ask("DBSIZE")).toBe(0);
    live.nowMs += 1000;
    live.master.expireDue();
    expect(live.journal()).toEqual([]);
  });
});

describe("SCAN", () => {
  function scanAll(live: LiveCommands, words: string): string[] {
    const found: string[] = [];
    let cursor = "0";
    do {
      const [next, keys] = live.ask(`SCAN ${cursor} ${words}`) as [string, string[]];
      found.push(...keys);
      cursor = next;
    } while (cursor !== "0");
    return found;
  }

  test("gives every key once, though keys come and go", () => {
    const live = new LiveCommands({ shards: 5 });
    for (let i = 0; i < 100; i++) live.ask(`SET k${i} v`);
    const [cursor, first] = live.ask("SCAN 0 COUNT 30") as [string, string[]];
    for (let i = 0; i < 100; i += 7) if (!first.includes(`k${i}`)) live.ask(`DEL k${i}`);
    const rest: string[] = [];
    for (let at = cursor; at !== "0";) {
      const [next, keys] = live.ask(`SCAN ${at} COUNT 30`) as [string, string[]];
      rest.push(...keys);
      at = next;
    }
    const left = (live.ask("KEYS *") as string[]).toSorted();
    expect([...first, ...rest].toSorted()).toEqual(left);
    expect(left.length).toBeLessThan(100);
  });

  test("by pattern and type", () => {
    const live = new LiveCommands({ shards: 2 });
    live.ask("MSET ab 1 ac 2 bc 3 a*c 4");
    live.ask("RPUSH al x");
    expect(scanAll(live, "MATCH a*").toSorted()).toEqual(["a*c", "ab", "ac", "al"]);
    expect(scanAll(live, "MATCH a? TYPE list")).toEqual(["al"]);
    expect(scanAll(live, "MATCH a\\*c COUNT 1")).toEqual(["a*c"]);
    expect(scanAll(live, "MATCH [^a]*")).toEqual(["bc"]);
    expect(live.ask("SCAN x")).toBe("-ERR invalid cursor");
    expect(live.ask("SCAN 0 NONSENSE")).toBe("-ERR syntax error");
  });
});
