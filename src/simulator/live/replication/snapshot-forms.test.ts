/**
 * Snapshots against real ones, without the product's decoder: a recorded flow's keys, sent again by the simulator, must give the same objects byte for
 * byte, deadline, mask and key included; and what holds of every recorded blob must hold of ours.
 */
import { describe, expect, test } from "vitest";
import { KeyspaceCollector } from "../../../../test/support/keyspace-collector.ts";
import { objectsOf, outline, type OutlineBlob, type OutlineItem } from "../../../../test/support/rdb-outline.ts";
import { openRecording, recordingNames } from "../../../../test/support/recordings.ts";
import { Cursor } from "../../../bytes/cursor.ts";
import { DEFAULT_DECODE_LIMITS } from "../../../bytes/decode-limits.ts";
import { RdbDecoder } from "../../../rdb/rdb-decoder.ts";
import { Shard } from "../shard.ts";
import type { CompressionMode } from "./blob-compressor.ts";
import { encodeCommand } from "./journal-encoder.ts";
import { rdbEnd } from "./rdb-header.ts";
import { rdbProfile } from "./rdb-profile.ts";
import { ShardJournal } from "./shard-journal.ts";
import { ShardSnapshot } from "./shard-snapshot.ts";
import { SnapshotSerializer } from "./snapshot-serializer.ts";

const NO_EVENTS = { journalBlob: () => {}, fullSyncEnd: () => {}, journalOffset: () => {} };
const TOKEN_BYTES = 40;
const CHUNK_BYTES = 65_536;
const FIRST_SKETCH = 33;

type Flow = {
  readonly name: string;
  readonly flow: number;
  readonly recorded: Buffer;
  readonly compression: CompressionMode;
  readonly tagged: boolean;
};

function recordedFlows(): Flow[] {
  return recordingNames().flatMap((name) => {
    const { manifest, first } = openRecording(name);
    const compression = Number(/--compression_mode=(\d)/.exec(manifest.flags.join(" "))?.[1] ?? 3) as CompressionMode;
    const tagged =
      manifest.dragonfly === "df-v1.40.1" && !manifest.flags.includes("--serialization_tagged_chunks=false");
    return first.flows.map(({ flow, master, replyEnd, stableStart }) => ({
      name,
      flow,
      compression,
      tagged,
      recorded: master.subarray(replyEnd, stableStart - TOKEN_BYTES),
    }));
  });
}

/** Sends the keys of a recorded flow again, nothing being written meanwhile, and one journal entry after the walk. */
async function sendAgain({ name, recorded, compression, tagged }: Flow): Promise<Buffer> {
  const shard = new Shard(0);
  const collector = new KeyspaceCollector(({ type, db, entry }) => {
    if (type < FIRST_SKETCH) shard.put(db, entry);
  });
  new RdbDecoder(new Cursor().resetTo(recorded, 0, recorded.length), {
    handler: collector,
    events: NO_EVENTS,
    limits: DEFAULT_DECODE_LIMITS,
    bodyLimitBytes: 0,
  }).decode();
  const blobs: Buffer[] = [Buffer.from("REDIS0009")];
  const journal = new ShardJournal({ backlogEntries: 8 });
  const profile = rdbProfile(openRecording(name).manifest.dragonfly);
  const serializer = new SnapshotSerializer({ profile, compression, tagged, maxChunkBytes: CHUNK_BYTES }, (blob) =>
    blobs.push(blob),
  );
  const snapshot = new ShardSnapshot({ shard, journal, serializer, pause: () => Promise.resolve() });
  journal.start();
  snapshot.start();
  await snapshot.walk();
  journal.record({ db: 0, txid: 0, args: [Buffer.from("SET"), Buffer.from("k"), Buffer.from("v")] });
  snapshot.finish();
  return Buffer.concat([...blobs, rdbEnd()]);
}

