/**
 * One wait of a `TargetWriter`, from the first reply that says "not now" until everything refused has been applied:
 * 1. collects the error replies of the window, while nothing more is sent;
 * 2. once all is answered, finds what has to be sent again and whether that keeps the order (`RetryOrder`);
 * 3. sends it again (`RetryLoop`).
 * Reads the window's held batches, which stay the window's. Decides nothing about errors of other classes: they go to the owner, as always.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { CommandDescription } from "../resp/command-batch.ts";
import { type Peer, peerContext, peerName } from "../net/socket-errors.ts";
import { keyText } from "../observability/key-text.ts";
import type { InFlightBatch, ReplyWindow } from "./reply-window.ts";
import { RetryLoop } from "./retry-loop.ts";
import { type RetryOptions, SYSTEM_CLOCK } from "./retry-options.ts";
import { type Outcome, type RefusedCommand, type RetryConflict, RetryOrder } from "./retry-order.ts";
import { RetryQueue, type WaitingCommand } from "./retry-queue.ts";

export type Refusal = { readonly command: CommandDescription; readonly message: string; readonly index: number };

export type RetryWaitOptions = {
  readonly retry: RetryOptions;
  readonly window: ReplyWindow;
  readonly peer: Peer;
  readonly runBytes: number;
  readonly wantsArgs: boolean;
  write(bytes: Buffer): void;
  /** A refusal that is not ours to retry. */
  onRefused(refusal: Refusal): void;
  onFailure(error: Df2RedisError): void;
  onUnasked(words: string | undefined): void;
  /** All is applied; the window is to be let go. */
  onDone(): void;
};

export class RetryWait {
  readonly #options: RetryWaitOptions;
  readonly #sinceMs: number;
  /** Error replies by position, in the order of the replies. */
  readonly #replies = new Map<number, string>();
  #loop: RetryLoop | undefined;
  #queue: RetryQueue | undefined;
  #told = "";
  #stopped = false;

  constructor(options: RetryWaitOptions) {
    this.#options = options;
    this.#sinceMs = this.#clock.nowMs();
  }

  /** The window is answered, and replies go to `feed`. */
  get isRetrying(): boolean {
    return this.#loop !== undefined;
  }

  /** Commands that are answered, but not applied. */
  get commands(): number {
    return this.#queue === undefined ? this.#replies.size : this.#queue.size + (this.#loop?.runCommands ?? 0);
  }

  get pendingCommands(): number {
    return this.#loop?.pendingCommands ?? 0;
  }

  get pendingBytes(): number {
    return this.#loop?.pendingBytes ?? 0;
  }

  get waitedMs(): number {
    return this.#clock.nowMs() - this.#sinceMs;
  }

