/**
 * One flow's snapshot of any number of keys, made as it is sent and in constant memory: a few ready blobs that are filled in turn (blob-template.ts).
 * Values repeat after `period` keys, keys never. The same options give the same bytes.
 *
 * `next` gives the stream piece by piece into the caller's buffer. Knows nothing of sockets.
 */
import type { CompressionMode } from "../live/replication/blob-compressor.ts";
import { rdbProfile } from "../live/replication/rdb-profile.ts";
import type { Value } from "../live/values.ts";
import { RDB_OPCODE_FULLSYNC_END } from "../../rdb/opcodes.ts";
import { BlobTemplate, encodeBlob, KEY_PREFIX, keyNumber } from "./blob-template.ts";
import { GeneratedValues, type ValueMix } from "./generated-values.ts";
import { SeededRandom } from "./seeded-random.ts";

export type GeneratedDataOptions = ValueMix & {
  /** Of all flows together. */
  readonly keys: number;
  readonly flows: number;
  readonly seed?: number;
  /** `--compression_mode`; default 3. */
  readonly compression?: CompressionMode;
  /** Default "df-v1.40.1". */
  readonly version?: string;
};

const TEMPLATES = 32;
const ZSTD = 2;
/** ZSTD cannot be filled in, so each blob is compressed anew; larger ones than the real master's cost less. */
const ZSTD_BLOB_BYTES = 64 * 1024;
/** What an object costs beside its value, about. */
const OBJECT_OVERHEAD_BYTES = 24;
const FULLSYNC_END_BYTES = 9;

export class GeneratedFlow {
  /** Keys of this flow. */
  readonly keys: number;
  readonly #flow: number;
  readonly #flows: number;
  readonly #compression: CompressionMode;
  readonly #version: string;
  readonly #groups: readonly (readonly Value[])[];
  readonly #templates: readonly BlobTemplate[] = [];
  #sent = 0;
  #group = 0;
  #isEnded = false;

  constructor(options: GeneratedDataOptions & { readonly flow: number }) {
    const { keys, flow, flows, seed = 1, compression = 3, version = "df-v1.40.1" } = options;
    this.keys = Math.floor((keys - flow + flows - 1) / flows);
    this.#flow = flow;
    this.#flows = flows;
    this.#compression = compression;
    this.#version = version;
    const random = new SeededRandom(seed + flow);
    this.#groups = makeGroups(
      new GeneratedValues(options, random),
      compression === ZSTD ? ZSTD_BLOB_BYTES : rdbProfile(version).minBlobBytes,
    );
    if (compression !== ZSTD)
      this.#templates = this.#groups.map((values) => BlobTemplate.make(values, { compression, version }, random));
  }

  /** After how many keys of this flow the values come again. */
  get period(): number {
    return this.#groups.reduce((sum, values) => sum + values.length, 0);
  }

  /** Keys sent so far. */
  get sentKeys(): number {
    return this.#sent;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Largest piece that one `next` may need room for. */
  get maxPieceBytes(): number {
    const largest = Math.max(...this.#groups.map((values) => values.reduce((sum, value) => sum + sizeOf(value), 0)));
    return 2 * largest + FULLSYNC_END_BYTES;
  }

  /** The key number `n` of this flow with its value: to check what a target holds. */
  entry(n: number): { readonly key: Buffer; readonly value: Value } {
    let rest = n % this.period;
    const group = this.#groups.find((values) => {
      if (rest < values.length) return true;
      rest -= values.length;
      return false;
    });
    const value = group?.[rest] ?? { type: "string", bytes: Buffer.alloc(0) };
    return { key: Buffer.concat([Buffer.from(KEY_PREFIX), keyNumber(this.#number(n))]), value };
  }

  /** Writes the next blob, or at last FULLSYNC_END, to `out[at…]`; returns where it ends. */
  next(out: Buffer, at: number): number {
    if (this.#sent === this.keys) {
      this.#isEnded = true;
      out.fill(0, at, at + FULLSYNC_END_BYTES);
      out[at] = RDB_OPCODE_FULLSYNC_END;
      return at + FULLSYNC_END_BYTES;
    }
    const first = this.#sent;
    const values = this.#groups[this.#group] ?? [];
    const template = this.#templates[this.#group];
    const count = Math.min(values.length, this.keys - first);
    this.#sent += count;
    this.#group = (this.#group + 1) % this.#groups.length;
    if (template !== undefined && count === values.length)
      return template.fill(out, at, { first: this.#number(first), step: this.#flows });
    const numbers = Array.from({ length: count }, (_, i) => keyNumber(this.#number(first + i)));
    return (
      at +
      encodeBlob(values.slice(0, count), { compression: this.#compression, version: this.#version, numbers }).copy(
        out,
        at,
      )
    );
  }

  /** Keys of all flows are numbered in turn. */
  #number(n: number): number {
    return this.#flow + n * this.#flows;
  }
}

/** Values of one blob each: as many as make it as large as the real master's. */
function makeGroups(source: GeneratedValues, blobBytes: number): Value[][] {
  return Array.from({ length: TEMPLATES }, () => {
    const values: Value[] = [];
    for (let bytes = 0; bytes < blobBytes;) {
      const value = source.next();
      values.push(value);
      bytes += sizeOf(value);
    }
    return values;
  });
}

/** An upper bound for the object's bytes, near enough. */
function sizeOf(value: Value): number {
  switch (value.type) {
    case "string":
      return OBJECT_OVERHEAD_BYTES + value.bytes.length;
    case "list":
      return value.items.reduce((sum, item) => sum + item.length + 4, OBJECT_OVERHEAD_BYTES);
    case "hash":
      return [...value.fields.values()].reduce(
        (sum, { field, content }) => sum + field.length + content.length + 6,
        OBJECT_OVERHEAD_BYTES,
      );
    case "set":
      return [...value.members.values()].reduce((sum, { member }) => sum + member.length + 4, OBJECT_OVERHEAD_BYTES);
    case "zset":
      return [...value.members.values()].reduce((sum, { member }) => sum + member.length + 12, OBJECT_OVERHEAD_BYTES);
    default:
      return OBJECT_OVERHEAD_BYTES;
  }
}
