/** Real vectors: every compressed blob of every recording, and the ziplists that the older Dragonfly sent. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { decompress as fzstdDecompress } from "fzstd";
import { decompressFrameSync } from "lz4-napi";
import { describe, expect, test } from "vitest";
import { typedErrorOr } from "../../test/support/hostile.ts";
import {
  expectedLines,
  openRecording,
  recordedBytes,
  recordingNames,
  RECORDINGS_DIRECTORY,
  type RecordedString,
} from "../../test/support/recordings.ts";
import { Slice } from "../bytes/slice.ts";
import { Lz4FrameDecoder } from "./lz4-frame.ts";
import { ZiplistReader } from "./ziplist.ts";
import { zstdDecompress } from "./zstd.ts";

const RDB_OPCODE_ZSTD_BLOB = 201;
const RDB_OPCODE_LZ4_BLOB = 202;
const LZ4_MAGIC = Buffer.from("04224d18", "hex");
const ZSTD_MAGIC = Buffer.from("28b52ffd", "hex");
const LIMIT = 16 * 1024 * 1024;

function flowsOf(name: string): Buffer[] {
  const directory = path.join(RECORDINGS_DIRECTORY, name);
  const files = readdirSync(directory).filter((file) => /^flow\d+\.master\.bin\.gz$/.test(file));
  return files.map((file) => gunzipSync(readFileSync(path.join(directory, file))));
}

/** The blobs of a flow, found by opcode, length and magic and not by decoding the stream. */
function blobsIn(flow: Buffer, opcode: number, magic: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = flow.indexOf(magic); at >= 0; at = flow.indexOf(magic, at + 1)) {
    const length = lengthBefore(flow, at, opcode);
    if (length > 0) found.push(flow.subarray(at, at + length));
  }
  return found;
}

function lengthBefore(flow: Buffer, at: number, opcode: number): number {
  if (flow[at - 6] === opcode && flow[at - 5] === 0x80) return flow.readUInt32BE(at - 4);
  if (flow[at - 3] === opcode && (flow[at - 2] as number) >>> 6 === 1) return flow.readUInt16BE(at - 2) & 0x3fff;
  return flow[at - 2] === opcode ? (flow[at - 1] as number) : 0;
}

/** Everything in `bytes` that is a whole ziplist with elements. */
function ziplistsIn(bytes: Buffer): string[][] {
  const found: string[][] = [];
  for (let at = 0; at + 13 <= bytes.length; at++) {
    const end = at + bytes.readUInt32LE(at);
    if (end < at + 13 || end > bytes.length || bytes[end - 1] !== 0xff) continue;
    const elements = typedErrorOr(() => readZiplist(bytes, at, end));
    if (elements !== undefined && elements.length > 0) found.push(elements);
  }
  return found;
}

function readZiplist(bytes: Buffer, start: number, end: number): string[] {
  const out = new Slice();
  const elements: string[] = [];
  const reader = new ZiplistReader().reset(bytes, start, end);
  while (reader.next(out)) elements.push(out.toLatin1());
  return elements;
}

const totals = { lz4: 0, linked: 0, zstd: 0 };

describe.each(recordingNames())("%s", (name) => {
  test("its LZ4 and ZSTD blobs", () => {
    const decoder = new Lz4FrameDecoder();
    for (const flow of flowsOf(name)) {
      for (const blob of blobsIn(flow, RDB_OPCODE_LZ4_BLOB, LZ4_MAGIC)) {
        totals.lz4++;
        if (((blob[4] as number) & 0x20) === 0) totals.linked++;
        expect(decoder.decompress(blob, 0, blob.length, LIMIT).equals(decompressFrameSync(blob))).toBe(true);
      }
      for (const blob of blobsIn(flow, RDB_OPCODE_ZSTD_BLOB, ZSTD_MAGIC)) {
        totals.zstd++;
        expect(zstdDecompress(blob, 0, blob.length, LIMIT).equals(Buffer.from(fzstdDecompress(blob)))).toBe(true);
      }
    }
  });
});

test("there were blobs of every kind", () => {
  expect(totals.lz4).toBeGreaterThan(100);
  expect(totals.linked).toBeGreaterThan(10);
  expect(totals.zstd).toBeGreaterThan(20);
});

describe.each(["partial", "types", "types-4flows"])("the ziplists of dragonfly-1.27.4/%s", (scenario) => {
  const name = `dragonfly-1.27.4/${scenario}`;
  const decoder = new Lz4FrameDecoder();
  const ziplists = flowsOf(name).flatMap((flow) => [
    ...ziplistsIn(flow),
    ...blobsIn(flow, RDB_OPCODE_LZ4_BLOB, LZ4_MAGIC).flatMap((blob) =>
      ziplistsIn(decoder.decompressFresh(blob, 0, blob.length, LIMIT)),
    ),
  ]);
  const asText = (text: RecordedString): string => recordedBytes(text).toString("latin1");
  const pairsText = (elements: readonly string[]): string => {
    const pairs = elements.flatMap((element, i) => (i % 2 === 0 ? [[element, elements[i + 1]]] : []));
    return JSON.stringify(pairs.toSorted(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)));
  };
  const found = new Set(ziplists.map(pairsText));

  test("hold the hashes that the master had", () => {
    const hashes = expectedLines(openRecording(name)).filter((line) => line.type === "hash");
    const held = hashes.filter((line) => found.has(pairsText((line.value as RecordedString[][]).flat().map(asText))));
    expect(held.length).toBeGreaterThan(40);
  });

  test("hold the sorted sets that the master had", () => {
    const zsets = expectedLines(openRecording(name)).filter((line) => line.type === "zset");
    const held = zsets.filter((line) => found.has(pairsText((line.value as RecordedString[]).map(asText))));
    expect(held.length).toBeGreaterThanOrEqual(2);
  });
});
