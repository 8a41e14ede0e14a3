/**
 * Random values of each type equal themselves on the target, however they come there: as objects of a snapshot in any encoding, chunks and
 * compression, by RESTORE or by commands, or through the journal, in pieces of the stream of any size. On each of the test servers
 * (DF2REDIS_TEST_SERVERS). A failure tells its seed; DF2REDIS_TEST_VALUES_SEED runs it again, DF2REDIS_TEST_VALUES_RUNS runs more.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type UnsupportedConfig, WRITE_MODES } from "../../src/config/schema.ts";
import type { HashValue, KeyEntry, StreamValue, Value } from "../../src/simulator/live/values.ts";
import { FEATURES, type FeaturePlan } from "../../src/target/features.ts";
import { planFeatures } from "../../src/target/feature-plan.ts";
import { probeTarget } from "../../src/target/probe.ts";
import type { TargetCapabilities } from "../../src/target/capabilities.ts";
import { compareValues } from "../support/compare-values.ts";
import { randomPieces } from "../support/feed-flow.ts";
import { flowToTarget } from "../support/flow-to-target.ts";
import { SeededRandom } from "../support/hostile.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { RespError, type RespClient } from "../support/resp-client.ts";
import { keyName, readServerState, sameDeadline } from "../support/server-state.ts";
import { streamState } from "../support/stream-state.ts";
import { testServers } from "../support/test-servers.ts";
import { expectedEntry, inOrder, readDetails, streamDetails, withoutCounters } from "./expected-entry.ts";
import { type FlowForm, type FlowKey, flowOf } from "./flow-of-values.ts";
import { bytes, deadline, VALUES } from "./random-values.ts";

const { DF2REDIS_TEST_VALUES_SEED = "20261122", DF2REDIS_TEST_VALUES_RUNS = "60" } = process.env;
const PARAMETERS = { seed: Number(DF2REDIS_TEST_VALUES_SEED), numRuns: Number(DF2REDIS_TEST_VALUES_RUNS) };
const TIMEOUTS = { connectTimeoutMs: 5000, replyTimeoutMs: 5000 };
const AUTO = Object.fromEntries(FEATURES.map((feature) => [feature, "auto"])) as UnsupportedConfig;

const form: fc.Arbitrary<FlowForm> = fc.record({
  version: fc.constantFrom("df-v1.27.4", "df-v1.40.1"),
  compression: fc.constantFrom(0, 1, 2, 3),
  tagged: fc.boolean(),
  maxChunkBytes: fc.constantFrom(0, 60, 400, 4000),
});
const way = fc.record({
  writeMode: fc.constantFrom(...WRITE_MODES),
  restoreLimitBytes: fc.constantFrom(0, 40, 1000, 1 << 20),
  piecesUpTo: fc.constantFrom(3, 100, 100_000),
  seed: fc.nat(),
});

/** What lies under the key on the target before: nothing, or something to replace. */
const stale = fc.constantFrom(undefined, "SET", "RPUSH", "SADD");

function keyOf(value: fc.Arbitrary<Value>) {
  const entry = (key: Buffer): fc.Arbitrary<KeyEntry> =>
    fc.record({ key: fc.constant(key), value, expireAtMs: deadline, sticky: fc.constant(false) });
  return fc.tuple(fc.integer({ min: 0, max: 15 }), bytes, stale).chain(([db, key, before]) =>
    fc.record({
      db: fc.constant(db),
      entry: entry(key),
      before: fc.constant(before),
      way: fc.oneof(
        { weight: 3, arbitrary: fc.constant("snapshot" as const) },
        { weight: 2, arbitrary: fc.constant("journal" as const) },
        { weight: 1, arbitrary: entry(key).map((over) => ({ over })) },
      ),
    }),
  );
}

function keysOf(value: fc.Arbitrary<Value>) {
  const selector = ({ db, entry }: FlowKey): string => keyName(db, entry.key.toString("latin1"));
  return fc.uniqueArray(keyOf(value), { minLength: 1, maxLength: 6, selector });
}

