/** What the demo says. Pure. Written for somebody who knows Redis and has never seen this tool. */
import { reportText } from "../../src/cli/report-text.ts";
import type { RunReport } from "../../src/commands/run-report.ts";
import type { Recording } from "../../src/simulator/recording.ts";
import { type Comparison, formatDifference } from "../../test/support/expected-state.ts";
import type { ExpectedLine } from "../../test/support/recordings.ts";
import type { CliEvent } from "./cli-run.ts";

const SHOWN_DIFFERENCES = 20;

export type DemoAddresses = { readonly source: string; readonly target: string };

export function introText(recording: Recording, lines: readonly ExpectedLine[], addresses: DemoAddresses): string {
  const { manifest } = recording;
  const databases = [...new Set(lines.map((line) => line.db))].toSorted((a, b) => a - b);
  const version = manifest.dragonfly.replace(/^df-v/, "");
  return `
df2redis demo: a Dragonfly is copied into a Redis while it is being written to.

  source   ${addresses.source}   plays what a real Dragonfly ${version} sent to its own replica, byte for byte (${recording.name}):
           ${number(manifest.keys)} keys at its end, in the databases ${databases.join(", ")}
  target   ${addresses.target}   a fresh, empty redis-server

The tool joins the source as if it were a replica. It gets a snapshot, that is what the source holds at that moment, and then the
journal, that is every write since. Both come on ${manifest.threads} flows: one connection for each thread of the Dragonfly.

This is what is run now:

  ./df2redis replicate --source ${addresses.source} --target redis://${addresses.target}

`;
}

/** A line for what the tool tells while it runs; nothing for what is too fine, or stands in the report at the end anyway. */
export function eventText({ event, ...facts }: CliEvent): string | undefined {
  if (event === "phase")
    return `  ${asText(facts["phase"]).replaceAll("_", " ").padEnd(12)} ${asText(facts["detail"])}`.trimEnd();
  const message = asText(facts["message"]);
  if (event === "warning" && !message.startsWith("not carried over")) return `  warning      ${message}`;
  return undefined;
}

export const STOPPING =
  "\nEverything that the source recorded has arrived and was acknowledged. Now it is stopped as with Ctrl-C.\n";

export function resultText(report: RunReport, comparison: Comparison): string {
  return `\n${indent(reportText(report))}\n${comparisonText(comparison)}`;
}

function comparisonText({ equal, skipped, expired, differences }: Comparison): string {
  const lines = [
    "Compared with what that Dragonfly held at the end, key by key: values, order, scores, stream groups, deadlines",
    "",
  ];
  const rows = Object.entries(equal).toSorted(([, a], [, b]) => b - a);
  for (const [type, count] of rows) lines.push(row(count, type, "equal"));
  for (const [type, count] of Object.entries(skipped))
    lines.push(row(count, SKIPPED_NAMES[type] ?? type, "left out: a Redis without modules cannot hold it"));
  if (expired > 0) lines.push(row(expired, "expired", "gone on both sides: the deadline has passed since"));
  lines.push(row(differences.length, differences.length === 1 ? "difference" : "differences", ""));
  for (const difference of differences.slice(0, SHOWN_DIFFERENCES)) lines.push(`      ${formatDifference(difference)}`);
  return `${lines.join("\n").trimEnd()}\n`;
}

/** Dragonfly's names of the types that need a module in Redis. */
const SKIPPED_NAMES: Readonly<Record<string, string>> = {
  "ReJSON-RL": "JSON",
  "MBbloom--": "Bloom filter",
  MBbloomCF: "cuckoo filter",
  "CMSk-TYPE": "count-min sketch",
  "TopK-TYPE": "top-k",
};

export const HOW_TO = `With your own servers:

  ./df2redis replicate --source my-dragonfly:6379 --target redis://my-redis:6379   copies, then follows until Ctrl-C
  ./df2redis migrate   --source my-dragonfly:6379 --target redis://my-redis:6379   copies once, then ends
  ./df2redis help replicate                                                        passwords, TLS, configuration file

The target should be an empty Redis: keys of the same name are replaced, others stay. The Dragonfly is only read.
`;

export function endText(elapsedMs: number): string {
  return `\nThe target holds exactly what it should. Both servers are stopped. It took ${(elapsedMs / 1000).toFixed(1)} s.\n`;
}

function row(count: number, name: string, remark: string): string {
  return `  ${number(count).padStart(7)}  ${name.padEnd(18)} ${remark}`.trimEnd();
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? "" : `  ${line}`))
    .join("\n");
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(n: number): string {
  return n.toLocaleString("en-US");
}
