/**
 * What the readers of Redis's packed bodies (listpack, ziplist, intset, zipmap) have in common. A reader is made once and reset for each body.
 * It reads from the caller's buffer, which must stay unchanged until the body is read, and allocates nothing per element.
 */
import type { Slice } from "../bytes/slice.ts";

export interface ElementReader {
  /** How many elements the body's header announces (a pair counts twice), or -1 where the header cannot say. */
  readonly count: number;
  /** Begins with the body `buf[start, end)`, which must be exactly one body. Throws when its header is wrong. */
  reset(buf: Buffer, start: number, end: number): this;
  /**
   * Gives the next element, or false at the end, when the whole body has been found sound. Strings are views of the body,
   * integers are decimal text in the slice's own scratch space.
   */
  next(out: Slice): boolean;
}
