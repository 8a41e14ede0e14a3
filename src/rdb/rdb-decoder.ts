/**
 * Decodes the RDB stream of a flow, from `REDIS` to EOF (docs/protocol.md §4). Sans-IO: it reads from a cursor, tells an
 * `RdbHandler`, and stops between elements when bytes run out or the handler is full.
 *
 * Input is a stack of frames: the flow's own bytes, and one for each decompressed blob. A value that is not complete at the end of its tagged
 * chunk waits under the chunk's id. Blobs may stand in chunks and chunks in blobs. Every step reads all that it needs before it tells the
 * handler, so running out of bytes never tells a thing twice.
 */
import type { Cursor } from "../bytes/cursor.ts";
import type { DecodeLimits } from "../bytes/decode-limits.ts";
import { NEEDS_MORE } from "../bytes/needs-more.ts";
import { readLen, readLen64 } from "../bytes/packed-uint.ts";
import { Slice } from "../bytes/slice.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { type OpenValue, beginValue, isValueType } from "./begin-value.ts";
import { BlobDecompressor } from "./blob-decompressor.ts";
import { BodyScanner, isScannable } from "./body-scanner.ts";
import { readCount } from "./check-count.ts";
import { Frame } from "./frame.ts";
import { ObjectHead } from "./object-head.ts";
import {
  DF_MASK_FLAG_MC_FLAGS,
  DF_MASK_FLAG_STICKY,
  RDB_OPCODE_AUX,
  RDB_OPCODE_COMPRESSED_BLOB_END,
  RDB_OPCODE_COMPRESSED_LZ4_BLOB_START,
  RDB_OPCODE_COMPRESSED_ZSTD_BLOB_START,
  RDB_OPCODE_DF_MASK,
  RDB_OPCODE_EOF,
  RDB_OPCODE_EXPIRETIME,
  RDB_OPCODE_EXPIRETIME_MS,
  RDB_OPCODE_FREQ,
  RDB_OPCODE_FULLSYNC_END,
  RDB_OPCODE_FUNCTION2,
  RDB_OPCODE_IDLE,
  RDB_OPCODE_JOURNAL_BLOB,
  RDB_OPCODE_JOURNAL_OFFSET,
  RDB_OPCODE_MODULE_AUX,
  RDB_OPCODE_RESIZEDB,
  RDB_OPCODE_SELECTDB,
  RDB_OPCODE_SHARD_DOC_INDEX,
  RDB_OPCODE_SLOT_INFO,
  RDB_OPCODE_TAGGED_CHUNK,
  RDB_OPCODE_VECTOR_INDEX,
  RDB_TYPE_JSON,
  RDB_TYPE_SET_LISTPACK,
  RDB_TYPE_STRING,
} from "./opcodes.ts";
import type { RdbHandler, RdbStreamEvents } from "./rdb-handler.ts";
import { readString, skipString } from "./rdb-string.ts";
import { ShardDocIndexSkipper, VectorIndexSkipper } from "./values/index-skipper.ts";
import { ModuleAuxReader } from "./values/module-value-reader.ts";
import { WaitingValues } from "./waiting-values.ts";

export type RdbDecoderOptions<T> = {
  readonly handler: RdbHandler<T>;
  readonly events: RdbStreamEvents;
  readonly limits: DecodeLimits;
  /** Largest body that is handed on verbatim. */
  readonly bodyLimitBytes: number;
};

export type DecodeStatus = "needsMore" | "full" | "end";

const MAGIC = "REDIS";
const MIN_RDB_VERSION = 5;
const MAX_RDB_VERSION = 13;
/** From this RDB version on type 20 is a set of listpacks; before, old Dragonflies wrote JSON with it. */
const SET_LISTPACK_RDB_VERSION = 10;
/** Databases are numbered with 16 bits (Dragonfly src/server/common_types.h DbIndex). */
const MAX_DB = 0xffff;

export class RdbDecoder<T> {
  readonly #handler: RdbHandler<T>;
  readonly #events: RdbStreamEvents;
  readonly #limits: DecodeLimits;
  readonly #scanner: BodyScanner;
  readonly #blobs: BlobDecompressor;
  readonly #frames: Frame<T>[];
  #top: Frame<T>;
  readonly #waiting: WaitingValues<T>;
  readonly #head = new ObjectHead();
  readonly #value = new Slice();
  #hasHeadKey = false;
  #rdbVersion = 0;
  #isEnded = false;

