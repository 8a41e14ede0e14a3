/**
 * Writes LZ4 frames with the header that Dragonfly's have in the recordings: content size, blocks of 64 KiB, no checksums; independent blocks as long
 * as there is only one, linked ones otherwise. Format: lz4's doc/lz4_Frame_format.md and lz4_Block_format.md. Greedy over a table of 4-byte sequences.
 * Owns its output until it is returned; the table is shared, so calls must not nest.
 */
import { LZ4_FRAME_MAGIC } from "../../../codec/lz4-header.ts";
import { xxh32 } from "../../../codec/xxh32.ts";

const BLOCK_BYTES = 64 * 1024;
/** Version 1, content size; bit 5 means independent blocks. */
const FLG_LINKED = 0x48;
const FLG_INDEPENDENT = 0x68;
const BD_64_KIB = 0x40;
const HEADER_BYTES = 15;
const STORED_BLOCK = 0x8000_0000;

const HASH_BITS = 14;
const WINDOW_BYTES = 65535;
const MIN_MATCH = 4;
/** The last match of a block begins so far from its end at least, and its last bytes are literals. */
const MATCH_MARGIN = 12;
const LAST_LITERALS = 5;
const LONG = 15;

const table = new Int32Array(1 << HASH_BITS);

export function lz4Frame(content: Buffer): Buffer {
  const blocks = Math.max(1, Math.ceil(content.length / BLOCK_BYTES));
  // A block that would grow is stored, so no more than its size and 4 bytes are needed; the compressor may need a little more on the way.
  const out = Buffer.allocUnsafe(HEADER_BYTES + content.length + 4 * (blocks + 1) + BLOCK_BYTES / 255 + 32);
  let to = writeHeader(out, content.length);
  table.fill(-1);
  for (let start = 0; start < content.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, content.length);
    const size = compressBlock(content, { start, end, out, to: to + 4 });
    if (size < end - start) {
      out.writeUInt32LE(size, to);
      to += 4 + size;
    } else {
      out.writeUInt32LE(STORED_BLOCK + end - start, to);
      to += 4 + content.copy(out, to + 4, start, end);
    }
  }
  out.writeUInt32LE(0, to);
  return out.subarray(0, to + 4);
}

function writeHeader(out: Buffer, contentBytes: number): number {
  out.writeUInt32LE(LZ4_FRAME_MAGIC, 0);
  out[4] = contentBytes <= BLOCK_BYTES ? FLG_INDEPENDENT : FLG_LINKED;
  out[5] = BD_64_KIB;
  out.writeBigUInt64LE(BigInt(contentBytes), 6);
  out[14] = (xxh32(out, 4, 14) >>> 8) & 0xff;
  return HEADER_BYTES;
}

type Block = { readonly start: number; readonly end: number; readonly out: Buffer; readonly to: number };

/** Compresses `content[start, end)`, references into the 64 KiB before included, to `out[to…]`; returns the size there. */
function compressBlock(content: Buffer, { start, end, out, to: outStart }: Block): number {
  let to = outStart;
  let anchor = start;
  let at = start;
  let misses = 0;
  const matchLimit = end - LAST_LITERALS;
  for (const lastStart = end - MATCH_MARGIN; at < lastStart;) {
    const word = content.readInt32LE(at);
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
    const before = table[slot] as number;
    table[slot] = at;
    if (before < 0 || at - before > WINDOW_BYTES || content.readInt32LE(before) !== word) {
      // The longer nothing is found, the faster it goes on.
      at += 1 + (misses++ >> 6);
      continue;
    }
    let length = MIN_MATCH;
    while (at + length < matchLimit && content[before + length] === content[at + length]) length++;
    to = writeSequence(out, to, { content, anchor, literalEnd: at, offset: at - before, length });
    at += length;
    anchor = at;
    misses = 0;
  }
  return writeSequence(out, to, { content, anchor, literalEnd: end, offset: 0, length: 0 }) - outStart;
}

type Sequence = {
  readonly content: Buffer;
  readonly anchor: number;
  readonly literalEnd: number;
  readonly offset: number;
  /** 0: no match, the end of the block. */
  readonly length: number;
};

function writeSequence(out: Buffer, start: number, { content, anchor, literalEnd, offset, length }: Sequence): number {
  const literals = literalEnd - anchor;
  const matchCode = length === 0 ? 0 : length - MIN_MATCH;
  let to = start;
  out[to++] = (Math.min(literals, LONG) << 4) | Math.min(matchCode, LONG);
  to = writeLength(out, to, literals);
  to += content.copy(out, to, anchor, literalEnd);
  if (length === 0) return to;
  out[to++] = offset & 0xff;
  out[to++] = offset >> 8;
  return writeLength(out, to, matchCode);
}

function writeLength(out: Buffer, start: number, length: number): number {
  if (length < LONG) return start;
  let to = start;
  let rest = length - LONG;
  for (; rest >= 255; rest -= 255) out[to++] = 255;
  out[to++] = rest;
  return to;
}
