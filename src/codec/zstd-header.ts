/**
 * The header of a ZSTD frame and a walk over its block headers, so that its content size is checked before anything is allocated, and its
 * end is known before it is decoded. Facts: RFC 8878 §3.1.1.
 */
import { corrupt, overLimit } from "./codec-error.ts";

const ZSTD_MAGIC = 0xfd2fb528;
const FHD_SINGLE_SEGMENT = 0x20;
const FHD_RESERVED = 0x08;
const FHD_CHECKSUM = 0x04;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4];
const SIZE_BYTES = [0, 2, 4, 8];
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;
const MAX_BLOCK_BYTES = 128 * 1024;

export type ZstdFrame = {
  readonly contentSize: number | undefined;
  readonly windowBytes: number;
  readonly hasChecksum: boolean;
  /** Where the first block begins. */
  readonly blocksAt: number;
};

/** @param at where the frame begins; offsets in errors count from there */
export function parseZstdHeader(src: Buffer, at: number, end: number): ZstdFrame {
  if (end - at < 5) throw corrupt("zstd", "the frame header is cut off", end - at);
  if (src.readUInt32LE(at) !== ZSTD_MAGIC) throw corrupt("zstd", "not a ZSTD frame", 0);
  const descriptor = src[at + 4] as number;
  if ((descriptor & FHD_RESERVED) !== 0) throw corrupt("zstd", "a reserved header bit is set", 4);
  const singleSegment = (descriptor & FHD_SINGLE_SEGMENT) !== 0;
  const windowAt = at + 5;
  const dictionaryAt = windowAt + (singleSegment ? 0 : 1);
  const dictionaryBytes = DICTIONARY_ID_BYTES[descriptor & 3] as number;
  const sizeAt = dictionaryAt + dictionaryBytes;
  const sizeCode = descriptor >>> 6;
  const sizeBytes = sizeCode === 0 && singleSegment ? 1 : (SIZE_BYTES[sizeCode] as number);
  if (sizeAt + sizeBytes > end) throw corrupt("zstd", "the frame header is cut off", end - at);
  if (dictionaryBytes > 0 && src.readUIntLE(dictionaryAt, dictionaryBytes) !== 0)
    throw corrupt("zstd", "the frame needs a dictionary", dictionaryAt - at);
  const contentSize = sizeBytes === 0 ? undefined : readSize(src, sizeAt, sizeBytes, at);
  const windowBytes = singleSegment ? (contentSize as number) : windowSize(src[windowAt] as number);
  return { contentSize, windowBytes, hasChecksum: (descriptor & FHD_CHECKSUM) !== 0, blocksAt: sizeAt + sizeBytes };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}

function readSize(src: Buffer, at: number, bytes: number, base: number): number {
  // Two bytes count from 256, since one byte says what is below.
  if (bytes === 2) return src.readUInt16LE(at) + 256;
  if (bytes < 8) return src.readUIntLE(at, bytes);
  const size = src.readBigUInt64LE(at);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw overLimit("zstd", size, Number.MAX_SAFE_INTEGER, at - base);
  return Number(size);
}

/** Walks the block headers up to the frame's end, which must be `end`, and returns how many bytes the blocks can give at most. */
export function maxZstdOutput(src: Buffer, start: number, end: number, frame: ZstdFrame): number {
  let at = frame.blocksAt;
  let most = 0;
  for (let last = false; !last;) {
    if (end - at < 3) throw corrupt("zstd", "the frame ends without its last block", at - start);
    const header = src.readUIntLE(at, 3);
    last = (header & 1) === 1;
    const type = (header >>> 1) & 3;
    const size = header >>> 3;
    if (type === BLOCK_RESERVED || size > MAX_BLOCK_BYTES) throw corrupt("zstd", "a block header is wrong", at - start);
    at += 3 + (type === BLOCK_RLE ? 1 : size);
    if (at > end) throw corrupt("zstd", "a block is cut off", end - start);
    most += type === 2 ? MAX_BLOCK_BYTES : size;
  }
  if (frame.hasChecksum) at += 4;
  if (at > end) throw corrupt("zstd", "the content checksum is cut off", end - start);
  if (at < end) throw corrupt("zstd", "bytes follow the frame", at - start);
  return most;
}
