/**
 * The pipelined writer on one ordered connection to a target. Commands are encoded into `encoder`, leave in batches of one write each, and are
 * answered in order; every error reply is traced to its command. Nothing overtakes: same connection, same order. With `retry` a command whose
 * reply says "not now" is sent again, and only such a one; until it is applied nothing new is sent and no mark behind it runs (I3, I7).
 * Owns the connection and the batches in flight. Never reconnects, never decides what an error reply means.
 */
import { asDf2RedisError, Df2RedisError } from "../errors/df2redis-error.ts";
import type { Detached } from "../net/conversation.ts";
import { serverRefusal } from "../net/server-words.ts";
import type { NetSocket } from "../net/socket.ts";
import { abortedError, peerContext, peerError, peerName } from "../net/socket-errors.ts";
import type { CommandDescription } from "../resp/command-batch.ts";
import { CommandEncoder } from "../resp/command-encoder.ts";
import { ReplyCounter } from "../resp/reply-counter.ts";
import { ReplyWindow } from "./reply-window.ts";
import type { RetryOptions } from "./retry-options.ts";
import { RetryWait } from "./retry-wait.ts";
import { openTargetConnection, type TargetConnectionOptions } from "./target-connection.ts";

export type WriterLimits = {
  /** A batch is sent once it is this large. */
  readonly batchBytes: number;
  /** Feeding stops once this much is unanswered, and goes on at half of it. */
  readonly windowBytes: number;
  readonly windowCommands?: number | undefined;
};

export type TargetRejection = {
  readonly command: CommandDescription;
  /** The server's words. */
  readonly message: string;
  /** Which command of this connection, counted from 0. */
  readonly index: number;
  /** -1, or which element of an array reply (EXEC) the error was. */
  readonly element: number;
};

export type TargetWriterOptions = TargetConnectionOptions & {
  readonly limits: WriterLimits;
  /** What to do about commands that the target cannot take now; not given: they go to `onError`. */
  readonly retry?: RetryOptions | undefined;
  /** Have all arguments in `TargetRejection.command`. */
  readonly describeArgs?: boolean | undefined;
  /** An error reply. Runs before the marks behind that command. */
  onError(rejection: TargetRejection): void;
  /** The connection is unusable, a pending `close` included. Called at most once, and not for the owner's own `destroy`. */
  onFailure(error: Df2RedisError): void;
  /** There is room again after `isFull` said no. */
  onDrain(): void;
};

/** Size of a batch's buffer, in batches. */
const BATCH_ROOM = 1.125;
/** On top of the reply timeout, for every MiB that has to get through first. */
const EXTRA_MS_PER_MIB = 1000;

export class TargetWriter {
  readonly encoder: CommandEncoder;
  readonly #options: TargetWriterOptions;
  readonly #socket: NetSocket;
  readonly #window: ReplyWindow;
  readonly #counter: ReplyCounter;
  readonly #timer: NodeJS.Timeout;
  #bytesSent = 0;
  #full = false;
  /** Commands were refused for now and are to be sent again. */
  #wait: RetryWait | undefined;
  /** The owner wants nothing more encoded. */
  #paused = false;
  /** `flush(true)` was called during the wait. */
  #flushAfterWait = false;
  /** No callback runs from here on: failed, or given up by the owner. */
  #stopped = false;
  #failure: Df2RedisError | undefined;
  #lastProgressMs = performance.now();
  #overdue = false;
  #whenClosed: (() => void) | undefined;

