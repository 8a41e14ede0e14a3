/**
 * The header of an LZ4 frame: magic, FLG, BD, content size, header checksum. Facts: lz4's doc/lz4_Frame_format.md.
 */
import { corrupt, overLimit } from "./codec-error.ts";
import { xxh32 } from "./xxh32.ts";

export const LZ4_FRAME_MAGIC = 0x184d2204;

const VERSION_BITS = 0xc0;
const VERSION_1 = 0x40;
const FLG_INDEPENDENT = 0x20;
const FLG_BLOCK_CHECKSUM = 0x10;
const FLG_CONTENT_SIZE = 0x08;
const FLG_CONTENT_CHECKSUM = 0x04;
const FLG_RESERVED = 0x02;
const FLG_DICTIONARY = 0x01;
const BD_RESERVED = 0x8f;

export type Lz4Header = {
  readonly linkedBlocks: boolean;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
  readonly contentSize: number | undefined;
  readonly blockMaxBytes: number;
  /** Where the first block begins. */
  readonly end: number;
};

/** @param base where the input begins: offsets in errors count from there */
export function parseLz4Header(src: Buffer, at: number, end: number, base: number): Lz4Header {
  if (end - at < 7) throw corrupt("lz4", "the frame header is cut off", at - base);
  if (src.readUInt32LE(at) !== LZ4_FRAME_MAGIC) throw corrupt("lz4", "not an LZ4 frame", at - base);
  const flg = src[at + 4] as number;
  const bd = src[at + 5] as number;
  checkFlags(flg, bd, at + 4 - base);
  const hasSize = (flg & FLG_CONTENT_SIZE) !== 0;
  const checksumAt = at + 6 + (hasSize ? 8 : 0);
  if (checksumAt >= end) throw corrupt("lz4", "the frame header is cut off", end - base);
  if (((xxh32(src, at + 4, checksumAt) >>> 8) & 0xff) !== src[checksumAt]) {
    throw corrupt("lz4", "the header checksum is wrong", checksumAt - base);
  }
  return {
    linkedBlocks: (flg & FLG_INDEPENDENT) === 0,
    blockChecksums: (flg & FLG_BLOCK_CHECKSUM) !== 0,
    contentChecksum: (flg & FLG_CONTENT_CHECKSUM) !== 0,
    contentSize: hasSize ? readSize(src, at + 6, base) : undefined,
    blockMaxBytes: 1 << (8 + 2 * (bd >>> 4)),
    end: checksumAt + 1,
  };
}

function checkFlags(flg: number, bd: number, inputOffset: number): void {
  if ((flg & VERSION_BITS) !== VERSION_1) throw corrupt("lz4", `frame version ${flg >>> 6} is unknown`, inputOffset);
  if ((flg & FLG_RESERVED) !== 0 || (bd & BD_RESERVED) !== 0)
    throw corrupt("lz4", "reserved header bits are set", inputOffset);
  if ((flg & FLG_DICTIONARY) !== 0) throw corrupt("lz4", "the frame needs a dictionary", inputOffset);
  if (bd >>> 4 < 4) throw corrupt("lz4", `block size code ${bd >>> 4} is unknown`, inputOffset + 1);
}

function readSize(src: Buffer, at: number, base: number): number {
  const size = src.readBigUInt64LE(at);
  // More than any limit can allow; the caller checks the rest.
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw overLimit("lz4", size, Number.MAX_SAFE_INTEGER, at - base);
  return Number(size);
}
