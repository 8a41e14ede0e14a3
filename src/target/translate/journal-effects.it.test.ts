/** Every command of the table, translated and run on a real server: a state before, the entry, the state after. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { JournalTranslation, type Word } from "../../../test/support/journal-translation.ts";
import { takeCommands } from "../../../test/support/parse-commands.ts";
import { type RedisServer, startRedis } from "../../../test/support/redis-server.ts";
import { type Reply, type RespClient, RespError } from "../../../test/support/resp-client.ts";
import { JOURNAL_COMMANDS } from "./journal-command-table.ts";

const FUTURE = Date.now() + 3_600_000;
const DAY_MS = 24 * 3600 * 1000;

type Line = string;
type Scenario = {
  /** Commands that a client sends the target first, words separated by a space. */
  readonly before?: readonly Line[];
  /** Journal entries. */
  readonly entries: readonly (Line | readonly Word[])[];
  /** A question, and its reply as JSON would show it. */
  readonly after: readonly (readonly [Line, unknown])[];
};

const STREAM = ["XADD s 1-1 f a", "XADD s 2-1 f b", "XADD s 3-1 f c", "XGROUP CREATE s g 0"];
/** What a 1.40 journals for XREADGROUP of two messages. */
const READ_TWO = [
  "XGROUP CREATECONSUMER s g alice",
  "XCLAIM s g alice 0 1-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1",
  "XCLAIM s g alice 0 2-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-1",
  "XGROUP SETID s g 2-1 ENTRIESREAD 2",
];

