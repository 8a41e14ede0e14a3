/**
 * xxHash32, the checksum of LZ4 frames (header, blocks, content). Facts: xxHash's doc/xxhash_spec.md. Allocates nothing.
 */
const PRIME_1 = 0x9e3779b1 | 0;
const PRIME_2 = 0x85ebca77 | 0;
const PRIME_3 = 0xc2b2ae3d | 0;
const PRIME_4 = 0x27d4eb2f | 0;
const PRIME_5 = 0x165667b1 | 0;

function readInt32LE(buf: Uint8Array, at: number): number {
  return (
    (buf[at] as number) |
    ((buf[at + 1] as number) << 8) |
    ((buf[at + 2] as number) << 16) |
    ((buf[at + 3] as number) << 24)
  );
}

function rotl(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function round(acc: number, lane: number): number {
  return Math.imul(rotl((acc + Math.imul(lane, PRIME_2)) | 0, 13), PRIME_1);
}

function avalanche(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 15), PRIME_2);
  h = Math.imul(h ^ (h >>> 13), PRIME_3);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The hash of `buf[start, end)` as an unsigned 32-bit number. */
export function xxh32(buf: Uint8Array, start: number, end: number, seed = 0): number {
  let at = start;
  let hash: number;
  if (end - start >= 16) {
    let a = (seed + PRIME_1 + PRIME_2) | 0;
    let b = (seed + PRIME_2) | 0;
    let c = seed | 0;
    let d = (seed - PRIME_1) | 0;
    for (const last = end - 16; at <= last; at += 16) {
      a = round(a, readInt32LE(buf, at));
      b = round(b, readInt32LE(buf, at + 4));
      c = round(c, readInt32LE(buf, at + 8));
      d = round(d, readInt32LE(buf, at + 12));
    }
    hash = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
  } else {
    hash = seed + PRIME_5;
  }
  hash = (hash + (end - start)) | 0;
  for (; at + 4 <= end; at += 4)
    hash = Math.imul(rotl((hash + Math.imul(readInt32LE(buf, at), PRIME_3)) | 0, 17), PRIME_4);
  for (; at < end; at++) hash = Math.imul(rotl((hash + Math.imul(buf[at] as number, PRIME_5)) | 0, 11), PRIME_1);
  return avalanche(hash);
}
