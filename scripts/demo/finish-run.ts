/** Brings a run of the tool to its end: waits for a condition, interrupts it as Ctrl-C does, and gives its report. Nothing of it is left running. */
import type { RunReport } from "../../src/commands/run-report.ts";
import type { CliRun } from "./cli-run.ts";

const TIMEOUT_MS = 60_000;

/** @param ready fulfilled when the run has done all it is to do @param onReady called then, before it is interrupted */
export async function finishRun(run: CliRun, ready: Promise<unknown>, onReady: () => void): Promise<RunReport> {
  // When the run ends first, nobody waits for it any more.
  ready.catch(() => {});
  const timeout = new Timeout(TIMEOUT_MS);
  try {
    const first = await Promise.race([ready.then(() => "ready" as const), run.ended, timeout.expired]);
    if (first === "ready") {
      onReady();
      run.interrupt();
    }
    const end = first === "expired" ? first : await Promise.race([run.ended, timeout.expired]);
    if (end === "expired") throw new Error(`df2redis was not done after ${TIMEOUT_MS / 1000} s`);
    const { report, exitCode, complaint } = end;
    if (first !== "ready") throw new Error(`df2redis ended by itself with exit code ${exitCode}:\n${complaint}`);
    if (exitCode !== 0) throw new Error(`df2redis ended with exit code ${exitCode}:\n${complaint}`);
    if (report === undefined) throw new Error("df2redis ended without a report");
    return report;
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
