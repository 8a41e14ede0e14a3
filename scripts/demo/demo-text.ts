/** What the demo says. Pure. Written for somebody who knows Redis and has never seen this tool. */
import { reportText } from "../../src/cli/report-text.ts";
import type { RunReport } from "../../src/commands/run-report.ts";
import type { Recording } from "../../src/simulator/recording.ts";
import { formatBytes, formatCount, formatDuration } from "../../src/observability/format.ts";
import type { ServersComparison } from "../../test/support/compare-servers.ts";
import { type Comparison, type Difference, formatDifference } from "../../test/support/expected-state.ts";
import type { LoadReport } from "../../test/support/load-generator.ts";
import type { ExpectedLine } from "../../test/support/recordings.ts";
import type { CliEvent } from "./cli-run.ts";
import { commandLine } from "./replicate-args.ts";

const SHOWN_DIFFERENCES = 20;

export type DemoCommand = {
  readonly source: string;
  readonly target: string;
  /** Of the tool, as it is run; what only makes it speak to the demo left out. */
  readonly args: readonly string[];
};

export type LiveFacts = DemoCommand & {
  readonly shards: number;
  /** By database. */
  readonly keys: ReadonlyMap<number, number>;
  readonly writesPerSecond: number;
};

const TITLE = "\ndf2redis demo: a Dragonfly is copied into a Redis while it is being written to.\n";

export function liveIntroText({ source, target, args, shards, keys, writesPerSecond }: LiveFacts): string {
  const total = [...keys.values()].reduce((sum, count) => sum + count, 0);
  const databases = [...keys.keys()].toSorted((a, b) => a - b).join(", ");
  return `${TITLE}
  source   ${source}   a simulated Dragonfly with ${shards} threads, which clients can write to: it holds ${number(total)} keys
           of every type in the databases ${databases}
  target   ${target}   a fresh, empty redis-server
  writers  change keys of every type on the source, ${number(writesPerSecond)} commands a second, from now on

${explanation(shards)}
${commandText(args)}
`;
}

export function recordingIntroText(
  recording: Recording,
  lines: readonly ExpectedLine[],
  { source, target, args }: DemoCommand,
): string {
  const { manifest } = recording;
  const databases = [...new Set(lines.map((line) => line.db))].toSorted((a, b) => a - b);
  const version = manifest.dragonfly.replace(/^df-v/, "");
  return `${TITLE}
  source   ${source}   plays what a real Dragonfly ${version} sent to its own replica, byte for byte (${recording.name}):
           ${number(manifest.keys)} keys at its end, in the databases ${databases.join(", ")}
  target   ${target}   a fresh, empty redis-server

${explanation(manifest.threads)}
${commandText(args)}
Why "drop": nearly all recordings hold filters and sketches (Bloom, cuckoo, count-min, top-k), and no other server can read Dragonfly's. By
default the first one would end the run, since nothing that holds data is left out unless you say so. These options say so.

`;
}

function explanation(flows: number): string {
  return `The tool joins the source as if it were a replica. It gets a snapshot, that is what the source holds at that moment, and then the
journal, that is every write since. Both come on ${flows} flows: one connection for each thread of the Dragonfly.
`;
}

function commandText(args: readonly string[]): string {
  return `This is what is run now (the state directory is for files that a run may leave behind; the demo's is removed at the end):

${indent(commandLine(args))}
`;
}

/** What could not be carried as it is: the report at the end counts it, with samples. */
const IN_REPORT = /^(not carried over|carried over in another form|left out): /;

/** A line for what the tool tells while it runs; nothing for what is too fine, or stands in the report at the end anyway. */
export function eventText({ event, ...facts }: CliEvent): string | undefined {
  if (event === "phase")
    return `  ${asText(facts["phase"]).replaceAll("_", " ").padEnd(12)} ${asText(facts["detail"])}`.trimEnd();
  const message = asText(facts["message"]);
  if (event === "note") return `  note         ${message.replaceAll("; ", `;\n${" ".repeat(15)}`)}`;
  if (event === "warning" && !IN_REPORT.test(message)) return `  warning      ${message}`;
  return undefined;
}

