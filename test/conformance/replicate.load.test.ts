/**
 * `replicate`, as an operator runs it, from a source under a mixed write load that goes on through the snapshot and the stable phase. When the load
 * stops, the lag goes to 0, and every key of both sides is equal.
 *
 * DF2REDIS_TEST_LOAD_SECONDS says how long (60), DF2REDIS_TEST_LOAD_OPS how many commands a second (20,000) the source gets at
 * least. A machine that cannot do that takes longer for as many: speed is printed, and decides nothing.
 */
import { expect, test } from "vitest";
import { expectEqualServers } from "../support/compare-servers.ts";
import { testSeed } from "../support/faults/test-seed.ts";
import { startLoad } from "../support/load-generator.ts";
import { processUsage } from "../support/process-stat.ts";
import { startRedis } from "../support/redis-server.ts";
import { openTestSource, shardCounts, shardsText } from "../support/test-source.ts";
import { startTool } from "../support/tool-process.ts";
import { replicaOffset, runAll, untilNoLag } from "./live-run.ts";

const SECONDS = positive("DF2REDIS_TEST_LOAD_SECONDS", 60);
const MIN_OPS = positive("DF2REDIS_TEST_LOAD_OPS", 20_000);
/** A little more than what is asked for. */
const OPS = MIN_OPS * 1.05;
const POPULATED_KEYS = 100_000;
const POPULATED_STEPS = 40_000;
const PAUSE_MS = 120_000;

function positive(name: string, otherwise: number): number {
  const text = process.env[name] ?? "";
  if (text === "") return otherwise;
  const number = Number(text);
  if (!(number > 0)) throw new Error(`${name} is to be a number above 0, not ${text}`);
  return number;
}

test.each(shardCounts(1, 4, 16).map((shards) => [shardsText(shards), shards] as const))(
  "under load, with %s: the lag goes to 0 and every key is equal",
  { timeout: (SECONDS * 3 + 180) * 1000 },
  async (name, shards) => {
    const seed = testSeed();
    await using source = await openTestSource({ shards });
    await using target = await startRedis();
    await using client = await source.client();
    await runAll(client, [["DEBUG", "POPULATE", POPULATED_KEYS, "populated", 100]]);
    await using first = startLoad({ ...source.endpoint, seed, steps: POPULATED_STEPS });
    await first.finished();

    const cpuBefore = cpuOf(source.pid);
    await using load = startLoad({ ...source.endpoint, seed: seed + 1, opsPerSecond: OPS });
    await load.untilCommands(OPS / 4);
    const { host, port, user, password } = source.endpoint;
    await using tool = startTool(
      [
        "replicate",
        "--json",
        "--source",
        `${host}:${port}`,
        "--target",
        `redis://${target.address}`,
        ...(user === undefined ? [] : ["--source-user", user]),
      ],
      { env: password === undefined ? {} : { DF2REDIS_SOURCE_PASSWORD: password } },
    );
    await tool.waitForPhase("full_sync");
    await tool.waitFor((event) => event.event === "phase" && event["phase"] === "stable", 120_000);
    const writtenInSnapshot = load.status?.commands ?? 0;
    await load.runFor(Math.max(1000, SECONDS * 1000 - (load.status?.elapsedMs ?? 0)));
    // A busy machine takes longer, and writes as much.
    await load.untilCommands(MIN_OPS * SECONDS);
    const written = await load.stop();
    const stoppedAt = performance.now();
    // Nothing expires from here on, so that the journal ends somewhere.
    await client.call("CLIENT", "PAUSE", PAUSE_MS, "WRITE");
    await untilNoLag(client, 120_000);
    const caughtUpMs = performance.now() - stoppedAt;
    const offsets = await replicaOffset(client);
    await tool.waitFor((event) => event.event === "progress" && event["lagEntries"] === 0);
    tool.signal("SIGINT");
    const exit = await tool.exitWithin(30_000);
    await client.call("CLIENT", "UNPAUSE");
    const { report } = tool;

    const cpu = {
      source: cpuOf(source.pid) - cpuBefore,
      tool: tool.usage?.cpuSeconds ?? Number.NaN,
      target: cpuOf(target.pid),
      load: written.cpuSeconds,
    };
    console.log(`${name}, seed ${seed}: ${summary({ written, writtenInSnapshot, caughtUpMs, cpu, report })}`);
    expect(exit).toEqual({ code: 0, signal: null });
    expect(report?.appliedLsns).toEqual(offsets);
    expect(report?.rejected).toEqual([]);
    await using targetClient = await target.client();
    const { equalCount, equal } = await expectEqualServers({ source: client, target: targetClient });
    console.log(`  ${equalCount} keys equal: ${JSON.stringify(equal)}`);
    expect(equalCount).toBeGreaterThan(POPULATED_KEYS);
    expect(written.elapsedMs).toBeGreaterThanOrEqual(Math.min(SECONDS, 1) * 1000);
    expect(written.commands).toBeGreaterThanOrEqual(MIN_OPS * SECONDS);
  },
);

function cpuOf(pid: number | undefined): number {
  return pid === undefined ? Number.NaN : (processUsage(pid)?.cpuSeconds ?? Number.NaN);
}

function summary(facts: {
  readonly written: Awaited<ReturnType<ReturnType<typeof startLoad>["stop"]>>;
  readonly writtenInSnapshot: number;
  readonly caughtUpMs: number;
  readonly cpu: Readonly<Record<string, number>>;
  readonly report: ReturnType<typeof startTool>["report"];
}): string {
  const { written, writtenInSnapshot, caughtUpMs, cpu, report } = facts;
  const seconds = written.elapsedMs / 1000;
  const cpuText = Object.entries(cpu).map(([name, used]) => `${name} ${used.toFixed(1)} s`);
  return [
    `${Math.round(written.opsPerSecond)} commands/s for ${seconds.toFixed(1)} s (${(written.bytes / 1e6 / seconds).toFixed(1)} MB/s)`,
    `${writtenInSnapshot} of them before the stable phase; the snapshot took ${Math.round(report?.snapshotMs ?? 0)} ms`,
    `${Math.round((report?.journalEntries ?? 0) / seconds)} journal entries/s, ${((report?.receivedBytes ?? 0) / 1e6).toFixed(0)} MB received`,
    `lag 0 after ${Math.round(caughtUpMs)} ms`,
    `CPU: ${cpuText.join(", ")}`,
  ].join("; ");
}
