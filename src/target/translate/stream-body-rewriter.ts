/**
 * Turns a stream body of a newer type into one of an older type that the target loads, by leaving out what the older type has no place for; all
 * other bytes stay (Redis src/rdb.c rdbSaveObject, OBJ_STREAM, of 6.2, 7.0 and 7.2):
 * - 21 (STREAM_LISTPACKS_3) to 19 (STREAM_LISTPACKS_2, Redis 7.0): each consumer's active time;
 * - 19 or 21 to 15 (STREAM_LISTPACKS, Redis 6.2): also first id, greatest deleted id, entries added, and each group's entries read.
 * The body is checked to its last byte before anything is written.
 */
import { Cursor } from "../../bytes/cursor.ts";
import type { Slice } from "../../bytes/slice.ts";
import { readLen, readLen64 } from "../../bytes/packed-uint.ts";
import {
  RDB_TYPE_STREAM_LISTPACKS,
  RDB_TYPE_STREAM_LISTPACKS_2,
  RDB_TYPE_STREAM_LISTPACKS_3,
} from "../../rdb/opcodes.ts";
import { skipString } from "../../rdb/rdb-string.ts";

const SEEN_TIME_BYTES = 8;
const ACTIVE_TIME_BYTES = 8;
const STREAM_ID_BYTES = 16;
/** No other limit than the body's own size. */
const NO_LIMIT = Number.POSITIVE_INFINITY;

/** The type to which a stream of `type` is rewritten for a target that loads `restorable`; undefined when there is none. */
export function olderStreamType(type: number, restorable: ReadonlySet<number>): number | undefined {
  if (type !== RDB_TYPE_STREAM_LISTPACKS_2 && type !== RDB_TYPE_STREAM_LISTPACKS_3) return undefined;
  if (type === RDB_TYPE_STREAM_LISTPACKS_3 && restorable.has(RDB_TYPE_STREAM_LISTPACKS_2))
    return RDB_TYPE_STREAM_LISTPACKS_2;
  return restorable.has(RDB_TYPE_STREAM_LISTPACKS) ? RDB_TYPE_STREAM_LISTPACKS : undefined;
}

export class StreamBodyRewriter {
  readonly #cursor = new Cursor();
  /** Start and end of each piece that is left out, relative to the body. */
  #cuts = new Uint32Array(128);
  #cutCount = 0;
  #cutBytes = 0;
  #bodyStart = 0;

  /** @param from 19 or 21 @param to 15 or 19 @returns the size as type `to`. @throws STREAM_CORRUPT */
  scan(body: Slice, from: number, to: number): number {
    const cursor = this.#cursor.resetTo(body.buf, body.start, body.end);
    this.#bodyStart = body.start;
    this.#cutCount = 0;
    this.#cutBytes = 0;
    for (let nodes = readLen(cursor); nodes > 0; nodes--) {
      skipString(cursor, NO_LIMIT);
      skipString(cursor, NO_LIMIT);
    }
    const toFirst = to === RDB_TYPE_STREAM_LISTPACKS;
    // Length and last id; then first id, greatest deleted id, entries added.
    skipLens(cursor, 3);
    const counters = cursor.pos;
    skipLens(cursor, 5);
    if (toFirst) this.#cut(counters, cursor.pos);
    const hasActive = from === RDB_TYPE_STREAM_LISTPACKS_3;
    for (let groups = readLen(cursor); groups > 0; groups--) this.#scanGroup(cursor, hasActive, toFirst);
    if (cursor.pos !== body.end) cursor.corrupt(`${body.end - cursor.pos} bytes are left over after a stream`);
    return body.length - this.#cutBytes;
  }

  /** Writes the body that was scanned last to `out[at, at + size)`. */
  write(body: Slice, out: Buffer, at: number): void {
    let from = body.start;
    let to = at;
    for (let i = 0; i < this.#cutCount; i++) {
      to += body.buf.copy(out, to, from, body.start + (this.#cuts[2 * i] ?? 0));
      from = body.start + (this.#cuts[2 * i + 1] ?? 0);
    }
    body.buf.copy(out, to, from, body.end);
  }

  #scanGroup(cursor: Cursor, hasActive: boolean, toFirst: boolean): void {
    skipString(cursor, NO_LIMIT);
    skipLens(cursor, 2);
    const entriesRead = cursor.pos;
    readLen64(cursor);
    if (toFirst) this.#cut(entriesRead, cursor.pos);
    for (let pending = readLen(cursor); pending > 0; pending--) {
      cursor.skip(STREAM_ID_BYTES + 8);
      readLen64(cursor);
    }
    for (let consumers = readLen(cursor); consumers > 0; consumers--) {
      skipString(cursor, NO_LIMIT);
      cursor.skip(SEEN_TIME_BYTES);
      if (hasActive) {
        this.#cut(cursor.pos, cursor.pos + ACTIVE_TIME_BYTES);
        cursor.skip(ACTIVE_TIME_BYTES);
      }
      cursor.skip(readLen(cursor) * STREAM_ID_BYTES);
    }
  }

  #cut(start: number, end: number): void {
    const i = 2 * this.#cutCount++;
    if (i === this.#cuts.length) {
      const bigger = new Uint32Array(2 * this.#cuts.length);
      bigger.set(this.#cuts);
      this.#cuts = bigger;
    }
    this.#cuts[i] = start - this.#bodyStart;
    this.#cuts[i + 1] = end - this.#bodyStart;
    this.#cutBytes += end - start;
  }
}

function skipLens(cursor: Cursor, count: number): void {
  for (let i = 0; i < count; i++) readLen64(cursor);
}
