/**
 * One flow's RDB stream as a Dragonfly 1.40 writes it (docs/protocol.md §4): REDIS0009, AUX, then blobs of objects, FULLSYNC_END, and after
 * STARTSTABLE JOURNAL_OFFSET and EOF. In constant memory: bytes go to `sink` as they come. What `sink` gets is valid during the call only.
 *
 * A blob is cut after the object with which it reaches 8 KiB, and starts with its own SELECTDB (Dragonfly src/server/snapshot.cc, kMinBlobSize):
 * the recordings show the same.
 */
import {
  RDB_OPCODE_AUX,
  RDB_OPCODE_EOF,
  RDB_OPCODE_FULLSYNC_END,
  RDB_OPCODE_JOURNAL_OFFSET,
  RDB_OPCODE_SELECTDB,
  RDB_OPCODE_TAGGED_CHUNK,
  RDB_TYPE_HASH,
  RDB_TYPE_HASH_LISTPACK,
  RDB_TYPE_STRING,
  RDB_TYPE_ZSET_LISTPACK,
} from "../src/rdb/opcodes.ts";
import { compressBlob, compressString, type Compression } from "./blob-compressor.ts";
import { ByteWriter } from "./byte-writer.ts";
import { type DataObject, partText } from "./dataset.ts";
import { ListpackWriter } from "./listpack-writer.ts";

const BLOB_BYTES = 8 * 1024;
/** `--serialization_max_chunk_size` */
const CHUNK_BYTES = 64 * 1024;
const LZF_STRING = 0xc3;
const CHUNK_HEADER_BYTES = 8;

export type GeneratedFlowOptions = {
  readonly compression: Compression;
  readonly sink: (bytes: Buffer) => void;
};

export class GeneratedFlow {
  readonly #compression: Compression;
  readonly #sink: (bytes: Buffer) => void;
  readonly #blob = new ByteWriter();
  readonly #head = new ByteWriter();
  readonly #listpack = new ListpackWriter();
  #chunkId = 0;
  /** Bytes of opcodes and objects, before compression. */
  contentBytes = 0;
  /** Bytes of the stream. */
  wireBytes = 0;

  constructor(options: GeneratedFlowOptions) {
    this.#compression = options.compression;
    this.#sink = options.sink;
    this.#preamble();
  }

  add(object: DataObject): void {
    const blob = this.#blob;
    this.#selectDb();
    switch (object.kind) {
      case "string":
        this.#objectHead(RDB_TYPE_STRING, object.key);
        this.#string(partText(object.parts[0] ?? 0));
        break;
      case "hash":
        this.#objectHead(RDB_TYPE_HASH_LISTPACK, object.key);
        this.#string(this.#listpack.encode(object.parts));
        break;
      case "zset":
        this.#objectHead(RDB_TYPE_ZSET_LISTPACK, object.key);
        this.#string(this.#listpack.encode(object.parts));
        break;
    }
    if (blob.length >= BLOB_BYTES) this.#flushBlob();
  }

  /** A hash of any size, in tagged chunks. `pairs` are field and value. */
  addHugeHash(key: Buffer, count: number, pairs: Iterable<readonly [Buffer, Buffer]>): void {
    this.#flushBlob();
    const id = ++this.#chunkId;
    this.#send(Buffer.from([RDB_OPCODE_SELECTDB, 0]));
    this.#startChunk(id);
    this.#objectHead(RDB_TYPE_HASH, key);
    this.#blob.len(count);
    for (const [field, value] of pairs) {
      this.#string(field);
      this.#string(value);
      if (this.#blob.length < CHUNK_BYTES) continue;
      this.#endChunk();
      this.#startChunk(id);
    }
    this.#endChunk();
  }

  /** All that comes before STARTSTABLE is out. */
  end(): void {
    this.#flushBlob();
    this.#send(Buffer.from([RDB_OPCODE_FULLSYNC_END, 0, 0, 0, 0, 0, 0, 0, 0]));
  }

  #preamble(): void {
    const out = this.#blob;
    out.latin1("REDIS0009");
    for (const [key, value] of [
      ["redis-ver", "6.2.11"],
      ["df-ver", "df-v1.40.1"],
      ["shard-count", "1"],
    ] as const) {
      out.u8(RDB_OPCODE_AUX);
      out.string(Buffer.from(key));
      out.string(Buffer.from(value));
    }
    this.#send(out.bytes());
    out.clear();
  }

  #selectDb(): void {
    if (this.#blob.length > 0) return;
    this.#blob.u8(RDB_OPCODE_SELECTDB);
    this.#blob.len(0);
  }

  #objectHead(type: number, key: Buffer): void {
    this.#blob.u8(type);
    this.#string(key);
  }

  #string(bytes: Buffer): void {
    const compressed = compressString(bytes, this.#compression);
    if (compressed === undefined) {
      this.#blob.string(bytes);
      return;
    }
    this.#blob.u8(LZF_STRING);
    this.#blob.len(compressed.length);
    this.#blob.len(bytes.length);
    this.#blob.copy(compressed);
    this.contentBytes += bytes.length - compressed.length;
  }

  #startChunk(id: number): void {
    this.#blob.u8(RDB_OPCODE_TAGGED_CHUNK);
    this.#blob.u32le(id);
    this.#blob.u32le(0);
  }

  #endChunk(): void {
    const blob = this.#blob;
    if (blob.length > 1 + CHUNK_HEADER_BYTES) {
      blob.patchU32le(5, blob.length - 1 - CHUNK_HEADER_BYTES);
      this.#flushBlob();
    }
    blob.clear();
  }

  #flushBlob(): void {
    const blob = this.#blob;
    if (blob.length === 0) return;
    const compressed = compressBlob(blob.bytes(), this.#compression);
    if (compressed === undefined) this.#send(blob.bytes());
    else this.#sendFrame(compressed.opcode, compressed.frame, blob.length);
    blob.clear();
  }

  #sendFrame(opcode: number, frame: Buffer, contentBytes: number): void {
    const head = this.#head;
    head.clear();
    head.u8(opcode);
    head.len(frame.length);
    this.contentBytes += contentBytes - head.length - frame.length;
    this.#send(head.bytes());
    this.#send(frame);
  }

  #send(bytes: Buffer): void {
    this.contentBytes += bytes.length;
    this.wireBytes += bytes.length;
    this.#sink(bytes);
  }
}

/** What a flow sends after STARTSTABLE, up to the stable journal. */
export function flowTail(lsn: number, eofToken: string): Buffer {
  const out = new ByteWriter();
  out.u8(RDB_OPCODE_JOURNAL_OFFSET);
  out.u64le(BigInt(lsn));
  out.u8(RDB_OPCODE_EOF);
  out.u64le(0n);
  out.latin1(eofToken);
  return Buffer.from(out.bytes());
}
