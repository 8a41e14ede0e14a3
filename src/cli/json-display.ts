/** For programs: one JSON object a line on standard output, and nothing else there. `docs/reference/cli.md` lists the events. */
import type { RunPhase, RunProgress, RunReport } from "../commands/run-report.ts";
import type { OutputStream } from "./cli-deps.ts";
import { ProgressMeter } from "./progress-text.ts";
import type { RunDisplay } from "./run-display.ts";

const PROGRESS_EVERY_MS = 1000;

export function writeEvent(stdout: OutputStream, event: string, facts: Readonly<Record<string, unknown>>): void {
  stdout.write(`${JSON.stringify({ event, ...facts })}\n`);
}

export class JsonDisplay implements RunDisplay {
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;
  readonly #meter = new ProgressMeter();
  #nextMs = 0;

  constructor(stdout: OutputStream, stderr: OutputStream) {
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  phase(phase: RunPhase, detail: string): void {
    writeEvent(this.#stdout, "phase", { phase, detail });
  }

  progress(progress: RunProgress): void {
    const rates = this.#meter.add(progress);
    if (progress.elapsedMs < this.#nextMs) return;
    this.#nextMs = progress.elapsedMs + PROGRESS_EVERY_MS;
    writeEvent(this.#stdout, "progress", { ...progress, lagEntries: progress.lagEntries ?? null, ...rates });
  }

  warning(message: string, context: Readonly<Record<string, string | number>> = {}): void {
    writeEvent(this.#stdout, "warning", { message, context });
  }

  note(message: string): void {
    writeEvent(this.#stdout, "note", { message });
  }

  notice(text: string): void {
    this.#stderr.write(`${text}\n`);
  }

  report(report: RunReport): void {
    const appliedLsns = report.appliedLsns.map((lsn) => lsn ?? null);
    writeEvent(this.#stdout, "report", { ...report, snapshotMs: report.snapshotMs ?? null, appliedLsns });
  }

  log(text: string): void {
    this.#stderr.write(text);
  }

  close(): void {}
}
