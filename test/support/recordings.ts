/**
 * The recordings of real sessions under test/fixtures/recordings: where they are, and the parts of them that only tests and the demo need.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { loadRecording, type Recording } from "../../src/simulator/recording.ts";

export const RECORDINGS_DIRECTORY = fileURLToPath(new URL("../fixtures/recordings", import.meta.url));

/** Text, or bytes that are not valid UTF-8. */
export type RecordedString = string | { readonly b64: string };

export type RecordedCommand = {
  readonly phase: "pre" | "during" | "stable" | "after";
  readonly command: readonly RecordedString[];
};

/** A line of expected.ndjson. What `value` holds depends on `type`: see the recordings' README.md. */
export type ExpectedLine = {
  readonly db: number;
  readonly key: RecordedString;
  readonly type: string;
  readonly expireAt: number | null;
  readonly value: unknown;
};

/** `dragonfly-<version>/<scenario>` of every recording, sorted. */
export function recordingNames(): string[] {
  const versions = readdirSync(RECORDINGS_DIRECTORY, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return versions
    .flatMap(({ name }) =>
      subdirectories(path.join(RECORDINGS_DIRECTORY, name)).map((scenario) => `${name}/${scenario}`),
    )
    .toSorted();
}

export function openRecording(name: string): Recording {
  return loadRecording(path.join(RECORDINGS_DIRECTORY, name));
}

export function recordedCommands(recording: Recording): RecordedCommand[] {
  return readLines(recording, "commands.ndjson.gz").filter(
    (line): line is RecordedCommand => "command" in (line as object),
  );
}

export function expectedLines(recording: Recording): ExpectedLine[] {
  const lines = readLines(recording, "expected.ndjson.gz") as ExpectedLine[];
  return lines.map((line) => CORRECTIONS.get(`${recording.name} ${JSON.stringify(line.key)}`) ?? line);
}

/**
 * Where the state that was written down is that of an old replica, and that replica was wrong: 1.27.4 sends the document `1` as a JSON object whose
 * text is an integer-encoded string, which its own replica loads as a plain string.
 */
const CORRECTIONS: ReadonlyMap<string, ExpectedLine> = new Map([
  ['dragonfly-1.27.4/partial "j:js1"', { db: 0, key: "j:js1", type: "ReJSON-RL", expireAt: null, value: "1" }],
]);

export function recordedBytes(text: RecordedString): Buffer {
  return typeof text === "string" ? Buffer.from(text) : Buffer.from(text.b64, "base64");
}

function readLines(recording: Recording, file: string): unknown[] {
  const text = gunzipSync(readFileSync(path.join(recording.directory, file))).toString();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): unknown => JSON.parse(line));
}

function subdirectories(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}
