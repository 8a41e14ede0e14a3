/**
 * The pending entries of one consumer group, in memory until its consumers tell whose they are: about 33 bytes each. The wire gives them in
 * ascending order of id (Redis src/rdb.c rdbSaveStreamPEL walks a radix tree), which the search relies on.
 */
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import { compareIds, parseStreamId } from "./stream-id.ts";

const OWNED = 1;
const DELETED = 2;

export class StreamPendingList {
  #ids = new BigUint64Array(32);
  #timesMs = new Float64Array(16);
  #counts = new Float64Array(16);
  #flags = new Uint8Array(16);
  #size = 0;
  #owned = 0;

  get size(): number {
    return this.#size;
  }

  /** How many no consumer has claimed yet. */
  get ownerless(): number {
    return this.#size - this.#owned;
  }

  add(id: string, deliveryTimeMs: number, deliveryCount: number): void {
    const i = this.#size;
    if (i === this.#flags.length) this.#grow();
    const { ms, seq } = parseStreamId(id);
    if (i > 0 && compareIds(this.ms(i - 1), this.seq(i - 1), ms, seq) >= 0)
      corrupt(`pending entry ${id} of a stream is out of order`);
    this.#ids[2 * i] = ms;
    this.#ids[2 * i + 1] = seq;
    this.#timesMs[i] = deliveryTimeMs;
    this.#counts[i] = deliveryCount;
    this.#flags[i] = 0;
    this.#size = i + 1;
  }

  ms(i: number): bigint {
    return this.#ids[2 * i] ?? 0n;
  }

  seq(i: number): bigint {
    return this.#ids[2 * i + 1] ?? 0n;
  }

  timeMs(i: number): number {
    return this.#timesMs[i] ?? 0;
  }

  count(i: number): number {
    return this.#counts[i] ?? 0;
  }

  isDeleted(i: number): boolean {
    return ((this.#flags[i] ?? 0) & DELETED) !== 0;
  }

  markDeleted(i: number): void {
    this.#flags[i] = (this.#flags[i] ?? 0) | DELETED;
  }

  /** Gives the entry `id` to a consumer. @returns its index */
  own(id: string): number {
    const i = this.#find(id);
    const flags = this.#flags[i] ?? 0;
    if ((flags & OWNED) !== 0) corrupt(`pending entry ${id} of a stream has two consumers`);
    this.#flags[i] = flags | OWNED;
    this.#owned++;
    return i;
  }

  #find(id: string): number {
    const { ms, seq } = parseStreamId(id);
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareIds(this.ms(middle), this.seq(middle), ms, seq);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return corrupt(`pending entry ${id} of a stream's consumer is not in its group`);
  }

  #grow(): void {
    const size = 2 * this.#flags.length;
    const ids = new BigUint64Array(2 * size);
    ids.set(this.#ids);
    this.#ids = ids;
    const times = new Float64Array(size);
    times.set(this.#timesMs);
    this.#timesMs = times;
    const counts = new Float64Array(size);
    counts.set(this.#counts);
    this.#counts = counts;
    const flags = new Uint8Array(size);
    flags.set(this.#flags);
    this.#flags = flags;
  }
}

function corrupt(what: string): never {
  throw new Df2RedisError("STREAM_CORRUPT", what);
}
