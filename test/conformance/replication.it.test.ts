/**
 * What clients write to a live source before, during and after the snapshot arrives in a real Redis, exactly: every type, encoding and size, with every
 * compression mode and kind of chunk, on one and many shards. The source is the simulator, or a Dragonfly (test/support/test-source.ts).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectEqualServers, type ServersComparison } from "../support/compare-servers.ts";
import { startLoad } from "../support/load-generator.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { openTestSource, shardCounts, shardsText, skipUnless } from "../support/test-source.ts";
import type { SourceFlags } from "../support/test-source-options.ts";
import { changesOf, inDatabases, typesOf } from "./data-set.ts";
import { LiveRun, runAll } from "./live-run.ts";

const pool = new RedisPool(1);
beforeAll(() => pool.start());
afterAll(() => pool.stop());

type Scenario = { readonly shards?: number | undefined; readonly flags?: SourceFlags };

/** The whole data set before, during and after the snapshot, beside a load of random writes. */
async function expectAllReplicated({ shards, flags = {} }: Scenario): Promise<ServersComparison> {
  await using source = await openTestSource({ shards, flags });
  await using target = await pool.take();
  await using client = await source.client();
  await runAll(client, inDatabases(typesOf("before")));
  await runAll(client, [["DEBUG", "POPULATE", 5000, "filler", 100]]);
  await using load = startLoad({ ...source.endpoint, seed: 1, connections: 3, opsPerSecond: 3000 });
  await load.untilCommands(3000);
  await using run = new LiveRun({ source, targetPort: target.port });
  await run.untilPhase("full_sync");
  await runAll(client, inDatabases([...changesOf("before"), ...typesOf("during")]));
  await run.untilPhase("stable");
  await runAll(client, inDatabases([...changesOf("during"), ...typesOf("after"), ...changesOf("after")]));
  await load.stop();
  const report = await run.finish();
  const comparison = await expectEqualServers({ source: client, target: target.client });
  expect(report.rejected).toEqual([]);
  expect(report.losses).toEqual([]);
  expect(comparison.equal).toMatchObject({
    string: expect.any(Number),
    list: expect.any(Number),
    set: expect.any(Number),
    hash: expect.any(Number),
    zset: expect.any(Number),
    stream: expect.any(Number),
  });
  expect(comparison.equalCount).toBeGreaterThan(5000);
  return comparison;
}

describe("every type before, during and after the snapshot", () => {
  test.each(shardCounts(1, 4, 16).map((shards) => [shardsText(shards), shards] as const))(
    "with %s",
    async (_name, shards) => {
      await expectAllReplicated({ shards });
    },
  );

  const byMode = skipUnless("compressionMode");
  test.skipIf(byMode.skip).each([
    ["no compression", 0],
    ["LZF strings", 1],
    ["ZSTD", 2],
    ["LZ4", 3],
  ] as const)(`with %s${byMode.note}`, async (_name, compressionMode) => {
    await expectAllReplicated({ shards: 2, flags: { compressionMode } });
  });

  const byChunks = skipUnless("taggedChunks", "compressionMode");
  test.skipIf(byChunks.skip).each([0, 1, 2, 3] as const)(
    `without tagged chunks, compression mode %d${byChunks.note}`,
    async (compressionMode) => {
      await expectAllReplicated({ shards: 2, flags: { compressionMode, taggedChunks: false } });
    },
  );

  const bySize = skipUnless("maxChunkBytes");
  test.skipIf(bySize.skip)(`with chunks of 1 KiB${bySize.note}`, async () => {
    await expectAllReplicated({ shards: 2, flags: { maxChunkBytes: 1024 } });
  });

  const byVersion = skipUnless("version");
  test.skipIf(byVersion.skip)(`from 1.27.4${byVersion.note}`, async () => {
    await expectAllReplicated({ shards: 2, flags: { version: "df-v1.27.4" } });
  });
});
