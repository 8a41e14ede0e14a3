/**
 * Sends one flow's recorded bytes to its socket, up to the gate that has been released so far, in pieces, as fast as the socket takes them. Where
 * the size of pieces was asked for, only one is sent per turn of the event loop, so that a reader in the same thread gets them one by one.
 * Owns its socket's writing side. Never writes a byte behind a gate or a hold, and never queues more than the socket's high-water mark.
 */
import type { Socket } from "node:net";

const DEFAULT_PIECE_BYTES = 64 * 1024;

export class FlowPlayer {
  readonly #bytes: Buffer;
  readonly #pieceBytes: number;
  readonly #onePerTurn: boolean;
  readonly #socket: Socket;
  #gate = 0;
  #hold = Infinity;
  #written = 0;
  #flushed = 0;
  #scheduled = false;

  constructor(options: { readonly bytes: Buffer; readonly socket: Socket; readonly pieceBytes?: number | undefined }) {
    this.#bytes = options.bytes;
    this.#socket = options.socket;
    this.#pieceBytes = options.pieceBytes ?? DEFAULT_PIECE_BYTES;
    this.#onePerTurn = options.pieceBytes !== undefined;
    // Otherwise small pieces would be joined before they leave.
    this.#socket.setNoDelay(true);
    this.#socket.on("drain", () => this.#pump());
  }

  /** Bytes that the kernel has taken. What is beyond cannot have reached the replica. */
  get flushedBytes(): number {
    return this.#flushed;
  }

  /** Lets bytes before `offset` go. */
  release(offset: number): void {
    this.#gate = Math.max(this.#gate, offset);
    this.#pump();
  }

  /** Sends nothing at or beyond `offset`, whatever is released; `Infinity` ends the hold. */
  holdAt(offset: number): void {
    this.#hold = offset;
    this.#pump();
  }

  close(): void {
    this.#socket.destroy();
  }

  #pump(): void {
    while (!this.#scheduled && this.#writePiece()) {
      if (this.#onePerTurn) this.#continueNextTurn();
    }
  }

  /** False when there is nothing to send now, or no room for it. */
  #writePiece(): boolean {
    const end = Math.min(this.#gate, this.#hold, this.#bytes.length, this.#written + this.#pieceBytes);
    if (this.#written >= end || this.#socket.writableNeedDrain || !this.#socket.writable) return false;
    const size = end - this.#written;
    this.#socket.write(this.#bytes.subarray(this.#written, end), (error) => {
      if (!error) this.#flushed += size;
    });
    this.#written = end;
    return true;
  }

  #continueNextTurn(): void {
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }
}
