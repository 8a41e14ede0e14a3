/**
 * Builds RDB streams for tests from docs/protocol.md §3 and §4, not from the decoder: its opcodes stand here as numbers. Every function gives the
 * bytes of one thing; a stream is their concatenation.
 */
import { zstdCompressSync } from "node:zlib";
import { buildLz4Frame, type Lz4BuildOptions } from "./lz4-builder.ts";

/** Which form of the packed integer: bits of its value. */
export type LenForm = 6 | 14 | 32 | 64;

/** A string as it stands in the stream, and what it says (latin1). */
export type WireString = { readonly wire: Buffer; readonly text: string };

export function bytes(...values: readonly number[]): Buffer {
  return Buffer.from(values);
}

export function u32le(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

export function u64le(value: number | bigint): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  return out;
}

export function double(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeDoubleLE(value);
  return out;
}

/** The shortest form. */
export function len(value: number | bigint): Buffer {
  if (value < 64) return lenAs(6, value);
  if (value < 16_384) return lenAs(14, value);
  return lenAs(value < 2 ** 32 ? 32 : 64, value);
}

export function lenAs(form: LenForm, value: number | bigint): Buffer {
  const number = Number(value);
  if (form === 6) return bytes(number);
  if (form === 14) return bytes(0x40 | (number >> 8), number & 0xff);
  const out = Buffer.alloc(form === 32 ? 5 : 9);
  out[0] = form === 32 ? 0x80 : 0x81;
  if (form === 32) out.writeUInt32BE(number, 1);
  else out.writeBigUInt64BE(BigInt(value), 1);
  return out;
}

export function str(content: Buffer | string): Buffer {
  return wire(content).wire;
}

/** A plain string; `form` may be longer than it needs to be. */
export function wire(content: Buffer | string, form?: LenForm): WireString {
  const raw = Buffer.from(content);
  const head = form === undefined ? len(raw.length) : lenAs(form, raw.length);
  return { wire: Buffer.concat([head, raw]), text: raw.toString("latin1") };
}

/** An integer in binary form; `size` in bytes. */
export function wireInteger(value: number, size: 1 | 2 | 4): WireString {
  const out = Buffer.alloc(1 + size);
  out[0] = size === 1 ? 0xc0 : size === 2 ? 0xc1 : 0xc2;
  out.writeIntLE(value, 1, size);
  return { wire: out, text: String(value) };
}

export function wireLzf(content: Buffer | string): WireString {
  const raw = Buffer.from(content);
  const packed = compressLzf(raw);
  return {
    wire: Buffer.concat([bytes(0xc3), len(packed.length), len(raw.length), packed]),
    text: raw.toString("latin1"),
  };
}

/** Runs of one byte become references to the byte before, the rest literals. */
export function compressLzf(raw: Buffer): Buffer {
  const parts: Buffer[] = [];
  let literals = 0;
  let at = 0;
  const flush = (): void => {
    for (let from = at - literals; from < at; from += 32) {
      const piece = raw.subarray(from, Math.min(from + 32, at));
      parts.push(bytes(piece.length - 1), piece);
    }
    literals = 0;
  };
  while (at < raw.length) {
    const run = at === 0 ? 0 : runLength(raw, at);
    if (run < 4) {
      at++;
      literals++;
      continue;
    }
    flush();
    parts.push(run < 9 ? bytes((run - 2) << 5, 0) : bytes(7 << 5, run - 9, 0));
    at += run;
  }
  flush();
  return Buffer.concat(parts);
}

/** How many bytes from `at` on are the byte before it; at most what one reference can stand for. */
function runLength(raw: Buffer, at: number): number {
  const most = Math.min(raw.length, at + 264);
  let end = at;
  while (end < most && raw[end] === raw[at - 1]) end++;
  return end - at;
}

/** The stream's head and its parts. */
export function rdb(parts: readonly Buffer[], version = 9): Buffer {
  return Buffer.concat([Buffer.from(`REDIS${String(version).padStart(4, "0")}`), ...parts]);
}

export const EOF_TOKEN = "0123456789abcdef0123456789abcdef01234567";

/** What a flow in full sync sends before its stable journal: `parts`, then all that must follow. */
export function fullSync(
  parts: readonly Buffer[],
  options: { readonly version?: number; readonly lsn?: number } = {},
): Buffer {
  return rdb(
    [...parts, fullSyncEnd(), journalOffset(options.lsn ?? 1), eof(), Buffer.from(EOF_TOKEN)],
    options.version,
  );
}

