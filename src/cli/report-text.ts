/** The report at the end of a run, for people. Pure. Lines are not cut: it is read in logs and pasted into tickets. */
import type { KeptMembersReport, RejectedEntry, RunReport, SweepReport } from "../commands/run-report.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatShortCount,
  perSecond,
  plural,
} from "../observability/format.ts";
import { safeText } from "../observability/key-text.ts";
import { LOSS_KINDS, type LossOutcome, type LossReport, outcomeOf } from "../target/losses.ts";

const SHOWN_REJECTED = 20;
const LSNS_PER_LINE = 6;

export function reportText(report: RunReport): string {
  const sections = [
    [headline(report)],
    servers(report),
    moved(report),
    ...losses(report),
    conflicts(report),
    rejected(report),
    keptMembers(report.keptMembers),
    applied(report.appliedLsns),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function headline({ mode, outcome, elapsedMs }: RunReport): string {
  const time = formatDuration(elapsedMs);
  if (mode === "migrate") {
    return outcome === "done"
      ? `Migration done in ${time}: the snapshot is in the target.`
      : `Migration interrupted after ${time}: the target does NOT hold the whole snapshot.`;
  }
  return outcome === "done"
    ? `Replication ended after ${time}: everything received was applied.`
    : `Replication stopped after ${time}: everything received was applied and acknowledged.`;
}

function servers({ source, target, workers }: RunReport): string[] {
  const flows = plural(source.flows, "flow");
  return [
    row("source", safeText(`${source.address}, Dragonfly ${source.version}, master ${source.masterId}, ${flows}`)),
    row("target", safeText(`${target.address}, ${target.product} ${target.version}`)),
    row("workers", String(workers)),
  ];
}

function moved(report: RunReport): string[] {
  const types = Object.entries(report.keysByType).toSorted(([, a], [, b]) => b - a);
  const keys = types.reduce((sum, [, count]) => sum + count, 0);
  const { snapshotMs, elapsedMs } = report;
  const width = Math.max(0, ...types.map(([, count]) => formatCount(count).length));
  const names = Math.max(0, ...types.map(([name]) => name.length));
  const time =
    snapshotMs === undefined
      ? "snapshot not complete"
      : `${formatDuration(snapshotMs)}, ${rate(keys, snapshotMs)} keys/s`;
  return [
    "Moved",
    row("snapshot", `${plural(keys, "key")} (${time})`),
    ...types.map(([name, count]) => `    ${safeText(name).padEnd(names)}  ${formatCount(count).padStart(width)}`),
    row("journal", entries(report.journalEntries)),
    row(
      "received",
      `${formatBytes(report.receivedBytes)} (${formatBytes(perSecond(report.receivedBytes, elapsedMs))}/s over the run)`,
    ),
    row("written", plural(report.commands, "command")),
  ];
}

const OUTCOME_HEADS: readonly (readonly [LossOutcome, string])[] = [
  ["lost", "Could not be carried"],
  ["converted", "Carried in another form"],
  ["skipped", "Left out, as configured"],
];

function losses({ losses: reports, rejectedCount }: RunReport): string[][] {
  if (reports.length === 0) return rejectedCount === 0 ? [["Everything was carried as it is."]] : [];
  return OUTCOME_HEADS.map(([outcome, head]) => {
    const lines = reports.filter(({ kind }) => outcomeOf(kind) === outcome).flatMap(lossLines);
    return lines.length === 0 ? [] : [head, ...lines];
  });
}

function lossLines({ kind, count, samples }: LossReport): string[] {
  const head = `  ${formatCount(count)} × ${LOSS_KINDS[kind]}`;
  if (samples.length === 0) return [head];
  const keys = samples.map(({ db, key }) => (db < 0 ? safeText(key) : `${safeText(key)} (db ${db})`));
  return [head, `      ${count > samples.length ? "for example " : ""}${keys.join(", ")}`];
}

function conflicts({ conflictPolicy, sweep }: RunReport): string[] {
  if (conflictPolicy === undefined) return [];
  return ["The target was not empty", row("policy", conflictPolicy), ...(sweep === undefined ? [] : sweepLines(sweep))];
}

function sweepLines({ mode, looked, found, deleted, kept, samples, keptSamples }: SweepReport): string[] {
  const what =
    mode === "on" ? `${plural(deleted, "key")} deleted` : `dry run, ${plural(found, "key")} would have been deleted`;
  return [
    row("sweep", `${what} that the source does not have (${plural(looked, "key")} looked at)`),
    ...sampleLines(samples, found),
    ...(kept === 0 ? [] : [row("", `${plural(kept, "key")} kept: other clients wrote to them meanwhile`)]),
    ...sampleLines(keptSamples, kept),
  ];
}

function sampleLines(samples: readonly { readonly db: number; readonly key: string }[], count: number): string[] {
  if (samples.length === 0) return [];
  const keys = samples.map(({ db, key }) => `${safeText(key)} (db ${db})`);
  return [`      ${count > samples.length ? "for example " : ""}${keys.join(", ")}`];
}

function keptMembers(kept: KeptMembersReport | undefined): string[] {
  if (kept === undefined) return [];
  const { count, file, samples } = kept;
  const lines = samples.map(
    ({ db, key, member, deadlineMs }) =>
      `  ${safeText(key)} ${safeText(member)} (db ${db}) until ${new Date(deadlineMs).toISOString()}`,
  );
  return [
    `Members of sets and hashes that nobody deletes from now on when they are due: ${formatCount(count)}, all in ${safeText(file)}`,
    ...lines,
  ];
}

function rejected({ rejected: shown, rejectedCount, deadLetterFile }: RunReport): string[] {
  if (rejectedCount === 0) return [];
  const first = shown.slice(0, SHOWN_REJECTED);
  const some = first.length < rejectedCount ? `, the first ${formatCount(first.length)} are` : "";
  const all = deadLetterFile === undefined ? [] : [`  all are in ${safeText(deadLetterFile)}`];
  return [`Left out, refused by the target: ${entries(rejectedCount)}${some}`, ...first.flatMap(rejectedLines), ...all];
}

function rejectedLines({ flow, lsn, db, command, key, error }: RejectedEntry): string[] {
  const place = lsn < 0 ? "during the snapshot" : `LSN ${lsn}`;
  return [`  ${safeText(command)} ${safeText(key)} (db ${db}, flow ${flow}, ${place})`, `      ${safeText(error)}`];
}

function applied(lsns: readonly (number | undefined)[]): string[] {
  if (lsns.length === 0) return [];
  const texts = lsns.map((lsn, flow) => `${flow}: ${lsn ?? "none"}`);
  const lines: string[] = [];
  for (let i = 0; i < texts.length; i += LSNS_PER_LINE)
    lines.push(`  ${texts.slice(i, i + LSNS_PER_LINE).join("   ")}`);
  return ["Applied up to, per flow (the next LSN wanted)", ...lines];
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(10)}${text}`;
}

function entries(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "entry" : "entries"}`;
}

function rate(count: number, ms: number): string {
  return formatShortCount(perSecond(count, ms));
}
