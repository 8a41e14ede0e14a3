/**
 * One compressed LZ4 block, in plain TypeScript. Facts: lz4's doc/lz4_Block_format.md. It stands in where WebAssembly is not to be had, and it is
 * what says why a block is bad; the differential tests hold it against lz4-kernel.ts.
 *
 * Reads `src[start, end)` and writes from `out[at]` on, never at or past `out[limit]`; a match may reach back to `out[lowest]`. Bytes between
 * the returned end and `limit` may be overwritten with rubbish. The views are over the same bytes as the buffers (one of each per frame,
 * made by the caller). A bad block throws a typed error; what it wrote so far is the caller's to forget.
 *
 * Short copies move 8 bytes at a time through BigUint64, which V8 compiles to plain 64-bit moves without making a bigint: measured 1.6 times
 * faster than byte loops on JSON-like data. Copies over LONG_COPY go to the native `copy` / `copyWithin`, whose call costs as much as 64 bytes.
 */
import { corrupt } from "./codec-error.ts";

const LONG_COPY = 64;
/** Room that an 8-byte-wise copy of up to LONG_COPY bytes may touch. */
const WILD_ROOM = LONG_COPY + 8;
const MIN_MATCH = 4;
/** The answer of `decodeLz4Block` when the block holds more than fits before `limit`. */
export const OUTPUT_FULL = -1;
const LENGTH_CONTINUES = 15;

export type BlockInput = {
  readonly src: Buffer;
  readonly view: DataView;
  /** Where the frame begins in `src`: offsets in errors count from here. */
  readonly base: number;
};

export type BlockOutput = {
  readonly out: Buffer;
  readonly view: DataView;
};

export type BlockBounds = {
  /** First byte of the block in `src`. */
  readonly start: number;
  /** End of the block in `src`. */
  readonly end: number;
  /** Where its output begins in `out`. */
  readonly at: number;
  /** Where its output must have ended at the latest. */
  readonly limit: number;
  /** The lowest place in `out` that a match may refer to. */
  readonly lowest: number;
};

/** How a frame's blocks are decoded, one after the other. */
export interface Lz4BlockDecoder {
  /** A new frame begins, whose blocks hold at most this many bytes each. */
  begin(blockMaxBytes: number): void;
  /** Decodes a compressed block and returns where its output ends, or OUTPUT_FULL. Room up to `limit` is at most one block's. */
  decode(input: BlockInput, output: BlockOutput, bounds: BlockBounds): number;
  /** The bytes `out[start, end)` have come as an uncompressed block: later blocks may refer to them. */
  stored(out: Buffer, start: number, end: number): void;
}

export const PLAIN_BLOCKS: Lz4BlockDecoder = {
  begin: () => undefined,
  decode: decodeLz4Block,
  stored: () => undefined,
};

export function viewOf(buf: Buffer): DataView {
  return new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
}

/** Decodes one block and returns where its output ends, or OUTPUT_FULL. */
export function decodeLz4Block(input: BlockInput, output: BlockOutput, bounds: BlockBounds): number {
  const { src, view: srcView, base } = input;
  const { out, view: outView } = output;
  const { end, limit, lowest } = bounds;
  let ip = bounds.start;
  let op = bounds.at;
  for (;;) {
    if (ip >= end) throw corrupt("lz4", "a block ends without its last literals", ip - base);
    const token = src[ip++] as number;

    let length = token >>> 4;
    if (length === LENGTH_CONTINUES) {
      let more: number;
      do {
        if (ip >= end) throw corrupt("lz4", "a literal length runs past its block", ip - base);
        more = src[ip++] as number;
        length += more;
      } while (more === 255);
    }
    if (length > end - ip) throw corrupt("lz4", "literals run past their block", ip - base);
    if (length > limit - op) return OUTPUT_FULL;
    if (length > LONG_COPY) {
      src.copy(out, op, ip, ip + length);
      op += length;
      ip += length;
    } else if (end - ip >= WILD_ROOM && limit - op >= WILD_ROOM) {
      const copyEnd = op + length;
      outView.setBigUint64(op, srcView.getBigUint64(ip, true), true);
      for (let to = op + 8, from = ip + 8; to < copyEnd; to += 8, from += 8) {
        outView.setBigUint64(to, srcView.getBigUint64(from, true), true);
      }
      op = copyEnd;
      ip += length;
    } else {
      const copyEnd = op + length;
      while (op < copyEnd) out[op++] = src[ip++] as number;
    }
    if (ip === end) return op;

    if (end - ip < 2) throw corrupt("lz4", "a match offset runs past its block", ip - base);
    const offset = (src[ip] as number) | ((src[ip + 1] as number) << 8);
    let from = op - offset;
    if (offset === 0 || from < lowest)
      throw corrupt("lz4", `match offset ${offset} points outside the window`, ip - base);
    ip += 2;
    length = (token & 15) + MIN_MATCH;
    if (length === LENGTH_CONTINUES + MIN_MATCH) {
      let more: number;
      do {
        if (ip >= end) throw corrupt("lz4", "a match length runs past its block", ip - base);
        more = src[ip++] as number;
        length += more;
      } while (more === 255);
    }
    if (length > limit - op) return OUTPUT_FULL;
    const copyEnd = op + length;
    if (length > LONG_COPY) {
      // An overlapping match repeats its first `offset` bytes: each round doubles what can be copied at once.
      for (let span = offset; op < copyEnd; span += span) {
        const size = Math.min(span, copyEnd - op);
        out.copyWithin(op, from, from + size);
        op += size;
      }
    } else if (offset >= 8 && limit - op >= WILD_ROOM) {
      outView.setBigUint64(op, outView.getBigUint64(from, true), true);
      for (let to = op + 8, at = from + 8; to < copyEnd; to += 8, at += 8) {
        outView.setBigUint64(to, outView.getBigUint64(at, true), true);
      }
      op = copyEnd;
    } else {
      while (op < copyEnd) out[op++] = out[from++] as number;
    }
  }
}
