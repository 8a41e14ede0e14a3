/**
 * Search index data (VECTOR_INDEX, SHARD_DOC_INDEX), which a Redis target cannot use: moved over node by node, since an index may be larger than
 * memory. docs/protocol.md §4.
 */
import type { Cursor } from "../../bytes/cursor.ts";
import { readLen } from "../../bytes/packed-uint.ts";
import { skipString } from "../rdb-string.ts";
import type { SkipReader } from "./value-reader.ts";

/** Levels of an HNSW graph grow with the logarithm of its size: more is corruption. */
const MAX_LEVELS = 64;
/** Links of one node on one level; a few hundred in practice. */
const MAX_LINKS = 1_000_000;

/** n × (u32 id, u64 global id, u32 level, per level 0..level: u32 count + that many u32). */
export class VectorIndexSkipper implements SkipReader {
  #remaining: number;

  constructor(nodes: number) {
    this.#remaining = nodes;
  }

  get isDone(): boolean {
    return this.#remaining === 0;
  }

  next(cursor: Cursor): void {
    cursor.skip(12);
    const level = cursor.u32le();
    if (level > MAX_LEVELS) cursor.corrupt(`a vector index node of level ${level} is impossible`);
    for (let i = 0; i <= level; i++) {
      const links = cursor.u32le();
      if (links > MAX_LINKS) cursor.corrupt(`a vector index node with ${links} links is impossible`);
      cursor.skip(4 * links);
    }
    this.#remaining--;
  }
}

/** n × (string key, len document id). */
export class ShardDocIndexSkipper implements SkipReader {
  #remaining: number;
  readonly #limitBytes: number;

  constructor(mappings: number, limitBytes: number) {
    this.#remaining = mappings;
    this.#limitBytes = limitBytes;
  }

  get isDone(): boolean {
    return this.#remaining === 0;
  }

  next(cursor: Cursor): void {
    skipString(cursor, this.#limitBytes);
    readLen(cursor);
    this.#remaining--;
  }
}