/** What holds of every blob of a 1.40 master, with the recordings as witness. */
function brokenRules(blobs: readonly OutlineBlob[]): string[] {
  const broken: string[] = [];
  for (const [i, { compression, contentBytes, items }] of blobs.entries()) {
    if (compression === "none") continue;
    const firstObject = items.findIndex(({ kind }) => kind === "object");
    const select = items.findIndex(({ kind }) => kind === "select");
    if (firstObject >= 0 && (select < 0 || select > firstObject))
      broken.push(`blob ${i} holds an object before a SELECTDB`);
    if (contentBytes < 256) broken.push(`blob ${i} is compressed with ${contentBytes} bytes`);
  }
  const items = blobs.flatMap((blob) => blob.items);
  for (const [i, { kind, bytes }] of items.entries()) {
    if (kind === "journal" && (bytes[1] !== 1 || bytes[3] !== 6))
      broken.push(`journal blob ${i} has not one entry behind a SELECT`);
  }
  return [...broken, ...brokenChunkRules(items)];
}

function brokenChunkRules(items: readonly OutlineItem[]): string[] {
  const chunks = Map.groupBy(
    items.filter(({ kind }) => kind === "chunk"),
    ({ number }) => number,
  );
  const broken: string[] = [];
  for (const [id, pieces] of chunks) {
    if (id === 0 || pieces.length < 2) broken.push(`chunk ${id} is alone`);
    if (pieces.some(({ bytes }) => bytes.length > 2 * CHUNK_BYTES)) broken.push(`chunk ${id} is very large`);
  }
  return broken;
}

/** Bytes that the value's history explains (value-encoder.test.ts), and sketches. */
function isComparable(object: Buffer): boolean {
  return !object.includes("stream:many") && !object.includes("stream:emptied") && !object.includes("big:list");
}

describe.each(recordedFlows())("$name flow $flow", (flow) => {
  test("its objects come out the same", async () => {
    const blobs = outline(await sendAgain(flow));
    const ours = new Set(objectsOf(blobs).map((object) => object.toString("latin1")));
    // Untagged pieces of a value stand in their object; sketches have their own test (sketch-encoder.test.ts).
    const recorded = objectsOf(outline(flow.recorded)).filter((object) => isComparable(object) && !isSketch(object));
    const missing = recorded.filter((object) => !ours.has(object.toString("latin1")));
    expect(recorded.length).toBeGreaterThan(20);
    // liblzf finds other references than ours.
    expect(
      missing
        .filter((object) => flow.compression !== 1 || !object.includes(0xc3))
        .map((object) => object.toString("latin1").slice(0, 40)),
    ).toEqual([]);
  });

  test("the rules of the recorded blobs hold of ours", async () => {
    const ours = outline(await sendAgain(flow));
    expect(brokenRules(outline(flow.recorded))).toEqual([]);
    expect(brokenRules(ours)).toEqual([]);
    const kinds = (blobs: readonly OutlineBlob[]): Set<string> =>
      new Set(blobs.flatMap(({ items }) => items.map(({ kind }) => kind)));
    const known = new Set([...kinds(outline(flow.recorded)), "journal"]);
    expect([...kinds(ours)].filter((kind) => !known.has(kind))).toEqual([]);
    expect(ours.at(-1)?.items.at(-1)?.kind).toBe("eof");
  });
});

test("the journal entry in a blob is the same as in the stable stream", async () => {
  const [flow] = recordedFlows();
  if (flow === undefined) throw new Error("no recordings");
  const entry = encodeCommand({ db: 0, txid: 0, args: [Buffer.from("SET"), Buffer.from("k"), Buffer.from("v")] });
  const blob = Buffer.concat([Buffer.from([210, 1, entry.length]), entry]);
  expect((await sendAgain(flow)).includes(blob)).toBe(true);
});

function isSketch(object: Buffer): boolean {
  let at = 0;
  if (object[at] === 252) at += 9;
  if (object[at] === 220) at += 5;
  return (object[at] ?? 0) >= FIRST_SKETCH;
}
