/**
 * Turns a stream body of type 21 (STREAM_LISTPACKS_3) into one of type 19, which Redis 7.0 loads: the same bytes without each consumer's
 * active time (Redis src/rdb.c rdbSaveObject, OBJ_STREAM). The body is checked to its last byte before anything is written.
 */
import { Cursor } from "../../bytes/cursor.ts";
import type { Slice } from "../../bytes/slice.ts";
import { readLen, readLen64 } from "../../bytes/packed-uint.ts";
import { skipString } from "../../rdb/rdb-string.ts";

const ACTIVE_TIME_BYTES = 8;
const STREAM_ID_BYTES = 16;
/** Length, last id, first id, greatest deleted id, entries added. */
const META_LENGTHS = 8;
/** No other limit than the body's own size. */
const NO_LIMIT = Number.POSITIVE_INFINITY;

export class StreamBodyV3 {
  readonly #cursor = new Cursor();
  /** Where each active time starts, relative to the body. */
  #cuts = new Uint32Array(64);
  #cutCount = 0;
  #sizeAsV2 = 0;

  /** @returns the size as type 19. @throws STREAM_CORRUPT */
  scan(body: Slice): number {
    const cursor = this.#cursor.resetTo(body.buf, body.start, body.end);
    this.#cutCount = 0;
    for (let nodes = readLen(cursor); nodes > 0; nodes--) {
      skipString(cursor, NO_LIMIT);
      skipString(cursor, NO_LIMIT);
    }
    for (let i = 0; i < META_LENGTHS; i++) readLen64(cursor);
    for (let groups = readLen(cursor); groups > 0; groups--) this.#scanGroup(cursor, body.start);
    if (cursor.pos !== body.end) cursor.corrupt(`${body.end - cursor.pos} bytes are left over after a stream`);
    this.#sizeAsV2 = body.length - this.#cutCount * ACTIVE_TIME_BYTES;
    return this.#sizeAsV2;
  }

  /** Writes the body that was scanned last to `out[at, at + size)`. */
  writeAsV2(body: Slice, out: Buffer, at: number): void {
    let from = body.start;
    let to = at;
    for (let i = 0; i < this.#cutCount; i++) {
      const cut = body.start + (this.#cuts[i] ?? 0);
      to += body.buf.copy(out, to, from, cut);
      from = cut + ACTIVE_TIME_BYTES;
    }
    body.buf.copy(out, to, from, body.end);
  }

  #scanGroup(cursor: Cursor, bodyStart: number): void {
    skipString(cursor, NO_LIMIT);
    // Last delivered id (two lengths) and entries read.
    for (let i = 0; i < 3; i++) readLen64(cursor);
    for (let pending = readLen(cursor); pending > 0; pending--) {
      cursor.skip(STREAM_ID_BYTES + 8);
      readLen64(cursor);
    }
    for (let consumers = readLen(cursor); consumers > 0; consumers--) {
      skipString(cursor, NO_LIMIT);
      cursor.skip(8);
      this.#addCut(cursor.pos - bodyStart);
      cursor.skip(ACTIVE_TIME_BYTES);
      cursor.skip(readLen(cursor) * STREAM_ID_BYTES);
    }
  }

  #addCut(at: number): void {
    if (this.#cutCount === this.#cuts.length) {
      const bigger = new Uint32Array(2 * this.#cuts.length);
      bigger.set(this.#cuts);
      this.#cuts = bigger;
    }
    this.#cuts[this.#cutCount++] = at;
  }
}
