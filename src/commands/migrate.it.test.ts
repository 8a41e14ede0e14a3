/** `migrate` leaves exactly the snapshot in the target: what was written while it was sent, and nothing that came behind it. */
import { expect, test } from "vitest";
import { openRecording } from "../../test/support/recordings.ts";
import { startReplication } from "../../test/support/replicate-recording.ts";
import { type KeyState, readServerState } from "../../test/support/server-state.ts";
import type { Recording } from "../simulator/recording.ts";
import { useRedis } from "../../test/support/use-redis.ts";

const redis = useRedis();

/** The same session, had the master fallen silent where the journal starts. */
function cutAtJournal(recording: Recording): Recording {
  const flows = recording.first.flows.map((flow) => ({
    ...flow,
    master: flow.master.subarray(0, flow.stableStart),
    journal: { ...flow.journal, ends: [] },
    finalLsn: flow.journal.startLsn,
  }));
  return { ...recording, first: { ...recording.first, flows } };
}

async function replicated(recording: Recording): Promise<Map<string, KeyState>> {
  await using run = await startReplication({ recording, targetPort: redis.server.port });
  await run.finish();
  const state = await readServerState(redis.client);
  await redis.client.call("FLUSHALL");
  return state;
}

// In `big` the snapshot holds journal entries between the chunks of one value.
test.each([
  ["dragonfly-1.40.1/types-4flows", 1],
  ["dragonfly-1.40.1/big", 2],
  ["dragonfly-1.27.4/flush", 2],
])("%s (%d workers)", async (name, workers) => {
  const recording = openRecording(name);
  const whole = await replicated(recording);
  const snapshot = await replicated(cutAtJournal(recording));
  await using run = await startReplication({ recording, targetPort: redis.server.port, mode: "migrate", workers });
  const report = await run.ended;
  expect(run.master.errors).toEqual([]);
  expect(report.appliedLsns).toEqual(recording.first.flows.map(({ journal }) => journal.startLsn));
  const migrated = await readServerState(redis.client);
  expect(migrated).toEqual(snapshot);
  expect(migrated).not.toEqual(whole);
  expect(migrated.size).toBeGreaterThan(100);
});
