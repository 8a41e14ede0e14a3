/**
 * One direction of one connection through the fault proxy: reads from one socket and writes to the other, as slowly, in pieces as small, and with
 * stops at the offsets that it is told. A byte counts as forwarded once the kernel has taken it, and only one piece is under way at a time, so a
 * stop at an offset is exact. Holds at most `QUEUE_BYTES` and one chunk: beyond that it does not read, and the sender feels it.
 *
 * Owns the chunks it has read (it may change a byte of them) and the writing side of `to`. Never closes `from`.
 */
import type { Socket } from "node:net";
import type { FaultClock } from "./fault-clock.ts";

const QUEUE_BYTES = 1024 * 1024;
/** A throttled direction forwards about as often. */
const THROTTLE_STEP_MS = 10;

export type PipeShape = {
  stalled: boolean;
  delayMs: number;
  bytesPerSecond: number;
  pieceBytes: number;
};

export function plainShape(): PipeShape {
  return { stalled: false, delayMs: 0, bytesPerSecond: Infinity, pieceBytes: Infinity };
}

export type PipeOptions = {
  readonly from: Socket;
  readonly to: Socket;
  readonly clock: FaultClock;
  readonly shape: PipeShape;
  /** Bytes came, and have not been forwarded. */
  readonly onReceived: (chunk: Buffer) => void;
  /** The receiver takes nothing any more, and has not said so on its own direction, or not yet. */
  readonly onReceiverGone: () => void;
  /** Something has changed that someone may wait for. */
  readonly onChange: () => void;
};

type Stop = { readonly offset: number; readonly callback: () => void };
type Chunk = { readonly bytes: Buffer; readonly dueMs: number };
type Ending = { readonly how: "fin" | "rst"; readonly dueMs: number };

export class FaultPipe {
  readonly #options: PipeOptions;
  readonly #shape: PipeShape;
  #queue: Chunk[] = [];
  #queuedBytes = 0;
  #stops: Stop[] = [];
  /** The end that `from` announced; it is passed on behind the bytes. */
  #ending: Ending | undefined;
  #isBusy = false;
  /** Nothing is forwarded any more. */
  #isOff = false;
  /** What still comes is thrown away. */
  #isDropping = false;
  #receivedBytes = 0;
  #forwardedBytes = 0;
  #droppedBytes = 0;
  #throttledUntilMs = 0;
  #xor = 0;
  #cancelWake: (() => void) | undefined;

