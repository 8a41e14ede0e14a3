/** Every recording of a real Dragonfly, replicated into a real Redis, ends in the state that the Dragonfly had. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shiftToFuture } from "../support/shift-deadlines.ts";
import { expectExpectedState, replicate, replicateWhole } from "../support/recording-checks.ts";
import { expectedLines, openRecording, recordedBytes, recordingNames } from "../support/recordings.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { startReplication } from "../support/replicate-recording.ts";
import { testServers } from "../support/test-servers.ts";

// Most of a run's time passes in waiting for the acknowledgement of each second.
const pool = new RedisPool(4);
beforeAll(() => pool.start());
afterAll(() => pool.stop());

const NAMES = recordingNames();

test("there are 17 recordings", () => {
  expect(NAMES).toHaveLength(17);
});

describe.each(testServers())("on $name", ({ path }) => {
  const servers = new RedisPool(4, { program: path });
  beforeAll(() => servers.start());
  afterAll(() => servers.stop());

  test.concurrent.each(NAMES)("%s", async (name) => {
    const recording = openRecording(name);
    await using target = await servers.take();
    await replicateWhole({ recording, targetPort: target.port });
    await expectExpectedState({ recording, port: target.port });
  });

  test.concurrent("expiry, played as if it happened now: with every deadline", async () => {
    const { recording, shiftMs } = shiftToFuture(openRecording("dragonfly-1.40.1/expiry"), Date.now() + 60_000);
    await using target = await servers.take();
    await replicate({ recording, targetPort: target.port });
    await expectExpectedState({ recording, port: target.port, deadlineShiftMs: shiftMs });
    expect(Number(await target.client.call("PTTL", "e:0"))).toBeGreaterThan(0);
  });
});

describe.each([1, 2, 4])("with %d workers", (workers) => {
  test.concurrent.each(NAMES)("%s", async (name) => {
    const recording = openRecording(name);
    await using target = await pool.take();
    const report = await replicateWhole({ recording, targetPort: target.port, workers });
    expect(report.workers).toBe(Math.min(workers, recording.manifest.threads));
    await expectExpectedState({ recording, port: target.port });
  });
});

describe("a cut link", () => {
  test("becomes a full sync when the master no longer has the journal", async () => {
    const recording = openRecording("dragonfly-1.27.4/partial");
    const resume = { masterId: recording.first.masterId, lsns: recording.first.flows.map((flow) => flow.finalLsn) };
    await using target = await pool.take();
    await replicate({ recording, targetPort: target.port, second: true, resume });
    await expectExpectedState({ recording, port: target.port });
  });
});

/** Makes every key that can be spoilt hold something more, and gives some of them another deadline. */
const SPOIL: Readonly<Record<string, (key: Buffer) => (string | number | Buffer)[]>> = {
  string: (key) => ["APPEND", key, "stale"],
  list: (key) => ["RPUSH", key, "stale"],
  set: (key) => ["SADD", key, "stale"],
  hash: (key) => ["HSET", key, "stale", "x"],
  zset: (key) => ["ZADD", key, 1, "stale"],
  stream: (key) => ["XADD", key, "MAXLEN", 1, "*", "stale", "x"],
};

describe("again into the same target", () => {
  test("a snapshot replaces what the keys held, and merges nothing", async () => {
    // Its second part is a snapshot and nothing more.
    const recording = openRecording("dragonfly-1.27.4/partial");
    await using target = await pool.take();
    await replicate({ recording, targetPort: target.port, second: true });
    for (const { db, key, type } of expectedLines(recording)) {
      const spoil = SPOIL[type];
      if (spoil === undefined) continue;
      await target.client.pipeline([
        ["SELECT", db],
        spoil(recordedBytes(key)),
        ["PEXPIRE", recordedBytes(key), 3_600_000],
      ]);
    }
    await replicate({ recording, targetPort: target.port, second: true, flags: { "conflict-policy": "overwrite" } });
    await expectExpectedState({ recording, port: target.port });
  });
});

describe("migrate", () => {
  test("ends by itself once the snapshot is in the target", async () => {
    // Nothing was written during and after this snapshot, so it is the expected state.
    const recording = openRecording("dragonfly-1.27.4/partial");
    await using target = await pool.take();
    await using run = await startReplication({ recording, second: true, mode: "migrate", targetPort: target.port });
    const report = await run.ended;
    expect(report).toMatchObject({ mode: "migrate", outcome: "done" });
    expect(run.master.errors).toEqual([]);
    await expectExpectedState({ recording, port: target.port });
  });
});
