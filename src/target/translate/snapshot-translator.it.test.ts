/** On a real Redis: what is translated is loaded, and is equal to what was dumped. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type DumpedObject,
  dumpPayload,
  rdbLength,
  rdbStream,
  rdbString,
  splitDump,
  withActiveTimes,
} from "../../../test/support/dump-to-rdb.ts";
import { RespError, type Argument, type RespClient } from "../../../test/support/resp-client.ts";
import { startRedis, type RedisServer } from "../../../test/support/redis-server.ts";
import { REDIS_62 } from "../../../test/support/capabilities.ts";
import { translateRdb, type Loss, type TranslateOptions } from "../../../test/support/snapshot-translation.ts";
import { streamState } from "../../../test/support/stream-state.ts";

const NATIVE = { bodyLimitBytes: 0 };
const DEADLINE = Date.now() + 3_600_123;

let redis: RedisServer;
let source: RespClient;
let target: RespClient;

beforeAll(async () => {
  redis = await startRedis({ args: ["--enable-debug-command", "yes"] });
  source = await redis.client();
  target = await redis.client();
});
afterAll(async () => {
  source.close();
  target.close();
  await redis.stop();
});
beforeEach(async () => {
  await source.call("FLUSHALL");
});

async function dump(key: string): Promise<{ type: number; body: Buffer; payload: Buffer }> {
  const payload = (await source.call("DUMP", key)) as Buffer;
  return { ...splitDump(payload), payload };
}

type Played = { readonly commands: Buffer[][]; readonly names: string[]; readonly losses: Loss[] };

/** Plays the objects into the target, every reply being a success. */
async function play(objects: readonly DumpedObject[], options: TranslateOptions = {}): Promise<Played> {
  const { commands, kit } = translateRdb(rdbStream(objects), options);
  const replies = await target.pipeline([...commands, ["SELECT", 0]]);
  expect(replies.filter((reply) => reply instanceof RespError).map(String)).toEqual([]);
  return { commands, names: commands.map(([name]) => String(name)), losses: kit.losses };
}

const long = "x".repeat(100);
const many = (count: number, item: (i: number) => readonly Argument[]): readonly Argument[] =>
  Array.from({ length: count }, (_, i) => item(i)).flat();

/** One value for each type that Redis 7.0 dumps. */
const MAKERS: readonly [name: string, type: number, ...commands: (readonly Argument[])[]][] = [
  ["a list", 18, ["RPUSH", "k", "a", "", "-5", "123456789012", "\0\r\n", long]],
  ["a list with a plain node", 18, ["RPUSH", "k", "a", "y".repeat(20_000), "b"]],
  ["an intset", 11, ["SADD", "k", "1", "-70000", "5000000000"]],
  ["a set", 2, ["SADD", "k", "a", "", long, "7"]],
  ["a hash as listpack", 16, ["HSET", "k", "f", "1", "", "", "g", "\xff"]],
  ["a hash", 4, ["HSET", "k", "f", "y".repeat(5000), "n", "12345"]],
  ["a zset as listpack", 17, ["ZADD", "k", "1.1", "a", "-inf", "b", "inf", "c", "1e-300", "d", "0.1", "e"]],
  ["a zset", 5, ["ZADD", "k", "3", "y".repeat(500), "-0.30000000000000004", "a", "inf", "b", "17", "c"]],
  ["a large list", 18, ["RPUSH", "k", ...many(3000, (i) => [`item ${i}`, i])]],
  ["a large set", 2, ["SADD", "k", ...many(3000, (i) => [`m${i}`])]],
  ["a large hash", 4, ["HSET", "k", ...many(3000, (i) => [`f${i}`, long])]],
  ["a large zset", 5, ["ZADD", "k", ...many(3000, (i) => [i / 7, `m${i}`])]],
];

