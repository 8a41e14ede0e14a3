/**
 * A value that is read element by element, over any number of pieces. A reader holds what is left to read, never the bytes: each `next` reads one
 * element (or one encoded node) from wherever the next piece stands, tells the handler, and may throw `NEEDS_MORE`, in which case
 * nothing was told and nothing changed.
 */
import type { Cursor } from "../../bytes/cursor.ts";
import type { RdbHandler } from "../rdb-handler.ts";

export interface ValueReader<T> {
  /** True when nothing is left to read. */
  readonly isDone: boolean;
  /** True when the next element starts with raw bytes, which may look like anything; otherwise it starts with a packed integer. */
  readonly startsRaw?: boolean;
  next(cursor: Cursor, handler: RdbHandler<T>, value: T): void;
  /** The value waits for its next piece: lets go of all bytes, which may lie in buffers that nobody else holds. */
  release?(): void;
}

/** Something that is moved over in steps, without telling anybody. */
export interface SkipReader {
  readonly isDone: boolean;
  next(cursor: Cursor): void;
}
