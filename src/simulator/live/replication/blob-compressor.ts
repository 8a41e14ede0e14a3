/**
 * Wraps a blob of opcodes and objects as `--compression_mode` says, or leaves it as it is when it is small, very large or would hardly shrink (Dragonfly
 * src/server/rdb_save.cc CompressBlob; the recordings show the limits).
 */
import { constants, zstdCompressSync } from "node:zlib";
import { RDB_OPCODE_COMPRESSED_LZ4_BLOB_START, RDB_OPCODE_COMPRESSED_ZSTD_BLOB_START } from "../../../rdb/opcodes.ts";
import { ByteWriter } from "./byte-writer.ts";
import { lz4Frame } from "./lz4-frame-encoder.ts";

/** `--compression_mode`: nothing, strings by LZF, blobs by ZSTD, blobs by LZ4. */
export type CompressionMode = 0 | 1 | 2 | 3;

const ZSTD = 2;
const LZ4 = 3;
const SMALLEST_BYTES = 256;
const LARGEST_BYTES = 1024 * 1024;
const WORTHWHILE_RATIO = 0.95;
const COMPRESSION_LEVEL = 2;

/** What goes on the wire for `blob`; may be `blob` itself. */
export function wrapBlob(blob: Buffer, mode: CompressionMode): Buffer {
  if ((mode !== ZSTD && mode !== LZ4) || blob.length < SMALLEST_BYTES || blob.length > LARGEST_BYTES) return blob;
  const frame = mode === LZ4 ? lz4Frame(blob) : zstdFrame(blob);
  if (frame.length > blob.length * WORTHWHILE_RATIO) return blob;
  const out = new ByteWriter(frame.length + 16);
  out.u8(mode === LZ4 ? RDB_OPCODE_COMPRESSED_LZ4_BLOB_START : RDB_OPCODE_COMPRESSED_ZSTD_BLOB_START);
  out.lenBytes(frame);
  return out.view();
}

function zstdFrame(blob: Buffer): Buffer {
  return zstdCompressSync(blob, { params: { [constants.ZSTD_c_compressionLevel]: COMPRESSION_LEVEL } });
}
