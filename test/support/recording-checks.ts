/** What must hold after every replication of a recording, and the usual ways to replicate one. */
import { expect } from "vitest";
import type { RunReport } from "../../src/commands/run-report.ts";
import type { RecordedFlow, Recording } from "../../src/simulator/recording.ts";
import { type CompareOptions, compareWithExpected, formatDifference } from "./expected-state.ts";
import { type RecordingRun, type ReplicateOptions, startReplication } from "./replicate-recording.ts";

/** Runs until all is acknowledged, stops, and checks the run. */
export async function replicate(options: ReplicateOptions): Promise<RunReport> {
  await using run = await startReplication(options);
  const report = await run.finish();
  expectRightRun(run, report, flowsOf(options.recording, options.second));
  return report;
}

/**
 * What leads from an empty target to the recording's expected state. Where its link was cut, the second part goes on by LSN, or, when the master
 * had no journal for that any more, holds everything again.
 */
export async function replicateWhole(options: Omit<ReplicateOptions, "second" | "resume">): Promise<RunReport> {
  const { second } = options.recording;
  if (second === undefined) return replicate(options);
  if (!second.partial) return replicate({ ...options, second: true });
  await replicate(options);
  const resume = { masterId: second.masterId, lsns: second.flows.map((flow) => flow.journal.startLsn) };
  return replicate({ ...options, second: true, resume });
}

/** Every request was legal, everything was applied, and the acknowledgements are those that the real replica sent. */
export function expectRightRun(run: RecordingRun, report: RunReport, flows: readonly RecordedFlow[]): void {
  expect(run.master.errors).toEqual([]);
  expect(report.outcome).toBe("interrupted");
  expect(report.appliedLsns).toEqual(flows.map((flow) => flow.finalLsn));
  for (const { flow, journal, finalLsn } of flows) {
    const acks = run.master.acks(flow);
    expect(acks[0]).toBe(journal.startLsn);
    expect(acks.at(-1)).toBe(finalLsn);
  }
}

/** Documents as a run makes them that is told nothing about them: strings with their text. */
export async function expectExpectedState(options: CompareOptions): Promise<void> {
  const { differences, equal } = await compareWithExpected({ documents: "text", ...options });
  expect(differences.map(formatDifference)).toEqual([]);
  expect(equal["string"]).toBeGreaterThan(0);
}

function flowsOf(recording: Recording, second = false): readonly RecordedFlow[] {
  return (second ? recording.second?.flows : undefined) ?? recording.first.flows;
}
