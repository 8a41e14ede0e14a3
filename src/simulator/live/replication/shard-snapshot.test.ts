/**
 * A shard's snapshot with writes in between, read back by the product's decoder and applied in stream order to a model: at the end the model must be the
 * shard. Every interleaving comes from a seed.
 */
import { describe, expect, test } from "vitest";
import { addressOf } from "../../../../test/support/keyspace-collector.ts";
import { comparable, entryOf, ReplicaModel } from "../../../../test/support/replica-model.ts";
import { SeededRandom, TestWriter } from "../../../../test/support/test-writer.ts";
import { DEFAULT_DECODE_LIMITS } from "../../../bytes/decode-limits.ts";
import { FlowDecoder } from "../../../source/flow-decoder.ts";
import { Shard } from "../shard.ts";
import type { KeyEntry, Value } from "../values.ts";
import type { CompressionMode } from "./blob-compressor.ts";
import { rdbEnd, rdbHeader } from "./rdb-header.ts";
import { rdbProfile } from "./rdb-profile.ts";
import { ShardJournal } from "./shard-journal.ts";
import { ShardSnapshot } from "./shard-snapshot.ts";
import { SnapshotSerializer } from "./snapshot-serializer.ts";

const TOKEN = "0123456789abcdef0123456789abcdef01234567";
const DAY_MS = 86_400_000;
const NOW_MS = 1_795_333_017_000;

type Setup = { readonly version: string; readonly compression: CompressionMode; readonly tagged: boolean };

const SETUPS: readonly Setup[] = ["df-v1.40.1", "df-v1.27.4"].flatMap((version) =>
  ([0, 1, 2, 3] as const).flatMap((compression) => [true, false].map((tagged) => ({ version, compression, tagged }))),
);

function bytes(text: string): Buffer {
  return Buffer.from(text);
}

function manyMembers(count: number, expireAtMs: number): Value {
  return {
    type: "set",
    members: new Map(Array.from({ length: count }, (_, i) => [`m${i}`, { member: bytes(`m${i}`), expireAtMs }])),
  };
}

function stream(): Value {
  const entries = Array.from({ length: 3000 }, (_, i) => ({
    id: { ms: 1000 + i, seq: i % 3 },
    fields: [bytes("n"), bytes(String(i)), bytes("text"), bytes(`some text ${i}`)],
  }));
  const pending = new Map([
    ["1005-2", { id: { ms: 1005, seq: 2 }, consumer: "alice", deliveryTimeMs: NOW_MS, deliveryCount: 70 }],
  ]);
  const consumers = new Map(
    ["alice", "bob"].map((name) => [name, { name: bytes(name), seenTimeMs: NOW_MS, activeTimeMs: NOW_MS - 5 }]),
  );
  const group = { name: bytes("g"), lastId: { ms: 1005, seq: 2 }, entriesRead: -1, pending, consumers };
  return {
    type: "stream",
    entries,
    lastId: { ms: 3999, seq: 0 },
    maxDeletedId: { ms: 3, seq: 0 },
    entriesAdded: 3001,
    groups: new Map([["g", group]]),
  };
}

