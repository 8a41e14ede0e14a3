/** For a terminal: one progress line, redrawn in place, and everything else as lines above it. */
import type { RunPhase, RunProgress, RunReport } from "../commands/run-report.ts";
import { safeText } from "../observability/key-text.ts";
import { formatDuration } from "../observability/format.ts";
import type { OutputStream } from "./cli-deps.ts";
import { fitLine, ProgressMeter, progressText } from "./progress-text.ts";
import { reportText } from "./report-text.ts";
import { phaseText, type RunDisplay, warningText } from "./run-display.ts";

/** Carriage return, then erase the line (ECMA-48 EL). */
const CLEAR_LINE = "\r\u001b[2K";
const DEFAULT_COLUMNS = 80;

export class TerminalDisplay implements RunDisplay {
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;
  readonly #meter = new ProgressMeter();
  #line = "";

  constructor(stdout: OutputStream, stderr: OutputStream) {
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  phase(phase: RunPhase, detail: string): void {
    // The progress line still names the phase before; the next progress draws it again.
    this.close();
    this.#above(phaseText(phase, detail));
  }

  progress(progress: RunProgress): void {
    const text = `${progressText(progress, this.#meter.add(progress))} · ${formatDuration(progress.elapsedMs)}`;
    // The last column stays free: some terminals wrap when it is written.
    this.#line = fitLine(text, (this.#stdout.columns ?? DEFAULT_COLUMNS) - 1);
    this.#stdout.write(CLEAR_LINE + this.#line);
  }

  warning(message: string, context?: Readonly<Record<string, string | number>>): void {
    this.#above(`warning: ${warningText(message, context)}`);
  }

  note(message: string): void {
    this.#above(safeText(message));
  }

  notice(text: string): void {
    this.#above(text);
  }

  report(report: RunReport): void {
    this.close();
    this.#stdout.write(`\n${reportText(report)}`);
  }

  log(text: string): void {
    if (this.#line === "" || this.#stderr.isTTY !== true) {
      this.#stderr.write(text);
      return;
    }
    this.#stdout.write(CLEAR_LINE);
    this.#stderr.write(text);
    this.#stdout.write(this.#line);
  }

  close(): void {
    if (this.#line !== "") this.#stdout.write(CLEAR_LINE);
    this.#line = "";
  }

  #above(text: string): void {
    this.#stdout.write(`${this.#line === "" ? "" : CLEAR_LINE}${text}\n${this.#line}`);
  }
}
