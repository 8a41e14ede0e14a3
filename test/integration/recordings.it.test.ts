/** Every recording of a real Dragonfly, replicated into a real Redis, ends in the state that the Dragonfly had. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RunReport } from "../../src/commands/run-report.ts";
import type { RecordedFlow, Recording } from "../../src/simulator/recording.ts";
import { type CompareOptions, compareWithExpected, formatDifference } from "../support/expected-state.ts";
import { openRecording, recordingNames } from "../support/recordings.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { type RecordingRun, type ReplicateOptions, startReplication } from "../support/replicate-recording.ts";
import type { RespClient } from "../support/resp-client.ts";
import { shiftToFuture } from "../support/shift-deadlines.ts";

let server: RedisServer;
let client: RespClient;

beforeAll(async () => {
  server = await startRedis();
  client = await server.client();
});
beforeEach(async () => {
  await client.call("FLUSHALL");
});
afterAll(async () => {
  client?.close();
  await server?.stop();
});

const NAMES = recordingNames();

function flowsOf(recording: Recording, second = false): readonly RecordedFlow[] {
  return (second ? recording.second?.flows : undefined) ?? recording.first.flows;
}

/** Runs it to its end, and checks what must hold of every run. */
async function replicate(options: Omit<ReplicateOptions, "targetPort">): Promise<RunReport> {
  await using run = await startReplication({ ...options, targetPort: server.port });
  const report = await run.finish();
  expectRightRun(run, report, flowsOf(options.recording, options.second));
  return report;
}

function expectRightRun(run: RecordingRun, report: RunReport, flows: readonly RecordedFlow[]): void {
  expect(run.master.errors).toEqual([]);
  expect(report.outcome).toBe("interrupted");
  expect(report.appliedLsns).toEqual(flows.map((flow) => flow.finalLsn));
  for (const { flow, journal, finalLsn } of flows) {
    const acks = run.master.acks(flow);
    expect(acks[0]).toBe(journal.startLsn);
    expect(acks.at(-1)).toBe(finalLsn);
  }
}

async function expectExpectedState(options: Omit<CompareOptions, "port">): Promise<void> {
  const { differences, equal } = await compareWithExpected({ ...options, port: server.port });
  expect(differences.map(formatDifference)).toEqual([]);
  expect(equal["string"]).toBeGreaterThan(0);
}

/** What plays from an empty target to the state of `expected`: the second part of a recording whose link was cut asks for all again, or goes on. */
async function replicateWhole(recording: Recording, options: Partial<ReplicateOptions> = {}): Promise<void> {
  if (recording.second === undefined || recording.second.partial) await replicate({ ...options, recording });
  if (recording.second === undefined) return;
  const lsns = recording.second.flows.map((flow) => flow.journal.startLsn);
  const resume = { masterId: recording.second.masterId, lsns };
  await replicate({ ...options, recording, second: true, ...(recording.second.partial ? { resume } : {}) });
}

describe("each recording gives its expected state", () => {
  test.each(NAMES)("%s", async (name) => {
    const recording = openRecording(name);
    await replicateWhole(recording);
    await expectExpectedState({ recording });
  });

  test("expiry, played as if it happened now: with every deadline", async () => {
    const { recording, shiftMs } = shiftToFuture(openRecording("dragonfly-1.40.1/expiry"), Date.now() + 60_000);
    await replicate({ recording });
    await expectExpectedState({ recording, deadlineShiftMs: shiftMs });
    expect(Number(await client.call("PEXPIRETIME", "e:0"))).toBeGreaterThan(Date.now());
  });
});

describe.each([2, 4])("with %d workers", (workers) => {
  test.each(NAMES)("%s", async (name) => {
    const recording = openRecording(name);
    await replicateWhole(recording, { workers });
    await expectExpectedState({ recording });
  });
});

describe.each([1, 7, 4096])("with decoders fed in pieces of %d bytes", (feedBytes) => {
  test.each(NAMES)("%s", async (name) => {
    const recording = openRecording(name);
    await replicateWhole(recording, { feedBytes, workers: 1 });
    await expectExpectedState({ recording });
  });
});

