/** Runs the CLI in-process with captured streams, its own signals and a run of the test's choice. */
import { uniformPlan } from "../../src/target/features.ts";
import { EventEmitter } from "node:events";
import type { CliDeps, RunReplication, StopSignal } from "../../src/cli/cli-deps.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import type { RunProgress, RunReport } from "../../src/commands/run-report.ts";

export const PROGRESS: RunProgress = {
  phase: "full_sync",
  elapsedMs: 1000,
  flows: 4,
  flowsCut: 2,
  keys: 1_234_567,
  journalEntries: 12,
  receivedBytes: 123_400_000,
  commands: 1_300_000,
  lagEntries: undefined,
  losses: 0,
  rejected: 0,
};

export const REPORT: RunReport = {
  mode: "replicate",
  outcome: "interrupted",
  elapsedMs: 192_000,
  source: { address: "127.0.0.1:6380", version: "v1.31.0", masterId: "abc", flows: 2 },
  target: { address: "127.0.0.1:6390", product: "redis", version: "7.0.15" },
  workers: 2,
  plan: uniformPlan("drop"),
  conflictPolicy: undefined,
  sweep: undefined,
  keptMembers: undefined,
  deadLetterFile: undefined,
  snapshotMs: 2000,
  keysByType: { hash: 20, string: 1980 },
  journalEntries: 345,
  receivedBytes: 192_000_000,
  commands: 2345,
  appliedLsns: [101, 246],
  losses: [],
  rejectedCount: 0,
  rejected: [],
};

export class CliHarness {
  stdout = "";
  stderr = "";
  readonly forcedExits: number[] = [];
  readonly signals = new EventEmitter();
  readonly deps: CliDeps;

  constructor(
    run: RunReplication,
    given: Partial<Pick<CliDeps, "env" | "readFile">> & { readonly columns?: number } = {},
  ) {
    const { columns } = given;
    const terminal = columns === undefined ? {} : { isTTY: true, columns };
    this.deps = {
      stdout: { write: (text: string) => (this.stdout += text), ...terminal },
      stderr: { write: (text: string) => (this.stderr += text), ...terminal },
      env: given.env ?? {},
      readFile:
        given.readFile ??
        ((path) => {
          throw Object.assign(new Error(`no ${path}`), { code: "ENOENT" });
        }),
      signals: this.signals,
      runReplication: run,
      forceExit: (code) => this.forcedExits.push(code),
    };
  }

  run(...argv: string[]): Promise<number> {
    return runCli(argv, this.deps);
  }

  signal(name: StopSignal): void {
    this.signals.emit(name);
  }

  /** Standard output as JSON events. */
  events(): Record<string, unknown>[] {
    return this.stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

/** What a terminal of unlimited width would show: each line after its last redraw. */
export function screen(output: string): string[] {
  return output.split("\n").map((line) => line.split("\r\u001b[2K").at(-1) ?? "");
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
