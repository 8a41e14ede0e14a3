/**
 * One connection through the fault proxy: the client's socket, the socket to the target, and a pipe in each direction. Passes on bytes, ends and
 * resets as they come, unless a fault says otherwise. Owns both sockets.
 */
import type { Socket } from "node:net";
import type { Waiters } from "../../../src/simulator/waiters.ts";
import { type CutKind, type Direction, DIRECTIONS, type FaultControls, type Side } from "./fault-action.ts";
import type { FaultClock } from "./fault-clock.ts";
import { FaultPipe, type PipeShape } from "./fault-pipe.ts";

const DEFAULT_XOR = 0xff;

export type ConnectionState = "open" | "cut" | "halfOpen" | "closed";

export type FaultConnectionOptions = {
  /** Which connection of the proxy, from 0. */
  readonly index: number;
  readonly client: Socket;
  readonly target: Socket;
  readonly clock: FaultClock;
  readonly shapes: Readonly<Record<Direction, PipeShape>>;
  readonly waiters: Waiters;
  /** Bytes came in `direction`; none of them has been forwarded. */
  readonly onReceived: (connection: FaultConnection, direction: Direction, chunk: Buffer) => void;
  readonly onEvent: (connection: FaultConnection, what: string) => void;
};

export type DirectionBytes = {
  readonly received: number;
  /** Taken by the receiver's kernel. */
  readonly forwarded: number;
  /** Thrown away after a cut. */
  readonly dropped: number;
};

export class FaultConnection implements FaultControls {
  readonly index: number;
  readonly #options: FaultConnectionOptions;
  readonly #pipes: Readonly<Record<Direction, FaultPipe>>;
  #state: ConnectionState = "open";
  #openSockets = 2;

  constructor(options: FaultConnectionOptions) {
    this.#options = options;
    this.index = options.index;
    const { client, target } = options;
    for (const socket of [client, target]) {
      socket.setNoDelay(true);
      socket.on("close", () => this.#onSocketClosed());
    }
    client.on("error", (error) => options.onEvent(this, `client: ${error.message}`));
    target.on("error", (error) => options.onEvent(this, `target: ${error.message}`));
    this.#pipes = { toTarget: this.#pipe("toTarget"), toClient: this.#pipe("toClient") };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  bytes(direction: Direction): DirectionBytes {
    const pipe = this.#pipes[direction];
    return { received: pipe.receivedBytes, forwarded: pipe.forwardedBytes, dropped: pipe.droppedBytes };
  }

  /** What the proxy holds in memory for this connection. */
  get heldBytes(): number {
    return this.#pipes.toTarget.queuedBytes + this.#pipes.toClient.queuedBytes;
  }

  cut(how: CutKind = "fin"): void {
    if (this.#state !== "open" && this.#state !== "halfOpen") return;
    this.#state = "cut";
    this.#options.onEvent(this, `cut (${how})`);
    // What is unread when a socket is closed turns its FIN into a reset.
    for (const direction of DIRECTIONS) this.#pipes[direction].turnOff(how === "fin" ? "drop" : "leave");
    for (const socket of [this.#options.client, this.#options.target]) close(socket, how);
    this.#options.waiters.check();
  }

  halfOpen(gone: Side, how: CutKind = "rst"): void {
    if (this.#state !== "open") return;
    this.#state = "halfOpen";
    this.#options.onEvent(this, `half-open, ${gone} gone (${how})`);
    const fromGone = this.#pipes[gone === "client" ? "toTarget" : "toClient"];
    const toGone = this.#pipes[gone === "client" ? "toClient" : "toTarget"];
    fromGone.turnOff("drop");
    toGone.turnOff("leave");
    close(this.#options[gone], how);
    this.#options.waiters.check();
  }

  stall(direction?: Direction): void {
    this.reshape({ stalled: true }, direction);
  }

  unstall(direction?: Direction): void {
    this.reshape({ stalled: false }, direction);
  }

  delay(ms: number, direction?: Direction): void {
    this.reshape({ delayMs: ms }, direction);
  }

  throttle(bytesPerSecond: number, direction?: Direction): void {
    this.reshape({ bytesPerSecond }, direction);
  }

  split(pieceBytes = 1, direction?: Direction): void {
    this.reshape({ pieceBytes }, direction);
  }

  heal(): void {
    this.reshape({ stalled: false, delayMs: 0, bytesPerSecond: Infinity, pieceBytes: Infinity });
  }

  /** Changes the byte at `offset` when it passes. */
  corruptAt(direction: Direction, offset: number, xor?: number): void {
    this.stopAt(direction, offset, () => this.corruptNext(direction, xor));
  }

  corruptNext(direction: Direction, xor = DEFAULT_XOR): void {
    if (xor < 1 || xor > 255) throw new Error(`a byte is not changed by ${xor}`);
    this.#options.onEvent(this, `corrupted byte ${this.bytes(direction).forwarded} ${direction}`);
    this.#pipes[direction].corruptNext(xor);
  }

  /** Runs `callback` when exactly `offset` bytes have been forwarded, before any further one; now when it is too late for that. */
  stopAt(direction: Direction, offset: number, callback: () => void): void {
    this.#pipes[direction].stopAt(offset, callback);
  }

  whenReceived(direction: Direction, bytes: number): Promise<void> {
    return this.#options.waiters.until(() => this.bytes(direction).received >= bytes);
  }

  whenForwarded(direction: Direction, bytes: number): Promise<void> {
    return this.#options.waiters.until(() => this.bytes(direction).forwarded >= bytes);
  }

  /** When both sockets are closed. A half-open connection is so only once the proxy stops. */
  whenClosed(): Promise<void> {
    return this.#options.waiters.until(() => this.#state === "closed");
  }

  destroy(): void {
    this.#options.client.destroy();
    this.#options.target.destroy();
  }

  #pipe(direction: Direction): FaultPipe {
    const { client, target, clock, shapes, waiters } = this.#options;
    const [from, to, opposite] =
      direction === "toTarget" ? ([client, target, "toClient"] as const) : ([target, client, "toTarget"] as const);
    return new FaultPipe({
      from,
      to,
      clock,
      shape: shapes[direction],
      onReceived: (chunk) => this.#options.onReceived(this, direction, chunk),
      onReceiverGone: () => {
        // Stalled, the other direction tells it when it is healed.
        if (this.#state === "open" && !this.#pipes[opposite].isStalled) from.resetAndDestroy();
      },
      onChange: () => waiters.check(),
    });
  }

  reshape(change: Partial<PipeShape>, direction?: Direction): void {
    for (const one of direction === undefined ? DIRECTIONS : [direction]) this.#pipes[one].reshape(change);
  }

  #onSocketClosed(): void {
    this.#openSockets--;
    if (this.#openSockets > 0) return;
    this.#state = "closed";
    this.#options.onEvent(this, "closed");
    this.#options.waiters.check();
  }
}

function close(socket: Socket, how: CutKind): void {
  if (how === "rst") socket.resetAndDestroy();
  else socket.end();
}
