/**
 * Finds where an object's body ends, without decoding it, so that it can be copied verbatim. Resumable: when bytes run out it keeps its place
 * and goes on from there, so a body that arrives in small pieces is walked once. It says `partial` when the body cannot stand whole and
 * small enough in contiguous bytes: it is larger than the limit, or a tagged chunk ends inside it.
 */
import type { Cursor } from "../bytes/cursor.ts";
import { NEEDS_MORE } from "../bytes/needs-more.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import {
  RDB_TYPE_HASH,
  RDB_TYPE_HASH_ZIPMAP,
  RDB_TYPE_LIST,
  RDB_TYPE_LIST_QUICKLIST_2,
  RDB_TYPE_STREAM_LISTPACKS,
  RDB_TYPE_STREAM_LISTPACKS_2,
  RDB_TYPE_STREAM_LISTPACKS_3,
  RDB_TYPE_ZSET,
  RDB_TYPE_ZSET_2,
} from "./opcodes.ts";
import { readLen, readLen64 } from "../bytes/packed-uint.ts";
import { skipString } from "./rdb-string.ts";
import { isSingleNode } from "./values/node-value-reader.ts";

/** Types whose bodies a Redis may load: only their ends are known here. */
export function isScannable(type: number): boolean {
  return (
    (type >= RDB_TYPE_LIST && type <= RDB_TYPE_ZSET_2) ||
    (type >= RDB_TYPE_HASH_ZIPMAP && type <= RDB_TYPE_STREAM_LISTPACKS_3)
  );
}

export type ScanResult = "whole" | "partial";

export class BodyScanner {
  readonly #limitBytes: number;
  readonly #stringLimitBytes: number;
  #type = 0;
  /** Stream offsets: of the body's first byte, of what has been walked. */
  #bodyOffset = -1;
  #walkedOffset = 0;
  #remaining = -1;

  constructor(limitBytes: number, stringLimitBytes: number) {
    this.#limitBytes = limitBytes;
    this.#stringLimitBytes = stringLimitBytes;
  }

  /**
   * Walks the body that starts at the cursor. `whole` leaves the cursor at its end; `partial` puts it back to its start.
   * @throws NEEDS_MORE to be called again at the same offset when more has arrived
   */
  scan(cursor: Cursor, type: number): ScanResult {
    const start = cursor.offset;
    if (this.#bodyOffset !== start || this.#type !== type) this.#restart(start, type);
    const startPos = cursor.pos;
    cursor.pos = this.#walkedOffset - cursor.base;
    try {
      while (this.#remaining !== 0) {
        this.#walk(cursor);
        this.#walkedOffset = cursor.offset;
        if (this.#walkedOffset - start > this.#limitBytes) return this.#giveUp(cursor, startPos);
      }
    } catch (thrown) {
      if (thrown !== NEEDS_MORE) {
        if (!isSplit(thrown, cursor)) throw thrown;
        return this.#giveUp(cursor, startPos);
      }
      if (cursor.mark + cursor.wanted - startPos > this.#limitBytes) return this.#giveUp(cursor, startPos);
      throw thrown;
    }
    this.#bodyOffset = -1;
    return "whole";
  }

  #restart(offset: number, type: number): void {
    this.#bodyOffset = offset;
    this.#type = type;
    this.#walkedOffset = offset;
    this.#remaining = isSingleNode(type) ? 1 : -1;
  }

  #giveUp(cursor: Cursor, startPos: number): ScanResult {
    cursor.pos = startPos;
    this.#bodyOffset = -1;
    return "partial";
  }

  /** One element, or the count in front of them, or all that follows a stream's nodes. */
  #walk(cursor: Cursor): void {
    if (this.#remaining < 0) {
      const count = readLen(cursor);
      this.#remaining = isStream(this.#type) ? count + 1 : count;
      return;
    }
    this.#walkElement(cursor);
    this.#remaining--;
  }

  #walkElement(cursor: Cursor): void {
    const limit = this.#stringLimitBytes;
    switch (this.#type) {
      case RDB_TYPE_HASH:
        skipString(cursor, limit);
        break;
      case RDB_TYPE_ZSET_2:
        skipString(cursor, limit);
        cursor.skip(8);
        return;
      case RDB_TYPE_ZSET:
        skipString(cursor, limit);
        skipTextScore(cursor);
        return;
      case RDB_TYPE_LIST_QUICKLIST_2:
        readLen(cursor);
        break;
      case RDB_TYPE_STREAM_LISTPACKS:
      case RDB_TYPE_STREAM_LISTPACKS_2:
      case RDB_TYPE_STREAM_LISTPACKS_3:
        if (this.#remaining === 1) {
          skipStreamTail(cursor, this.#type, limit);
          return;
        }
        skipString(cursor, limit);
        break;
      default:
    }
    skipString(cursor, limit);
  }
}

function isStream(type: number): boolean {
  return (
    type === RDB_TYPE_STREAM_LISTPACKS || type === RDB_TYPE_STREAM_LISTPACKS_2 || type === RDB_TYPE_STREAM_LISTPACKS_3
  );
}

/** The bytes ended where no more may come: the value goes on in another chunk, or the element reader will name the fault. */
function isSplit(thrown: unknown, cursor: Cursor): boolean {
  return thrown instanceof Df2RedisError && thrown.code === "STREAM_CORRUPT" && Number.isFinite(cursor.hardEnd);
}

function skipTextScore(cursor: Cursor): void {
  const size = cursor.u8();
  if (size < 253) cursor.skip(size);
}

function skipStreamTail(cursor: Cursor, type: number, limitBytes: number): void {
  const hasCounters = type >= RDB_TYPE_STREAM_LISTPACKS_2;
  for (let i = 0; i < (hasCounters ? 8 : 3); i++) readLen64(cursor);
  for (let groups = readLen(cursor); groups > 0; groups--) {
    skipString(cursor, limitBytes);
    for (let i = 0; i < (hasCounters ? 3 : 2); i++) readLen64(cursor);
    for (let pending = readLen(cursor); pending > 0; pending--) {
      cursor.skip(24);
      readLen(cursor);
    }
    for (let consumers = readLen(cursor); consumers > 0; consumers--) {
      skipString(cursor, limitBytes);
      cursor.skip(type === RDB_TYPE_STREAM_LISTPACKS_3 ? 16 : 8);
      const owned = readLen(cursor);
      cursor.skip(16 * owned);
    }
  }
}