const KINDS: readonly (readonly [string, fc.Arbitrary<Value>])[] = [
  ...Object.entries(VALUES),
  ["any type together", fc.oneof(...Object.values(VALUES))],
];

describe.each(testServers())("$name", ({ path }) => {
  let redis: RedisServer;
  let client: RespClient;
  let capabilities: TargetCapabilities;
  let plan: FeaturePlan;
  beforeAll(async () => {
    redis = await startRedis({ program: path, args: ["--sanitize-dump-payload", "yes"] });
    client = await redis.client();
    const endpoint = { host: "127.0.0.1", port: redis.port, user: undefined, password: undefined, tls: undefined };
    capabilities = await probeTarget({ endpoint, ...TIMEOUTS });
    plan = planFeatures(AUTO, capabilities);
  });
  afterAll(async () => {
    client.close();
    await redis.stop();
  });

  async function send(commands: readonly (readonly (string | Buffer | number)[])[]): Promise<void> {
    const replies = await client.pipeline([["SELECT", 0], ...commands, ["SELECT", 0]]);
    expect(replies.filter((reply) => reply instanceof RespError).map(String)).toEqual([]);
  }

  async function expectHeld(keys: readonly FlowKey[]): Promise<void> {
    const state = await readServerState(client);
    for (const { db, entry } of keys) {
      const expected = expectedEntry(db, entry);
      const held = state.get(keyName(db, expected.key));
      if (held === undefined) throw new Error(`the ${expected.value.type} ${JSON.stringify(expected.key)} is missing`);
      expect(compareValues(expected.value, inOrder(held.value), new Map())).toBeUndefined();
      if (!sameDeadline(expected, held)) expect(held.expireAt).toBe(expected.expireAt);
      await expectDetails(db, entry);
    }
    expect(state.size).toBe(keys.length);
  }

  /** What a comparison of values does not look at. */
  async function expectDetails(db: number, { key, value }: KeyEntry): Promise<void> {
    await client.call("SELECT", db);
    if (value.type === "stream") await expectStream(key, value);
    if (value.type === "hash" && plan.fieldTtl === "native") await expectFieldDeadlines(key, value);
    await client.call("SELECT", 0);
  }

  async function expectStream(key: Buffer, value: StreamValue): Promise<void> {
    const [expected, held] = [streamDetails(value), readDetails(await streamState(client, key))];
    const hasCounters = capabilities.restorableTypes.has(19);
    expect(hasCounters ? held : withoutCounters(held)).toEqual(hasCounters ? expected : withoutCounters(expected));
  }

  async function expectFieldDeadlines(key: Buffer, { fields }: HashValue): Promise<void> {
    const all = [...fields.values()];
    const held = await client.call("HPEXPIRETIME", key, "FIELDS", all.length, ...all.map(({ field }) => field));
    expect(held).toEqual(all.map(({ expireAtMs }) => expireAtMs));
  }

  test.each(KINDS)("%s", async (_name, value) => {
    const property = fc.asyncProperty(
      keysOf(value),
      form,
      way,
      async (keys, flowForm, { seed, piecesUpTo, ...target }) => {
        const random = new SeededRandom(seed);
        const flow = flowOf(keys, flowForm, random);
        await client.call("FLUSHALL");
        await send(
          keys.flatMap(({ db, entry, before }) =>
            before === undefined
              ? []
              : [
                  ["SELECT", db],
                  [before, entry.key, "stale"],
                ],
          ),
        );
        const { commands, unrunnable } = flowToTarget(flow, {
          ...target,
          capabilities,
          plan,
          pieces: randomPieces(random, piecesUpTo),
          isFull: () => random.below(8) === 0,
        });
        expect(unrunnable).toEqual([]);
        await send(commands);
        await expectHeld(keys);
      },
    );
    await fc.assert(property, { ...PARAMETERS, endOnFailure: true });
  });
});
