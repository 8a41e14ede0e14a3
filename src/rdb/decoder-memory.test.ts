/** Memory does not grow with a value, and what a large element needed is given back. The garbage collector is asked, where a test can ask it. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { FULL_START } from "../../test/support/feed-flow.ts";
import { command } from "../../test/support/journal-builder.ts";
import {
  bytes,
  fullSync,
  len,
  lz4Blob,
  object,
  rdb,
  str,
  string,
  taggedChunk,
  wireLzf,
} from "../../test/support/rdb-builder.ts";
import { DEFAULT_DECODE_LIMITS } from "../bytes/decode-limits.ts";
import type { ValueKind } from "./rdb-handler.ts";
import { FlowDecoder, type FlowHandler, type FlowStart } from "../source/flow-decoder.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function usedBytes(): number {
  // The memory of buffers is given back in the background, and a collection finishes what the one before it began.
  for (let i = 0; i < 3; i++) collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

/** Counts what it is told and keeps nothing. */
class Counter implements FlowHandler<number> {
  elements = 0;
  others = 0;
  readonly #wantsBodies: boolean;

  constructor(wantsBodies = false) {
    this.#wantsBodies = wantsBodies;
  }

  isFull = (): boolean => false;
  wantsBody = (): boolean => this.#wantsBodies;
  begin = (_object: unknown, _kind: ValueKind, count: number): number => count;
  hashField = (): void => void this.elements++;
  listItem = (): void => void this.elements++;
  setMember = (): void => void this.elements++;
  zsetMember = (): void => void this.elements++;
  hashFieldTtl = (): void => void this.elements++;
  setMemberTtl = (): void => void this.elements++;
  streamEntry = (): void => void this.elements++;
  sketchBytes = (): void => void this.elements++;
  sketchItem = (): void => void this.elements++;
  json = (): void => void this.elements++;
  streamMeta = (): void => {};
  streamGroup = (): void => {};
  streamPending = (): void => {};
  streamConsumer = (): void => {};
  streamConsumerPending = (): void => {};
  sketchParameters = (): void => {};
  pieceEnd = (): void => {};
  end = (): void => {};
  aux = (): void => void this.others++;
  string = (): void => void this.others++;
  body = (): void => void this.others++;
  command = (): void => void this.others++;
  ping = (): void => {};
  fullSyncEnd = (): void => {};
  snapshotEnd = (): void => {};
}

function decoderOf(handler: Counter, start: FlowStart = FULL_START): FlowDecoder<number> {
  return new FlowDecoder<number>({ flow: 0, start, handler, limits: DEFAULT_DECODE_LIMITS, bodyLimitBytes: 1 << 20 });
}

/** Feeds pieces and gives the most memory that was in use above what it was before. */
function peak(decoder: FlowDecoder<number>, pieces: Iterable<Buffer>, every: number): number {
  const before = usedBytes();
  let most = 0;
  let n = 0;
  for (const piece of pieces) {
    decoder.push(piece);
    decoder.decode();
    if (++n % every === 0) most = Math.max(most, usedBytes() - before);
  }
  return Math.max(most, usedBytes() - before);
}

const FIELDS = 2_000_000;
const BATCH = 2000;

function* hugeHash(): Generator<Buffer> {
  const batch = Buffer.concat(
    Array.from({ length: BATCH }, (_, i) => Buffer.concat([str(`field:${i}`), str(`value ${i}`)])),
  );
  yield Buffer.concat([rdb([bytes(4)]), str("huge"), len(FIELDS)]);
  for (let at = 0; at < FIELDS; at += BATCH) yield batch;
}

test.each([false, true])("a hash of 2 million fields, bodies wanted: %s", (wantsBodies) => {
  const counter = new Counter(wantsBodies);
  const decoder = decoderOf(counter);
  expect(peak(decoder, hugeHash(), 100)).toBeLessThan(8e6);
  expect(counter.elements).toBe(FIELDS);
  expect(decoder.pendingBytes).toBe(0);
});

function* hugeListInChunks(): Generator<Buffer> {
  const items = 400_000;
  const item = str("x".repeat(100));
  const chunk = taggedChunk(1, Buffer.concat(Array.from({ length: 500 }, () => item)));
  const packed = lz4Blob(chunk);
  yield rdb([taggedChunk(1, Buffer.concat([bytes(1), str("huge"), len(items)]))]);
  for (let at = 0; at < items; at += 500) {
    yield at % 1000 === 0 ? chunk : packed;
    yield string(`other ${at}`, "x");
  }
}

