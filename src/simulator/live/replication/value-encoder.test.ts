/**
 * The encoder against real bytes: every object that the recorded masters sent is decoded by the product, rebuilt as a value and encoded again. The RDB
 * type and the body must be those of the recording.
 */
import { describe, expect, test } from "vitest";
import { KeyspaceCollector } from "../../../../test/support/keyspace-collector.ts";
import { openRecording, recordingNames } from "../../../../test/support/recordings.ts";
import { Cursor } from "../../../bytes/cursor.ts";
import { DEFAULT_DECODE_LIMITS } from "../../../bytes/decode-limits.ts";
import type { Slice } from "../../../bytes/slice.ts";
import { RdbDecoder } from "../../../rdb/rdb-decoder.ts";
import type { ObjectHeader } from "../../../rdb/rdb-handler.ts";
import type { KeyEntry } from "../values.ts";
import { ByteWriter } from "./byte-writer.ts";
import { type RdbProfile, rdbProfile } from "./rdb-profile.ts";
import { encodeBody, rdbType } from "./value-encoder.ts";

const FIRST_SKETCH = 33;
const STREAM = 21;
const LZF_RECORDING = "dragonfly-1.40.1/lzf";
const NO_EVENTS = { journalBlob: () => {}, fullSyncEnd: () => {}, journalOffset: () => {} };
const BODY_LIMIT_BYTES = 1 << 26;

/** Bodies that stand in one piece, by key. */
class BodyCollector extends KeyspaceCollector {
  readonly bodies = new Map<string, Buffer>();

  override wantsBody(): boolean {
    return true;
  }

  override body(header?: ObjectHeader, body?: Slice): void {
    if (header !== undefined && body !== undefined)
      this.bodies.set(`${header.db}/${header.key.toLatin1()}`, body.toBuffer());
  }
}

function decode(bytes: Buffer, handler: KeyspaceCollector): void {
  const cursor = new Cursor().resetTo(bytes, 0, bytes.length);
  const decoder = new RdbDecoder(cursor, {
    handler,
    events: NO_EVENTS,
    limits: DEFAULT_DECODE_LIMITS,
    bodyLimitBytes: BODY_LIMIT_BYTES,
  });
  expect(decoder.decode()).toBe("end");
}

/** What only a value's history explains: deleted entries of a stream leave traces in its nodes, pushes to a list's head begin new nodes. */
function historyOf(recordedType: number, entry: KeyEntry): string | undefined {
  if (recordedType === STREAM && entry.value.type === "stream" && entry.value.entries.length < entry.value.entriesAdded)
    return "deleted stream entries";
  if (entry.key.toString() === "big:list") return "pushed to its head, popped from its tail";
  return undefined;
}

describe.each(recordingNames())("%s", (name) => {
  const profile = rdbProfile(openRecording(name).manifest.dragonfly);

  test("its objects", () => {
    const { types, wrong, counts } = compareObjects(name);
    expect(wrong).toEqual([]);
    if (name !== LZF_RECORDING) expect(counts.bodies).toBeGreaterThan(90);
    expect([...types].every((type) => profile.ziplists || (type !== 12 && type !== 13))).toBe(true);
  });
});

test("objects of every type were compared", () => {
  const types = new Set(recordingNames().flatMap((name) => [...compareObjects(name).types]));
  expect([...types].toSorted((a, b) => a - b)).toEqual([0, 2, 4, 5, 11, 12, 13, 16, 17, 18, 21, 30, 31, 32]);
});

function compareObjects(name: string): {
  readonly types: Set<number>;
  readonly wrong: string[];
  readonly counts: { bodies: number };
} {
  const { manifest, first } = openRecording(name);
  const profile = rdbProfile(manifest.dragonfly);
  // liblzf and our compressor find different references: there only the types count.
  const isLzf = name === LZF_RECORDING;
  const result = { types: new Set<number>(), wrong: [] as string[], counts: { bodies: 0 } };
  for (const flow of first.flows) {
    const bytes = flow.master.subarray(flow.replyEnd, flow.stableStart);
    const values = new KeyspaceCollector();
    const bodies = new BodyCollector();
    decode(bytes, values);
    decode(bytes, bodies);
    for (const { type, db, entry } of values.objects) {
      const id = `${db}/${entry.key.toString("latin1")}`;
      if (type >= FIRST_SKETCH) continue;
      result.types.add(type);
      if (rdbType(entry.value, profile) !== type)
        result.wrong.push(`${id}: type ${rdbType(entry.value, profile)} is ${type} in the recording`);
      const recorded = bodies.bodies.get(id);
      if (recorded === undefined || isLzf || historyOf(type, entry) !== undefined) continue;
      result.counts.bodies++;
      if (!encode(entry, type, profile).equals(recorded)) result.wrong.push(`${id}: body of type ${type}`);
    }
  }
  return result;
}

function encode(entry: KeyEntry, type: number, profile: RdbProfile): Buffer {
  const out = new ByteWriter();
  for (const _ of encodeBody(out, entry.value, type, { profile, lzf: false }));
  return out.view();
}
