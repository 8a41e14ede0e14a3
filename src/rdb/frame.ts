/**
 * One level of input of the RDB decoder: the flow itself, or a decompressed blob inside it. A tagged chunk is a region of a frame. A frame has at
 * most one value in the middle of being read: a value's bytes go on elsewhere only under a chunk id.
 */
import type { Cursor } from "../bytes/cursor.ts";
import type { OpenValue } from "./begin-value.ts";
import type { SkipReader } from "./values/value-reader.ts";

export class Frame<T> {
  readonly cursor: Cursor;
  readonly isBlob: boolean;
  /** Id of the tagged chunk that is being read, 0 for none. */
  chunkId = 0;
  /** A value of a chunk has ended in here: of a blob that is a chunk's content, nothing may follow in the chunk. */
  isChunkDone = false;
  open: OpenValue<T> | undefined;
  /** Something of many elements that is moved over. */
  skipping: SkipReader | undefined;
  /** Where the frame ends when no chunk limits it. */
  readonly #inputEnd: number;

  constructor(cursor: Cursor, isBlob: boolean) {
    this.cursor = cursor;
    this.isBlob = isBlob;
    this.#inputEnd = cursor.hardEnd;
  }

  /** True at the end of the chunk, or of the blob when there is no chunk. */
  get isAtEnd(): boolean {
    return this.cursor.pos === this.cursor.hardEnd;
  }

  enterChunk(id: number, size: number): void {
    this.chunkId = id;
    this.cursor.limitTo(this.cursor.pos + size);
  }

  leaveChunk(): void {
    this.chunkId = 0;
    this.cursor.limitTo(this.#inputEnd);
  }
}
