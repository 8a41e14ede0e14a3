/** Which byte strings are the decimal text of an integer exactly as a server prints it, so that they are stored as one. Pure. */
const MAX_DIGITS = 20;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** The 64-bit integer whose text `bytes` is, digit by digit ("007", "+5" and "-0" are none); undefined otherwise. */
export function integerOf(bytes: Buffer): bigint | undefined {
  if (bytes.length === 0 || bytes.length > MAX_DIGITS) return undefined;
  const first = bytes[0] ?? 0;
  // Looks before it makes a string: most values are none.
  if ((first < 0x30 || first > 0x39) && first !== 0x2d) return undefined;
  const text = bytes.latin1Slice(0, bytes.length);
  if (!/^(?:0|-?[1-9]\d*)$/.test(text)) return undefined;
  const value = BigInt(text);
  return value >= INT64_MIN && value <= INT64_MAX ? value : undefined;
}

/** Whether `value` fits a signed integer of so many bits. */
export function fitsBits(value: bigint, bits: number): boolean {
  return BigInt.asIntN(bits, value) === value;
}
