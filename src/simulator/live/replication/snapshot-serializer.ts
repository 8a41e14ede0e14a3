/**
 * Turns objects and journal entries into the blobs of one flow's snapshot, in the way of Dragonfly's RdbSerializer (src/server/rdb_save.cc; the
 * recordings show the result): they collect in one buffer, which goes out as a blob when it is large enough. An object that would make the buffer larger
 * than `maxChunkBytes` is cut between its elements: as tagged chunks, between which anything may stand, or, untagged, in pieces that follow each other.
 *
 * Owns its buffer; every blob is handed to `emit`, which then owns it. Knows nothing of sockets and time. While an untagged object is open, nothing else
 * may be written: the caller finishes it first.
 */
import {
  DF_MASK_FLAG_MC_FLAGS,
  DF_MASK_FLAG_STICKY,
  RDB_OPCODE_DF_MASK,
  RDB_OPCODE_EXPIRETIME_MS,
  RDB_OPCODE_JOURNAL_BLOB,
  RDB_OPCODE_SELECTDB,
  RDB_OPCODE_TAGGED_CHUNK,
} from "../../../rdb/opcodes.ts";
import type { KeyEntry } from "../values.ts";
import { type CompressionMode, wrapBlob } from "./blob-compressor.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { RdbProfile } from "./rdb-profile.ts";
import { writeString } from "./rdb-string-writer.ts";
import { encodeBody, encodeWhole, rdbType } from "./value-encoder.ts";

export type SnapshotFormat = {
  readonly profile: RdbProfile;
  readonly compression: CompressionMode;
  /** `--serialization_tagged_chunks` */
  readonly tagged: boolean;
  /** `--serialization_max_chunk_size`; 0: values are never cut. */
  readonly maxChunkBytes: number;
};

/** An object that is being written. `done` comes true with its last byte. */
export type OpenObject = {
  readonly id: number;
  /** What is left to write; undefined for a value that `begin` has written to its end. */
  readonly elements: Generator<undefined, void> | undefined;
  /** Where it begins in the buffer, before the first `advance`. */
  start: number | undefined;
  isSplit: boolean;
  done: boolean;
};

const NO_DB = -1;
const CHUNK_HEADER_BYTES = 9;
const FIRST_BUFFER_BYTES = 32 * 1024;

export class SnapshotSerializer {
  readonly #format: SnapshotFormat;
  readonly #emit: (blob: Buffer) => void;
  readonly #out = new ByteWriter(FIRST_BUFFER_BYTES);
  /** Database that the blob so far ends in: every blob selects its own. */
  #db = NO_DB;
  #nextId = 1;
  /** Untagged: pieces of the object that was cut last may be in the buffer, which must not be compressed then. */
  #holdsPiece = false;

  constructor(format: SnapshotFormat, emit: (blob: Buffer) => void) {
    this.#format = format;
    this.#emit = emit;
  }

  get isTagged(): boolean {
    return this.#format.tagged && this.#format.profile.canTag;
  }

  get bufferedBytes(): number {
    return this.#out.length;
  }

  /** Begins an object; `advance` goes on with it, at once. */
  begin(db: number, entry: KeyEntry): OpenObject {
    this.#select(db);
    const { profile, compression } = this.#format;
    const settings = { profile, lzf: compression === 1 };
    const out = this.#out;
    const start = out.length;
    writeObjectHead(out, entry);
    const type = rdbType(entry.value, profile);
    out.u8(type);
    writeString(out, entry.key, settings.lzf);
    const isWhole = encodeWhole(out, entry.value, type, settings);
    const elements = isWhole ? undefined : encodeBody(out, entry.value, type, settings);
    return { id: this.#nextId++, elements, start, isSplit: false, done: false };
  }

  /**
   * Writes on, to the object's end or until a chunk of it has gone out.
   * @returns true at the object's end
   */
  advance(object: OpenObject): boolean {
    const start = object.start ?? this.#out.length;
    object.start = undefined;
    while (object.elements !== undefined && object.elements.next().done !== true) {
      if (!this.#isOverChunk()) continue;
      object.isSplit = true;
      this.#flushInside(object, start);
      return false;
    }
    object.done = true;
    if (object.isSplit && this.isTagged) this.#tag(object, start);
    if (this.#isOverChunk()) this.flush();
    return true;
  }

  /** Writes an object to its end. */
  finish(object: OpenObject): void {
    while (!this.advance(object));
  }

  /** A journal entry, encoded as in the stable stream. */
  journal(entry: Buffer): void {
    this.#out.u8(RDB_OPCODE_JOURNAL_BLOB);
    this.#out.len(1);
    this.#out.lenBytes(entry);
  }

  /** Opcodes and AUX fields. */
  raw(bytes: Buffer): void {
    this.#out.bytes(bytes);
  }

  /** Lets the blob go when it has reached its usual size. */
  flushIfLarge(): boolean {
    if (this.#out.length < this.#format.profile.minBlobBytes) return false;
    this.flush();
    return true;
  }

  /** Lets the blob go. Not inside an object. */
  flush(): void {
    if (this.#out.length === 0) return;
    const isWhole = !this.#holdsPiece;
    this.#holdsPiece = false;
    this.#send(isWhole);
  }

  /** @param start where the current piece of `object` begins: what stands before belongs to others */
  #flushInside(object: OpenObject, start: number): void {
    if (this.isTagged) {
      this.#tag(object, start);
      this.#send(true);
    } else {
      this.#holdsPiece = true;
      this.#send(false);
    }
  }

  #tag(object: OpenObject, start: number): void {
    const size = this.#out.length - start;
    if (size === 0) return;
    const header = Buffer.alloc(CHUNK_HEADER_BYTES);
    header[0] = RDB_OPCODE_TAGGED_CHUNK;
    header.writeUInt32LE(object.id, 1);
    header.writeUInt32LE(size, 5);
    this.#out.insert(start, header);
  }

  #send(compress: boolean): void {
    const blob = this.#out.take();
    this.#db = NO_DB;
    this.#emit(compress ? wrapBlob(blob, this.#format.compression) : blob);
  }

  #isOverChunk(): boolean {
    const { maxChunkBytes } = this.#format;
    return maxChunkBytes > 0 && this.#out.length > maxChunkBytes;
  }

  #select(db: number): void {
    if (this.#db === db) return;
    this.#db = db;
    this.#out.u8(RDB_OPCODE_SELECTDB);
    this.#out.len(db);
  }
}

function writeObjectHead(out: ByteWriter, { expireAtMs, sticky, mcFlags }: KeyEntry): void {
  if (expireAtMs > 0) {
    out.u8(RDB_OPCODE_EXPIRETIME_MS);
    out.int64Le(expireAtMs);
  }
  const mask = (sticky ? DF_MASK_FLAG_STICKY : 0) | (mcFlags === undefined ? 0 : DF_MASK_FLAG_MC_FLAGS);
  if (mask === 0) return;
  out.u8(RDB_OPCODE_DF_MASK);
  out.intLe(mask, 4);
  if (mcFlags !== undefined) out.intLe(mcFlags, 4);
}
