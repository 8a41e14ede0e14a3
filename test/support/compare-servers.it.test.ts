/** The comparison of two servers, between two redis-servers: it finds each kind of difference, and none where there is none. */
import { type LiveMaster, startLiveMaster } from "../../src/simulator/live/server.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { compareServers, DOCUMENTS_AS_TEXT, expectEqualServers } from "./compare-servers.ts";
import { formatDifference } from "./expected-state.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";
import { type Argument, RespClient } from "./resp-client.ts";
import { until } from "./until.ts";

type Command = readonly Argument[];

const FAR_MS = Date.now() + 3_600_000;
const DATA: readonly Command[] = [
  ["SET", "string", "value"],
  ["SET", Buffer.from([0, 255, 13, 10]), Buffer.from([1, 2, 255])],
  ["SET", "deadline", "x", "PXAT", FAR_MS],
  ["RPUSH", "list", "a", "b", "c"],
  ["SADD", "set", "a", "b", "c"],
  ["HSET", "hash", "a", "1", "b", "2"],
  ["ZADD", "zset", "0.1", "a", "inf", "b", "-1e-300", "c"],
  ["XADD", "stream", "1-1", "f", "v"],
  ["XADD", "stream", "2-1", "f", "v"],
  ["XGROUP", "CREATE", "stream", "group", "0"],
  ["XREADGROUP", "GROUP", "group", "alice", "COUNT", 1, "STREAMS", "stream", ">"],
  ["SELECT", 7],
  ["SET", "string", "elsewhere"],
  ["SELECT", 0],
];

let servers: readonly RedisServer[];
let source: RespClient;
let target: RespClient;

beforeAll(async () => {
  servers = await Promise.all([startRedis(), startRedis()]);
  [source, target] = (await Promise.all(servers.map((server) => server.client()))) as [RespClient, RespClient];
});
afterAll(async () => {
  source.close();
  target.close();
  await Promise.all(servers.map((server) => server.stop()));
});
beforeEach(async () => {
  for (const client of [source, target]) {
    await client.call("FLUSHALL");
    for (const command of DATA) await client.call(...command);
  }
});

test("equal sides have no differences, and every key is counted by type", async () => {
  const { differences, equal, equalCount, skipped, expired } = await expectEqualServers({ source, target });
  expect(differences).toEqual([]);
  expect(equal).toEqual({ string: 4, list: 1, set: 1, hash: 1, zset: 1, stream: 1 });
  expect([equalCount, skipped, expired]).toEqual([9, {}, 0]);
});

test.each<readonly [what: string, command: Command, words: RegExp]>([
  ["a missing key", ["DEL", "list"], /^missing: db 0 key list/],
  ["an extra key", ["SET", "more", "x"], /^extra: db 0 key more/],
  ["another text", ["APPEND", "string", "!"], /^value: db 0 key string: value/],
  ["bytes in a key of bytes", ["SET", Buffer.from([0, 255, 13, 10]), "x"], /^value: db 0 key \\x00\\xff\\x0d\\x0a/],
  ["another type", ["SET", "list", "x"], /^type: db 0 key list: type: expected list, found string/],
  [
    "another order",
    ["LMOVE", "list", "list", "LEFT", "RIGHT"],
    /^value: db 0 key list: item 0 of 3: expected a, found b/,
  ],
  ["a member more", ["SADD", "set", "d"], /^value: db 0 key set: member d/],
  ["a field less", ["HDEL", "hash", "b"], /^value: db 0 key hash: field b: expected 2, found nothing/],
  ["a score one bit off", ["ZADD", "zset", "0.10000000000000002", "a"], /^value: db 0 key zset: rank 1/],
  [
    "a deadline one ms off",
    ["PEXPIREAT", "deadline", FAR_MS + 1],
    /^deadline: db 0 key deadline: deadline: expected \d{13}/,
  ],
  ["no deadline", ["PERSIST", "deadline"], /found none$/],
  ["a deadline that should not be", ["PEXPIREAT", "hash", FAR_MS], /^deadline: db 0 key hash: deadline: expected none/],
  ["an entry less", ["XDEL", "stream", "2-1"], /^value: db 0 key stream: entry 1 of 2/],
  ["another last id", ["XSETID", "stream", "9-9"], /^value: db 0 key stream: last id/],
  ["another group", ["XGROUP", "CREATE", "stream", "more", "0"], /^value: db 0 key stream: group 1/],
  ["nothing pending", ["XACK", "stream", "group", "1-1"], /^value: db 0 key stream: pending of group/],
  ["another consumer", ["XCLAIM", "stream", "group", "bob", 0, "1-1"], /^value: db 0 key stream: pending of group/],
])("%s is one difference", async (_what, command, words) => {
  await target.call(...command);
  const { differences, differenceCount } = await compareServers({ source, target });
  expect(differenceCount).toBe(1);
  expect(formatDifference(differences[0] as (typeof differences)[number])).toMatch(words);
  await expect(expectEqualServers({ source, target })).rejects.toThrow("the two sides differ in 1 keys");
});