  private constructor(options: TargetWriterOptions, connection: Detached) {
    this.#options = options;
    this.#socket = connection.socket;
    // A batch is full once it is over its size: without room for the last command each would grow to twice that.
    this.encoder = new CommandEncoder(Math.ceil(BATCH_ROOM * options.limits.batchBytes));
    this.#window = new ReplyWindow((batch) => this.encoder.release(batch));
    this.#counter = new ReplyCounter({
      onErrorReply: (index, message, element) => this.#onErrorReply(index, message, element),
    });
    const everyMs = Math.max(5, Math.min(1000, options.replyTimeoutMs / 4));
    this.#timer = setInterval(() => this.#checkProgress(), everyMs);
    this.#socket.setHandlers({ onData: (chunk) => this.#onData(chunk), onClose: (error) => this.#onClose(error) });
    if (connection.leftover.length > 0) this.#onData(connection.leftover);
    this.#socket.resume();
  }

  static async connect(options: TargetWriterOptions): Promise<TargetWriter> {
    return new TargetWriter(options, await openTargetConnection(options));
  }

  get commandsSent(): number {
    return this.#window.sent;
  }

  /** Answered for good: commands that wait to be sent again are not among them. */
  get commandsDone(): number {
    return this.#window.done - (this.#wait?.commands ?? 0);
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  get inFlightBytes(): number {
    return this.#window.inFlightBytes;
  }

  get inFlightCommands(): number {
    return this.#window.inFlightCommands;
  }

  /** Sends what the encoder holds if it is a full batch, or whatever it holds when `force` is set. */
  flush(force = false): void {
    if (!force && this.encoder.byteLength < this.#options.limits.batchBytes) return;
    if (this.#stopped) return;
    if (this.#wait !== undefined) {
      this.#flushAfterWait ||= force;
      return;
    }
    const batch = this.encoder.take();
    if (batch === undefined) return;
    if (this.#window.inFlightCommands === 0) this.#progressed();
    const entry = this.#window.add(batch);
    this.#bytesSent += entry.bytes;
    this.#full ||= this.#overHigh();
    this.#socket.write(batch.bytes(), () => this.#window.flushed(entry));
  }

  /** True while the window is full, refused commands wait or feeding is paused, and for good once the writer has failed: the caller stops feeding. */
  isFull(): boolean {
    return this.#full || this.#stopped || this.#paused || this.#wait !== undefined;
  }

  /** Has `isFull` say yes until `resumeFeeding`, which calls `onDrain`. What is encoded is sent all the same. */
  pauseFeeding(): void {
    this.#paused = true;
  }

  resumeFeeding(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.isFull()) this.#options.onDrain();
  }

  /**
   * No callback of `afterApplied` runs from now on, due or not, until `releaseMarks`: for an owner that has to put a rejection in a safe place
   * before anything behind it may be acknowledged.
   */
  holdMarks(): void {
    this.#window.marksHeld = true;
  }

  releaseMarks(): void {
    this.#window.marksHeld = false;
    this.#window.runMarks(() => this.#stopped);
  }

  /**
   * Has `callback` run once every command encoded so far has been answered; at once when all are. Callbacks run in the order in which
   * they were given. What is encoded but not flushed counts too, so flush some time. Never runs after a failure.
   */
  afterApplied(callback: () => void): void {
    if (!this.#stopped) this.#window.mark(this.#window.sent + this.encoder.commandCount, callback);
  }

  /** Sends everything, waits for every reply, then closes. Rejects when the connection fails before that. */
  close(): Promise<void> {
    if (this.#stopped) return this.#failure === undefined ? Promise.resolve() : Promise.reject(this.#failure);
    this.flush(true);
    return new Promise((resolve, reject) => {
      this.#whenClosed = () => {
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      };
      this.afterApplied(() => this.#finish());
    });
  }

  /** Closes at once; what is in flight may or may not be applied. No callback runs any more. */
  destroy(): void {
    if (!this.#stopped) this.#failure = abortedError(this.#socket.peer, undefined);
    this.#stop();
    this.#socket.destroy();
  }

  #finish(): void {
    this.#stop();
    this.#socket.end();
  }

  #stop(): void {
    this.#stopped = true;
    this.#wait?.stop();
    this.#window.forgetMarks();
    clearInterval(this.#timer);
  }

  #overHigh(): boolean {
    const { windowBytes, windowCommands = Infinity } = this.#options.limits;
    return this.#window.inFlightBytes >= windowBytes || this.#window.inFlightCommands >= windowCommands;
  }

  #underLow(): boolean {
    const { windowBytes, windowCommands = Infinity } = this.#options.limits;
    return this.#window.inFlightBytes <= windowBytes / 2 && this.#window.inFlightCommands <= windowCommands / 2;
  }

  #onData(chunk: Buffer): void {
    if (this.#stopped) return;
    if (this.#wait?.isRetrying === true) {
      this.#progressed();
      this.#decode(() => this.#wait?.feed(chunk));
      return;
    }
    const answered = this.#decode(() => this.#counter.feed(chunk)) ?? 0;
    if (answered === 0 || this.#stopped) return;
    if (this.#counter.count > this.#window.sent) return this.#fail(this.#unasked(undefined));
    this.#progressed();
    this.#window.answered(answered);
    this.#window.runMarks(() => this.#stopped);
    if (this.#stopped) return;
    if (this.#wait !== undefined) {
      if (this.#window.inFlightCommands === 0) this.#wait.settle();
    } else if (this.#full && this.#underLow()) {
      this.#full = false;
      this.#options.onDrain();
    }
  }

  #decode<T>(feed: () => T): T | undefined {
    try {
      return feed();
    } catch (thrown) {
      const error = asDf2RedisError(thrown);
      const message = `The ${peerName(this.#socket.peer)} sent something that is no reply: ${error.message}`;
      this.#fail(
        new Df2RedisError(error.code, message, {
          context: { ...peerContext(this.#socket.peer), ...error.context },
          cause: error,
        }),
      );
      return undefined;
    }
  }

  #onErrorReply(index: number, message: string, element: number): void {
    if (this.#stopped || this.#isForLater(index, message, element)) return;
    const command = this.#window.describe(index, { args: this.#options.describeArgs === true });
    if (command === undefined) this.#fail(this.#unasked(message));
    else this.#options.onError({ command, message, index, element });
  }

  /** Begins a wait with the first command that is refused for now, and leaves all refusals behind it to the wait. */
  #isForLater(index: number, message: string, element: number): boolean {
    const { retry } = this.#options;
    if (retry === undefined || retry.retryMs <= 0 || element !== -1 || index >= this.#window.sent) return false;
    if (this.#wait === undefined) {
      if (!retry.isRetryable(message)) return false;
      this.#wait = this.#beginWait(retry);
      this.#window.hold(index);
    }
    this.#wait.note(index, message);
    return true;
  }

  #beginWait(retry: RetryOptions): RetryWait {
    return new RetryWait({
      retry,
      window: this.#window,
      peer: this.#socket.peer,
      runBytes: this.#options.limits.batchBytes,
      wantsArgs: this.#options.describeArgs === true,
      write: (bytes) => {
        this.#progressed();
        this.#bytesSent += bytes.length;
        this.#socket.write(bytes);
      },
      onRefused: (refusal) => this.#options.onError({ ...refusal, element: -1 }),
      onFailure: (error) => this.#fail(error),
      onUnasked: (words) => this.#fail(this.#unasked(words)),
      onDone: () => this.#endWait(),
    });
  }

  #endWait(): void {
    const waitedMs = this.#wait?.waitedMs ?? 0;
    this.#wait = undefined;
    this.#window.letGo();
    this.#options.retry?.onResumed?.({ waitedMs });
    this.#window.runMarks(() => this.#stopped);
    if (this.#stopped) return;
    this.#full = false;
    const force = this.#flushAfterWait;
    this.#flushAfterWait = false;
    this.flush(force);
    if (!this.#full) this.#options.onDrain();
  }

  /** A server says why it closes a connection without having been asked. */
  #unasked(words: string | undefined): Df2RedisError {
    const peer = this.#socket.peer;
    const said = words === undefined ? "" : `: ${words}`;
    const known = words === undefined ? undefined : serverRefusal(peer, "the connection", words);
    return (
      known ??
      peerError("PROTOCOL_VIOLATION", peer, `The ${peerName(peer)} sent more replies than it got commands${said}`)
    );
  }

  #progressed(): void {
    this.#lastProgressMs = performance.now();
    this.#overdue = false;
  }

  /** Fails on the second look only: after a pause of this whole process the replies are there, but not read yet. */
  #checkProgress(): void {
    const inFlightCommands = this.#window.inFlightCommands + (this.#wait?.pendingCommands ?? 0);
    const inFlightBytes = this.#window.inFlightBytes + (this.#wait?.pendingBytes ?? 0);
    const allowedMs = this.#options.replyTimeoutMs + (EXTRA_MS_PER_MIB * inFlightBytes) / (1024 * 1024);
    if (inFlightCommands === 0 || performance.now() - this.#lastProgressMs < allowedMs) return;
    if (!this.#overdue) {
      this.#overdue = true;
      return;
    }
    const text = `has answered none of ${inFlightCommands} commands for ${Math.round(allowedMs)} ms`;
    this.#fail(peerError("TIMEOUT", this.#socket.peer, `The ${peerName(this.#socket.peer)} ${text}.`));
  }

  #onClose(error: Df2RedisError | undefined): void {
    if (error !== undefined && !this.#stopped) this.#fail(this.#withUnconfirmed(error));
    else this.#stop();
    this.#whenClosed?.();
  }

  #withUnconfirmed(error: Df2RedisError): Df2RedisError {
    const unconfirmed = this.#window.inFlightCommands + this.encoder.commandCount + (this.#wait?.commands ?? 0);
    if (error.code !== "CONNECTION_LOST" || unconfirmed === 0) return error;
    const message = `${error.message} ${unconfirmed} commands were not confirmed; they may or may not have been applied.`;
    return new Df2RedisError(error.code, message, { context: { ...error.context, unconfirmed }, cause: error.cause });
  }

  #fail(error: Df2RedisError): void {
    if (this.#stopped) return;
    this.#stop();
    this.#failure = error;
    this.#socket.destroy(error);
    this.#options.onFailure(error);
  }
}
