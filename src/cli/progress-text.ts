/** One line that says where a run stands. Pure: time comes from the progress itself. */
import type { RunPhase, RunProgress } from "../commands/run-report.ts";
import { formatBytes, formatCount, formatShortCount } from "../observability/format.ts";
import { RateMeter } from "../observability/rate-meter.ts";

export const PHASE_NAMES: Readonly<Record<RunPhase, string>> = {
  connecting: "connecting",
  handshake: "handshake",
  full_sync: "full sync",
  catching_up: "catching up",
  stable: "following",
  stopping: "stopping",
  stopped: "stopped",
  failed: "failed",
};

export type ProgressRates = {
  readonly keysPerSecond: number;
  readonly receivedBytesPerSecond: number;
  readonly entriesPerSecond: number;
};

/** Rates over the last seconds of a run, from its successive progress. */
export class ProgressMeter {
  readonly #keys = new RateMeter();
  readonly #bytes = new RateMeter();
  readonly #entries = new RateMeter();

  add(progress: RunProgress): ProgressRates {
    return {
      keysPerSecond: this.#keys.add(progress.elapsedMs, progress.keys),
      receivedBytesPerSecond: this.#bytes.add(progress.elapsedMs, progress.receivedBytes),
      entriesPerSecond: this.#entries.add(progress.elapsedMs, progress.journalEntries),
    };
  }
}

/** `full sync · flows 2/4 · keys 1,234,567 (45.2 k/s) · received 123.4 MB (12.1 MB/s) · journal 0 · lag –` */
export function progressText(progress: RunProgress, rates: ProgressRates): string {
  const { lagEntries, losses, rejected } = progress;
  const journal = `journal ${formatCount(progress.journalEntries)}${rateText(rates.entriesPerSecond)}`;
  const lag = `lag ${lagEntries === undefined ? "–" : formatCount(lagEntries)}`;
  const snapshot = [
    `flows ${progress.flowsCut}/${progress.flows}`,
    `keys ${formatCount(progress.keys)}${rateText(rates.keysPerSecond)}`,
    `received ${formatBytes(progress.receivedBytes)} (${formatBytes(rates.receivedBytesPerSecond)}/s)`,
  ];
  // What matters most in a phase comes first, since a narrow terminal cuts the end off.
  const parts = lagEntries === undefined ? [...snapshot, journal, lag] : [lag, journal, ...snapshot];
  if (losses > 0) parts.push(`not carried ${formatCount(losses)}`);
  if (rejected > 0) parts.push(`rejected ${formatCount(rejected)}`);
  return [PHASE_NAMES[progress.phase], ...parts].join(" · ");
}

function rateText(perSecond: number): string {
  return perSecond === 0 ? "" : ` (${formatShortCount(perSecond)}/s)`;
}

/** Cuts a line to a terminal's width, since a wrapped line cannot be redrawn in place. */
export function fitLine(text: string, columns: number): string {
  const characters = Array.from(text);
  if (characters.length <= columns) return text;
  return columns < 1 ? "" : `${characters.slice(0, columns - 1).join("")}…`;
}
