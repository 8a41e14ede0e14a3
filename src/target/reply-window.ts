/**
 * What was sent on one ordered connection and is not answered yet: batches, and marks in the command order. Sans-IO. Positions count
 * commands since the connection began. Owns the batches between `add` and the call of `release`, which comes once the socket is done with
 * a batch's bytes and all its replies are in; while commands wait to be sent again (`hold`), not before they have succeeded.
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
  /** Answered batches that `hold` keeps. */
  #held: InFlightBatch[] = [];
  /** The first command that counts as answered but has to be sent again. No mark behind it runs. */
  #heldFrom = Number.POSITIVE_INFINITY;
  #marksHeld = false;
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
      if (head.end > this.#heldFrom) this.#held.push(head);
      else this.#give(head);
    }
  }

  /**
   * From the command at `position` on batches are kept and marks wait, until `letGo`: it was refused and will be sent again. Its reply must
   * not have been counted yet.
   */
  hold(position: number): void {
    this.#heldFrom = position;
  }

  /** What `hold` keeps, in the order of sending. */
  get held(): readonly InFlightBatch[] {
    return this.#held;
  }

  /** Ends `hold`: everything answered so far is done with. The marks are run by `runMarks`. */
  letGo(): void {
    this.#heldFrom = Number.POSITIVE_INFINITY;
    const held = this.#held;
    this.#held = [];
    for (const entry of held) this.#give(entry);
  }

  /** While it is on no mark runs, due or not. */
  set marksHeld(on: boolean) {
    this.#marksHeld = on;
  }

  #give(entry: InFlightBatch): void {
    entry.answered = true;
    if (entry.flushed) this.#release(entry.batch);
  }

  /** What the command at `position` was; undefined when it was never sent or its replies are long in. */
  describe(position: number, want?: { readonly args?: boolean }): CommandDescription | undefined {
    const entry = this.#batches.find((candidate) => position < candidate.end);
    return entry === undefined || position < entry.first
      ? undefined
      : entry.batch.describe(position - entry.first, want);
  }

  /** Has `callback` run once the first `position` commands are answered, after all earlier marks; at once when they are. */
  mark(position: number, callback: () => void): void {
    if (this.#isDue(position) && this.#marks.length === 0) callback();
    else this.#marks.push({ position, callback });
  }

  /** Runs the marks that are due, in order, until `stopped`. */
  runMarks(stopped: () => boolean): void {
    while (!stopped()) {
      const head = this.#marks[0];
      if (head === undefined || !this.#isDue(head.position)) return;
      this.#marks.shift();
      head.callback();
    }
  }

  #isDue(position: number): boolean {
    return position <= this.done && position <= this.#heldFrom && !this.#marksHeld;
  }

  forgetMarks(): void {
    this.#marks = [];
  }
}
