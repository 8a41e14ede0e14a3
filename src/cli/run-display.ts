/** What shows a run to whoever started it: a person at a terminal, a log of lines, or a program. */
import type { RunObserver, RunPhase, RunReport } from "../commands/run-report.ts";
import { safeText } from "../observability/key-text.ts";
import { PHASE_NAMES } from "./progress-text.ts";

export type RunDisplay = RunObserver & {
  /** Something about the program itself, such as a signal that was taken. */
  notice(text: string): void;
  report(report: RunReport): void;
  /** A console log line, ended by a line break. */
  log(text: string): void;
  /** Leaves the terminal clean. Nothing may be shown afterwards. */
  close(): void;
};

/** `full sync: detail`. Of a failure only the name: the error itself follows, whole. */
export function phaseText(phase: RunPhase, detail: string): string {
  return detail === "" || phase === "failed" ? PHASE_NAMES[phase] : `${PHASE_NAMES[phase]}: ${safeText(detail)}`;
}

/** `message (flow 3, type json)`. */
export function warningText(message: string, context: Readonly<Record<string, string | number>> | undefined): string {
  const facts = Object.entries(context ?? {}).map(([name, value]) => `${name} ${value}`);
  return safeText(facts.length === 0 ? message : `${message} (${facts.join(", ")})`);
}