test("a list of 40 MB in chunks, half of them in blobs, with strings in between", () => {
  const counter = new Counter();
  expect(peak(decoderOf(counter), hugeListInChunks(), 200)).toBeLessThan(8e6);
  expect(counter.elements).toBe(400_000);
  expect(counter.others).toBe(800);
});

function* inPieces(content: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

const LARGE = 24e6;
const SMALL = Array.from({ length: 40 }, (_, i) => string(`small ${i}`, "x".repeat(100_000)));

test.each([
  ["a plain string", string("k", Buffer.alloc(LARGE))],
  ["an LZF string", object(0, "k", wireLzf(Buffer.alloc(LARGE)).wire)],
  ["an LZF key", Buffer.concat([bytes(0), wireLzf(Buffer.alloc(LARGE)).wire, str("v")])],
  ["an AUX value", Buffer.concat([bytes(250), str("lua"), wireLzf(Buffer.alloc(LARGE)).wire])],
  ["a member", object(2, "k", Buffer.concat([len(1), wireLzf(Buffer.alloc(LARGE)).wire]))],
  ["a blob", lz4Blob(string("k", Buffer.alloc(LARGE)), { linked: false, sizeCode: 7, blockBytes: 4 << 20 })],
  ["a journal blob", Buffer.concat([bytes(210), len(1), str(command(["SET", "k", Buffer.alloc(LARGE), "PXAT", "1"]))])],
])("%s of 24 MB is given back", (_name, large) => {
  const counter = new Counter();
  const decoder = decoderOf(counter);
  const flow = rdb([large]);
  const before = usedBytes();
  for (const piece of inPieces(flow, 1 << 20)) {
    decoder.push(piece);
    decoder.decode();
  }
  for (const piece of SMALL) {
    decoder.push(piece);
    decoder.decode();
  }
  expect(decoder.pendingBytes).toBe(0);
  expect(counter.others + counter.elements).toBe(SMALL.length + 1);
  expect(usedBytes() - before).toBeLessThan(8e6);
});

test("a journal entry of 24 MB is given back, though later entries have fewer arguments", () => {
  const counter = new Counter();
  const decoder = decoderOf(counter, { kind: "partial", lsn: 1 });
  const large = command(["SET", "k", Buffer.alloc(LARGE), "PXAT", "1"]);
  const before = usedBytes();
  for (const piece of [
    ...inPieces(large, 1 << 20),
    ...Array.from({ length: 40 }, () => command(["DEL", "x".repeat(100_000)])),
  ]) {
    decoder.push(piece);
    decoder.decode();
  }
  expect(counter.others).toBe(41);
  expect(usedBytes() - before).toBeLessThan(8e6);
});

test("values that wait for their next chunk hold no bytes of their last one", () => {
  const counter = new Counter();
  const decoder = decoderOf(counter);
  const before = usedBytes();
  decoder.push(rdb([]));
  const element = str(Buffer.alloc(6e6));
  const lzf = wireLzf(Buffer.alloc(6e6)).wire;
  for (let id = 1; id <= 20; id++) {
    const content = Buffer.concat([bytes(2), str(`key ${id}`), len(2), id % 2 === 0 ? element : lzf]);
    decoder.push(taggedChunk(id, content));
    decoder.decode();
    decoder.push(SMALL[0] as Buffer);
    decoder.decode();
    decoder.push(SMALL[0] as Buffer);
    decoder.decode();
  }
  expect(counter.elements).toBe(20);
  expect(usedBytes() - before).toBeLessThan(16e6);
});

test("the snapshot's buffers are given back when it is over", () => {
  const decoder = decoderOf(new Counter());
  const before = usedBytes();
  const blob = lz4Blob(string("k", Buffer.alloc(14e6)), { linked: false, sizeCode: 7, blockBytes: 4 << 20 });
  decoder.push(fullSync([blob]));
  decoder.decode();
  expect(decoder.phase).toBe("journal");
  expect(usedBytes() - before).toBeLessThan(4e6);
});