/** Everything about a key but how it is encoded. */
async function state(client: RespClient, key: string): Promise<unknown> {
  const type = await client.call("TYPE", key);
  if (type === "stream") return streamState(client, key);
  const reads: Record<string, readonly Argument[]> = {
    list: ["LRANGE", key, 0, -1],
    set: ["SMEMBERS", key],
    hash: ["HGETALL", key],
    zset: ["ZRANGE", key, 0, -1, "WITHSCORES"],
  };
  const items = ((await client.call(...(reads[String(type)] ?? ["GET", key]))) as Buffer[]).map((item) =>
    item.toString("latin1"),
  );
  if (type === "set") return [type, items.toSorted()];
  if (type === "hash")
    return [type, items.flatMap((item, i) => (i % 2 === 0 ? [`${item}=${items[i + 1]}`] : [])).toSorted()];
  return [type, items];
}

describe.each(MAKERS)("%s", (_name, type, ...makers) => {
  beforeEach(async () => {
    for (const command of makers) await source.call(...command);
  });

  test("by RESTORE is equal to the byte, in its database, with its deadline", async () => {
    const { body, payload, ...dumped } = await dump("k");
    expect(dumped.type).toBe(type);
    const { commands, names } = await play([{ key: "copy", type, body, db: 3, expireAtMs: DEADLINE }]);
    expect(names).toEqual(["SELECT", "RESTORE"]);
    expect(commands[1]?.[3]?.equals(payload)).toBe(true);
    await target.call("SELECT", 3);
    expect(await state(target, "copy")).toEqual(await state(source, "k"));
    expect(await target.call("PEXPIRETIME", "copy")).toBe(DEADLINE);
    await target.call("SELECT", 0);
  });

  test("by native commands holds the same, replacing what was there", async () => {
    const { body } = await dump("k");
    await target.call("RPUSH", "copy", "stale");
    const { names } = await play([{ key: "copy", type, body, expireAtMs: DEADLINE }], NATIVE);
    expect(names).not.toContain("RESTORE");
    expect(await state(target, "copy")).toEqual(await state(source, "k"));
    expect(await target.call("PEXPIRETIME", "copy")).toBe(DEADLINE);
    // Once more over itself: never merged.
    await play([{ key: "copy", type, body }], NATIVE);
    expect(await state(target, "copy")).toEqual(await state(source, "k"));
    expect(await target.call("PEXPIRETIME", "copy")).toBe(-1);
  });
});

test("strings, with and without a deadline", async () => {
  const value = rdbString(Buffer.from("\0bin\r\n\xff", "latin1"));
  await target.call("RPUSH", "a", "stale");
  await play([
    { key: "a", type: 0, body: value },
    { key: "b", type: 0, body: value, expireAtMs: DEADLINE, db: 15 },
    { key: "int", type: 0, body: Buffer.from("c2ffffff7f", "hex") },
  ]);
  expect(await target.call("GET", "a")).toEqual(Buffer.from("\0bin\r\n\xff", "latin1"));
  expect(await target.call("PTTL", "a")).toBe(-1);
  expect(await target.call("GET", "int")).toEqual(Buffer.from("2147483647"));
  await target.call("SELECT", 15);
  expect(await target.call("PEXPIRETIME", "b")).toBe(DEADLINE);
  await target.call("SELECT", 0);
});

test("strings by RESTORE, of every size that has a length of its own kind", async () => {
  const sizes = [0, 1, 63, 64, 16_383, 16_384, 100_000];
  const objects = sizes.map((size) => ({ key: `s${size}`, type: 0, body: rdbString(Buffer.alloc(size, 0xc3)) }));
  const { names } = await play([...objects, { key: "d", type: 0, body: rdbString("v"), expireAtMs: DEADLINE }], {
    writeMode: "restore",
  });
  expect(names).toEqual(Array.from({ length: sizes.length + 1 }, () => "RESTORE"));
  for (const size of sizes) expect(await target.call("GET", `s${size}`)).toEqual(Buffer.alloc(size, 0xc3));
  expect(await target.call("PEXPIRETIME", "d")).toBe(DEADLINE);
});

