/** What a read through a cursor came to. */
import { expect } from "vitest";
import { NEEDS_MORE } from "../../src/bytes/needs-more.ts";
import { Df2RedisError } from "../../src/errors/df2redis-error.ts";

/** Whether the read ran out of bytes that may still come. */
export function needsMore(read: () => unknown): boolean {
  try {
    read();
  } catch (thrown) {
    if (thrown === NEEDS_MORE) return true;
    throw thrown;
  }
  return false;
}

export function expectCorrupt(read: () => unknown): Df2RedisError {
  let thrown: unknown;
  try {
    read();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(Df2RedisError);
  const error = thrown as Df2RedisError;
  expect(error.code).toBe("STREAM_CORRUPT");
  return error;
}
