/** `replicate` and `migrate` as a process of their own: what Ctrl-C does to them, how they end, what they print for programs. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RecordedFlow } from "../../src/simulator/recording.ts";
import { startRecordingMaster } from "../../src/simulator/recording-master.ts";
import { compareWithExpected, formatDifference } from "../support/expected-state.ts";
import { afterCut, entry, untilCut } from "../support/flow-bytes.ts";
import { openRecording } from "../support/recordings.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import type { RespClient } from "../support/resp-client.ts";
import { scriptedServer } from "../support/scripted-server.ts";
import { TinyMaster } from "../support/tiny-master.ts";
import { startTool, type ToolOptions, type ToolProcess } from "../support/tool-process.ts";
import { until } from "../support/until.ts";

let server: RedisServer;
let client: RespClient;

beforeAll(async () => {
  server = await startRedis();
  client = await server.client();
});
beforeEach(async () => {
  await client.call("CLIENT", "UNPAUSE");
  await client.call("FLUSHALL");
});
afterAll(async () => {
  client?.close();
  await server?.stop();
});

function cli(
  mode: "replicate" | "migrate",
  source: string,
  args: readonly string[],
  options?: ToolOptions,
): ToolProcess {
  return startTool([mode, "--source", source, "--target", server.address, ...args], options);
}

function entryCount(flows: readonly RecordedFlow[]): number {
  return flows.reduce((sum, flow) => sum + flow.journal.ends.length, 0);
}

describe("replicate", () => {
  const recording = openRecording("dragonfly-1.40.1/types");
  const { flows } = recording.first;

  /**
   * Up to the point where the tool has received the whole journal, and the target has answered none of it. Without documents: a flow waits for the
   * target's answer to each change of one, and reads nothing more until then.
   */
  async function withUnansweredJournal(
    args: readonly string[],
    run: (child: ToolProcess, acks: () => (number | undefined)[]) => Promise<void>,
    options?: ToolOptions,
  ): Promise<void> {
    await using master = await startRecordingMaster({ recording });
    for (const { flow, stableStart } of flows) master.holdFlowAt(flow, stableStart);
    await using child = cli("replicate", master.address, ["--json", "--unsupported-json", "drop", ...args], options);
    const acks = (): (number | undefined)[] => flows.map(({ flow }) => master.acks(flow).at(-1));
    await child.until(() => !acks().includes(undefined), "the snapshot was acknowledged");
    await client.call("CLIENT", "PAUSE", 60_000, "WRITE");
    for (const { flow } of flows) master.releaseFlow(flow);
    const received = (): unknown => child.events.findLast(({ event }) => event === "progress")?.["journalEntries"];
    await child.until(() => received() === entryCount(flows), "the journal was received");
    await run(child, acks);
    expect(master.errors).toEqual([]);
  }

  test.each([1, 2])("I3: Ctrl-C drains, acknowledges, reports and exits 0 (%d workers)", async (workers) => {
    const byLauncher = workers === 2;
    await withUnansweredJournal(
      ["--workers", String(workers)],
      async (child, acks) => {
        child.signal("SIGINT");
        await child.says('"phase":"stopping"');
        // I3: asked to stop, it does not acknowledge what it has not seen applied.
        expect(acks()).toEqual(flows.map(({ journal }) => journal.startLsn));
        expect(child.isRunning).toBe(true);
        await client.call("CLIENT", "UNPAUSE");
        expect(await child.exit).toEqual({ code: 0, signal: null });
        expect(acks()).toEqual(flows.map(({ finalLsn }) => finalLsn));

        const events = child.events;
        const { event, ...report } = events.at(-1) ?? {};
        expect(event).toBe("report");
        expect(report).toMatchObject({
          mode: "replicate",
          outcome: "interrupted",
          appliedLsns: flows.map(({ finalLsn }) => finalLsn),
          journalEntries: expect.any(Number),
          source: { version: "df-v1.40.1", flows: flows.length },
        });
        expect(events.filter((one) => one["event"] === "phase").map((one) => one["phase"])).toEqual([
          "connecting",
          "handshake",
          "full_sync",
          "catching_up",
          ...(events.some((one) => one["phase"] === "stable") ? ["stable"] : []),
          "stopping",
          "stopped",
        ]);
      },
      { byLauncher },
    );
    const { differences } = await compareWithExpected({ recording, port: server.port, documents: "dropped" });
    expect(differences.map(formatDifference)).toEqual([]);
  });

  test("a second Ctrl-C ends at once with 130, acknowledging nothing more", async () => {
    await withUnansweredJournal(["--workers", "2"], async (child, acks) => {
      child.signal("SIGINT");
      await child.says('"phase":"stopping"');
      child.signal("SIGINT");
      expect(await child.exit).toEqual({ code: 130, signal: null });
      expect(child.events.at(-1)).toMatchObject({ event: "error", error: { code: "INTERRUPTED" } });
      expect(child.stdout).not.toContain('"event":"report"');
      expect(acks()).toEqual(flows.map(({ journal }) => journal.startLsn));
    });
  });

  test.each([1, 2])(
    "I3: Ctrl-C while a document's change waits for the target: acknowledged is what it holds (%d workers)",
    async (workers) => {
      const flow = { snapshot: untilCut(), stable: afterCut(1) };
      await using master = await TinyMaster.start([flow, flow]);
      await using child = cli("replicate", master.address, ["--json", "--workers", String(workers)]);
      await child.until(() => [0, 1].every((i) => master.acks(i).at(-1) === 1), "the snapshot was acknowledged");
      master.send(0, entry(0, "JSON.SET", "doc", "$", '{"n":0}'));
      await child.until(() => master.acks(0).at(-1) === 2, "the document was acknowledged");
      await client.call("CLIENT", "PAUSE", 60_000, "WRITE");
      master.send(0, ...Array.from({ length: 5 }, () => entry(0, "JSON.NUMINCRBY", "doc", "$.n", "1")));
      const lag = (): unknown => child.events.findLast(({ event }) => event === "progress")?.["lagEntries"];
      await child.until(() => Number(lag()) > 0, "a change was received");
      child.signal("SIGINT");
      await child.says('"phase":"stopping"');
      expect(master.acks(0).at(-1)).toBe(2);
      await client.call("CLIENT", "UNPAUSE");
      expect(await child.exit).toEqual({ code: 0, signal: null });
      const applied = Number(master.acks(0).at(-1)) - 2;
      expect(applied).toBeGreaterThan(0);
      expect(child.report?.appliedLsns).toEqual([2 + applied, 1]);
      expect(JSON.parse(String(await client.call("GET", "doc")))).toEqual({ n: applied });
    },
  );

  test("SIGTERM inside the snapshot exits 130: the target holds a part only", async () => {
    await using master = await startRecordingMaster({ recording });
    master.holdFlowAt(1, (flows[1]?.fullSyncEnd ?? 0) - 1);
    await using child = cli("replicate", master.address, []);
    await child.says("copying the snapshot on 2 flows");
    await master.whenSent(1, (flows[1]?.fullSyncEnd ?? 0) - 1);
    child.signal("SIGTERM");
    expect(await child.exit).toEqual({ code: 130, signal: null });
    expect(child.stderr).toContain("the target holds a part of the data only");
    expect(child.stdout).not.toContain("Replication stopped");
    expect(master.acks(0)).toEqual([]);
  });

  test("Ctrl-C while it connects exits 130 at once", async () => {
    await using silent = await scriptedServer({});
    const target = `127.0.0.1:${silent.port}`;
    await using child = startTool(["replicate", "--source", "127.0.0.1:1", "--target", target]);
    await until(() => silent.sockets.length > 0, "the tool to connect");
    child.signal("SIGINT");
    expect(await child.exit).toEqual({ code: 130, signal: null });
    expect(child.stderr).toContain("stopped before the sync began");
  });
});