const SCENARIOS: Readonly<Record<string, Scenario>> = {
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
  LINSERT: { before: ["RPUSH k a c"], entries: ["LINSERT k BEFORE c b"], after: [["LRANGE k 0 -1", ["a", "b", "c"]]] },
  LMOVE: {
    before: ["RPUSH a 1 2"],
    entries: ["LMOVE a b LEFT RIGHT"],
    after: [
      ["LRANGE a 0 -1", ["2"]],
      ["LRANGE b 0 -1", ["1"]],
    ],
  },
  LMPOP: { before: ["RPUSH a 1 2"], entries: ["LMPOP 2 none a LEFT"], after: [["LRANGE a 0 -1", ["2"]]] },
  LPOP: { before: ["RPUSH a 1 2 3"], entries: ["LPOP a", "LPOP a 1"], after: [["LRANGE a 0 -1", ["3"]]] },
  LPUSH: { entries: ["LPUSH a 1 2"], after: [["LRANGE a 0 -1", ["2", "1"]]] },
  LPUSHX: {
    before: ["RPUSH a 1"],
    entries: ["LPUSHX a 0", "LPUSHX b 0"],
    after: [
      ["LRANGE a 0 -1", ["0", "1"]],
      ["EXISTS b", 0],
    ],
  },
  LREM: { before: ["RPUSH a x y x"], entries: ["LREM a -1 x"], after: [["LRANGE a 0 -1", ["x", "y"]]] },
  LSET: { before: ["RPUSH a x y"], entries: ["LSET a -1 z"], after: [["LRANGE a 0 -1", ["x", "z"]]] },
  LTRIM: { before: ["RPUSH a 1 2 3"], entries: ["LTRIM a 1 -1"], after: [["LRANGE a 0 -1", ["2", "3"]]] },
  RPOP: { before: ["RPUSH a 1 2 3"], entries: ["RPOP a", "RPOP a 1"], after: [["LRANGE a 0 -1", ["1"]]] },
  RPOPLPUSH: { before: ["RPUSH a 1 2"], entries: ["RPOPLPUSH a b"], after: [["LRANGE b 0 -1", ["2"]]] },
  RPUSH: { entries: ["RPUSH a 1 2"], after: [["LRANGE a 0 -1", ["1", "2"]]] },
  RPUSHX: {
    before: ["RPUSH a 1"],
    entries: ["RPUSHX a 2", "RPUSHX b 0"],
    after: [
      ["LRANGE a 0 -1", ["1", "2"]],
      ["EXISTS b", 0],
    ],
  },
  BRPOPLPUSH: { before: ["RPUSH a 1 2"], entries: ["BRPOPLPUSH a b 0"], after: [["LRANGE b 0 -1", ["2"]]] },
  BLMOVE: { before: ["RPUSH a 1 2"], entries: ["BLMOVE a b LEFT LEFT 0"], after: [["LRANGE b 0 -1", ["1"]]] },
  SADD: { entries: ["SADD k a"], after: [["SMEMBERS k", ["a"]]] },
  SMOVE: {
    before: ["SADD a x"],
    entries: ["SMOVE a b x"],
    after: [
      ["SMEMBERS b", ["x"]],
      ["EXISTS a", 0],
    ],
  },
  SREM: { before: ["SADD a x y"], entries: ["SREM a x nope"], after: [["SMEMBERS a", ["y"]]] },
  SADDEX: { entries: ["SADDEX k 100 a", "SADDEX k KEEPTTL 100 a"], after: [["SMEMBERS k", ["a"]]] },
  HDEL: { before: ["HSET h a 1 b 2"], entries: ["HDEL h a zz"], after: [["HGETALL h", ["b", "2"]]] },
  HINCRBY: { before: ["HSET h a 1"], entries: ["HINCRBY h a 10"], after: [["HGET h a", "11"]] },
  HMSET: { entries: ["HMSET h a 1 b 2"], after: [["HMGET h a b", ["1", "2"]]] },
  HSET: { entries: ["HSET h a 1 b 2"], after: [["HMGET h a b", ["1", "2"]]] },
  HSETNX: { before: ["HSET h a 1"], entries: ["HSETNX h a 2", "HSETNX h b 3"], after: [["HMGET h a b", ["1", "3"]]] },
  HINCRBYFLOAT: {
    before: ["HSET h a 0.1"],
    entries: ["HINCRBYFLOAT h a 0.2", "HINCRBYFLOAT h b 1.25", "HINCRBYFLOAT new c -0.0000001"],
    after: [
      ["HMGET h a b", ["0.30000000000000004", "1.25"]],
      ["HGET new c", "-1e-7"],
    ],
  },
  HSETEX: {
    before: ["HSET h a 1", "HSET x a 1", "HSET y a 1"],
    entries: [
      "HSETEX h 60000 a 2 b 3",
      "HSETEX h NX 60000 a 9 c 4",
      "HSETEX x FNX EX 60 FIELDS 2 a 9 n 9",
      "HSETEX x FNX EX 60 FIELDS 1 n 5",
      "HSETEX y FXX EX 60 FIELDS 2 a 9 n 9",
      "HSETEX y FXX KEEPTTL FIELDS 1 a 7",
      "HSETEX z FNX 60 f v",
    ],
    after: [
      ["HMGET h a b c", ["2", "3", "4"]],
      ["HGETALL x", ["a", "1", "n", "5"]],
      ["HGETALL y", ["a", "7"]],
      ["HGET z f", "v"],
    ],
  },
  HGETEX: {
    before: ["HSET h a 1 b 2 c 3"],
    entries: ["HGETEX h EX 0 FIELDS 2 a b", "HGETEX h EX 9 FIELDS 1 c"],
    after: [["HGETALL h", ["c", "3"]]],
  },
  HEXPIRE: {
    before: ["HSET h a 1 b 2"],
    entries: ["HEXPIRE h 0 FIELDS 1 a", "HEXPIRE h 9 FIELDS 1 b"],
    after: [["HGETALL h", ["b", "2"]]],
  },
  FIELDEXPIRE: { before: ["HSET h a 1"], entries: ["FIELDEXPIRE h 9 a"], after: [["HGETALL h", ["a", "1"]]] },
  ZADD: {
    before: ["ZADD z 5 a"],
    entries: ["ZADD z GT CH 10 a", "ZADD z NX 1 b", "ZADD z INCR 1.5 b"],
    after: [["ZRANGE z 0 -1 WITHSCORES", ["b", "2.5", "a", "10"]]],
  },
  ZDIFFSTORE: {
    before: ["ZADD a 1 x 2 y", "ZADD b 1 x"],
    entries: ["ZDIFFSTORE d 2 a b"],
    after: [["ZRANGE d 0 -1", ["y"]]],
  },
  ZINCRBY: { before: ["ZADD z 0.1 a"], entries: ["ZINCRBY z 0.2 a"], after: [["ZSCORE z a", "0.30000000000000004"]] },
  ZINTERSTORE: {
    before: ["ZADD a 1 x 2 y", "ZADD b 1 x"],
    entries: ["ZINTERSTORE d 2 a b"],
    after: [["ZRANGE d 0 -1", ["x"]]],
  },
  ZMPOP: { before: ["ZADD z 1 a 2 b"], entries: ["ZMPOP 1 z MIN"], after: [["ZRANGE z 0 -1", ["b"]]] },
  ZPOPMAX: { before: ["ZADD z 1 a 2 b"], entries: ["ZPOPMAX z"], after: [["ZRANGE z 0 -1", ["a"]]] },
  ZPOPMIN: { before: ["ZADD z 1 a 2 b 3 c"], entries: ["ZPOPMIN z 1", "ZPOPMIN z"], after: [["ZRANGE z 0 -1", ["c"]]] },
  ZRANGESTORE: {
    before: ["ZADD z 1 a 2 b 3 c"],
    entries: ["ZRANGESTORE d z 0 1"],
    after: [["ZRANGE d 0 -1", ["a", "b"]]],
  },
  ZREM: { before: ["ZADD z 1 a 2 b"], entries: ["ZREM z a"], after: [["ZRANGE z 0 -1", ["b"]]] },
  ZREMRANGEBYLEX: {
    before: ["ZADD z 0 a 0 b 0 c"],
    entries: ["ZREMRANGEBYLEX z [a (b"],
    after: [["ZRANGE z 0 -1", ["b", "c"]]],
  },
  ZREMRANGEBYRANK: {
    before: ["ZADD z 1 a 2 b"],
    entries: ["ZREMRANGEBYRANK z 0 0"],
    after: [["ZRANGE z 0 -1", ["b"]]],
  },
  ZREMRANGEBYSCORE: {
    before: ["ZADD z 1 a 2 b"],
    entries: ["ZREMRANGEBYSCORE z (1 +inf"],
    after: [["ZRANGE z 0 -1", ["a"]]],
  },
  ZUNIONSTORE: { before: ["ZADD a 1 x", "ZADD b 2 x"], entries: ["ZUNIONSTORE d 2 a b"], after: [["ZSCORE d x", "3"]] },
  GEOADD: {
    entries: ["GEOADD g 13.36 38.11 P 15.08 37.50 C"],
    after: [["ZRANGE g 0 -1 WITHSCORES", ["P", "3479099943497504", "C", "3479447184714206"]]],
  },
  GEORADIUS: {
    before: ["GEOADD g 13.36 38.11 P 15.08 37.50 C"],
    entries: ["GEORADIUS g 15 37 100 km STORE d", "GEORADIUS g 15 37 100 km"],
    after: [["ZRANGE d 0 -1", ["C"]]],
  },
  GEORADIUSBYMEMBER: {
    before: ["GEOADD g 13.36 38.11 P 15.08 37.50 C"],
    entries: ["GEORADIUSBYMEMBER g C 10 km STORE d"],
    after: [["ZRANGE d 0 -1", ["C"]]],
  },
  XADD: {
    entries: [
      "XADD s 1-1 a 1",
      "XADD s NOMKSTREAM 2-1 a 2",
      "XADD s MINID 2-1 3-1 a 3",
      "XADD s MINID 3-1 NOMKSTREAM 4-1 a 4",
      "XADD t MAXLEN 0 5-1 a 5",
    ],
    after: [
      [
        "XRANGE s - +",
        [
          ["3-1", ["a", "3"]],
          ["4-1", ["a", "4"]],
        ],
      ],
      ["XLEN t", 0],
      ["EXISTS t", 1],
    ],
  },
  XGROUP: {
    before: ["XADD s 1-1 f a", "XADD s 2-1 f b"],
    entries: [
      "XGROUP CREATE s g 0",
      "XGROUP CREATECONSUMER s g alice",
      "XGROUP SETID s g 1-1 ENTRIESREAD 1",
      "XGROUP CREATE new g $ MKSTREAM",
      "XGROUP CREATE s h 0",
      "XGROUP DESTROY s h",
      "XGROUP CREATECONSUMER s g bob",
      "XGROUP DELCONSUMER s g bob",
    ],
    after: [
      [
        "XINFO GROUPS s",
        [["name", "g", "consumers", 1, "pending", 0, "last-delivered-id", "1-1", "entries-read", 1, "lag", 1]],
      ],
      ["EXISTS new", 1],
    ],
  },
  XCLAIM: {
    before: STREAM,
    entries: READ_TWO,
    after: [
      [
        "XPENDING s g - + 9",
        [
          ["1-1", "alice", anyNumber(), 1],
          ["2-1", "alice", anyNumber(), 1],
        ],
      ],
      [
        "XINFO GROUPS s",
        [["name", "g", "consumers", 1, "pending", 2, "last-delivered-id", "2-1", "entries-read", 2, "lag", 1]],
      ],
    ],
  },
  XAUTOCLAIM: {
    before: [...STREAM, ...READ_TWO],
    entries: ["XAUTOCLAIM s g bob 0 0-0"],
    after: [
      [
        "XPENDING s g - + 9",
        [
          ["1-1", "bob", anyNumber(), 2],
          ["2-1", "bob", anyNumber(), 2],
        ],
      ],
    ],
  },
  XACK: {
    before: [...STREAM, ...READ_TWO],
    entries: ["XACK s g 1-1"],
    after: [["XPENDING s g - + 9", [["2-1", "alice", anyNumber(), 1]]]],
  },
  XDEL: { before: STREAM, entries: ["XDEL s 2-1"], after: [["XLEN s", 2]] },
  XSETID: { before: STREAM, entries: ["XSETID s 99-5"], after: [["XADD s 99-* f v", "99-6"]] },
  XTRIM: { before: STREAM, entries: ["XTRIM s MINID 2-1", "XTRIM s MAXLEN 1"], after: [["XLEN s", 1]] },
  "JSON.SET": { before: ["SET k old"], entries: ["JSON.SET k $ {}"], after: [["EXISTS k", 0]] },
  "JSON.MSET": { before: ["MSET a 1 b 2"], entries: ["JSON.MSET a $ 1 b $.x 2"], after: [["MGET a b", [null, "2"]]] },
  SCRIPT: { entries: ["SCRIPT FLUSH"], after: [] },
};