  get #clock(): NonNullable<RetryOptions["clock"]> {
    return this.#options.retry.clock ?? SYSTEM_CLOCK;
  }

  /** An error reply in the window, of whatever class: another class may come of an earlier command that did not run. */
  note(position: number, message: string): void {
    this.#replies.set(position, message);
  }

  feed(chunk: Buffer): void {
    this.#loop?.feed(chunk);
  }

  stop(): void {
    this.#stopped = true;
    this.#loop?.stop();
  }

  /** Everything in the window is answered. */
  settle(): void {
    const { order, refused: refusedForGood } = this.#readWindow();
    if (order.conflict !== undefined) return this.#options.onFailure(this.#conflictError(order.conflict));
    const waiting = order.waiting.flatMap((refused) => this.#waitingAt(refused));
    this.#queue = new RetryQueue(waiting);
    for (const position of refusedForGood) {
      this.#refuse(position);
      if (this.#stopped) return;
    }
    this.#loop = this.#makeLoop(this.#queue);
    this.#tell(this.#firstWords());
    if (!this.#stopped) this.#loop.start();
  }

  /** Each command from the first refused one on, in order. */
  #readWindow(): { order: RetryOrder; refused: number[] } {
    const { held } = this.#options.window;
    const order = new RetryOrder();
    const refused: number[] = [];
    const first = this.#firstPosition();
    for (const { batch, first: start, end } of held) {
      for (let position = Math.max(first, start); position < end; position++) {
        const index = position - start;
        const outcome = this.#outcomeAt(position);
        const goesAgain = order.add({ position, db: batch.dbOf(index), words: batch.words(index) }, outcome);
        if (outcome === "refused" && !goesAgain) refused.push(position);
        if (order.conflict !== undefined) return { order, refused };
      }
    }
    return { order, refused };
  }

  #firstPosition(): number {
    return this.#replies.keys().next().value ?? 0;
  }

  #firstWords(): string {
    return this.#replies.values().next().value ?? "";
  }

  #outcomeAt(position: number): Outcome {
    const words = this.#replies.get(position);
    if (words === undefined) return "applied";
    return this.#options.retry.isRetryable(words) ? "waiting" : "refused";
  }

  #entryAt(position: number): InFlightBatch | undefined {
    return this.#options.window.held.find((entry) => position < entry.end);
  }

  #waitingAt({ position, keys, isOpen }: RefusedCommand): WaitingCommand[] {
    const entry = this.#entryAt(position);
    if (entry === undefined) return [];
    const index = position - entry.first;
    return [{ entry, index, db: entry.batch.dbOf(index), keys, isOpen }];
  }

  #refuse(position: number): void {
    const entry = this.#entryAt(position);
    if (entry === undefined) return;
    const command = this.#describe(entry, position);
    this.#options.onRefused({ command, message: this.#replies.get(position) ?? "", index: position });
  }

  #describe(entry: InFlightBatch, position: number): CommandDescription {
    return entry.batch.describe(position - entry.first, { args: this.#options.wantsArgs });
  }

  #makeLoop(queue: RetryQueue): RetryLoop {
    const options = this.#options;
    const { retry, window, runBytes } = options;
    const last = window.held.at(-1);
    return new RetryLoop({
      queue,
      homeDb: last === undefined ? 0 : last.batch.dbOf(last.batch.count - 1),
      runBytes,
      retryMs: retry.retryMs,
      clock: this.#clock,
      isRetryable: (words) => retry.isRetryable(words),
      write: (bytes) => options.write(bytes),
      onRefused: ({ entry, index }, message) => {
        const position = entry.first + index;
        options.onRefused({ command: this.#describe(entry, position), message, index: position });
      },
      onNoDatabase: (db, words) => options.onFailure(this.#noDatabaseError(db, words)),
      onAttempt: (words) => this.#tell(words),
      onDone: () => options.onDone(),
      onGiveUp: (wait) => options.onFailure(this.#giveUpError(wait.words, wait.triedMs)),
      onUnasked: (words) => options.onUnasked(words),
    });
  }

  /** Only when there is something new to say. */
  #tell(words: string): void {
    const { commands } = this;
    const news = `${commands} ${words}`;
    if (news === this.#told || commands === 0) return;
    this.#told = news;
    this.#options.retry.onWaiting?.({ words, commands, sinceMs: this.#sinceMs });
  }

  #giveUpError(words: string, triedMs: number): Df2RedisError {
    const { commands } = this;
    const seconds = Math.round(triedMs / 100) / 10;
    const message =
      `The ${peerName(this.#options.peer)} cannot take writes: ${words} It was tried for ${seconds} s; ` +
      `${commands} commands wait to be applied and were not.`;
    return this.#error("TARGET_NOT_READY", message, { words, commands, triedMs: Math.round(triedMs) });
  }

  #noDatabaseError(db: number, words: string): Df2RedisError {
    const message = `The ${peerName(this.#options.peer)} refused SELECT ${db} for commands that waited to be applied: ${words}`;
    return this.#error("TARGET_REJECTED", message, { db, words, commands: this.commands });
  }

  #conflictError({ waiting, applied, kind }: RetryConflict): Df2RedisError {
    const refused = this.#describeAt(waiting);
    const ran = this.#describeAt(applied);
    const words = this.#replies.get(waiting) ?? "";
    const why =
      kind === "order"
        ? "which has a key in common with it: tried again now, the first one would come too late and its effect would differ from the source's"
        : "and so wrote into another database than it was meant for";
    const message =
      `The ${peerName(this.#options.peer)} refused ${refused.text} (${words}), but ran ${ran.text} behind it, ${why}. ` +
      "The target differs from the source: start the sync again once the target can take writes.";
    const { command, key, db, flow, lsn } = refused;
    return this.#error("TARGET_REJECTED", message, { command, key, db, flow, words, ...(lsn < 0 ? {} : { lsn }) });
  }

  #describeAt(position: number): {
    text: string;
    command: string;
    key: string;
    db: number;
    flow: number;
    lsn: number;
  } {
    const entry = this.#entryAt(position);
    if (entry === undefined) return { text: "a command", command: "", key: "", db: 0, flow: 0, lsn: -1 };
    const { name: command, key: bytes, db, flow, lsn } = entry.batch.describe(position - entry.first);
    const key = bytes === undefined ? "" : keyText(bytes);
    const text = command === "SELECT" ? `SELECT ${key}` : `${command} of key "${key}" in database ${db}`;
    return { text, command, key, db, flow, lsn };
  }

  #error(
    code: "TARGET_NOT_READY" | "TARGET_REJECTED",
    message: string,
    context: Df2RedisError["context"],
  ): Df2RedisError {
    return new Df2RedisError(code, message, { context: { ...peerContext(this.#options.peer), ...context } });
  }
}
