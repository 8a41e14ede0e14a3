/** I7: an entry of the journal that the target refuses, that no server can run, or that nobody knows: told with all that an operator needs. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { RejectedEntry } from "../../src/replication/rejected-entry.ts";
import { afterCut, entry, untilCut } from "../support/flow-bytes.ts";
import { compareWithExpected, formatDifference } from "../support/expected-state.ts";
import { command } from "../support/journal-builder.ts";
import { string } from "../support/rdb-builder.ts";
import { openRecording } from "../support/recordings.ts";
import { startReplication } from "../support/replicate-recording.ts";
import { CliHere } from "../support/run-cli-here.ts";
import { TinyMaster } from "../support/tiny-master.ts";
import { until } from "../support/until.ts";
import { useRedis } from "../support/use-redis.ts";

const redis = useRedis();

const START_LSN = 4000;
const FULL = { snapshot: untilCut(string("before", "v")), stable: afterCut(START_LSN) };

function replicate(master: TinyMaster, ...args: readonly string[]): CliHere {
  return new CliHere(["replicate", "--source", master.address, "--target", redis.server.address, ...args]);
}

/** Two flows, both at the start of their journals. */
async function following(
  ...args: readonly string[]
): Promise<AsyncDisposable & { readonly master: TinyMaster; readonly run: CliHere }> {
  const master = await TinyMaster.start([FULL, FULL]);
  const run = replicate(master, ...args);
  await until(() => [0, 1].every((flow) => master.acks(flow).at(-1) === START_LSN), "the snapshot to be acknowledged");
  return { master, run, [Symbol.asyncDispose]: () => master[Symbol.asyncDispose]() };
}

describe.each([1, 2])("with %d workers", (workers) => {
  test("I7: an entry that the target refuses for its state stops the run, and names key, command, LSN and the server's words", async () => {
    await using peers = await following("--workers", String(workers));
    const { master, run } = peers;
    await redis.client.call("SET", "list:1", "not a list");
    master.send(1, entry(0, "SET", "fine", "1"), entry(0, "RPUSH", "list:1", "a-value"), entry(0, "SET", "fine", "2"));
    expect(await run.ended).toBe(1);
    expect(run.stderr).toContain(
      `error TARGET_REJECTED: the target refused RPUSH of key "list:1" in database 0 (flow 1, at LSN ${START_LSN + 1}): WRONGTYPE Operation against a key holding the wrong kind of value`,
    );
    expect(run.stderr).toMatch(/where: flow 1, db 0, command RPUSH, key list:1, words WRONGTYPE .*, lsn 4001/);
    expect(run.output).not.toContain("a-value");
    // I3: neither it nor what came behind it is acknowledged.
    expect(Math.max(...master.acks(1))).toBeLessThanOrEqual(START_LSN + 1);
    await until(() => !master.isOpen(0) && !master.isOpen(1), "the flows to be closed");
  });

  test("I7: an unknown command stops the run, is named, and is not sent", async () => {
    await using peers = await following("--workers", String(workers));
    const { master, run } = peers;
    await redis.client.call("CONFIG", "RESETSTAT");
    master.send(0, entry(3, "FROBNICATE", "k", "a-value"));
    expect(await run.ended).toBe(1);
    expect(run.stderr).toContain("error UNKNOWN_COMMAND: ");
    expect(run.stderr).toContain('the journal holds the command "FROBNICATE": this version does not know it');
    expect(run.stderr).toMatch(new RegExp(`where: .*command FROBNICATE, db 3, lsn ${START_LSN}, flow 0`));
    expect(run.output).not.toContain("a-value");
    expect(String(await redis.client.call("INFO", "errorstats"))).not.toContain("errorstat");
    expect(Math.max(...master.acks(0))).toBe(START_LSN);
  });

  test("a journal that loses entries is noticed by its marks", async () => {
    await using peers = await following("--workers", String(workers));
    const { master, run } = peers;
    // It says that the entry before it was another one.
    master.send(0, entry(0, "SET", "k", "1"), Buffer.from([15, 0x40 | ((START_LSN + 1) >> 8), (START_LSN + 1) & 0xff]));
    expect(await run.ended).toBe(1);
    expect(run.stderr).toContain("error STREAM_CORRUPT: ");
    expect(run.stderr).toContain("entries were lost or doubled");
  });
});

test("I6: a FLUSHALL inside the snapshot ends the run: the sync must be started again", async () => {
  const blob = Buffer.concat([Buffer.from([210, 1]), str(command(["FLUSHALL"]))]);
  await using master = await TinyMaster.start([FULL, { ...FULL, snapshot: untilCut(string("a", "1"), blob) }]);
  await redis.client.call("SET", "mine", "1");
  const run = replicate(master, "--conflict-policy", "skip");
  expect(await run.ended).toBe(1);
  expect(run.stderr).toContain("error FLUSH_IN_SNAPSHOT: ");
  expect(run.stderr).toContain("Start the sync again");
  expect(await redis.client.call("EXISTS", "mine")).toBe(1);
});

function str(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

describe("I7: entries that no server can run", () => {
  // These commands came without their arguments (docs/protocol.md §5); the real replica lost them as well.
  const EXPECTED = [
    "0/119 ZUNIONSTORE j:z",
    "0/120 ZINTERSTORE j:z",
    "1/113 ZUNIONSTORE j:zu",
    "1/114 ZINTERSTORE j:zi",
  ];

  test.each([1, 2])("are recorded, counted and told, and the run goes on (%d workers)", async (workers) => {
    const recording = openRecording("dragonfly-1.27.4/types");
    await using run = await startReplication({ recording, targetPort: redis.server.port, workers });
    const report = await run.finish();
    const lines = report.rejected.map(({ flow, lsn, command: name, key }) => `${flow}/${lsn} ${name} ${key}`);
    expect(lines.toSorted()).toEqual(EXPECTED);
    for (const { error } of report.rejected)
      expect(error).toMatch(/^ERR wrong number of arguments for 'z(union|inter)store' command$/);
    expect(report.rejectedCount).toBe(4);
    const told =
      "left out, and noted in the dead-letter file: a journal entry that no server can run: ERR wrong number of";
    expect(run.warnings.filter((warning) => warning.startsWith(told))).toHaveLength(4);
    // The file holds them for whoever looks after the run.
    const noted = readFileSync(report.deadLetterFile ?? "", "utf8")
      .trimEnd()
      .split("\n");
    const inFile = noted.map((line) => JSON.parse(line) as RejectedEntry);
    expect(inFile.map(({ flow, lsn, command: name, key }) => `${flow}/${lsn} ${name} ${key}`).toSorted()).toEqual(
      EXPECTED,
    );
    expect(inFile.map((letter) => letter.class)).toEqual(EXPECTED.map(() => "unrunnable"));
    const { differences } = await compareWithExpected({ recording, port: redis.server.port });
    expect(differences.map(formatDifference)).toEqual([]);
  });
});
