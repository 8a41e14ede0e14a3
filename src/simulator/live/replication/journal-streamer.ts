/**
 * The stable journal of one flow: entries as they are recorded, and a mark with the LSN behind the first entry that comes more than three seconds after
 * the last mark (Dragonfly src/server/journal/streamer.cc; the recording `idle` shows the rhythm). Entries of one turn of the event loop go out together.
 */
import { encodeLsnMark } from "./journal-encoder.ts";
import type { FlowOutput } from "./flow-output.ts";
import type { JournalConsumer, ShardJournal } from "./shard-journal.ts";

const MARK_EVERY_S = 3;

export class JournalStreamer implements JournalConsumer {
  readonly #journal: ShardJournal;
  readonly #output: FlowOutput;
  readonly #nowMs: () => number;
  #queued: Buffer[] = [];
  #queuedBytes = 0;
  /** Whole seconds, as the real one counts. */
  #markedS = 0;
  #isStopped = false;

  constructor(options: { readonly journal: ShardJournal; readonly output: FlowOutput; readonly nowMs: () => number }) {
    this.#journal = options.journal;
    this.#output = options.output;
    this.#nowMs = options.nowMs;
  }

  get pendingBytes(): number {
    return this.#queuedBytes + this.#output.pendingBytes;
  }

  /**
   * @param fromLsn of a partial sync: the first entry wanted
   * @returns false when the backlog has lost it meanwhile
   */
  start(fromLsn?: number): boolean {
    for (let lsn = fromLsn ?? this.#journal.lsn; lsn < this.#journal.lsn; lsn++) {
      const bytes = this.#journal.entry(lsn);
      if (bytes === undefined) return false;
      this.onEntry(lsn, bytes);
    }
    this.#journal.addConsumer(this);
    return true;
  }

  stop(): void {
    this.#isStopped = true;
    this.#journal.removeConsumer(this);
    this.#queued = [];
    this.#queuedBytes = 0;
  }

  onEntry(lsn: number, bytes: Buffer): void {
    this.#push(bytes);
    const nowS = Math.floor(this.#nowMs() / 1000);
    if (nowS - this.#markedS <= MARK_EVERY_S) return;
    this.#markedS = nowS;
    this.#push(encodeLsnMark(lsn));
  }

  #push(bytes: Buffer): void {
    if (this.#queued.length === 0) setImmediate(() => this.#send());
    this.#queued.push(bytes);
    this.#queuedBytes += bytes.length;
  }

  #send(): void {
    if (this.#isStopped) return;
    const bytes = Buffer.concat(this.#queued, this.#queuedBytes);
    this.#queued = [];
    this.#queuedBytes = 0;
    this.#output.write(bytes);
  }
}
