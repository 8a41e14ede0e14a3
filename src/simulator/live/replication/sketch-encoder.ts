/**
 * Bodies of filters and sketches, types 33 to 37 (docs/protocol.md §4). Facts: Dragonfly src/server/rdb_save.cc; the recorded objects. Like
 * `encodeBody`, the generators yield where the real master may cut: between chunks of filters. Sketches are never cut.
 */
import { RDB_TYPE_SBF } from "../../../rdb/opcodes.ts";
import { topItems } from "../sketches/top-k.ts";
import type { BloomValue, CountMinValue, CuckooValue, TopKValue } from "../values.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { writeString } from "./rdb-string-writer.ts";

type Pieces = Generator<undefined, void>;
type BloomForm = { readonly type: number; readonly lzf: boolean };

const RESERVED_OPTIONS = 0;
const CHUNK_BYTES = 1 << 26;

/** @param form the type says whether the filters' bytes are strings (33) or come in chunks (34) */
export function* encodeBloom(out: ByteWriter, value: BloomValue, { type, lzf }: BloomForm): Pieces {
  out.len(RESERVED_OPTIONS);
  out.doubleLe(value.growth);
  out.doubleLe(value.errorRate);
  for (const number of [value.previousCapacity, value.size, value.capacity, value.filters.length]) out.len(number);
  for (const [i, { hashCount, bits }] of value.filters.entries()) {
    if (i > 0) yield;
    out.len(hashCount);
    if (type === RDB_TYPE_SBF) writeString(out, bits, lzf);
    else yield* encodeChunks(out, bits);
  }
}

export function* encodeCuckoo(out: ByteWriter, value: CuckooValue): Pieces {
  const { slotsPerBucket, maxIterations, expansion, buckets, items, deletes, filters } = value;
  for (const number of [slotsPerBucket, maxIterations, expansion, buckets, items, deletes, filters.length])
    out.len(number);
  for (const [i, filter] of filters.entries()) {
    if (i > 0) yield;
    yield* encodeChunks(out, filter);
  }
}

function* encodeChunks(out: ByteWriter, bytes: Buffer): Pieces {
  out.len(bytes.length);
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    if (at > 0) yield;
    out.lenBytes(bytes.subarray(at, at + CHUNK_BYTES));
  }
}

export function encodeCountMin(out: ByteWriter, { width, depth, total, counters }: CountMinValue): void {
  out.len(width);
  out.len(depth);
  out.len64(total);
  out.bytes(counters);
}

export function encodeTopK(out: ByteWriter, value: TopKValue, lzf: boolean): void {
  const { k, width, depth, decay, items, counters } = value;
  for (const number of [RESERVED_OPTIONS, k, width, depth]) out.len(number);
  out.doubleLe(decay);
  out.len(items.length);
  for (const { item, count } of topItems(value)) {
    writeString(out, item, lzf);
    out.len(count);
  }
  out.lenBytes(counters);
}