/** Where the tool stands, from its `progress` event. */
export function progressLine(event: CliEvent): string {
  const count = (name: string): string => formatCount(Number(event[name] ?? 0));
  const lag = event["lagEntries"] === null || event["lagEntries"] === undefined ? "" : `   lag ${count("lagEntries")}`;
  const seconds = (Number(event["elapsedMs"]) / 1000).toFixed(1).padStart(6);
  return `  ${seconds} s     keys ${count("keys")}   journal entries ${count("journalEntries")}   received ${formatBytes(Number(event["receivedBytes"]))}${lag}`;
}

/** @param before how many commands they had written when the journal began to be followed */
export function writersStoppedText(written: LoadReport, before: number): string {
  return `
The writers are stopped. They ran ${number(written.commands)} commands (${formatBytes(written.bytes)}), ${number(Math.round(written.opsPerSecond))} a second: ${number(before)} until the copy was complete,
${number(written.commands - before)} while the journal was followed.
`;
}

export function caughtUpText(ms: number, largestLag: number): string {
  return `Lag 0: ${formatDuration(ms)} later the source says that everything has been acknowledged, keys that expired meanwhile included.
The largest lag seen was ${plural(largestLag, "journal entry", "journal entries")}. Now the tool is stopped as with Ctrl-C.
`;
}

export const RECORDED_ALL =
  "\nEverything that the source recorded has arrived and was acknowledged. Now it is stopped as with Ctrl-C.\n";

export function liveResultText(report: RunReport, comparison: ServersComparison): string {
  return `\n${indent(reportText(report))}\n${comparisonText({
    title: "Every key of both sides compared: values, order, scores, stream groups, deadlines",
    gone: "expired while they were compared",
    ...comparison,
  })}`;
}

export function recordingResultText(report: RunReport, comparison: Comparison): string {
  return `\n${indent(reportText(report))}\n${comparisonText({
    title:
      "Compared with what that Dragonfly held at the end, key by key: values, order, scores, stream groups, deadlines",
    gone: "gone on both sides: the deadline has passed since",
    differenceCount: comparison.differences.length,
    ...comparison,
  })}`;
}

type Outcome = {
  readonly title: string;
  /** Of keys whose deadline came. */
  readonly gone: string;
  readonly equal: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
  readonly expired: number;
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
};

function comparisonText({ title, gone, equal, skipped, expired, differences, differenceCount }: Outcome): string {
  const lines = [title, ""];
  const rows = Object.entries(equal).toSorted(([, a], [, b]) => b - a);
  for (const [type, count] of rows) lines.push(row(count, type, "equal"));
  for (const [type, count] of Object.entries(skipped))
    lines.push(row(count, SKIPPED_NAMES[type] ?? type, "left out: no other server can read it"));
  if (expired > 0) lines.push(row(expired, "expired", gone));
  lines.push(row(differenceCount, differenceCount === 1 ? "difference" : "differences", ""));
  for (const difference of differences.slice(0, SHOWN_DIFFERENCES)) lines.push(`      ${formatDifference(difference)}`);
  return `${lines.join("\n").trimEnd()}\n`;
}

/** Dragonfly's names of the types that need a module in Redis. */
const SKIPPED_NAMES: Readonly<Record<string, string>> = {
  "MBbloom--": "Bloom filter",
  MBbloomCF: "cuckoo filter",
  "CMSk-TYPE": "count-min sketch",
  "TopK-TYPE": "top-k",
};

export const HOW_TO = `With your own servers:

  ./df2redis doctor    --source my-dragonfly:6379 --target redis://my-redis:6379   looks at both first: go or no-go, and why
  ./df2redis replicate --source my-dragonfly:6379 --target redis://my-redis:6379   copies, then follows until Ctrl-C
  ./df2redis migrate   --source my-dragonfly:6379 --target redis://my-redis:6379   copies once, then ends
  ./df2redis help replicate                                                        passwords, TLS, configuration file
  ./df2redis simulate                                                              a simulated Dragonfly to try things with

The target should be an empty Redis or Valkey. One that holds keys is refused until --conflict-policy says what is to become of them.
The Dragonfly is only read.
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

function plural(count: number, one: string, many: string): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

function number(n: number): string {
  return n.toLocaleString("en-US");
}
