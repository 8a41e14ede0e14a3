/**
 * Decompresses the ZSTD and LZ4 blobs of a flow. Blobs may nest (a blob in a chunk in a blob), each with its own output buffer, which is reused when
 * the next blob of that depth comes: the bytes of a blob are valid until `leave`.
 */
import { Cursor } from "../bytes/cursor.ts";
import type { DecodeLimits } from "../bytes/decode-limits.ts";
import type { Slice } from "../bytes/slice.ts";
import { Lz4FrameDecoder } from "../codec/lz4-frame.ts";
import { zstdDecompress } from "../codec/zstd.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { RDB_OPCODE_COMPRESSED_LZ4_BLOB_START } from "./opcodes.ts";

/** The masters nest one level at most. */
const MAX_DEPTH = 4;

export class BlobDecompressor {
  readonly #limits: DecodeLimits;
  readonly #lz4: Lz4FrameDecoder[] = [];
  #depth = 0;

  constructor(limits: DecodeLimits) {
    this.#limits = limits;
  }

  /** @returns a cursor over the blob's content. @throws STREAM_CORRUPT, LIMIT_EXCEEDED; the caller adds the offset in the flow */
  enter(opcode: number, blob: Slice): Cursor {
    if (this.#depth === MAX_DEPTH) {
      throw new Df2RedisError("STREAM_CORRUPT", `compressed blobs are nested more than ${MAX_DEPTH} deep`);
    }
    const content = this.#decompress(opcode, blob);
    this.#depth++;
    return new Cursor().resetTo(content, 0, content.length);
  }

  leave(): void {
    this.#depth--;
  }

  #decompress(opcode: number, blob: Slice): Buffer {
    const { blobBytes } = this.#limits;
    if (opcode !== RDB_OPCODE_COMPRESSED_LZ4_BLOB_START)
      return zstdDecompress(blob.buf, blob.start, blob.end, blobBytes);
    let decoder = this.#lz4[this.#depth];
    if (decoder === undefined) {
      decoder = new Lz4FrameDecoder();
      this.#lz4[this.#depth] = decoder;
    }
    return decoder.decompress(blob.buf, blob.start, blob.end, blobBytes);
  }
}
