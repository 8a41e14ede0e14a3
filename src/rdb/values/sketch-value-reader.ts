/**
 * Dragonfly's filters and sketches: scalable Bloom filter (33, 34), count-min sketch (35), top-k (36), cuckoo filter (37). Their numbers come
 * with `begin`; here their bytes, in the pieces in which they stand. docs/protocol.md §4.
 */
import type { Cursor } from "../../bytes/cursor.ts";
import { Slice } from "../../bytes/slice.ts";
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import { readLen } from "../../bytes/packed-uint.ts";
import type { RdbHandler } from "../rdb-handler.ts";
import { readString } from "../rdb-string.ts";
import type { ValueReader } from "./value-reader.ts";

/** How one filter's bytes stand: with a hash count in front or not, as one string or in chunks. */
export type FilterLayout = { readonly hasHashCount: boolean; readonly isChunked: boolean };

/** Types 33, 34 and 37: a number of filters. */
export class FilterValueReader<T> implements ValueReader<T> {
  readonly #layout: FilterLayout;
  readonly #count: number;
  readonly #limitBytes: number;
  #filter = 0;
  /** Bytes of the current filter, -1 before its head is read. */
  #total = -1;
  #seen = 0;
  readonly #piece = new Slice();

  constructor(layout: FilterLayout, count: number, limitBytes: number) {
    this.#layout = layout;
    this.#count = count;
    this.#limitBytes = limitBytes;
  }

  get isDone(): boolean {
    return this.#filter === this.#count;
  }

  next(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    if (!this.#layout.isChunked) this.#readWhole(cursor, handler, value);
    else if (this.#total < 0) this.#readHead(cursor);
    else this.#readChunk(cursor, handler, value);
  }

  release(): void {
    this.#piece.release();
  }

  #readWhole(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    if (this.#layout.hasHashCount) readLen(cursor);
    readString(cursor, this.#piece, this.#limitBytes);
    handler.sketchBytes(value, this.#filter, this.#piece.length, this.#piece);
    this.#filter++;
  }

  #readHead(cursor: Cursor): void {
    if (this.#layout.hasHashCount) readLen(cursor);
    this.#total = readLen(cursor);
    this.#seen = 0;
    this.#finishFilter();
  }

  #readChunk(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    const size = readLen(cursor);
    if (size === 0 || this.#seen + size > this.#total)
      cursor.corrupt("a filter's piece is empty or longer than the filter");
    if (size > this.#limitBytes) {
      throw new Df2RedisError(
        "LIMIT_EXCEEDED",
        `a filter's piece of ${size} bytes is over the limit of ${this.#limitBytes} (advanced.limits.stringBytes)`,
        { context: { offset: cursor.offset } },
      );
    }
    cursor.need(size);
    this.#piece.set(cursor.buf, cursor.pos, cursor.pos + size);
    cursor.pos += size;
    handler.sketchBytes(value, this.#filter, this.#total, this.#piece);
    this.#seen += size;
    this.#finishFilter();
  }

  #finishFilter(): void {
    if (this.#seen < this.#total) return;
    this.#filter++;
    this.#total = -1;
  }
}

/** Type 35: counters of 8 bytes. */
export class CountMinValueReader<T> implements ValueReader<T> {
  readonly startsRaw = true;
  #remaining: number;
  readonly #total: number;
  readonly #piece = new Slice();

  constructor(counters: number) {
    this.#remaining = counters;
    this.#total = counters * 8;
  }

  get isDone(): boolean {
    return this.#remaining === 0;
  }

  next(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    cursor.need(8);
    const here = Math.min(this.#remaining, Math.floor((cursor.end - cursor.pos) / 8));
    this.#piece.set(cursor.buf, cursor.pos, cursor.pos + here * 8);
    cursor.pos += here * 8;
    handler.sketchBytes(value, 0, this.#total, this.#piece);
    this.#remaining -= here;
  }

  release(): void {
    this.#piece.release();
  }
}

/** Type 36: items with their counts, then the counters as one string. */
export class TopKValueReader<T> implements ValueReader<T> {
  isDone = false;
  #items: number;
  readonly #limitBytes: number;
  readonly #slice = new Slice();

  constructor(items: number, limitBytes: number) {
    this.#items = items;
    this.#limitBytes = limitBytes;
  }

  next(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    readString(cursor, this.#slice, this.#limitBytes);
    if (this.#items > 0) {
      handler.sketchItem(value, this.#slice, readLen(cursor));
      this.#items--;
      return;
    }
    handler.sketchBytes(value, 0, this.#slice.length, this.#slice);
    this.isDone = true;
  }

  release(): void {
    this.#slice.release();
  }
}