  /** @param cursor of the flow; the decoder limits and moves it until EOF, then leaves it behind EOF */
  constructor(cursor: Cursor, options: RdbDecoderOptions<T>) {
    this.#handler = options.handler;
    this.#events = options.events;
    this.#limits = options.limits;
    this.#scanner = new BodyScanner(options.bodyLimitBytes, options.limits.stringBytes);
    this.#blobs = new BlobDecompressor(options.limits);
    this.#waiting = new WaitingValues<T>(options.limits.stringBytes);
    this.#top = new Frame<T>(cursor, false);
    this.#frames = [this.#top];
  }

  /** Text of the key that is being read, for error messages. */
  get currentKey(): string | undefined {
    const open = this.#top.open ?? this.#waiting.get(this.#top.chunkId);
    if (open !== undefined) return open.key.utf8Slice();
    return this.#hasHeadKey ? this.#head.key.toText() : undefined;
  }

  /** @returns `needsMore` (bytes), `full` (the handler said so: call again later), `end` (EOF was read) */
  decode(): DecodeStatus {
    try {
      while (!this.#isEnded) {
        if (this.#handler.isFull()) return "full";
        this.#step(this.#top);
        this.#top.cursor.commit();
      }
    } catch (thrown) {
      if (thrown !== NEEDS_MORE) throw thrown;
      this.#top.cursor.rewind();
      return "needsMore";
    }
    return "end";
  }

  #step(frame: Frame<T>): void {
    if (frame.isAtEnd) this.#endRegion(frame);
    else if (frame.open !== undefined) this.#readElements(frame, frame.open);
    else if (frame.skipping !== undefined) this.#skip(frame, frame.skipping);
    else if (frame.chunkId === 0 || !this.#resumeValue(frame)) this.#readOpcode(frame);
  }

  #readElements(frame: Frame<T>, open: OpenValue<T>): void {
    const { cursor } = frame;
    const handler = this.#handler;
    const { reader, value } = open;
    while (!reader.isDone) {
      if (frame.isAtEnd || handler.isFull()) return;
      reader.next(cursor, handler, value);
      cursor.commit();
    }
    this.#endValue(frame, open);
  }

