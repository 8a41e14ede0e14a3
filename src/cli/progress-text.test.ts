import { describe, expect, test } from "vitest";
import { PROGRESS } from "../../test/support/cli-harness.ts";
import { fitLine, ProgressMeter, progressText } from "./progress-text.ts";

const RATES = { keysPerSecond: 45_230, receivedBytesPerSecond: 12_100_000, entriesPerSecond: 0 };

describe("progressText", () => {
  test("during the snapshot", () => {
    expect(progressText(PROGRESS, RATES)).toBe(
      "full sync · flows 2/4 · keys 1,234,567 (45.2 k/s) · received 123.4 MB (12.1 MB/s) · journal 12 · lag –",
    );
  });

  test("while following the journal, with something that could not be carried", () => {
    const progress = {
      ...PROGRESS,
      phase: "stable",
      flowsCut: 4,
      journalEntries: 5000,
      lagEntries: 17,
      losses: 3,
      rejected: 1,
    } as const;
    const rates = { keysPerSecond: 0, receivedBytesPerSecond: 900, entriesPerSecond: 250 };
    expect(progressText(progress, rates)).toBe(
      "following · lag 17 · journal 5,000 (250/s) · flows 4/4 · keys 1,234,567 · received 123.4 MB (900 B/s) · not carried 3 · rejected 1",
    );
  });
});

test("rates come from the run's own time", () => {
  const meter = new ProgressMeter();
  meter.add({ ...PROGRESS, elapsedMs: 0, keys: 0, receivedBytes: 0, journalEntries: 0 });
  const later = { ...PROGRESS, elapsedMs: 2000, keys: 100, receivedBytes: 4000, journalEntries: 6 };
  expect(meter.add(later)).toEqual({ keysPerSecond: 50, receivedBytesPerSecond: 2000, entriesPerSecond: 3 });
});

test.each([
  ["abc", 3, "abc"],
  ["abcd", 3, "ab…"],
  ["é·é·é", 4, "é·é…"],
  ["abc", 0, ""],
])("fitLine(%j, %i)", (text, columns, line) => expect(fitLine(text, columns)).toBe(line));
