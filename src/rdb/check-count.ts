/** The check of an element count from the wire, before anything is made or waited for because of it. */
import type { Cursor } from "../bytes/cursor.ts";
import type { DecodeLimits } from "../bytes/decode-limits.ts";
import { readLen } from "../bytes/packed-uint.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";

/** @throws LIMIT_EXCEEDED */
export function checkCount(cursor: Cursor, count: number, limits: DecodeLimits): void {
  if (count <= limits.elements) return;
  throw new Df2RedisError(
    "LIMIT_EXCEEDED",
    `${count} elements are over the limit of ${limits.elements} (advanced.limits.elements)`,
    { context: { offset: cursor.offset } },
  );
}

export function readCount(cursor: Cursor, limits: DecodeLimits): number {
  const count = readLen(cursor);
  checkCount(cursor, count, limits);
  return count;
}