function near(seconds: number): unknown {
  return expect.closeTo(Math.floor(Date.now() / 1000) + seconds, -2) as unknown;
}

function anyNumber(): unknown {
  return expect.any(Number) as unknown;
}

let server: RedisServer;
let client: RespClient;

beforeAll(async () => {
  server = await startRedis();
  client = await server.client();
});

afterAll(async () => {
  client.close();
  await server.stop();
});

beforeEach(async () => {
  await client.call("SELECT", 0);
  await client.call("FLUSHALL");
});

const words = (line: Line | readonly Word[]): readonly Word[] => (typeof line === "string" ? line.split(" ") : line);

/** Sends what the translator encoded, and fails on any error reply. */
async function send(translation: JournalTranslation): Promise<Reply[]> {
  const replies = await client.pipeline(takeCommands(translation.encoder));
  expect(replies.filter((reply) => reply instanceof RespError)).toEqual([]);
  return replies;
}

async function ask(question: Line): Promise<unknown> {
  return readable(await client.call(...words(question)));
}

function readable(reply: Reply): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return Array.isArray(reply) ? (reply as readonly Reply[]).map(readable) : reply;
}

async function run(scenario: Scenario, translation = new JournalTranslation({ now: Date.now() })): Promise<void> {
  for (const line of scenario.before ?? []) await client.call(...words(line));
  for (const entry of scenario.entries) translation.translate(words(entry));
  await send(translation);
  for (const [question, answer] of scenario.after) expect(await ask(question), question).toEqual(answer);
}

