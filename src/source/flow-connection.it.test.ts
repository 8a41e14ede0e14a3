/** Control and flow connections against a played recording: every byte of every flow arrives, in order, with the real replies. */
import { expect, test } from "vitest";
import { openRecording } from "../../test/support/recordings.ts";
import { plainEndpoint } from "../../test/support/scripted-server.ts";
import { until } from "../../test/support/until.ts";
import { startRecordingMaster } from "../simulator/recording-master.ts";
import { type FlowConnection, openFlow } from "./flow-connection.ts";
import { SourceControl } from "./source-control.ts";

const TIMEOUTS = { connectTimeoutMs: 5000, replyTimeoutMs: 5000 };

async function openFlows(
  control: SourceControl,
  port: number,
  lsns: readonly number[] | undefined,
): Promise<FlowConnection[]> {
  const { masterId, syncId, flowCount } = control.master;
  const one = (flow: number): Promise<FlowConnection> =>
    openFlow({ endpoint: plainEndpoint(port), masterId, syncId, flow, lsn: lsns?.[flow], ...TIMEOUTS });
  return await Promise.all(Array.from({ length: flowCount }, (_, flow) => one(flow)));
}

function collect(flow: FlowConnection): { chunks: Buffer[]; size: number } {
  const seen = { chunks: [] as Buffer[], size: 0 };
  flow.attach({
    onData: (chunk) => {
      seen.chunks.push(Buffer.from(chunk));
      seen.size += chunk.length;
    },
    onClose: () => undefined,
  });
  return seen;
}

test.each(["dragonfly-1.40.1/types-4flows", "dragonfly-1.27.4/types"])("a full sync of %s", async (name) => {
  const { first } = openRecording(name);
  await using master = await startRecordingMaster({ recording: openRecording(name) });
  const control = await SourceControl.connect({
    endpoint: plainEndpoint(master.port),
    ...TIMEOUTS,
    onClose: () => undefined,
  });
  expect(control.master.masterId).toBe(first.masterId);
  const flows = await openFlows(control, master.port, undefined);
  expect(flows.map(({ kind }) => kind)).toEqual(first.flows.map(() => "full"));
  const seen = flows.map((flow) => collect(flow));
  await control.sync();
  await until(
    () => seen.every(({ size }, i) => size >= Number(first.flows[i]?.syncEnd) - Number(first.flows[i]?.replyEnd)),
    "the snapshots",
  );
  await control.startStable();
  await until(
    () => seen.every(({ size }, i) => size >= Number(first.flows[i]?.master.length) - Number(first.flows[i]?.replyEnd)),
    "the journals",
  );
  for (const [i, flow] of first.flows.entries()) {
    expect(Buffer.concat(seen[i]?.chunks ?? []).equals(flow.master.subarray(flow.replyEnd))).toBe(true);
    expect(flow.master.toString("latin1", flow.replyEnd).includes(flows[i]?.eofToken ?? "none")).toBe(true);
  }
  expect(master.errors).toEqual([]);
  for (const flow of flows) flow.end();
  control.close();
});

test("a partial sync", async () => {
  const recording = openRecording("dragonfly-1.40.1/partial");
  await using master = await startRecordingMaster({ recording, second: true });
  const control = await SourceControl.connect({
    endpoint: plainEndpoint(master.port),
    ...TIMEOUTS,
    onClose: () => undefined,
  });
  const lsns = recording.second?.flows.map((flow) => flow.acks[0] ?? 0);
  const flows = await openFlows(control, master.port, lsns);
  expect(flows.map(({ kind }) => kind)).toEqual(["partial", "partial"]);
  const seen = flows.map((flow) => collect(flow));
  await control.startStable();
  const wanted = recording.second?.flows.map((flow) => flow.master.subarray(flow.replyEnd)) ?? [];
  await until(() => seen.every(({ size }, i) => size >= Number(wanted[i]?.length)), "the journals");
  expect(seen.map(({ chunks }, i) => Buffer.concat(chunks).equals(wanted[i] ?? Buffer.alloc(0)))).toEqual([true, true]);
  expect(master.errors).toEqual([]);
  for (const flow of flows) flow.destroy();
  control.destroy();
});
