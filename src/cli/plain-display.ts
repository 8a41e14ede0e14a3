/** For pipes and files: plain lines, at phase changes and every few seconds of the run's own time. */
import type { RunPhase, RunProgress, RunReport } from "../commands/run-report.ts";
import { safeText } from "../observability/key-text.ts";
import { formatDuration } from "../observability/format.ts";
import type { OutputStream } from "./cli-deps.ts";
import { ProgressMeter, progressText } from "./progress-text.ts";
import { reportText } from "./report-text.ts";
import { phaseText, type RunDisplay, warningText } from "./run-display.ts";

const LINE_EVERY_MS = 5000;

export class PlainDisplay implements RunDisplay {
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;
  readonly #meter = new ProgressMeter();
  #nextLineMs = LINE_EVERY_MS;

  constructor(stdout: OutputStream, stderr: OutputStream) {
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  phase(phase: RunPhase, detail: string): void {
    this.#stdout.write(`phase: ${phaseText(phase, detail)}\n`);
  }

  progress(progress: RunProgress): void {
    const rates = this.#meter.add(progress);
    if (progress.elapsedMs < this.#nextLineMs) return;
    this.#nextLineMs = progress.elapsedMs + LINE_EVERY_MS;
    this.#stdout.write(`${formatDuration(progress.elapsedMs)}: ${progressText(progress, rates)}\n`);
  }

  warning(message: string, context?: Readonly<Record<string, string | number>>): void {
    this.#stdout.write(`warning: ${warningText(message, context)}\n`);
  }

  note(message: string): void {
    this.#stdout.write(`${safeText(message)}\n`);
  }

  notice(text: string): void {
    this.#stdout.write(`${text}\n`);
  }

  report(report: RunReport): void {
    this.#stdout.write(`\n${reportText(report)}`);
  }

  log(text: string): void {
    this.#stderr.write(text);
  }

  close(): void {}
}