describe("each command of the table has its effect", () => {
  const tested = JOURNAL_COMMANDS.filter(
    ([name, { kind }]) => (kind === "pass" || kind === "rewrite") && name !== "RESTORE",
  ).map(([name]) => name);

  test.each(tested)("%s", async (name) => {
    const scenario = SCENARIOS[name];
    expect(scenario, `no scenario for ${name}`).toBeDefined();
    if (scenario !== undefined) await run(scenario);
  });
});

describe("numbers are printed as Dragonfly prints them", () => {
  const doubles = [
    0.1,
    1e21,
    1e20,
    123456789012345680000,
    1e-6,
    1e-7,
    1.5e-9,
    -0.5,
    12345.678,
    5e-324,
    1.7976931348623157e308,
    2 ** 53,
    100,
    -1e21,
    0.000001234,
    1 / 3,
    1e22 / 7,
  ];

  test.each(doubles)("%d", async (value) => {
    await run({ entries: [["INCRBYFLOAT", "k", value]], after: [["GET k", String(value)]] });
    await run({
      before: ["HSET h f 0"],
      entries: [["HINCRBYFLOAT", "h", "f", value]],
      after: [["HGET h f", String(value)]],
    });
  });

  test("and added as doubles, many times over", async () => {
    const translation = new JournalTranslation();
    let sum = 0;
    for (let i = 0; i < 200; i++) {
      const step = (i % 7) * 0.1 - 0.3;
      sum += step;
      translation.translate(["INCRBYFLOAT", "k", step]);
    }
    await send(translation);
    expect(await ask("GET k")).toBe(String(sum));
  });
});

