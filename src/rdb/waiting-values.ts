/**
 * Values whose next tagged chunk has not come yet, by chunk id. A master cuts a handful of values at a time; how many may wait is bounded
 * all the same, since each holds its key and its receiver's state.
 */
import type { Cursor } from "../bytes/cursor.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { OpenValue } from "./begin-value.ts";

const MAX_VALUES = 16_384;

export class WaitingValues<T> {
  readonly #values = new Map<number, OpenValue<T>>();
  readonly #limitKeyBytes: number;
  #keyBytes = 0;

  /** @param limitKeyBytes for all keys together */
  constructor(limitKeyBytes: number) {
    this.#limitKeyBytes = limitKeyBytes;
  }

  get size(): number {
    return this.#values.size;
  }

  /** The value that has waited longest. */
  get first(): OpenValue<T> | undefined {
    return this.#values.values().next().value;
  }

  get(chunkId: number): OpenValue<T> | undefined {
    return this.#values.get(chunkId);
  }

  /** @param cursor for the error's offset. @throws LIMIT_EXCEEDED */
  add(chunkId: number, value: OpenValue<T>, cursor: Cursor): void {
    this.#values.set(chunkId, value);
    this.#keyBytes += value.key.length;
    if (this.size <= MAX_VALUES && this.#keyBytes <= this.#limitKeyBytes) return;
    throw new Df2RedisError(
      "LIMIT_EXCEEDED",
      `${this.size} values wait for their next chunk, with keys of ${this.#keyBytes} bytes; the limits are ${MAX_VALUES} and ${this.#limitKeyBytes} (advanced.limits.stringBytes)`,
      { context: { offset: cursor.offset, key: value.key.utf8Slice() } },
    );
  }

  /** Takes the value of a chunk that goes on with it. */
  take(chunkId: number): OpenValue<T> | undefined {
    const value = this.#values.get(chunkId);
    if (value === undefined) return undefined;
    this.#values.delete(chunkId);
    this.#keyBytes -= value.key.length;
    return value;
  }
}
