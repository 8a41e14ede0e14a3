/** Generated flows: what they say they send is what a decoder reads, whatever the compression, and in pieces of bounded size. */
import { describe, expect, test } from "vitest";
import { addressOf } from "../../../test/support/keyspace-collector.ts";
import { comparable, entryOf, ReplicaModel } from "../../../test/support/replica-model.ts";
import { TestReplica } from "../../../test/support/test-replica.ts";
import { DEFAULT_DECODE_LIMITS } from "../../bytes/decode-limits.ts";
import { FlowDecoder } from "../../source/flow-decoder.ts";
import { rdbHeader } from "../live/replication/rdb-header.ts";
import { type GeneratedDataOptions, GeneratedFlow } from "./generated-flow.ts";
import { startGeneratedMaster } from "./generated-master.ts";

const MIX: GeneratedDataOptions = {
  keys: 5003,
  flows: 2,
  types: { string: 4, hash: 2, zset: 1, list: 1, set: 1 },
  minValueBytes: 10,
  maxValueBytes: 300,
};
const HEADER = rdbHeader({
  dragonflyVersion: "df-v1.40.1",
  flow: 1,
  shardCount: 2,
  nowMs: 0,
  usedBytes: 0,
  tableBytes: 0,
  scripts: [],
});

function send(
  options: GeneratedDataOptions,
  flow: number,
): { readonly source: GeneratedFlow; readonly bytes: Buffer; readonly largest: number } {
  const source = new GeneratedFlow({ ...options, flow });
  const out = Buffer.alloc(source.maxPieceBytes);
  const parts: Buffer[] = [];
  while (!source.isEnded) parts.push(Buffer.from(out.subarray(0, source.next(out, 0))));
  return { source, bytes: Buffer.concat(parts), largest: Math.max(...parts.map((part) => part.length)) };
}

function expectedKeys(options: GeneratedDataOptions, flow: number): Record<string, string> {
  const source = new GeneratedFlow({ ...options, flow });
  return comparable(
    Array.from({ length: source.keys }, (_, n) => {
      const { key, value } = source.entry(n);
      return [addressOf(0, key), entryOf(key, value)] as const;
    }),
  );
}

describe.each([0, 1, 2, 3] as const)("compression mode %i", (compression) => {
  test.each(["df-v1.40.1", "df-v1.27.4"])("%s: every key with its value", (version) => {
    const options = { ...MIX, compression, version };
    const { bytes, source, largest } = send(options, 1);
    const model = new ReplicaModel();
    const decoder = new FlowDecoder({
      flow: 1,
      start: { kind: "full", eofToken: "" },
      handler: model,
      limits: DEFAULT_DECODE_LIMITS,
      bodyLimitBytes: 0,
    });
    decoder.push(Buffer.concat([HEADER, bytes]));
    decoder.decode();
    expect(model.isFullSyncEnded).toBe(true);
    expect(model.keys.size).toBe(2501);
    expect(source.keys).toBe(2501);
    expect(largest).toBeLessThanOrEqual(source.maxPieceBytes);
    expect(comparable(model.keys)).toEqual(expectedKeys(options, 1));
  });

  test("the same seed gives the same bytes, another one others", () => {
    const options = { ...MIX, keys: 700, compression };
    expect(send(options, 0).bytes.equals(send(options, 0).bytes)).toBe(true);
    expect(send(options, 0).bytes.equals(send({ ...options, seed: 2 }, 0).bytes)).toBe(false);
  });
});

test("a very long flow needs no more memory than a short one", () => {
  const source = new GeneratedFlow({ keys: 100_000_000, flows: 1, flow: 0, minValueBytes: 5 });
  const out = Buffer.alloc(source.maxPieceBytes);
  const before = process.memoryUsage().heapUsed + process.memoryUsage().external;
  while (source.sentKeys < 3_000_000) source.next(out, 0);
  expect(process.memoryUsage().heapUsed + process.memoryUsage().external - before).toBeLessThan(20_000_000);
  expect(source.entry(99_999_999).key.toString()).toBe("key:000099999999");
});

test("a master of generated data goes through a whole full sync", async () => {
  await using master = await startGeneratedMaster(MIX);
  for (let i = 0; i < 2; i++) {
    const replica = await TestReplica.join(master.port);
    expect(master.sentKeys).toBe(5003);
    for (const [flow, { model }] of replica.flows.entries())
      expect(comparable(model.keys)).toEqual(expectedKeys(MIX, flow));
    expect(replica.lsns).toEqual([1, 1]);
    replica.close();
    await replica.flows[0]?.connection.untilClosed();
  }
});

test("one flow's end is the end of all", async () => {
  await using master = await startGeneratedMaster(MIX);
  const replica = await TestReplica.join(master.port);
  replica.flows[0]?.connection.close();
  await replica.flows[1]?.connection.untilClosed();
  expect(replica.flows[1]?.connection.closed).toBe(true);
  replica.close();
});