export function object(type: number, key: Buffer | string, body: Buffer): Buffer {
  return Buffer.concat([bytes(type), str(key), body]);
}

export function string(key: Buffer | string, value: Buffer | string): Buffer {
  return object(0, key, str(value));
}

export function fullSyncEnd(): Buffer {
  return Buffer.concat([bytes(200), Buffer.alloc(8)]);
}

export function zstdBlob(content: Buffer): Buffer {
  return Buffer.concat([bytes(201), str(zstdCompressSync(content, { pledgedSrcSize: content.length }))]);
}

export function lz4Blob(content: Buffer, options: Lz4BuildOptions = {}): Buffer {
  return Buffer.concat([bytes(202), str(buildLz4Frame(content, options))]);
}

export function blobEnd(): Buffer {
  return bytes(203);
}

export function journalBlob(count: number, entries: readonly Buffer[]): Buffer {
  return Buffer.concat([bytes(210), len(count), str(Buffer.concat(entries))]);
}

export function journalOffset(lsn: number | bigint): Buffer {
  return Buffer.concat([bytes(211), u64le(lsn)]);
}

export function dfMask(bits: number, mcFlags?: number): Buffer {
  return Buffer.concat([bytes(220), u32le(bits), ...(mcFlags === undefined ? [] : [u32le(mcFlags)])]);
}

/** @param nodes per node its links on each level */
export function vectorIndex(name: string, nodes: readonly (readonly (readonly number[])[])[]): Buffer {
  const node = (levels: readonly (readonly number[])[], id: number): Buffer[] => [
    u32le(id),
    u64le(id + 1000),
    u32le(levels.length - 1),
    ...levels.flatMap((links) => [u32le(links.length), ...links.map(u32le)]),
  ];
  return Buffer.concat([bytes(222), str(name), len(0), len(nodes.length), ...nodes.flatMap(node)]);
}

export function shardDocIndex(shard: number, name: string, documents: readonly (readonly [string, number])[]): Buffer {
  const entries = documents.flatMap(([key, id]) => [str(key), len(id)]);
  return Buffer.concat([bytes(223), len(shard), str(name), len(documents.length), ...entries]);
}

export function taggedChunk(id: number, content: Buffer, size = content.length): Buffer {
  return Buffer.concat([bytes(224), u32le(id), u32le(size), content]);
}

export function slotInfo(slot: number, size: number, expires: number): Buffer {
  return Buffer.concat([bytes(244), len(slot), len(size), len(expires)]);
}

export function function2(code: string): Buffer {
  return Buffer.concat([bytes(245), str(code)]);
}

/** @param items as `moduleItem` gives them, without the end mark */
export function moduleAux(name: string, items: readonly Buffer[]): Buffer {
  return Buffer.concat([bytes(247), lenAs(64, moduleId(name)), len(2), len(1), ...items, bytes(0)]);
}

export function idle(seconds: number): Buffer {
  return Buffer.concat([bytes(248), len(seconds)]);
}

export function freq(value: number): Buffer {
  return bytes(249, value);
}

export function aux(key: string, value: string | WireString): Buffer {
  return Buffer.concat([bytes(250), str(key), typeof value === "string" ? str(value) : value.wire]);
}

export function resizeDb(keys: number, expires: number): Buffer {
  return Buffer.concat([bytes(251), len(keys), len(expires)]);
}

export function expireMs(unixMs: number | bigint): Buffer {
  return Buffer.concat([bytes(252), u64le(unixMs)]);
}

export function expireSeconds(unixSeconds: number): Buffer {
  return Buffer.concat([bytes(253), u32le(unixSeconds)]);
}

export function selectDb(db: number): Buffer {
  return Buffer.concat([bytes(254), len(db)]);
}

export function eof(): Buffer {
  return Buffer.concat([bytes(255), Buffer.alloc(8)]);
}

const MODULE_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Nine characters of six bits, then ten bits of version. */
export function moduleId(name: string, version = 3): bigint {
  let id = 0n;
  for (const character of name) id = (id << 6n) | BigInt(MODULE_CHARACTERS.indexOf(character));
  return (id << 10n) | BigInt(version);
}

/** One item of module data: 1 signed, 2 unsigned, 3 float, 4 double, 5 string. */
export function moduleItem(opcode: 1 | 2 | 3 | 4 | 5, content: Buffer): Buffer {
  return Buffer.concat([len(opcode), content]);
}
