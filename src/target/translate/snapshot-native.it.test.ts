/** Any value is the same on a real Redis whether it comes by RESTORE or by native commands. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rdbStream, splitDump, withActiveTimes } from "../../../test/support/dump-to-rdb.ts";
import { RespError, type Argument, type RespClient } from "../../../test/support/resp-client.ts";
import { startRedis, type RedisServer } from "../../../test/support/redis-server.ts";
import { translateRdb, type Loss, type TranslateOptions } from "../../../test/support/snapshot-translation.ts";
import type { TargetCapabilities } from "../capabilities.ts";
import { probeTarget } from "../probe.ts";
import { type StreamState, streamState, withoutDeletedPending } from "../../../test/support/stream-state.ts";

const RUNS = { numRuns: 60 };

let redis: RedisServer;
let client: RespClient;
let capabilities: TargetCapabilities;

beforeAll(async () => {
  redis = await startRedis();
  client = await redis.client();
  const endpoint = { host: "127.0.0.1", port: redis.port, user: undefined, password: undefined, tls: undefined };
  capabilities = await probeTarget({ endpoint, connectTimeoutMs: 5000, replyTimeoutMs: 5000 });
});
afterAll(async () => {
  client.close();
  await redis.stop();
});

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array)),
  fc.integer().map((n) => Buffer.from(String(n))),
  fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 60, max: 400 }))
    .map(([byte, size]) => Buffer.alloc(size, byte)),
);
const score = fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: -5, max: 5 }));
const scoreText = (n: number): string => (Number.isFinite(n) ? String(n) : n > 0 ? "inf" : "-inf");
const items = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(item, { minLength: 1, maxLength: 200, size: "max" });

const values: readonly [string, fc.Arbitrary<readonly Argument[]>, (key: string) => readonly Argument[]][] = [
  ["lists", items(bytes).map((all) => ["RPUSH", "made", ...all]), (key) => ["LRANGE", key, 0, -1]],
  ["sets", items(bytes).map((all) => ["SADD", "made", ...all]), (key) => ["SMEMBERS", key]],
  ["hashes", items(fc.tuple(bytes, bytes)).map((all) => ["HSET", "made", ...all.flat()]), (key) => ["HGETALL", key]],
  [
    "zsets",
    items(fc.tuple(score, bytes)).map((all) => [
      "ZADD",
      "made",
      ...all.flatMap(([n, member]) => [scoreText(n), member]),
    ]),
    (key) => ["ZRANGE", key, 0, -1, "WITHSCORES"],
  ],
];

const limits = fc.record({
  nativeBatchBytes: fc.constantFrom(1, 50, 1000, 65_536),
  nativeBatchElements: fc.constantFrom(1, 2, 7, 512),
});

test.each(values)("%s", async (name, value, read) => {
  await fc.assert(
    fc.asyncProperty(value, limits, async (command, batch) => {
      await make([command]);
      await playBothWays(batch);
      expect(await sorted(name, read("native"))).toEqual(await sorted(name, read("made")));
      expect(await sorted(name, read("restored"))).toEqual(await sorted(name, read("made")));
    }),
    RUNS,
  );
});

const id = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 3 })).map(([ms, seq]) => `${ms}-${seq}`);
const group = fc.constantFrom("g", "h", "");
const consumer = fc.constantFrom("alice", "bob", "\0");
/** Some of them fail, as ids and groups come in any order: what matters is the variety of what is left. */
const streamCommand: fc.Arbitrary<readonly Argument[]> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(id, bytes, bytes).map(([at, field, value]) => ["XADD", "made", at, field, value, "f", "v"]),
  },
  { weight: 1, arbitrary: id.map((at) => ["XDEL", "made", at]) },
  { weight: 1, arbitrary: id.map((at) => ["XTRIM", "made", "MINID", at]) },
  { weight: 3, arbitrary: fc.tuple(group, id).map(([name, at]) => ["XGROUP", "CREATE", "made", name, at, "MKSTREAM"]) },
  {
    weight: 1,
    arbitrary: fc.tuple(group, consumer).map(([name, who]) => ["XGROUP", "CREATECONSUMER", "made", name, who]),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(group, consumer, fc.integer({ min: 1, max: 4 }))
      .map(([name, who, count]) => ["XREADGROUP", "GROUP", name, who, "COUNT", count, "STREAMS", "made", ">"]),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(group, consumer, fc.array(id, { minLength: 1, maxLength: 5 }), fc.nat(9), fc.nat(2_000_000_000_000))
      .map(([name, who, ids, count, time]) => [
        "XCLAIM",
        "made",
        name,
        who,
        0,
        ...ids,
        "RETRYCOUNT",
        count,
        "TIME",
        time,
        "FORCE",
      ]),
  },
  { weight: 1, arbitrary: fc.tuple(group, id).map(([name, at]) => ["XACK", "made", name, at]) },
  {
    weight: 1,
    arbitrary: fc.tuple(group, id).map(([name, at]) => ["XGROUP", "SETID", "made", name, at, "ENTRIESREAD", 3]),
  },
);
const streamCommands = fc
  .array(streamCommand, { minLength: 5, maxLength: 60, size: "max" })
  // Ids that rise, so that most entries are taken.
  .map((commands) => {
    const ids = commands.flatMap((command) => (command[0] === "XADD" ? [String(command[2])] : []));
    const rising = ids.toSorted((a, b) => Number(a.replace("-", ".")) - Number(b.replace("-", ".")));
    return [
      ["XADD", "made", "0-1", "first", ""],
      ...commands.map((c) => (c[0] === "XADD" ? ["XADD", "made", rising.shift() ?? "", ...c.slice(3)] : c)),
    ];
  });