test("keys whose deadline has passed are gone, however they come, and so is what they replace", async () => {
  await source.call("SADD", "k", "a");
  const { body } = await dump("k");
  for (const expireAtMs of [1, 1_600_000_000_000, Date.now() - 1]) {
    for (const key of ["s", "b", "n"]) await target.call("SET", key, "stale");
    await play([{ key: "s", type: 0, body: rdbString("v"), expireAtMs }]);
    await play([{ key: "b", type: 2, body, expireAtMs }]);
    await play([{ key: "n", type: 2, body, expireAtMs }], NATIVE);
    expect(await target.call("EXISTS", "s", "b", "n")).toBe(0);
  }
});

describe("bodies without elements", () => {
  const listpack = rdbString(Buffer.from("070000000000ff", "hex"));
  const ziplist = rdbString(Buffer.from("0b0000000a0000000000ff", "hex"));
  const bodies: readonly [number, Buffer][] = [
    ...[1, 2, 3, 4, 5, 14, 18].map((type): [number, Buffer] => [type, Buffer.of(0)]),
    [9, rdbString(Buffer.from("00ff", "hex"))],
    [10, ziplist],
    [11, rdbString(Buffer.from("0200000000000000", "hex"))],
    [12, ziplist],
    [13, ziplist],
    [14, Buffer.concat([Buffer.of(1), ziplist])],
    [16, listpack],
    [17, listpack],
    [18, Buffer.concat([Buffer.from("0102", "hex"), listpack])],
  ];

  test.each(bodies)("type %i: the server refuses it, so the key is deleted instead", async (type, body) => {
    const refused = await target.pipeline([["RESTORE", "k", 0, dumpPayload(type, body), "REPLACE"]]);
    expect(String(refused[0])).toContain("Bad data format");
    for (const options of [{}, NATIVE]) {
      await target.call("SET", "k", "stale");
      expect((await play([{ key: "k", type, body }], options)).names).toEqual(["DEL"]);
      expect(await target.call("EXISTS", "k")).toBe(0);
    }
  });
});