  constructor(options: PipeOptions) {
    this.#options = options;
    this.#shape = { ...options.shape };
    const { from, clock } = options;
    from.on("data", (chunk: Buffer) => this.#receive(chunk));
    from.on("end", () => this.#end({ how: "fin", dueMs: clock.now() + this.#shape.delayMs }));
    // Without an end before it, it was a reset.
    from.on("close", () => this.#end({ how: "rst", dueMs: clock.now() + this.#shape.delayMs }));
    this.#read();
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** What the receiver's kernel has taken. */
  get forwardedBytes(): number {
    return this.#forwardedBytes;
  }

  /** What came after the cut. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get isStalled(): boolean {
    return this.#shape.stalled;
  }

  /** Changes the shape, for what is queued too (except its delay). */
  reshape(change: Partial<PipeShape>): void {
    Object.assign(this.#shape, change);
    this.#throttledUntilMs = 0;
    this.#read();
    this.#pump();
  }

  /** Runs `callback` when exactly `offset` bytes have been forwarded, before any further one; now when it is too late for that. */
  stopAt(offset: number, callback: () => void): void {
    this.#stops.push({ offset, callback });
    this.#pump();
  }

  /** Changes the next byte. */
  corruptNext(xor: number): void {
    this.#xor = xor;
  }

  /** Forwards nothing any more. `drop`: goes on reading, so that the sender can end; otherwise leaves everything unread. */
  turnOff(rest: "drop" | "leave"): void {
    this.#isOff = true;
    this.#isDropping = rest === "drop";
    this.#droppedBytes += this.#queuedBytes;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#stops = [];
    this.#cancelWake?.();
    this.#read();
  }

  #receive(chunk: Buffer): void {
    if (this.#isDropping) {
      this.#droppedBytes += chunk.length;
      return;
    }
    this.#receivedBytes += chunk.length;
    this.#queue.push({ bytes: chunk, dueMs: this.#options.clock.now() + this.#shape.delayMs });
    this.#queuedBytes += chunk.length;
    this.#read();
    this.#options.onReceived(chunk);
    this.#options.onChange();
    this.#pump();
  }

  #end(ending: Ending): void {
    this.#ending ??= ending;
    this.#pump();
    this.#options.onChange();
  }

  /** Back-pressure: reads only while there is room. */
  #read(): void {
    const { from } = this.#options;
    const isWanted = this.#isOff ? this.#isDropping : !this.#shape.stalled && this.#queuedBytes < QUEUE_BYTES;
    if (isWanted) from.resume();
    else from.pause();
  }

  #pump(): void {
    while (!this.#isBusy && this.#step()) {
      // Each step does one thing.
    }
  }

  /** False when there is nothing to do now. */
  #step(): boolean {
    if (this.#isOff) return false;
    if (this.#runStop()) return true;
    if (this.#shape.stalled) return false;
    const head = this.#queue[0];
    const dueMs = head?.dueMs ?? this.#ending?.dueMs;
    if (dueMs === undefined) return false;
    if (this.#mustWait(head === undefined ? dueMs : Math.max(dueMs, this.#throttledUntilMs))) return false;
    if (head === undefined) this.#passEnding();
    else this.#write(this.#take(head));
    return true;
  }

  #runStop(): boolean {
    const stop = this.#stops.find(({ offset }) => offset <= this.#forwardedBytes);
    if (stop === undefined) return false;
    this.#stops = this.#stops.filter((other) => other !== stop);
    stop.callback();
    return true;
  }

  #mustWait(untilMs: number): boolean {
    const { clock } = this.#options;
    const waitMs = untilMs - clock.now();
    if (waitMs <= 0) return false;
    this.#cancelWake?.();
    this.#cancelWake = clock.after(waitMs, () => {
      this.#cancelWake = undefined;
      this.#pump();
    });
    return true;
  }

  /** The next piece: not over a stop, not more than the shape allows. */
  #take(head: Chunk): Buffer {
    const { pieceBytes, bytesPerSecond } = this.#shape;
    const nextStop = Math.min(...this.#stops.map(({ offset }) => offset));
    const step = Math.max(1, Math.floor((bytesPerSecond * THROTTLE_STEP_MS) / 1000));
    const size = Math.min(head.bytes.length, pieceBytes, step, nextStop - this.#forwardedBytes);
    const piece = head.bytes.subarray(0, size);
    if (size === head.bytes.length) this.#queue.shift();
    else this.#queue[0] = { ...head, bytes: head.bytes.subarray(size) };
    this.#queuedBytes -= size;
    if (this.#xor !== 0) {
      piece[0] = (piece[0] ?? 0) ^ this.#xor;
      this.#xor = 0;
    }
    return piece;
  }

  #write(piece: Buffer): void {
    const { to, clock } = this.#options;
    const { bytesPerSecond, pieceBytes } = this.#shape;
    this.#isBusy = true;
    // A late timer is made up for, idle time is not.
    const sinceMs = Math.max(clock.now() - THROTTLE_STEP_MS, this.#throttledUntilMs);
    this.#throttledUntilMs = sinceMs + (piece.length * 1000) / bytesPerSecond;
    to.write(piece, (error) => {
      if (error) return this.#options.onReceiverGone();
      this.#forwardedBytes += piece.length;
      // In a turn of its own, so that the receiver can take the pieces one by one.
      if (pieceBytes === Infinity) this.#written();
      else setImmediate(() => this.#written());
    });
  }

  #written(): void {
    this.#isBusy = false;
    this.#read();
    this.#pump();
    this.#options.onChange();
  }

  #passEnding(): void {
    this.#isOff = true;
    if (this.#ending?.how === "rst") this.#options.to.resetAndDestroy();
    else this.#options.to.end();
  }
}
