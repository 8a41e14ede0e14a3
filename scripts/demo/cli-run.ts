/**
 * Runs the command line tool as a child process with `--json`, as a program would, and keeps what it tells. Killed when this process ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { RunReport } from "../../src/commands/run-report.ts";

export type CliEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

export type CliEnd = {
  readonly exitCode: number;
  /** undefined when it ended without one. */
  readonly report: RunReport | undefined;
  /** The last it said on standard error, and its error event. */
  readonly complaint: string;
};

export class CliRun {
  readonly ended: Promise<CliEnd>;
  readonly #child: ChildProcess;
  readonly #killer = (): void => void this.#child.kill("SIGKILL");
  #report: RunReport | undefined;
  #complaint = "";

  /** @param command program and leading arguments */
  constructor(command: readonly string[], args: readonly string[], onEvent: (event: CliEvent) => void) {
    const [program = "", ...leading] = command;
    this.#child = spawn(program, [...leading, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    process.on("exit", this.#killer);
    this.#child.stderr?.on("data", (chunk: Buffer) => this.#complain(chunk.toString()));
    this.#readEvents(onEvent);
    this.ended = this.#end();
  }

  /** As Ctrl-C does. */
  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #readEvents(onEvent: (event: CliEvent) => void): void {
    if (this.#child.stdout === null) return;
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const event = parseEvent(line);
      if (event === undefined) return this.#complain(`${line}\n`);
      if (event.event === "report") this.#report = toReport(event);
      if (event.event === "error") this.#complain(`${JSON.stringify(event["error"])}\n`);
      onEvent(event);
    });
  }

  #end(): Promise<CliEnd> {
    return new Promise((resolve) => {
      const end = (exitCode: number): void => {
        process.off("exit", this.#killer);
        resolve({ exitCode, report: this.#report, complaint: this.#complaint.trim() });
      };
      this.#child.on("error", (error) => {
        this.#complain(error.message);
        end(1);
      });
      this.#child.on("close", (code) => end(code ?? 1));
    });
  }

  #complain(text: string): void {
    this.#complaint = (this.#complaint + text).slice(-4096);
  }
}

function parseEvent(line: string): CliEvent | undefined {
  try {
    const event: unknown = JSON.parse(line);
    return typeof event === "object" && event !== null && "event" in event ? (event as CliEvent) : undefined;
  } catch {
    return undefined;
  }
}

/** JSON says null where a report has no value. */
function toReport(event: CliEvent): RunReport {
  const report = event as unknown as RunReport & { readonly snapshotMs: number | null };
  const appliedLsns = report.appliedLsns.map((lsn) => lsn ?? undefined);
  return { ...report, snapshotMs: report.snapshotMs ?? undefined, appliedLsns };
}
