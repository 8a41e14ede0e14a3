/** I6: a FLUSHALL or FLUSHDB of the source reaches the target once, when all flows have come to it and before any goes on. */
import { describe, expect, test } from "vitest";
import { indexJournal } from "../../src/simulator/journal-index.ts";
import type { RecordedFlow } from "../../src/simulator/recording.ts";
import { compareWithExpected, formatDifference } from "../support/expected-state.ts";
import { openRecording } from "../support/recordings.ts";
import { startReplication } from "../support/replicate-recording.ts";
import { until } from "../support/until.ts";
import { useRedis } from "../support/use-redis.ts";

const redis = useRedis();

const NAMES = ["FLUSHALL", "FLUSHDB"];

type Flush = {
  readonly name: string;
  /** Where its entry starts: behind the entry before it. */
  readonly offset: number;
  readonly lsn: number;
};

/** The flushes in a flow's journal, in order. */
function flushesOf({ master, stableStart, journal }: RecordedFlow): Flush[] {
  const flushes: Flush[] = [];
  const range = { start: stableStart, end: master.length, startLsn: journal.startLsn };
  indexJournal(master, range, (index, start, end) => {
    const name = index === 0 ? master.toString("latin1", start, end) : "";
    if (!name.startsWith("FLUSH")) return;
    const before = journal.ends.findLastIndex((at) => at <= start);
    flushes.push({ name, offset: journal.ends[before] ?? stableStart, lsn: journal.startLsn + before + 1 });
  });
  return flushes;
}

/** How often the target has run each of them. */
async function flushCalls(): Promise<number[]> {
  const stats = String(await redis.client.call("INFO", "commandstats"));
  return NAMES.map((name) => Number(new RegExp(`cmdstat_${name.toLowerCase()}:calls=(\\d+)`).exec(stats)?.[1] ?? 0));
}

function countsOf(flushes: readonly Flush[]): number[] {
  return NAMES.map((name) => flushes.filter((flush) => flush.name === name).length);
}

describe.each([
  // The recording, the flow that comes last to every flush, the number of workers.
  ["dragonfly-1.40.1/flush", 0, 1],
  ["dragonfly-1.40.1/flush", 1, 3],
  ["dragonfly-1.27.4/flush", 2, 2],
] as const)("%s", (name, late, workers) => {
  const recording = openRecording(name);
  const { flows } = recording.first;
  const flushes = flows.map(flushesOf);

  test("holds FLUSHALL and FLUSHDB on each of 3 flows, so this is a test", () => {
    expect(flows).toHaveLength(3);
    const names = flushes.map((all) => all.map((flush) => flush.name));
    expect(names[0]).toContain("FLUSHALL");
    expect(names[0]).toContain("FLUSHDB");
    expect(names[1]).toEqual(names[0]);
    expect(names[2]).toEqual(names[0]);
  });

  test(`I6: flow ${late} comes last to every flush (${workers} workers)`, async () => {
    await redis.client.call("CONFIG", "RESETSTAT");
    const lateFlow = flows[late] as RecordedFlow;
    const others = flows.filter(({ flow }) => flow !== late);
    const lateFlushes = flushes[late] ?? [];
    await using run = await startReplication({
      recording,
      targetPort: redis.server.port,
      workers,
      prepare: (master) => master.holdFlowAt(late, lateFlushes[0]?.offset ?? 0),
    });
    for (const [i, flush] of lateFlushes.entries()) {
      await run.until(run.master.whenAcked(late, flush.lsn));
      for (const { flow } of others) await run.until(run.master.whenAcked(flow, flushes[flow]?.[i]?.lsn ?? 0));
      // The others have sent all they have, and wait. Nothing of it is applied, and what is acknowledged stays.
      for (const { flow, master } of others) await run.until(run.master.whenSent(flow, master.length));
      expect(others.map(({ flow }) => run.master.acks(flow).at(-1))).toEqual(
        others.map(({ flow }) => flushes[flow]?.[i]?.lsn),
      );
      expect(await flushCalls()).toEqual(countsOf(lateFlushes.slice(0, i)));
      const next = lateFlushes[i + 1]?.offset;
      if (next === undefined) run.master.releaseFlow(late);
      else run.master.holdFlowAt(late, next);
    }
    await run.finish();
    expect(run.master.errors).toEqual([]);
    // Once each, however many flows they came on.
    expect(await flushCalls()).toEqual(countsOf(lateFlushes));
    expect(lateFlow.finalLsn).toBe(run.master.acks(late).at(-1));
    const { differences } = await compareWithExpected({ recording, port: redis.server.port });
    expect(differences.map(formatDifference)).toEqual([]);
  });
});

test("I6: until the last flow has come, the target keeps everything; then all of it goes", async () => {
  const recording = openRecording("dragonfly-1.40.1/flush");
  const flushes = recording.first.flows.map(flushesOf);
  const first = flushes[1]?.[0] as Flush;
  await using run = await startReplication({
    recording,
    targetPort: redis.server.port,
    prepare: (master) => master.holdFlowAt(1, first.offset),
  });
  for (const flow of [0, 1, 2]) await run.until(run.master.whenAcked(flow, flushes[flow]?.[0]?.lsn ?? 0));
  const keys = Number(await redis.client.call("DBSIZE"));
  expect(keys).toBeGreaterThan(100);
  // Of a second redis.client, so that nothing but the flush can take it away.
  await redis.client.call("SET", "witness", "1");
  const again = flushes[0]?.[0]?.lsn ?? 0;
  const seen = run.master.acks(0).length;
  // Another second goes by on the flow that waits: it goes on acknowledging the same.
  await run.until(until(() => run.master.acks(0).length > seen, "another acknowledgement"));
  expect(run.master.acks(0).at(-1)).toBe(again);
  expect([await redis.client.call("EXISTS", "witness"), await redis.client.call("DBSIZE")]).toEqual([1, keys + 1]);
  run.master.releaseFlow(1);
  await run.finish();
  expect(await redis.client.call("EXISTS", "witness")).toBe(0);
});