describe("migrate", () => {
  test("exits 0 by itself; the target holds the snapshot", async () => {
    // Nothing was written during and after this snapshot, so the expected state is the snapshot's.
    const recording = openRecording("dragonfly-1.27.4/partial");
    await using master = await startRecordingMaster({ recording, second: true });
    await using child = cli("migrate", master.address, []);
    expect(await child.exit).toEqual({ code: 0, signal: null });
    expect(child.stdout).toContain("Migration done");
    expect(child.stderr).toBe("");
    expect(master.errors).toEqual([]);
    const { differences, equal } = await compareWithExpected({ recording, port: server.port });
    expect(differences.map(formatDifference)).toEqual([]);
    expect(equal["string"]).toBeGreaterThan(100);
  });

  test("Ctrl-C before it is done exits 130, and says that the snapshot is not complete", async () => {
    const recording = openRecording("dragonfly-1.40.1/types-4flows");
    const held = recording.first.flows[2] as RecordedFlow;
    await using master = await startRecordingMaster({ recording });
    master.holdFlowAt(2, held.syncEnd);
    await using child = cli("migrate", master.address, ["--json"]);
    await child.says('"phase":"catching_up"');
    expect(child.isRunning).toBe(true);
    child.signal("SIGINT");
    expect(await child.exit).toEqual({ code: 130, signal: null });
    expect(child.stderr).toContain("the snapshot will not be complete");
    expect(child.events.at(-1)).toMatchObject({ event: "error", error: { code: "INTERRUPTED" } });
  });
});
