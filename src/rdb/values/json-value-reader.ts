/** A JSON document (30, and 20 from old masters): one string, its text. */
import type { Cursor } from "../../bytes/cursor.ts";
import { Slice } from "../../bytes/slice.ts";
import type { RdbHandler } from "../rdb-handler.ts";
import { readString } from "../rdb-string.ts";
import type { ValueReader } from "./value-reader.ts";

export class JsonValueReader<T> implements ValueReader<T> {
  isDone = false;
  readonly #limitBytes: number;
  readonly #text = new Slice();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  next(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    readString(cursor, this.#text, this.#limitBytes);
    handler.json(value, this.#text);
    this.isDone = true;
  }
}
