/**
 * Writes streamed values as native commands: `DEL` first, so that a repeated sync replaces and never merges, then batches of elements, the
 * deadline last, so that the value cannot expire while it is built. Copies all that it is given; keeps nothing after `flush`.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { NativeBatch } from "./native-batch.ts";
import type { StreamedValue } from "./streamed-value.ts";
import { checkBulk } from "./write-mode.ts";

export class NativeWriter {
  readonly #encoder: CommandEncoder;
  readonly #batch: NativeBatch;
  readonly #maxBulkBytes: number;

  /** @param maxBulkBytes longest argument that the target takes */
  constructor(encoder: CommandEncoder, batch: NativeBatch, maxBulkBytes: number) {
    this.#encoder = encoder;
    this.#batch = batch;
    this.#maxBulkBytes = maxBulkBytes;
  }

  /** An element of one or two arguments, buffered with its neighbours; a large one goes out by itself without another copy. */
  element(value: StreamedValue, first: Slice, second: Slice | undefined): void {
    const size = first.length + (second === undefined ? 0 : second.length);
    if (size > this.#batch.limitBytes) {
      this.flush(value);
      this.#alone(value, first, second);
      return;
    }
    this.#batch.element(first, second);
    if (this.#batch.isFull) this.flush(value);
  }

  flush(value: StreamedValue): void {
    this.open(value);
    const argc = this.#batch.argc;
    if (argc === 0) return;
    this.#begin(value, argc);
    this.#batch.moveTo(this.#encoder);
  }

  /** Selects the value's database and deletes what the key held before. Comes before every command of the value. */
  open(value: StreamedValue): void {
    const encoder = this.#encoder;
    encoder.select(value.db);
    if (value.opened) return;
    value.opened = true;
    encoder.begin(2);
    encoder.argText("DEL");
    encoder.arg(value.key);
  }

  /** After the last flush. */
  end(value: StreamedValue): void {
    this.open(value);
    if (!value.written || value.expireAtMs === -1) return;
    const encoder = this.#encoder;
    encoder.begin(3);
    encoder.argText("PEXPIREAT");
    encoder.arg(value.key);
    encoder.argInt(value.expireAtMs);
  }

  #alone(value: StreamedValue, first: Slice, second: Slice | undefined): void {
    checkBulk(first.length, this.#maxBulkBytes, value);
    if (second !== undefined) checkBulk(second.length, this.#maxBulkBytes, value);
    this.#begin(value, second === undefined ? 1 : 2);
    this.#encoder.arg(first);
    if (second !== undefined) this.#encoder.arg(second);
  }

  #begin(value: StreamedValue, argc: number): void {
    value.written = true;
    const encoder = this.#encoder;
    encoder.begin(2 + argc);
    encoder.argText(value.elementCommand);
    encoder.arg(value.key);
  }
}
