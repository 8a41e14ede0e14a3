/**
 * LZF compression of one string, as `--compression_mode 1` and every DUMP do it. Format: liblzf's lzf_d.c (literal runs of at most 32 bytes, references
 * of 3 to 264 bytes at most 8192 back). Greedy over a table of 3-byte sequences; not the same bytes as liblzf's, the same form. Keeps nothing.
 */
const HASH_BITS = 14;
const MAX_LITERALS = 32;
const MAX_REFERENCE = 264;
const MAX_OFFSET = 8192;

const table = new Int32Array(1 << HASH_BITS);

/** The compressed bytes, or undefined when they would not be fewer than `limitBytes`. */
export function lzfCompress(input: Buffer, limitBytes: number): Buffer | undefined {
  const out = Buffer.allocUnsafe(Math.max(0, limitBytes - 1));
  table.fill(-1);
  let to = 0;
  let literalStart = 0;
  let at = 0;
  /** False when there is no room. */
  const literals = (end: number): boolean => {
    for (let from = literalStart; from < end; from += MAX_LITERALS) {
      const count = Math.min(MAX_LITERALS, end - from);
      if (to + 1 + count > out.length) return false;
      out[to++] = count - 1;
      to += input.copy(out, to, from, from + count);
    }
    return true;
  };
  while (at + 2 < input.length) {
    const slot = hash(input, at);
    const before = table[slot] as number;
    table[slot] = at;
    const offset = at - before - 1;
    if (before < 0 || offset >= MAX_OFFSET || !sameThree(input, before, at)) {
      at++;
      continue;
    }
    const length = matchLength(input, before, at);
    if (!literals(at) || to + 3 > out.length) return undefined;
    to = writeReference(out, to, { length, offset });
    const end = at + length;
    for (at++; at < end; at++) if (at + 2 < input.length) table[hash(input, at)] = at;
    literalStart = end;
  }
  return literals(input.length) ? out.subarray(0, to) : undefined;
}

function writeReference(
  out: Buffer,
  start: number,
  { length, offset }: { readonly length: number; readonly offset: number },
): number {
  let to = start;
  const code = length - 2;
  out[to++] = (Math.min(code, 7) << 5) | (offset >> 8);
  if (code >= 7) out[to++] = code - 7;
  out[to++] = offset & 0xff;
  return to;
}

function hash(input: Buffer, at: number): number {
  const three = ((input[at] as number) << 16) | ((input[at + 1] as number) << 8) | (input[at + 2] as number);
  return Math.imul(three, 0x9e3779b1) >>> (32 - HASH_BITS);
}

function sameThree(input: Buffer, a: number, b: number): boolean {
  return input[a] === input[b] && input[a + 1] === input[b + 1] && input[a + 2] === input[b + 2];
}

function matchLength(input: Buffer, before: number, at: number): number {
  const limit = Math.min(MAX_REFERENCE, input.length - at);
  let length = 3;
  while (length < limit && input[before + length] === input[at + length]) length++;
  return length;
}
