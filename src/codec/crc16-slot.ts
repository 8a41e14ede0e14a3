/**
 * The cluster slot of a key: CRC-16/XMODEM of the key, or of its hash tag, modulo 16384. Facts: Redis cluster specification, "Hash tags";
 * src/cluster.c keyHashSlot. Allocates nothing.
 */
const POLYNOMIAL = 0x1021;
const SLOT_MASK = 16383;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export const SLOT_COUNT = 16384;

const TABLE = new Uint16Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) !== 0 ? ((crc << 1) ^ POLYNOMIAL) & 0xffff : crc << 1;
  TABLE[byte] = crc;
}

function slotOf(buf: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let at = start; at < end; at++) {
    crc = ((crc << 8) & 0xffff) ^ (TABLE[((crc >>> 8) ^ (buf[at] as number)) & 0xff] as number);
  }
  return crc & SLOT_MASK;
}

function indexOf(buf: Uint8Array, byte: number, start: number, end: number): number {
  for (let at = start; at < end; at++) if (buf[at] === byte) return at;
  return -1;
}

/**
 * Only the part between the first `{` and the first `}` after it counts, if it is not empty. An empty pair ends the search:
 * in `foo{}{bar}` the whole key counts.
 */
export function keySlot(buf: Uint8Array, start: number, end: number): number {
  const open = indexOf(buf, OPEN_BRACE, start, end);
  if (open < 0) return slotOf(buf, start, end);
  const close = indexOf(buf, CLOSE_BRACE, open + 1, end);
  if (close <= open + 1) return slotOf(buf, start, end);
  return slotOf(buf, open + 1, close);
}
