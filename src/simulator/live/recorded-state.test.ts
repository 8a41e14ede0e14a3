/** What the live simulator holds after a recording's commands, and what it tells clients of it, is what the real master held. */
import { describe, expect, test } from "vitest";
import { compareWithExpected, type Difference, formatDifference } from "../../../test/support/expected-state.ts";
import { openRecording, recordedBytes, recordedCommands } from "../../../test/support/recordings.ts";
import { CommandSession } from "./command-session.ts";
import { startLiveMaster } from "./server.ts";

/** Explained differences. The comparison looks into no document, so each of them counts as one that should not be there. */
const EXPLAINED: readonly ((difference: Difference) => boolean)[] = [
  ({ kind }) => kind === "unholdable",
  // Commands that the simulator does not know: SETBIT, BITFIELD, BITOP, PFADD, PFMERGE, GEOADD, GEORADIUS, EVAL, SORT.
  ({ kind, key }) => kind === "missing" && /(^|:)(bits|geo|hll|j:bf|bit|bitor|p[123]|ev[123])$/.test(key),
  ({ key }) => /(^|:)j:l$/.test(key),
  // SPOP took another member.
  ({ key }) => /(^|:)j:s[iud]?$/.test(key),
  // Ids and deadlines that came from the clock.
  ({ kind, where, expected }) => kind === "value" && where.startsWith("entry ") && /^1795\d{9}-/.test(expected),
  ({ key }) => /(^|:)j:(pex|a)$/.test(key),
  // The real master counts PXAT from a clock that is up to some ms behind.
  ({ kind, expected, actual }) =>
    kind === "deadline" && Math.abs(Number.parseInt(expected, 10) - Number.parseInt(actual, 10)) < 50,
];

/** Longer than the shortest deadline of the recordings. */
const LATER_MS = 1000;

describe.each([1, 7])("with %d shards", (shards) => {
  test.each(["types", "big", "flush", "partial"])("%s", async (name) => {
    const recording = openRecording(`dragonfly-1.40.1/${name}`);
    let aheadMs = 0;
    await using master = await startLiveMaster({ shards, nowMs: () => Date.now() + aheadMs });
    const session = new CommandSession(master, 1);
    for (const { command } of recordedCommands(recording)) session.execute(command.map((word) => recordedBytes(word)));
    aheadMs = LATER_MS;
    const { differences, equal } = await compareWithExpected({
      recording,
      port: master.port,
      documents: "dropped",
    });
    expect(
      differences.filter((difference) => !EXPLAINED.some((explains) => explains(difference))).map(formatDifference),
    ).toEqual([]);
    for (const type of ["string", "hash", "list", "set", "zset"]) expect(equal[type] ?? 0).toBeGreaterThan(0);
  });
});
