/**
 * What was sent on one ordered connection and is not answered yet: batches, and marks in the command order. Sans-IO. Positions count
 * commands since the connection began. Owns the batches between `add` and the call of `release`, which comes once the socket is done with
 * a batch's bytes and all its replies are in.
 */
import type { CommandBatch, CommandDescription } from "../resp/command-batch.ts";

export class InFlightBatch {
  readonly batch: CommandBatch;
  readonly first: number;
  readonly end: number;
  readonly bytes: number;
  flushed = false;
  answered = false;

  constructor(batch: CommandBatch, first: number) {
    this.batch = batch;
    this.first = first;
    this.end = first + batch.count;
    this.bytes = batch.length;
  }
}

type Mark = { readonly position: number; readonly callback: () => void };

export class ReplyWindow {
  readonly #release: (batch: CommandBatch) => void;
  #batches: InFlightBatch[] = [];
  #marks: Mark[] = [];
  /** Commands added so far. */
  sent = 0;
  /** Commands answered so far. */
  done = 0;
  /** Bytes of the batches with an answer outstanding. */
  inFlightBytes = 0;

  constructor(release: (batch: CommandBatch) => void) {
    this.#release = release;
  }

  get inFlightCommands(): number {
    return this.sent - this.done;
  }

  add(batch: CommandBatch): InFlightBatch {
    const entry = new InFlightBatch(batch, this.sent);
    this.#batches.push(entry);
    this.sent = entry.end;
    this.inFlightBytes += entry.bytes;
    return entry;
  }

  /** The socket no longer refers to the batch's bytes. */
  flushed(entry: InFlightBatch): void {
    entry.flushed = true;
    if (entry.answered) this.#release(entry.batch);
  }

  /** Takes note of `count` further replies. Marks are run by `runMarks`. */
  answered(count: number): void {
    this.done += count;
    for (;;) {
      const head = this.#batches[0];
      if (head === undefined || head.end > this.done) return;
      this.#batches.shift();
      this.inFlightBytes -= head.bytes;
      head.answered = true;
      if (head.flushed) this.#release(head.batch);
    }
  }

  /** What the command at `position` was; undefined when it was never sent or its replies are long in. */
  describe(position: number): CommandDescription | undefined {
    const entry = this.#batches.find((candidate) => position < candidate.end);
    return entry === undefined || position < entry.first ? undefined : entry.batch.describe(position - entry.first);
  }

  /** Has `callback` run once the first `position` commands are answered, after all earlier marks; at once when they are. */
  mark(position: number, callback: () => void): void {
    if (position <= this.done && this.#marks.length === 0) callback();
    else this.#marks.push({ position, callback });
  }

  /** Runs the marks that are due, in order, until `stopped`. */
  runMarks(stopped: () => boolean): void {
    while (!stopped()) {
      const head = this.#marks[0];
      if (head === undefined || head.position > this.done) return;
      this.#marks.shift();
      head.callback();
    }
  }

  forgetMarks(): void {
    this.#marks = [];
  }
}
