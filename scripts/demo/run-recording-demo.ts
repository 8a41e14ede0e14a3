/** The demo with a recording: a master that plays a real session, the tool between it and a redis-server, and a comparison of the outcome. */
import { startRecordingMaster } from "../../src/simulator/recording-master.ts";
import { compareWithExpected } from "../../test/support/expected-state.ts";
import { expectedLines, openRecording } from "../../test/support/recordings.ts";
import { startRedis } from "../../test/support/redis-server.ts";
import { CliRun } from "./cli-run.ts";
import { DROP_FILTERS, replicateArgs } from "./replicate-args.ts";
import type { DemoOptions } from "./demo-options.ts";
import { eventText, RECORDED_ALL, recordingIntroText, recordingResultText } from "./demo-text.ts";
import { finishRun } from "./finish-run.ts";

/** Throws with a reason to show when something is not as it should be. */
export async function runRecordingDemo(
  recordingName: string,
  { command, stateDir, print }: DemoOptions,
): Promise<void> {
  const recording = openRecording(recordingName);
  if (recording.second !== undefined)
    throw new Error(`${recording.name} is of a link that was cut: it cannot be shown in one run`);
  await using target = await startRedis();
  await using source = await startRecordingMaster({ recording });
  const addresses = { source: source.address, target: target.address };
  const args = [...replicateArgs({ ...addresses, stateDir }), ...DROP_FILTERS];
  print(recordingIntroText(recording, expectedLines(recording), { ...addresses, args }));
  const run = new CliRun(command, [...args, "--json"], (event) => {
    const text = eventText(event);
    if (text !== undefined) print(`${text}\n`);
  });
  const report = await finishRun(run, source.whenAllAcked(), () => print(RECORDED_ALL));
  const comparison = await compareWithExpected({ recording, port: target.port, documents: "text" });
  print(recordingResultText(report, comparison));
  if (source.errors.length > 0)
    throw new Error(`the source was asked for something out of order:\n  ${source.errors.join("\n  ")}`);
  if (comparison.differences.length > 0)
    throw new Error("the target differs from what the Dragonfly held; the differences are listed above");
}