test("streams", async () => {
  let compared = 0;
  let ofDeleted = 0;
  await fc.assert(
    fc.asyncProperty(
      streamCommands,
      limits,
      fc.constantFrom(19, 21),
      fc.constantFrom(20, undefined),
      async (commands, batch, type, streamIdIndexBytes) => {
        await make(commands);
        const options = streamIdIndexBytes === undefined ? batch : { ...batch, streamIdIndexBytes };
        const losses = await playBothWays(options, type);
        const made = await streamState(client, "made");
        expect(await streamState(client, "restored")).toEqual(made);
        const { state, dropped } = withoutDeletedPending(made);
        expect(await streamState(client, "native")).toEqual(made);
        expect(losses).toEqual([]);
        expect(await client.call("DBSIZE")).toBe(3);
        compared += pendingCount(state);
        ofDeleted += dropped;
      },
    ),
    { numRuns: 150 },
  );
  // Otherwise the commands above no longer make what is to be compared.
  expect(compared).toBeGreaterThan(100);
  expect(ofDeleted).toBeGreaterThan(10);
});

async function make(commands: readonly (readonly Argument[])[]): Promise<void> {
  await client.pipeline([["FLUSHALL"], ...commands]);
}

/** "made" as "restored" and as "native". @returns what was lost on the native way */
async function playBothWays(batch: TranslateOptions, streamType = 19): Promise<Loss[]> {
  const options = { ...batch, capabilities };
  const { type, body } = splitDump((await client.call("DUMP", "made")) as Buffer);
  const object = type === 19 && streamType === 21 ? { type: 21, body: withActiveTimes(body) } : { type, body };
  const restored = translateRdb(rdbStream([{ key: "restored", ...object }]), options);
  const native = translateRdb(rdbStream([{ key: "native", ...object }]), { ...options, bodyLimitBytes: 0 });
  expect(native.commands.map(([name]) => String(name))).not.toContain("RESTORE");
  const replies = await client.pipeline([...restored.commands, ...native.commands]);
  expect(replies.filter((reply) => reply instanceof RespError).map(String)).toEqual([]);
  expect(restored.kit.losses).toEqual([]);
  return native.kit.losses;
}

async function sorted(name: string, command: readonly Argument[]): Promise<string[]> {
  const reply = (await client.call(...command)) as Buffer[];
  const texts = reply.map((item) => item.toString("hex"));
  if (name === "sets") return texts.toSorted();
  if (name !== "hashes") return texts;
  return texts.flatMap((item, i) => (i % 2 === 0 ? [`${item}=${texts[i + 1]}`] : [])).toSorted();
}

function pendingCount(state: StreamState): number {
  return state.groups.reduce((sum, { pending }) => sum + pending.length, 0);
}