describe("streams", () => {
  beforeEach(async () => {
    await source.pipeline([
      ...Array.from({ length: 600 }, (_, i) => [
        "XADD",
        "k",
        `${1000 + Math.floor(i / 3)}-${i % 3}`,
        "f",
        i,
        `g${i % 5}`,
        long,
      ]),
      ["XADD", "k", "18446744073709551615-5", "last", ""],
      ["XDEL", "k", "1005-1", "1006-0", "1000-0"],
      ["XGROUP", "CREATE", "k", "unread", "0"],
      ["XGROUP", "CREATE", "k", "read", "0"],
      ["XREADGROUP", "GROUP", "read", "alice", "COUNT", 300, "STREAMS", "k", ">"],
      ["XREADGROUP", "GROUP", "read", "bob", "COUNT", 40, "STREAMS", "k", ">"],
      ["XCLAIM", "k", "read", "carol", 0, "1001-0", "1002-0", "RETRYCOUNT", 9, "TIME", 123_456, "FORCE"],
      ["XACK", "k", "read", "1002-1", "1003-1"],
      ["XGROUP", "CREATECONSUMER", "k", "unread", "nobody"],
      ["XGROUP", "CREATE", "k", "somewhere", "1050-1"],
    ]);
  });

  test("by RESTORE are equal to the byte", async () => {
    const { type, body, payload } = await dump("k");
    expect(type).toBe(19);
    expect((await play([{ key: "copy", type, body }])).names).toEqual(["RESTORE"]);
    expect(payload.equals((await target.call("DUMP", "copy")) as Buffer)).toBe(true);
  });

  test("of type 21 come over as 19, equal to the byte", async () => {
    const { body, payload } = await dump("k");
    expect((await play([{ key: "copy", type: 21, body: withActiveTimes(body) }])).names).toEqual(["RESTORE"]);
    expect(payload.equals((await target.call("DUMP", "copy")) as Buffer)).toBe(true);
  });

  test.each([19, 21])(
    "of type %i by native commands: entries, counters, groups, consumers, pending entries",
    async (type) => {
      const { body } = await dump("k");
      await target.call("XADD", "copy", "18446744073709551615-18446744073709551615", "stale", "");
      const object = { key: "copy", type, body: type === 21 ? withActiveTimes(body) : body, expireAtMs: DEADLINE };
      const { names, losses } = await play([object], { ...NATIVE, nativeBatchElements: 50 });
      expect(names).not.toContain("RESTORE");
      expect(await streamState(target, "copy")).toEqual(await streamState(source, "k"));
      expect(await target.call("PEXPIRETIME", "copy")).toBe(DEADLINE);
      expect(losses).toEqual([]);
    },
  );

  test("without entries exist, with counters and groups, both ways", async () => {
    await source.pipeline([
      ["XADD", "e", "5-5", "f", "v"],
      ["XADD", "e", "7-0", "f", "v"],
      ["XGROUP", "CREATE", "e", "g", "5-5", "ENTRIESREAD", 1],
      ["XDEL", "e", "5-5", "7-0"],
      ["XGROUP", "CREATE", "never", "g", "0", "MKSTREAM"],
    ]);
    for (const key of ["e", "never"]) {
      const { type, body } = await dump(key);
      for (const options of [{}, NATIVE]) {
        await play([{ key: "copy", type, body }], options);
        expect(await streamState(target, "copy")).toEqual(await streamState(source, key));
      }
    }
  });

  test("pending entries of deleted messages, both ways", async () => {
    await source.pipeline([
      ["XDEL", "k", "1010-0", "1020-0"],
      ["XTRIM", "k", "MINID", "1003-0"],
    ]);
    const { type, body, payload } = await dump("k");
    await play([{ key: "copy", type, body }]);
    expect(payload.equals((await target.call("DUMP", "copy")) as Buffer)).toBe(true);

    const { losses, names } = await play([{ key: "copy", type, body, expireAtMs: DEADLINE }], NATIVE);
    expect(names).toContain("COPY");
    expect(losses).toEqual([]);
    expect(await streamState(target, "copy")).toEqual(await streamState(source, "k"));
    expect(await target.call("PEXPIRETIME", "copy")).toBe(DEADLINE);
    expect(await target.call("DBSIZE")).toBe(2);
  });

  test("for a target of before 7.0 use no word that it does not know", async () => {
    const { body } = await dump("k");
    const { names } = await play([{ key: "copy", type: 19, body }], { ...NATIVE, capabilities: REDIS_62 });
    expect(names).not.toContain("RESTORE");
    expect(await target.call("XLEN", "copy")).toBe(await source.call("XLEN", "k"));
  });

  test("by commands only, for a writer that is told so", async () => {
    const { body } = await dump("k");
    const { names } = await play([{ key: "copy", type: 19, body }], { writeMode: "commands" });
    expect(names).not.toContain("RESTORE");
    expect(await streamState(target, "copy")).toEqual(await streamState(source, "k"));
  });
});

test("hashes and sets with member deadlines keep all members", async () => {
  const deadline = Buffer.from("c2ffffff7f", "hex");
  const none = rdbString("-1");
  const field = (name: string, content: string): Buffer => Buffer.concat([rdbString(name), rdbString(content)]);
  const hash = Buffer.concat([rdbLength(2), field("f", "1"), deadline, field("g", "2"), none]);
  const set = Buffer.concat([rdbLength(2), rdbString("m"), none, rdbString("n"), deadline]);
  const { losses } = await play([
    { key: "h", type: 31, body: hash },
    { key: "s", type: 32, body: set },
  ]);
  expect(await state(target, "h")).toEqual(["hash", ["f=1", "g=2"]]);
  expect(await state(target, "s")).toEqual(["set", ["m", "n"]]);
  expect(losses.map(({ kind, key }) => `${kind} ${key}`)).toEqual(["fieldTtl h", "memberTtl s"]);
});

test("a JSON document leaves no older value behind", async () => {
  await target.call("SET", "doc", "stale");
  const { losses } = await play([{ key: "doc", type: 30, body: rdbString('{"a":1}') }]);
  expect(await target.call("EXISTS", "doc")).toBe(0);
  expect(losses).toEqual([{ kind: "json", db: 0, key: "doc" }]);
});