describe("with a master that sends in pieces", () => {
  test.each([
    [1, "dragonfly-1.27.4/flush"],
    [7, "dragonfly-1.40.1/big"],
    [4096, "dragonfly-1.40.1/types-4flows"],
  ])("of %d bytes: %s", async (chunkBytes, name) => {
    const recording = openRecording(name);
    await replicateWhole(recording, { chunkBytes, workers: 1 });
    await expectExpectedState({ recording });
  });
});

describe("resume by LSN", () => {
  test("is told when the master no longer has the journal", async () => {
    const recording = openRecording("dragonfly-1.27.4/partial");
    const masterId = recording.first.masterId;
    await using run = await startReplication({
      recording,
      second: true,
      targetPort: server.port,
      resume: { masterId, lsns: recording.first.flows.map((flow) => flow.finalLsn) },
    });
    await expect(run.ended).rejects.toMatchObject({ code: "RESUME_IMPOSSIBLE" });
    expect(await client.call("DBSIZE")).toBe(0);
  });
});

describe("migrate", () => {
  test("ends by itself once the snapshot is in the target", async () => {
    // Nothing was written during and after this snapshot, so it is the expected state.
    const recording = openRecording("dragonfly-1.27.4/partial");
    await using run = await startReplication({ recording, second: true, mode: "migrate", targetPort: server.port });
    const report = await run.ended;
    expect(report).toMatchObject({ mode: "migrate", outcome: "done" });
    expect(run.master.errors).toEqual([]);
    await expectExpectedState({ recording });
  });
});

describe("invariants", () => {
  const recording = openRecording("dragonfly-1.40.1/types");
  const [flow0, flow1] = recording.first.flows as [RecordedFlow, RecordedFlow];

  test("I1: STARTSTABLE is sent only after every flow delivered FULLSYNC_END", async () => {
    const cut = Promise.withResolvers<void>();
    await using run = await startReplication({
      recording,
      targetPort: server.port,
      prepare: (master) => master.holdFlowAt(1, (flow1.fullSyncEnd ?? 0) - 1),
      onProgress: ({ flowsCut }) => {
        if (flowsCut === 1) cut.resolve();
      },
    });
    // Flow 0 is through and nothing but the last byte of flow 1 is missing: a premature STARTSTABLE would come now.
    await run.until(cut.promise);
    await run.until(run.master.whenSent(1, (flow1.fullSyncEnd ?? 0) - 1));
    run.master.releaseFlow(1);
    expectRightRun(run, await run.finish(), recording.first.flows);
    await expectExpectedState({ recording });
  });

  test("I3: nothing is acknowledged before the target has it", async () => {
    let received = 0;
    const all = Promise.withResolvers<void>();
    await using run = await startReplication({
      recording,
      targetPort: server.port,
      prepare: (master) => {
        master.holdFlowAt(0, flow0.stableStart);
        master.holdFlowAt(1, flow1.stableStart);
      },
      onProgress: ({ journalEntries }) => {
        received = journalEntries;
        if (journalEntries === flow0.journal.ends.length + flow1.journal.ends.length) all.resolve();
      },
    });
    await run.until(run.master.whenAcked(0, 1));
    await run.until(run.master.whenAcked(1, 1));
    await client.call("CLIENT", "PAUSE", 60_000, "WRITE");
    try {
      run.master.releaseFlow(0);
      run.master.releaseFlow(1);
      await run.until(all.promise);
      expect(received).toBe(flow0.journal.ends.length + flow1.journal.ends.length);
      expect([run.master.acks(0).at(-1), run.master.acks(1).at(-1)]).toEqual([1, 1]);
    } finally {
      await client.call("CLIENT", "UNPAUSE");
    }
    expectRightRun(run, await run.finish(), recording.first.flows);
    await expectExpectedState({ recording });
  });

  test("two runs in a row: the second replaces the first one's data and merges nothing", async () => {
    await replicate({ recording });
    await replicate({ recording });
    await expectExpectedState({ recording });
  });
});
