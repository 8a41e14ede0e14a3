/**
 * The demo: a redis-server and a simulated Dragonfly on free ports of 127.0.0.1, the tool between them, and a comparison of the outcome. Leaves
 * nothing running, whatever happens.
 */
import { fileURLToPath } from "node:url";
import { startRecordingMaster } from "../../src/simulator/recording-master.ts";
import { compareWithExpected } from "../../test/support/expected-state.ts";
import { expectedLines, openRecording } from "../../test/support/recordings.ts";
import { startRedis } from "../../test/support/redis-server.ts";
import { type CliEnd, CliRun } from "./cli-run.ts";
import { endText, eventText, HOW_TO, introText, resultText, STOPPING } from "./demo-text.ts";

/** All types, values over 64 KiB, writes during the copy, then every command that Dragonfly passes on. */
const DEFAULT_RECORDING = "dragonfly-1.40.1/zstd";
const LAUNCHER = fileURLToPath(new URL("../../df2redis", import.meta.url));
const TIMEOUT_MS = 60_000;

export type DemoOptions = {
  readonly recordingName?: string | undefined;
  /** Instead of the launcher: program and leading arguments. */
  readonly command?: readonly string[];
  readonly print: (text: string) => void;
};

/** Throws with a reason to show when something is not as it should be. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const startedMs = Date.now();
  await runBetweenServers(options);
  options.print(endText(Date.now() - startedMs));
}

async function runBetweenServers(options: DemoOptions): Promise<void> {
  const recording = openRecording(options.recordingName ?? DEFAULT_RECORDING);
  if (recording.second !== undefined)
    throw new Error(`${recording.name} is of a link that was cut: it cannot be shown in one run`);
  const { print } = options;
  await using target = await startRedis();
  await using source = await startRecordingMaster({ recording });
  const addresses = { source: source.address, target: target.address };
  print(introText(recording, expectedLines(recording), addresses));
  const run = new CliRun(
    options.command ?? [LAUNCHER],
    ["replicate", "--source", addresses.source, "--target", `redis://${addresses.target}`, "--json"],
    (event) => {
      const text = eventText(event);
      if (text !== undefined) print(`${text}\n`);
    },
  );
  const { report } = await finish(run, source.whenAllAcked(), print);
  const comparison = await compareWithExpected({ recording, port: target.port });
  print(resultText(report, comparison));
  if (source.errors.length > 0)
    throw new Error(`the source was asked for something out of order:\n  ${source.errors.join("\n  ")}`);
  if (comparison.differences.length > 0)
    throw new Error("the target differs from what the Dragonfly held; the differences are listed above");
  print(`\n${HOW_TO}`);
}

/** Stops the run once all is acknowledged, and gives how it ended. */
async function finish(
  run: CliRun,
  allAcked: Promise<void>,
  print: (text: string) => void,
): Promise<CliEnd & { report: NonNullable<CliEnd["report"]> }> {
  // Rejected only by the master's stop, when nobody waits any more.
  allAcked.catch(() => {});
  const timeout = new Timeout(TIMEOUT_MS);
  try {
    const first = await Promise.race([allAcked.then(() => "acked" as const), run.ended, timeout.expired]);
    if (first === "acked") {
      print(STOPPING);
      run.interrupt();
    }
    const end = first === "expired" ? first : await Promise.race([run.ended, timeout.expired]);
    if (end === "expired") throw new Error(`df2redis was not done after ${TIMEOUT_MS / 1000} s`);
    const { report } = end;
    if (first !== "acked")
      throw new Error(`df2redis ended by itself with exit code ${end.exitCode}:\n${end.complaint}`);
    if (end.exitCode !== 0) throw new Error(`df2redis ended with exit code ${end.exitCode}:\n${end.complaint}`);
    if (report === undefined) throw new Error("df2redis ended without a report");
    return { ...end, report };
  } finally {
    timeout.clear();
    run.kill();
  }
}

class Timeout {
  readonly expired: Promise<"expired">;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.expired = new Promise((resolve) => {
      this.#timer = setTimeout(() => resolve("expired"), ms);
    });
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
