/**
 * The writing side of one flow's socket: counts what the kernel has not taken yet and since when nothing moves. Owns the socket's writing side; never
 * waits itself, a caller asks `drained` before it goes on.
 */
import type { Socket } from "node:net";

const HIGH_WATER_BYTES = 256 * 1024;

export type FlowOutputOptions = {
  readonly socket: Socket;
  readonly nowMs: () => number;
  /** Called whenever some bytes have been taken. */
  readonly onProgress: () => void;
};

export class FlowOutput {
  readonly #socket: Socket;
  readonly #nowMs: () => number;
  readonly #onProgress: () => void;
  #pendingBytes = 0;
  #isClosed = false;
  /** When something moved last, or the first pending write began. */
  #movedMs = 0;
  #waiting: (() => void)[] = [];

  constructor(options: FlowOutputOptions) {
    this.#socket = options.socket;
    this.#nowMs = options.nowMs;
    this.#onProgress = options.onProgress;
    this.#socket.setNoDelay(true);
  }

  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** How long nothing has moved although something should. */
  stuckMs(nowMs: number): number {
    return this.#pendingBytes === 0 ? 0 : nowMs - this.#movedMs;
  }

  /** `bytes` must not change afterwards. */
  write(bytes: Buffer): void {
    if (this.#isClosed || bytes.length === 0) return;
    if (this.#pendingBytes === 0) this.#movedMs = this.#nowMs();
    this.#pendingBytes += bytes.length;
    this.#socket.write(bytes, () => this.#taken(bytes.length));
  }

  /** Resolves when there is room for more, or no more will be sent. */
  drained(): Promise<void> {
    if (this.#hasRoom()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#pendingBytes = 0;
    this.#socket.destroy();
    this.#wake();
  }

  #taken(size: number): void {
    if (this.#isClosed) return;
    this.#pendingBytes -= size;
    this.#movedMs = this.#nowMs();
    if (this.#hasRoom()) this.#wake();
    this.#onProgress();
  }

  #hasRoom(): boolean {
    return this.#isClosed || this.#pendingBytes < HIGH_WATER_BYTES;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
