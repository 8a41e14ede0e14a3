/**
 * Compresses as Dragonfly does (docs/protocol.md §4): whole blobs by LZ4 or ZSTD, or single strings by LZF; what does not shrink enough stays as
 * it is (Dragonfly src/server/rdb_save.cc, kMinStrSizeToCompress, kMinCompressionReductionPrecentage).
 */
import { zstdCompressSync } from "node:zlib";
import { compressSync } from "lz4-napi";
import { compress as lzfCompress } from "lzfjs";
import { RDB_OPCODE_COMPRESSED_LZ4_BLOB_START, RDB_OPCODE_COMPRESSED_ZSTD_BLOB_START } from "../src/rdb/opcodes.ts";
import { lz4Header } from "../test/support/lz4-builder.ts";

/** As `--compression_mode` 0 to 3. */
export type Compression = "none" | "lzf" | "zstd" | "lz4";

export const COMPRESSIONS: readonly Compression[] = ["none", "lzf", "zstd", "lz4"];

const SMALLEST_BLOB_BYTES = 256;
const WORTHWHILE_RATIO = 0.95;
const SMALLEST_STRING_BYTES = 20;
const SMALLEST_GAIN_BYTES = 8;
const LZ4_BLOCK_BYTES = 64 * 1024;
/** Version 1, independent blocks, content size; 64 KiB blocks: as in the recordings. */
const LZ4_FLAGS = 0x68;
const LZ4_DESCRIPTOR = 0x40;
/** lz4-napi puts the size of the content in front of a block. */
const LZ4_PREFIX_BYTES = 4;

export type CompressedBlob = { readonly opcode: number; readonly frame: Buffer };

/** undefined when the blob is sent as it is. */
export function compressBlob(blob: Buffer, compression: Compression): CompressedBlob | undefined {
  if (blob.length < SMALLEST_BLOB_BYTES || compression === "none" || compression === "lzf") return undefined;
  const compressed =
    compression === "lz4"
      ? { opcode: RDB_OPCODE_COMPRESSED_LZ4_BLOB_START, frame: lz4Frame(blob) }
      : { opcode: RDB_OPCODE_COMPRESSED_ZSTD_BLOB_START, frame: zstdCompressSync(blob) };
  return compressed.frame.length > blob.length * WORTHWHILE_RATIO ? undefined : compressed;
}

/** undefined when the string is sent as it is. */
export function compressString(bytes: Buffer, compression: Compression): Buffer | undefined {
  if (compression !== "lzf" || bytes.length <= SMALLEST_STRING_BYTES) return undefined;
  const compressed = lzfCompress(bytes);
  return compressed.length + SMALLEST_GAIN_BYTES > bytes.length ? undefined : compressed;
}

function lz4Frame(content: Buffer): Buffer {
  const parts = [lz4Header(LZ4_FLAGS, LZ4_DESCRIPTOR, BigInt(content.length))];
  for (let at = 0; at < content.length; at += LZ4_BLOCK_BYTES) {
    const block = compressSync(content.subarray(at, at + LZ4_BLOCK_BYTES)).subarray(LZ4_PREFIX_BYTES);
    parts.push(u32(block.length), block);
  }
  parts.push(u32(0));
  return Buffer.concat(parts);
}

function u32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}
