/** The JSON commands in the journals of real masters, applied to the documents of their snapshots, end in what those masters held. */
import { describe, expect, test } from "vitest";
import type { RecordedFlow, Recording } from "../../../simulator/recording.ts";
import { decodeFlow } from "../../../../test/support/feed-flow.ts";
import { recordedJournal } from "../../../../test/support/recorded-journal.ts";
import {
  type ExpectedLine,
  expectedLines,
  openRecording,
  recordingNames,
} from "../../../../test/support/recordings.ts";
import { applyJsonCommand } from "./apply-json-command.ts";
import { jsonDialectOf } from "./json-dialect.ts";

/** By key; the recordings have documents in one database only. */
type Documents = Map<string, string>;

const TRIPLE = 3;
const TOKEN_BYTES = 40;

describe.each(recordingNames())("%s", (name) => {
  const recording = openRecording(name);
  const restored = restoredKeys(recording);
  const expected = expectedLines(recording)
    .filter(({ type }) => type === "ReJSON-RL")
    .filter((line) => !restored.has(keyOf(line)));

  test.runIf(expected.length > 0)("documents", () => {
    const seen = sorted([...documentsOf(recording)].map(([key, text]) => [key, JSON.parse(text) as unknown]));
    expect(seen).toEqual(sorted(expected.map((line) => [keyOf(line), JSON.parse(String(line.value)) as unknown])));
  });
});

function sorted(documents: readonly (readonly [string, unknown])[]): (readonly [string, unknown])[] {
  return documents.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function keyOf({ key }: ExpectedLine): string {
  if (typeof key !== "string") throw new Error("a document under a key that is no text");
  return key;
}

/** Copies of documents travel as dumps, which is another's work. */
function restoredKeys(recording: Recording): ReadonlySet<string> {
  const entries = recordedJournal(recording).flat();
  return new Set(entries.filter(({ args: [name] }) => String(name) === "RESTORE").map(({ args }) => String(args[1])));
}

/** Flow by flow: all entries of a key are in one, and each flow says that all is flushed. */
function documentsOf(recording: Recording): Documents {
  const journals = recordedJournal(recording);
  const flows = recording.first.flows.map((flow, i): Documents => {
    const documents = snapshotDocuments(flow);
    for (const { args } of journals[i] ?? []) applyEntry(documents, args.map(String), recording.name);
    return documents;
  });
  return new Map(flows.flatMap((documents) => [...documents]));
}

function snapshotDocuments({ master, replyEnd, stableStart }: RecordedFlow): Documents {
  const documents: Documents = new Map();
  const eofToken = master.toString("latin1", stableStart - TOKEN_BYTES, stableStart);
  const { events } = decodeFlow(Buffer.from(master.subarray(replyEnd)), { start: { kind: "full", eofToken } });
  for (const [event, key, text] of events) if (event === "json") documents.set(utf8(key), utf8(text));
  return documents;
}

function utf8(latin1: unknown): string {
  return Buffer.from(String(latin1), "latin1").toString();
}

function applyEntry(documents: Documents, words: readonly string[], recordingName: string): void {
  if (words[0]?.startsWith("FLUSH") === true) documents.clear();
  for (const command of jsonCommands(words)) {
    const key = command[1] ?? "";
    const change = applyJsonCommand(command, documents.get(key), jsonDialectOf(recordingName));
    if (change.kind === "unrunnable") throw new Error(`${command.join(" ")}: ${change.why}`);
    if (change.kind === "set") documents.set(key, change.text);
    else if (change.kind === "delete") documents.delete(key);
  }
}

/** One key each. */
function jsonCommands([name = "", ...rest]: readonly string[]): string[][] {
  if (!name.startsWith("JSON.")) return [];
  if (name !== "JSON.MSET") return [[name, ...rest]];
  return Array.from({ length: rest.length / TRIPLE }, (_, i) => [
    "JSON.SET",
    ...rest.slice(i * TRIPLE, (i + 1) * TRIPLE),
  ]);
}
