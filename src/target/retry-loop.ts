/**
 * Sends the commands that a target refused for the time being again, on the connection on which they were refused, until all are applied: after a
 * pause one command as a probe, then twice as many with each success; a refusal means a longer pause and one command again. A run goes to one
 * database, and only once its SELECT has been confirmed: behind a refused one it would be written to another. At the end the connection is put
 * back into the database that the encoder believes in.
 * Nothing else is in flight meanwhile, so all replies are the loop's, and a `ReplyCounter` per step counts them. No socket of its own.
 */
import { ReplyCounter } from "../resp/reply-counter.ts";
import type { RetryClock } from "./retry-options.ts";
import { type RetryQueue, type WaitingCommand, bytesOf } from "./retry-queue.ts";

export type RetryLoopOptions = {
  readonly queue: RetryQueue;
  /** The database that the connection must be in at the end. */
  readonly homeDb: number;
  readonly runBytes: number;
  readonly retryMs: number;
  readonly clock: RetryClock;
  isRetryable(words: string): boolean;
  write(bytes: Buffer): void;
  /** Refused for another reason: it is not sent again. */
  onRefused(command: WaitingCommand, words: string): void;
  /** SELECT was refused for good. */
  onNoDatabase(db: number, words: string): void;
  onAttempt(words: string): void;
  onDone(): void;
  onGiveUp(wait: { readonly words: string; readonly triedMs: number }): void;
  /** An error reply, or more replies than commands (no words), that nothing asked for. */
  onUnasked(words: string | undefined): void;
};

const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 2000;
const MOST_COMMANDS = 1024;

/** What is in flight: a SELECT (its run empty), or a run. */
type Step = {
  readonly db: number;
  readonly run: readonly WaitingCommand[];
  readonly expected: number;
  readonly bytes: number;
  readonly errors: Map<number, string>;
  readonly counter: ReplyCounter;
};

export class RetryLoop {
  readonly #options: RetryLoopOptions;
  /** Where the connection is; unknown at first, since the window's last SELECT may have been refused. */
  #db: number | undefined;
  #step: Step | undefined;
  #runCommands = 1;
  #delayMs = FIRST_DELAY_MS;
  #lastSuccessMs: number;
  #endPause: (() => void) | undefined;
  #stopped = false;

  constructor(options: RetryLoopOptions) {
    this.#options = options;
    this.#lastSuccessMs = options.clock.nowMs();
  }

  /** Commands without a reply. */
  get pendingCommands(): number {
    return this.#step === undefined ? 0 : this.#step.expected - this.#step.counter.count;
  }

  get pendingBytes(): number {
    return this.#step?.bytes ?? 0;
  }

  /** Commands of the run that is in flight, to be counted as waiting. */
  get runCommands(): number {
    return this.#step?.run.length ?? 0;
  }

  start(): void {
    if (this.#options.queue.size === 0) this.#next();
    else this.#pause();
  }

  stop(): void {
    this.#stopped = true;
    this.#endPause?.();
  }

  /** @throws PROTOCOL_VIOLATION for what is no reply */
  feed(chunk: Buffer): void {
    const step = this.#step;
    if (this.#stopped) return;
    if (step === undefined) return this.#unasked(chunk);
    step.counter.feed(chunk);
    if (this.#stopped || step.counter.count < step.expected) return;
    if (step.counter.count > step.expected) return this.#options.onUnasked(step.errors.get(step.expected));
    this.#step = undefined;
    if (step.run.length === 0) this.#selected(step);
    else this.#ran(step);
  }

  /** Between two attempts a server may say why it closes the connection. */
  #unasked(chunk: Buffer): void {
    let words: string | undefined;
    new ReplyCounter({ onErrorReply: (_index, message) => (words ??= message) }).feed(chunk);
    this.#options.onUnasked(words);
  }

  /** The next step: another database, a run, or the end. */
  #next(): void {
    const { queue, homeDb, runBytes } = this.#options;
    const db = queue.db ?? homeDb;
    if (db !== this.#db)
      return this.#send(db, [], Buffer.from(`*2\r\n$6\r\nSELECT\r\n$${String(db).length}\r\n${db}\r\n`));
    const run = queue.take({ commands: this.#runCommands, bytes: runBytes });
    if (run.length === 0) return this.#options.onDone();
    const [only] = run;
    const bytes = run.length === 1 && only !== undefined ? bytesOf(only) : Buffer.concat(run.map(bytesOf));
    this.#send(db, run, bytes);
  }

  #send(db: number, run: readonly WaitingCommand[], bytes: Buffer): void {
    const errors = new Map<number, string>();
    const counter = new ReplyCounter({ onErrorReply: (index, message) => void errors.set(index, message) });
    this.#step = { db, run, expected: Math.max(1, run.length), bytes: bytes.length, errors, counter };
    this.#options.write(bytes);
  }

  #selected({ db, errors }: Step): void {
    const words = errors.get(0);
    if (words === undefined) {
      this.#db = db;
      this.#next();
    } else if (this.#options.isRetryable(words)) this.#refused(words);
    else this.#options.onNoDatabase(db, words);
  }

  #ran({ run, errors }: Step): void {
    const { queue } = this.#options;
    const again: WaitingCommand[] = [];
    let refusedWords: string | undefined;
    const forGood: [WaitingCommand, string][] = [];
    for (const [i, command] of run.entries()) {
      const words = errors.get(i);
      if (words === undefined) continue;
      if (this.#options.isRetryable(words)) {
        again.push(command);
        refusedWords = words;
      } else forGood.push([command, words]);
    }
    queue.putBack(again);
    if (again.length < run.length) this.#succeeded();
    for (const [command, words] of forGood) {
      this.#options.onRefused(command, words);
      if (this.#stopped) return;
    }
    if (refusedWords !== undefined) return this.#refused(refusedWords);
    this.#runCommands = Math.min(2 * this.#runCommands, MOST_COMMANDS);
    this.#next();
  }

  #succeeded(): void {
    this.#lastSuccessMs = this.#options.clock.nowMs();
    this.#delayMs = FIRST_DELAY_MS;
  }

  #refused(words: string): void {
    this.#runCommands = 1;
    const triedMs = this.#triedMs();
    if (triedMs >= this.#options.retryMs) return this.#options.onGiveUp({ words, triedMs });
    this.#options.onAttempt(words);
    if (!this.#stopped) this.#pause();
  }

  /** Never beyond the end of the time: the last attempt is made then. */
  #pause(): void {
    const leftMs = Math.max(0, this.#options.retryMs - this.#triedMs());
    const delayMs = Math.min(this.#delayMs, leftMs);
    this.#delayMs = Math.min(2 * this.#delayMs, LAST_DELAY_MS);
    this.#endPause = this.#options.clock.after(delayMs, () => {
      this.#endPause = undefined;
      if (!this.#stopped) this.#next();
    });
  }

  #triedMs(): number {
    return this.#options.clock.nowMs() - this.#lastSuccessMs;
  }
}
