/**
 * Builds LZ4 frames for tests with every switch of the format, among them what lz4-napi's compressor never writes: linked blocks, uncompressed
 * blocks in the middle, sizes, all checksums. Written from lz4's format documents; the compressor is greedy and slow.
 */
import { xxh32 } from "../../src/codec/xxh32.ts";

export type Lz4BuildOptions = {
  /** Bytes of content per block. */
  readonly blockBytes?: number;
  /** Size code of the header, 4 (64 KiB) to 7 (4 MiB). */
  readonly sizeCode?: number;
  readonly linked?: boolean;
  readonly contentSize?: boolean;
  readonly blockChecksums?: boolean;
  readonly contentChecksum?: boolean;
  /** Which blocks stay uncompressed. */
  readonly stored?: (index: number) => boolean;
  /** Said instead of the true size. */
  readonly lieAboutSize?: bigint;
};

const WINDOW_BYTES = 65535;

function u32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

export function lz4Header(flg: number, bd: number, size?: bigint): Buffer {
  const body = Buffer.alloc(size === undefined ? 2 : 10);
  body[0] = flg;
  body[1] = bd;
  if (size !== undefined) body.writeBigUInt64LE(size, 2);
  return Buffer.concat([u32(0x184d2204), body, Buffer.from([(xxh32(body, 0, body.length) >>> 8) & 0xff])]);
}

export function buildLz4Frame(content: Buffer, options: Lz4BuildOptions = {}): Buffer {
  const { blockBytes = 65536, sizeCode = 4, linked = true, contentSize = true } = options;
  const flg =
    0x40 |
    (linked ? 0 : 0x20) |
    (options.blockChecksums ? 0x10 : 0) |
    (contentSize ? 8 : 0) |
    (options.contentChecksum ? 4 : 0);
  const size = contentSize ? (options.lieAboutSize ?? BigInt(content.length)) : undefined;
  const parts = [lz4Header(flg, sizeCode << 4, size)];
  for (let at = 0, index = 0; at < content.length; at += blockBytes, index++) {
    const end = Math.min(at + blockBytes, content.length);
    const raw = content.subarray(at, end);
    const compressed = compressLz4Block(content, at, end, linked ? 0 : at);
    // As the format asks: what does not shrink stays as it is.
    const stored = (options.stored?.(index) ?? false) || compressed.length > raw.length;
    const block = stored ? raw : compressed;
    parts.push(u32(stored ? block.length + 0x80000000 : block.length), block);
    if (options.blockChecksums) parts.push(u32(xxh32(block, 0, block.length)));
  }
  parts.push(u32(0));
  if (options.contentChecksum) parts.push(u32(xxh32(content, 0, content.length)));
  return Buffer.concat(parts);
}

/** Wraps ready blocks, whatever they hold, into a frame of linked 64 KiB blocks. */
export function wrapLz4Blocks(blocks: readonly Buffer[], contentSize?: bigint): Buffer {
  const flg = 0x40 | (contentSize === undefined ? 0 : 8);
  return Buffer.concat([
    lz4Header(flg, 0x40, contentSize),
    ...blocks.flatMap((block) => [u32(block.length), block]),
    u32(0),
  ]);
}

/** One sequence of a block: literals and, unless it is the last one, a match. */
export function lz4Sequence(literals: Buffer, match?: { readonly offset: number; readonly length: number }): Buffer {
  const matchCode = match === undefined ? 0 : match.length - 4;
  const token = (Math.min(literals.length, 15) << 4) | Math.min(matchCode, 15);
  const parts = [Buffer.from([token]), moreLength(literals.length), literals];
  if (match !== undefined) parts.push(Buffer.from([match.offset & 0xff, match.offset >> 8]), moreLength(matchCode));
  return Buffer.concat(parts);
}

function moreLength(length: number): Buffer {
  if (length < 15) return Buffer.alloc(0);
  const rest = length - 15;
  return Buffer.from([...Array.from({ length: Math.floor(rest / 255) }, () => 255), rest % 255]);
}

/** Greedy, with the end rules of the format: the last five bytes are literals, no match begins in the last twelve. */
function compressLz4Block(content: Buffer, start: number, end: number, lowest: number): Buffer {
  const seen = new Map<number, number>();
  for (let at = Math.max(lowest, start - WINDOW_BYTES); at < Math.min(start, content.length - 3); at++)
    seen.set(content.readUInt32LE(at), at);
  const parts: Buffer[] = [];
  let anchor = start;
  let at = start;
  while (at < end - 12) {
    const word = content.readUInt32LE(at);
    const before = seen.get(word);
    seen.set(word, at);
    if (before === undefined || at - before > WINDOW_BYTES) {
      at++;
      continue;
    }
    let length = 4;
    while (at + length < end - 5 && content[before + length] === content[at + length]) length++;
    parts.push(lz4Sequence(content.subarray(anchor, at), { offset: at - before, length }));
    at += length;
    anchor = at;
  }
  parts.push(lz4Sequence(content.subarray(anchor, end)));
  return Buffer.concat(parts);
}