describe("RESTORE", () => {
  async function dumpOf(key: string): Promise<Buffer> {
    return (await client.call("DUMP", key)) as Buffer;
  }

  test("puts a dump in place of whatever is there, with its deadline", async () => {
    await client.call("RPUSH", "list", "a", "b");
    const dump = await dumpOf("list");
    await run({
      before: ["SET k old"],
      entries: [
        ["RESTORE", "k", FUTURE, dump, "REPLACE", "ABSTTL", "STICK"],
        ["RESTORE", "m", "0", dump],
      ],
      after: [
        ["LRANGE k 0 -1", ["a", "b"]],
        ["PEXPIRETIME k", FUTURE],
        ["LRANGE m 0 -1", ["a", "b"]],
        ["PTTL m", -1],
      ],
    });
  });

  test("a dump stamped by a newer server is taken", async () => {
    await client.call("SET", "s", "hello");
    const dump = Buffer.from(await dumpOf("s"));
    dump.writeUInt16LE(12, dump.length - 10);
    await run({ entries: [["RESTORE", "k", "0", dump, "REPLACE", "ABSTTL"]], after: [["GET k", "hello"]] });
  });

  test("one whose deadline is past leaves nothing, and no error", async () => {
    await client.call("SET", "s", "hello");
    const dump = await dumpOf("s");
    const translation = new JournalTranslation({ now: Date.now() });
    await run(
      {
        before: ["SET k old"],
        entries: [["RESTORE", "k", "1000", dump, "REPLACE", "ABSTTL"]],
        after: [["GET k", "hello"]],
      },
      translation,
    );
    translation.translator.deadlines.release(translation.encoder, "due");
    await send(translation);
    expect(await ask("EXISTS k")).toBe(0);
  });
});

describe("deadlines that are past when they arrive", () => {
  const past = Date.now() - DAY_MS;

  /** The entries, then the release at the end of the run. */
  async function late(scenario: Scenario): Promise<void> {
    const translation = new JournalTranslation({ now: Date.now() });
    await run({ ...scenario, after: [] }, translation);
    translation.translator.deadlines.release(translation.encoder, "all");
    await send(translation);
    await client.call("SELECT", 0);
    for (const [question, answer] of scenario.after) expect(await ask(question), question).toEqual(answer);
  }

  test("end the key when nothing renewed it", async () => {
    await late({ entries: [`SET a 1 PXAT ${past}`, "SET b 1", `PEXPIREAT b ${past}`], after: [["EXISTS a b", 0]] });
  });

  test("do not end it when a later entry did", async () => {
    await late({
      before: ["HSET h a 1", "HSET h2 a 1"],
      entries: [
        `PEXPIREAT h ${past}`,
        "PERSIST h",
        `PEXPIREAT h2 ${past}`,
        `PEXPIREAT h2 ${FUTURE}`,
        `SET s 1 PXAT ${past}`,
        "SET s 2",
      ],
      after: [
        ["HGETALL h", ["a", "1"]],
        ["PTTL h", -1],
        ["PEXPIRETIME h2", FUTURE],
        ["GET s", "2"],
        ["PTTL s", -1],
      ],
    });
  });

  test("stay with a value that is set with KEEPTTL", async () => {
    await late({ entries: [`SET s 1 PXAT ${past}`, "SET s 2 KEEPTTL"], after: [["EXISTS s", 0]] });
  });

  test("do not end another value that took the key without a word about deadlines", async () => {
    await late({
      entries: [`SET s 1 PXAT ${past}`, "GETDEL s", "RPUSH s x", `SET t 1 PXAT ${past}`, "GETSET t 2"],
      after: [
        ["LRANGE s 0 -1", ["x"]],
        ["GET t", "2"],
      ],
    });
  });

  test("go along with the key", async () => {
    await late({
      entries: [
        `SET a 1 PXAT ${past}`,
        "RENAME a b",
        `SET c 1 PXAT ${past}`,
        "MOVE c 3",
        `SET d 1 PXAT ${past}`,
        `SET e 1 PXAT ${FUTURE}`,
        "RENAME e d",
      ],
      after: [
        ["EXISTS a b c", 0],
        ["PEXPIRETIME d", FUTURE],
        ["SELECT 3", "OK"],
        ["EXISTS c", 0],
      ],
    });
  });

  test("of many keys at once", async () => {
    const entries = Array.from({ length: 1000 }, (_, i) => `SET k${i} v PXAT ${past}`);
    await late({
      entries: [...entries, "PERSIST k7"],
      after: [
        ["DBSIZE", 1],
        ["GET k7", "v"],
      ],
    });
  });
});

test("an error inside a script names its cause first", async () => {
  await client.call("RPUSH", "k", "x");
  const translation = new JournalTranslation();
  translation.translate(["PREPEND", "k", "v"]);
  const [reply] = await client.pipeline(takeCommands(translation.encoder));
  expect(String(reply)).toContain("WRONGTYPE ");
});
