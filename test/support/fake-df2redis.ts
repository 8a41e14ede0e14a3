/**
 * Stands in for the tool in tests of what drives it: takes its command line, joins the source as a legal replica, puts the recording's expected
 * state into the target by plain commands, acknowledges, and ends with a report at SIGINT. FAKE_FAULT makes it go wrong.
 */
import { uniformPlan } from "../../src/target/features.ts";
import type { RunReport } from "../../src/commands/run-report.ts";
import { expectedDocument, expectedKey } from "./expected-value.ts";
import { loadState } from "./load-state.ts";
import { RawConnection } from "./raw-connection.ts";
import { expectedLines, openRecording, recordedBytes } from "./recordings.ts";
import { RespClient } from "./resp-client.ts";

const [, , recordingName = "", ...argv] = process.argv;
const fault = process.env["FAKE_FAULT"];
const recording = openRecording(recordingName);

function portOf(flag: string): number {
  return Number(argv[argv.indexOf(flag) + 1]?.split(":").at(-1));
}

function tell(event: string, facts: object): void {
  process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);
}

function report(): RunReport {
  return {
    mode: "replicate",
    outcome: "interrupted",
    elapsedMs: 1234,
    source: {
      address: "source",
      version: "1.40.1",
      masterId: recording.first.masterId,
      flows: recording.first.flows.length,
    },
    target: { address: "target", product: "redis", version: "7.0.15" },
    workers: 1,
    plan: uniformPlan("drop"),
    conflictPolicy: undefined,
    sweep: undefined,
    keptMembers: undefined,
    deadLetterFile: undefined,
    snapshotMs: 200,
    keysByType: { string: 3 },
    journalEntries: 5,
    receivedBytes: 1000,
    commands: 8,
    appliedLsns: recording.first.flows.map((flow) => flow.finalLsn),
    losses: [{ kind: "jsonAsText", count: 1, samples: [{ db: 0, key: "doc" }] }],
    rejectedCount: 0,
    rejected: [],
  };
}

async function join(): Promise<RawConnection[]> {
  const port = portOf("--source");
  const control = await RawConnection.open(port);
  const lines = ["PING", "REPLCONF listening-port 1", "REPLCONF capa eof capa psync2"];
  for (const line of fault === "order" ? lines.toReversed() : lines) await control.ask(line);
  await control.ask("REPLCONF capa dragonfly", 5);
  const flows: RawConnection[] = [];
  for (const { flow, replyEnd } of recording.first.flows) {
    const connection = await RawConnection.open(port);
    connection.send(`DFLY FLOW ${recording.first.masterId} SYNC1 ${flow}\r\n`);
    await connection.untilSize(replyEnd);
    flows.push(connection);
  }
  await control.ask("DFLY SYNC SYNC1");
  for (const [i, flow] of flows.entries()) await flow.untilSize(recording.first.flows[i]?.syncEnd ?? 0);
  await control.ask("DFLY STARTSTABLE SYNC1");
  for (const [i, flow] of flows.entries()) await flow.untilSize(recording.first.flows[i]?.master.length ?? 0);
  return flows;
}

if (fault === "fails") {
  tell("error", { error: { code: "CONNECT_FAILED", message: "planted failure" } });
  process.exit(1);
}
// Taken as the real tool takes it: at any time, and only once everything is written.
const interrupted = new Promise<void>((resolve) => {
  process.once("SIGINT", () => resolve());
});
tell("phase", { phase: "connecting", detail: "to the source" });
const flows = await join();
tell("phase", { phase: "stable", detail: "following" });
const target = await RespClient.connect({ port: portOf("--target") });
await loadState(target, expectedLines(recording).map(expectedKey));
for (const line of expectedLines(recording)) {
  const document = expectedDocument(line);
  if (document === undefined) continue;
  await target.call("SELECT", line.db);
  await target.call("SET", recordedBytes(line.key), document);
}
await target.call("SELECT", 0);
if (fault === "differs") await target.call("SET", "h:0", "planted difference");
for (const [i, flow] of flows.entries()) flow.send(`REPLCONF ACK ${recording.first.flows[i]?.finalLsn}\r\n`);
await interrupted;
tell("report", report());
for (const flow of flows) flow.close();
target.close();
process.exit(0);