  #endValue(frame: Frame<T>, open: OpenValue<T>): void {
    endChunk(frame);
    frame.open = undefined;
    this.#handler.end(open.value);
  }

  #skip(frame: Frame<T>, reader: { readonly isDone: boolean; next(cursor: Cursor): void }): void {
    while (!reader.isDone) {
      reader.next(frame.cursor);
      frame.cursor.commit();
    }
    frame.skipping = undefined;
  }

  /** In a chunk whose value began in an earlier one: goes on with it. False when the chunk begins a value, or is a blob. */
  #resumeValue(frame: Frame<T>): boolean {
    const open = this.#waiting.get(frame.chunkId);
    if (open === undefined) return false;
    // An element starts with a packed integer or a string, and neither starts with a blob's opcode.
    if (open.reader.startsRaw !== true && isBlobOpcode(frame.cursor.peek())) return false;
    frame.open = this.#waiting.take(frame.chunkId);
    return true;
  }

  /** The end of a tagged chunk, or of a blob. */
  #endRegion(frame: Frame<T>): void {
    const { open, chunkId, cursor } = frame;
    if (open !== undefined && open.reader.isDone) {
      this.#endValue(frame, open);
      return;
    }
    if (frame.skipping?.isDone === false)
      cursor.corrupt("a chunk or a compressed blob ends inside index or module data");
    frame.skipping = undefined;
    if (chunkId === 0) {
      if (open !== undefined) cursor.corrupt("a compressed blob ends inside a value");
      this.#popBlob(frame);
      return;
    }
    if (open !== undefined) {
      this.#handler.pieceEnd(open.value);
      open.reader.release?.();
      this.#waiting.add(chunkId, open, cursor);
      frame.open = undefined;
    }
    frame.leaveChunk();
  }

  #popBlob(blob: Frame<T>): void {
    this.#frames.pop();
    this.#blobs.leave();
    this.#top = this.#frames.at(-1) as Frame<T>;
    if (blob.isChunkDone) endChunk(this.#top);
  }

  // oxlint-disable-next-line max-lines-per-function -- one switch over the opcodes of the wire
  #readOpcode(frame: Frame<T>): void {
    const { cursor } = frame;
    if (this.#rdbVersion === 0) {
      this.#readMagic(cursor);
      return;
    }
    const head = this.#head;
    this.#hasHeadKey = false;
    const opcode = cursor.u8();
    switch (opcode) {
      case RDB_OPCODE_EXPIRETIME_MS:
        head.expireAtMs = cursor.i64leNumber();
        break;
      case RDB_OPCODE_EXPIRETIME:
        head.expireAtMs = cursor.u32le() * 1000;
        break;
      case RDB_OPCODE_DF_MASK:
        this.#readMask(cursor);
        break;
      case RDB_OPCODE_SELECTDB:
        this.#selectDb(cursor);
        break;
      case RDB_OPCODE_COMPRESSED_ZSTD_BLOB_START:
      case RDB_OPCODE_COMPRESSED_LZ4_BLOB_START:
        this.#enterBlob(frame, opcode);
        break;
      case RDB_OPCODE_COMPRESSED_BLOB_END:
        break;
      case RDB_OPCODE_TAGGED_CHUNK:
        this.#enterChunk(frame);
        break;
      case RDB_OPCODE_JOURNAL_BLOB:
        this.#readJournalBlob(cursor);
        break;
      case RDB_OPCODE_JOURNAL_OFFSET:
        this.#events.journalOffset(cursor.i64leNumber());
        break;
      case RDB_OPCODE_FULLSYNC_END:
        cursor.skip(8);
        this.#events.fullSyncEnd();
        break;
      case RDB_OPCODE_AUX:
        readString(cursor, head.key, this.#limits.stringBytes);
        readString(cursor, this.#value, this.#limits.stringBytes);
        this.#handler.aux(head.key, this.#value);
        this.#release();
        break;
      case RDB_OPCODE_RESIZEDB:
        skipLens(cursor, 2);
        break;
      case RDB_OPCODE_SLOT_INFO:
        skipLens(cursor, 3);
        break;
      case RDB_OPCODE_IDLE:
        skipLens(cursor, 1);
        break;
      case RDB_OPCODE_FREQ:
        cursor.skip(1);
        break;
      case RDB_OPCODE_FUNCTION2:
        skipString(cursor, this.#limits.stringBytes);
        break;
      case RDB_OPCODE_MODULE_AUX:
        readLen64(cursor);
        skipLens(cursor, 2);
        frame.skipping = new ModuleAuxReader(this.#limits.stringBytes);
        break;
      case RDB_OPCODE_VECTOR_INDEX:
        skipString(cursor, this.#limits.stringBytes);
        readLen64(cursor);
        frame.skipping = new VectorIndexSkipper(readCount(cursor, this.#limits));
        break;
      case RDB_OPCODE_SHARD_DOC_INDEX:
        readLen(cursor);
        skipString(cursor, this.#limits.stringBytes);
        frame.skipping = new ShardDocIndexSkipper(readCount(cursor, this.#limits), this.#limits.stringBytes);
        break;
      case RDB_OPCODE_EOF:
        this.#readEnd(frame);
        break;
      default:
        this.#readObject(frame, opcode);
    }
  }

  #readMagic(cursor: Cursor): void {
    cursor.need(9);
    const text = cursor.buf.latin1Slice(cursor.pos, cursor.pos + 9);
    const version = /^\d{4}$/.test(text.slice(5)) ? Number(text.slice(5)) : 0;
    if (!text.startsWith(MAGIC)) cursor.corrupt(`the flow does not start with ${MAGIC}`);
    if (version < MIN_RDB_VERSION || version > MAX_RDB_VERSION)
      cursor.corrupt(`RDB version ${text.slice(5)} is not known`);
    cursor.pos += 9;
    this.#rdbVersion = version;
  }

  #readMask(cursor: Cursor): void {
    const mask = cursor.u32le();
    const flags = (mask & DF_MASK_FLAG_MC_FLAGS) === 0 ? -1 : cursor.u32le();
    this.#head.sticky = (mask & DF_MASK_FLAG_STICKY) !== 0;
    this.#head.mcFlags = flags;
  }

  #selectDb(cursor: Cursor): void {
    const db = readLen(cursor);
    if (db > MAX_DB) cursor.corrupt(`database ${db} is impossible`);
    this.#head.db = db;
  }

  #enterBlob(frame: Frame<T>, opcode: number): void {
    const { cursor, chunkId } = frame;
    const start = cursor.offset;
    readString(cursor, this.#value, this.#limits.stringBytes);
    const content = this.#blobs.enter(opcode, this.#value);
    this.#release();
    content.base = start;
    // The outer position is final before the frame is pushed: the caller commits the new top.
    cursor.commit();
    const blob = new Frame<T>(content, true);
    if (chunkId !== 0) blob.chunkId = chunkId;
    this.#frames.push(blob);
    this.#top = blob;
  }

  #enterChunk(frame: Frame<T>): void {
    const { cursor } = frame;
    if (frame.chunkId !== 0) cursor.corrupt("a tagged chunk stands in another one");
    const id = cursor.u32le();
    const size = cursor.u32le();
    if (id === 0 || size === 0) cursor.corrupt("a tagged chunk has no id or no content");
    if (cursor.pos + size > cursor.hardEnd) cursor.corrupt("a tagged chunk is longer than the blob that holds it");
    frame.enterChunk(id, size);
  }

  #readJournalBlob(cursor: Cursor): void {
    const count = readLen(cursor);
    readString(cursor, this.#value, this.#limits.stringBytes);
    this.#events.journalBlob(count, this.#value);
    this.#release();
  }

  #readEnd(frame: Frame<T>): void {
    const { cursor } = frame;
    cursor.skip(8);
    if (frame.isBlob || frame.chunkId !== 0) cursor.corrupt("the snapshot ends inside a blob or a chunk");
    const { first, size } = this.#waiting;
    if (first !== undefined) {
      throw new Df2RedisError("STREAM_CORRUPT", `the snapshot ends, but ${size} values are incomplete`, {
        context: { offset: cursor.offset, key: first.key.utf8Slice() },
      });
    }
    this.#isEnded = true;
  }

  #readObject(frame: Frame<T>, wireType: number): void {
    const { cursor } = frame;
    const head = this.#head;
    const type =
      wireType === RDB_TYPE_SET_LISTPACK && this.#rdbVersion < SET_LISTPACK_RDB_VERSION ? RDB_TYPE_JSON : wireType;
    if (type !== RDB_TYPE_STRING && !isValueType(type)) {
      cursor.pos--;
      cursor.corrupt(`${wireType} is no opcode and no object type`);
    }
    head.type = type;
    readString(cursor, head.key, this.#limits.stringBytes);
    this.#hasHeadKey = true;
    if (type === RDB_TYPE_STRING) {
      readString(cursor, this.#value, this.#limits.stringBytes);
      endChunk(frame);
      this.#handler.string(head, this.#value);
    } else if (!this.#readBody(frame, type)) {
      frame.open = beginValue(cursor, head, { handler: this.#handler, limits: this.#limits });
    }
    this.#hasHeadKey = false;
    this.#release();
    head.reset();
  }

  #readBody(frame: Frame<T>, type: number): boolean {
    const { cursor } = frame;
    if (!isScannable(type) || !this.#handler.wantsBody(type)) return false;
    const start = cursor.pos;
    if (this.#scanner.scan(cursor, type) === "partial") return false;
    endChunk(frame);
    this.#handler.body(this.#head, this.#value.set(cursor.buf, start, cursor.pos));
    return true;
  }

  #release(): void {
    this.#head.key.release(KEPT_BYTES);
    this.#value.release(KEPT_BYTES);
  }
}

/** What lies in a larger buffer is let go after each value. */
const KEPT_BYTES = 1024 * 1024;

/** A value has ended: if it stands in a tagged chunk, the chunk must end with it. */
function endChunk<T>(frame: Frame<T>): void {
  if (frame.chunkId === 0) return;
  if (!frame.isAtEnd) frame.cursor.corrupt("a tagged chunk goes on after its value's last element");
  frame.isChunkDone = true;
}

function isBlobOpcode(byte: number): boolean {
  return byte === RDB_OPCODE_COMPRESSED_LZ4_BLOB_START || byte === RDB_OPCODE_COMPRESSED_ZSTD_BLOB_START;
}

function skipLens(cursor: Cursor, count: number): void {
  for (let i = 0; i < count; i++) readLen64(cursor);
}
