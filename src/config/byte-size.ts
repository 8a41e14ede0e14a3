/** Byte sizes as people write them: `1048576`, `1MiB`, `512 KiB`. Powers of 1024 only, so that one text has one meaning. Pure. */
const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

export const BYTE_SIZE_PATTERN = /^\d{1,15} ?(?:B|KiB|MiB|GiB)?$/;

/** The number of bytes; NaN when the text is not a size. */
export function parseByteSize(text: string): number {
  if (!BYTE_SIZE_PATTERN.test(text)) return Number.NaN;
  const digits = /^\d+/.exec(text)?.[0] ?? "";
  const unit = text.slice(digits.length).trim();
  return Number(digits) * (UNITS[unit === "" ? "B" : unit] ?? Number.NaN);
}

/** The shortest exact text: 1048576 → `1 MiB`, 1000 → `1000`. */
export function byteSizeText(bytes: number): string {
  for (const unit of ["GiB", "MiB", "KiB"]) {
    const size = UNITS[unit] ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size} ${unit}`;
  }
  return String(bytes);
}