/** One value of each type in each encoding, among them some over the chunk size. */
function fill(shard: Shard): void {
  const values: Record<string, Value> = {
    int: { type: "string", bytes: bytes("-2000000000") },
    text: { type: "string", bytes: bytes("repeat ".repeat(50)) },
    large: { type: "string", bytes: bytes("0123456789".repeat(20_000)) },
    intset: {
      type: "set",
      members: new Map(["-5", "0", "70000"].map((member) => [member, { member: bytes(member), expireAtMs: -1 }])),
    },
    set: manyMembers(12_000, -1),
    setTtl: manyMembers(9_000, NOW_MS + DAY_MS),
    hash: { type: "hash", fields: new Map([["f", { field: bytes("f"), content: bytes("12"), expireAtMs: -1 }]]) },
    hashTtl: {
      type: "hash",
      fields: new Map([["f", { field: bytes("f"), content: bytes("v"), expireAtMs: NOW_MS + DAY_MS }]]),
    },
    zset: {
      type: "zset",
      members: new Map([
        ["a", { member: bytes("a"), score: 1.5 }],
        ["b", { member: bytes("b"), score: -Infinity }],
      ]),
    },
    largeZset: {
      type: "zset",
      members: new Map(
        Array.from({ length: 6000 }, (_, i) => [`z${i}`, { member: bytes(`z${i}`), score: Math.sin(i) * 1e6 }]),
      ),
    },
    list: {
      type: "list",
      items: [bytes("1"), bytes("x".repeat(9000)), bytes("two"), bytes("y".repeat(70_000)), bytes("z".repeat(5000))],
    },
    json: { type: "json", document: { b: [1, 2.5, null, "é"], a: { c: true } } },
    stream: stream(),
  };
  for (const [name, value] of Object.entries(values)) shard.put(0, entryOf(bytes(name), value));
  shard.put(5, {
    ...entryOf(bytes("sticky"), { type: "string", bytes: bytes("s") }),
    sticky: true,
    expireAtMs: NOW_MS + DAY_MS,
    mcFlags: 42,
  });
}

async function run(
  setup: Setup,
  seed: number,
): Promise<{ readonly model: ReplicaModel; readonly shard: Shard; readonly sent: Buffer }> {
  const shard = new Shard(0);
  const random = new SeededRandom(seed);
  const writer = new TestWriter(shard, random, 60);
  fill(shard);
  for (let i = 0; i < 2000; i++) writer.write();
  for (let i = 0; i < 3000; i++) writer.hset(0, "h:1", { field: `field ${i}`, content: `content ${i}` });
  const journal = new ShardJournal({ backlogEntries: 8192 });
  shard.onRecord = (record) => journal.record(record);
  journal.start();
  const blobs = [
    rdbHeader({
      dragonflyVersion: setup.version,
      flow: 0,
      shardCount: 1,
      nowMs: NOW_MS,
      usedBytes: 1,
      tableBytes: 1,
      scripts: [],
    }),
  ];
  const format = {
    profile: rdbProfile(setup.version),
    compression: setup.compression,
    tagged: setup.tagged,
    maxChunkBytes: 16 * 1024,
  };
  const serializer = new SnapshotSerializer(format, (blob) => blobs.push(blob));
  const snapshot = new ShardSnapshot({
    shard,
    journal,
    serializer,
    pause: () => {
      for (let i = random.below(24); i > 0; i--) writer.write();
      return Promise.resolve();
    },
  });
  snapshot.start();
  await snapshot.walk();
  for (let i = 0; i < 20; i++) writer.write();
  snapshot.finish();
  blobs.push(rdbEnd(), bytes(TOKEN));
  const sent = Buffer.concat(blobs);
  const model = new ReplicaModel();
  const decoder = new FlowDecoder({
    flow: 0,
    start: { kind: "full", eofToken: TOKEN },
    handler: model,
    limits: DEFAULT_DECODE_LIMITS,
    bodyLimitBytes: 0,
  });
  decoder.push(sent);
  expect(decoder.decode()).toBe("needsMore");
  expect(decoder.pendingBytes).toBe(0);
  expect(model.startLsn).toBe(journal.lsn);
  expect(model.blobEntries).toBe(journal.lsn - 1);
  return { model, shard, sent };
}

function held(shard: Shard): [string, KeyEntry][] {
  return shard.databases.flatMap((database, db) =>
    [...database.values()].map((entry): [string, KeyEntry] => [addressOf(db, entry.key), entry]),
  );
}

describe.each(SETUPS)("$version, compression mode $compression, tagged $tagged", (setup) => {
  test.each([1, 2, 3])("a snapshot with writes in between, seed %i", async (seed) => {
    const { model, shard } = await run(setup, seed);
    expect(model.blobEntries).toBeGreaterThan(50);
    expect(comparable(model.keys)).toEqual(comparable(held(shard)));
  });

  test("large values come in pieces only with tags", async () => {
    const { model } = await run(setup, 9);
    const canTag = setup.tagged && setup.version === "df-v1.40.1";
    if (canTag) expect(model.pieces).toBeGreaterThan(20);
    else expect(model.pieces).toBe(0);
  });
});