describe("other databases", () => {
  test("that only one side has are found", async () => {
    await target.pipeline([
      ["SELECT", 7],
      ["DEL", "string"],
      ["SELECT", 11],
      ["SET", "k", "x"],
      ["SELECT", 0],
    ]);
    const { differences } = await compareServers({ source, target });
    expect(differences.map(({ kind, db, key }) => [kind, db, key])).toEqual([
      ["missing", 7, "string"],
      ["extra", 11, "k"],
    ]);
  });
});

describe("keys that expire", () => {
  test("on one side before the other are no differences", async () => {
    const soonMs = Date.now() + 500;
    for (const client of [source, target]) await client.call("SET", "soon", "x", "PXAT", soonMs);
    const pipeline = target.pipeline.bind(target);
    // The target is asked for its keys once the deadline has passed.
    const spy = vi.spyOn(target, "pipeline").mockImplementation(async (commands) => {
      if (commands[0]?.[0] === "TYPE") await until(() => Date.now() > soonMs);
      return await pipeline(commands);
    });
    const { differenceCount, equalCount, expired } = await compareServers({ source, target });
    spy.mockRestore();
    expect([differenceCount, equalCount, expired]).toEqual([0, 9, 1]);
  });

  test("later are differences when only one side has them", async () => {
    await source.call("SET", "later", "x", "PXAT", FAR_MS);
    const { differences } = await compareServers({ source, target });
    expect(differences.map(({ kind, key }) => [kind, key])).toEqual([["missing", "later"]]);
  });
});

test("many differences are counted, and the first are kept", async () => {
  await source.pipeline(Array.from({ length: 1500 }, (_, i) => ["SET", `only:${i}`, i]));
  const { differenceCount, differences } = await compareServers({ source, target });
  expect(differenceCount).toBe(1500);
  expect(differences).toHaveLength(50);
});

describe("JSON documents", () => {
  const KEY = "document";
  const TEXT = '{"a": [1, 2.50, "x"], "b": null}';
  let master: LiveMaster;
  let documents: RespClient;
  beforeEach(async () => {
    master = await startLiveMaster({ shards: 2 });
    documents = await RespClient.connect({ port: master.port });
    await documents.call("JSON.SET", KEY, "$", TEXT);
    await target.call("FLUSHALL");
  });
  afterEach(async () => {
    documents.close();
    await master.stop();
  });

  test("are equal to strings of the same document, whatever their form", async () => {
    await target.call("SET", KEY, '{"b":null,"a":[1,2.5,"x"]}');
    const { equal, equalCount, skipped } = await expectEqualServers({ source: documents, target });
    expect([equal, equalCount, skipped]).toEqual([{ [DOCUMENTS_AS_TEXT]: 1 }, 1, {}]);
  });

  test("are equal to documents of a target that has them", async () => {
    const { equal } = await expectEqualServers({ source: documents, target: documents });
    expect(equal).toEqual({ "ReJSON-RL": 1 });
  });

  test.each<readonly [what: string, command: Command, words: RegExp]>([
    [
      "an older text",
      ["SET", KEY, '{"a":[1,2.5],"b":null}'],
      /^value: db 0 key document: value: expected \{.*"x".*found \{/,
    ],
    ["no JSON", ["SET", KEY, "{"], /^value: db 0 key document: value: expected \{.*found \{ \(1 bytes\)/],
    ["no key", ["DEL", KEY], /^missing: db 0 key document: key: expected ReJSON-RL, found nothing/],
    ["another type", ["RPUSH", KEY, TEXT], /^type: db 0 key document: type: expected ReJSON-RL, found list/],
    ["a deadline", ["SET", KEY, TEXT, "PXAT", FAR_MS], /^deadline: db 0 key document: deadline: expected none/],
  ])("that are %s on the target are one difference", async (_what, command, words) => {
    await target.call(...command);
    const { differences, differenceCount, equalCount } = await compareServers({ source: documents, target });
    expect(differences.map(formatDifference)).toEqual([expect.stringMatching(words)]);
    expect([differenceCount, equalCount]).toEqual([1, 0]);
  });

  test("that were to be dropped must not be there", async () => {
    const options = { source: documents, target, documents: "dropped" } as const;
    expect((await expectEqualServers(options)).skipped).toEqual({ "ReJSON-RL": 1 });
    await target.call("SET", KEY, TEXT);
    const { differences } = await compareServers(options);
    expect(differences.map(({ kind, key }) => [kind, key])).toEqual([["unholdable", KEY]]);
  });
});
