/** Small pieces of text for the checks. Pure. */
import { formatBytes, formatCount, plural } from "../../observability/format.ts";

export function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}

/** "1,000 keys in database 0", "1,200 keys: 1,000 in database 0, 200 in 3", "no keys" */
export function keysText(keysByDatabase: ReadonlyMap<number, number>): string {
  const total = sum(keysByDatabase.values());
  if (total === 0) return "no keys";
  const parts = [...keysByDatabase].toSorted(([a], [b]) => a - b);
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return `${plural(total, "key")} in database ${first[0]}`;
  const places = parts.map(([db, keys], i) => `${formatCount(keys)} in ${i === 0 ? "database " : ""}${db}`);
  return `${plural(total, "key")}: ${places.join(", ")}`;
}

export function bytesText(bytes: number | undefined): string {
  return bytes === undefined ? "an unknown amount" : formatBytes(bytes);
}

export function percent(part: number, whole: number): string {
  if (whole === 0) return "0 %";
  const value = (100 * part) / whole;
  return value > 0 && value < 1 ? "under 1 %" : `${Math.round(value)} %`;
}
