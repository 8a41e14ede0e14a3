/**
 * One TCP or TLS connection. Plain TCP reads into one buffer that is reused for every chunk, so what `onData` gets is valid only
 * during the call. Reads stop at once on `pause()`: nothing is delivered until `resume()`, and nothing is lost; a chunk that was
 * already in our hands is kept and delivered first. Exactly one `onClose` follows a connection that was opened.
 * Never interprets bytes.
 */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Endpoint } from "../config/endpoint.ts";
import { asDf2RedisError, type Df2RedisError } from "../errors/df2redis-error.ts";
import { tcpOptions, tlsOptions } from "./connect-options.ts";
import { Deadline } from "./deadline.ts";
import type { PeerRole } from "./peer-role.ts";
import {
  abortedError,
  closedError,
  connectError,
  connectTimeoutError,
  lostError,
  type Peer,
  tlsSettingsError,
} from "./socket-errors.ts";

const READ_BUFFER_BYTES = 256 * 1024;
/** How long `end` waits for the other side to close as well. */
const LINGER_MS = 1000;

export type SocketHandlers = {
  /** `chunk` is valid only during the call. What it throws closes the connection and reaches `onClose`. */
  onData(chunk: Buffer): void;
  /** The connection is gone. `error` is undefined when it was us who ended it. */
  onClose(error: Df2RedisError | undefined): void;
  /** What `write` returned false for has been sent. */
  onDrain?(): void;
};

export type SocketOptions = SocketHandlers & {
  readonly role: PeerRole;
  readonly connectTimeoutMs: number;
  /** Ends the attempt, and the connection as well when it is open. */
  readonly signal?: AbortSignal | undefined;
  readonly readBufferBytes?: number | undefined;
};

/** Resolves once the connection (TLS: with the server verified) can be used. It reads from then on. */
export function openSocket(endpoint: Endpoint, options: SocketOptions): Promise<NetSocket> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted === true) {
      reject(abortedError({ endpoint, role: options.role }, options.signal.reason));
      return;
    }
    try {
      new NetSocket(endpoint, options, resolve, reject);
    } catch (thrown) {
      // node:tls validates certificates and keys before it connects.
      reject(tlsSettingsError({ endpoint, role: options.role }, thrown));
    }
  });
}

export class NetSocket {
  readonly peer: Peer;
  readonly #socket: Socket;
  readonly #signal: AbortSignal | undefined;
  #handlers: SocketHandlers;
  #paused = false;
  #open = false;
  #closed = false;
  #ending = false;
  #failure: Df2RedisError | undefined;
  #bytesRead = 0;
  #lingerTimer: NodeJS.Timeout | undefined;

  constructor(
    endpoint: Endpoint,
    options: SocketOptions,
    opened: (socket: NetSocket) => void,
    failed: (error: Df2RedisError) => void,
  ) {
    this.peer = { endpoint, role: options.role };
    this.#handlers = options;
    this.#signal = options.signal;
    this.#socket = this.#connect(endpoint, options.readBufferBytes ?? READ_BUFFER_BYTES);
    this.#listen(options.connectTimeoutMs, opened, failed);
  }

  /** Bytes handed to `onData`. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Bytes handed to `write`. */
  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Hands the connection over: data, close and drain go to `handlers` from now on. */
  setHandlers(handlers: SocketHandlers): void {
    this.#handlers = handlers;
    // It may have closed just before: the new owner must hear of it too.
    if (this.#closed) queueMicrotask(() => handlers.onClose(this.#failure));
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#closed) this.#socket.resume();
  }

  /** Returns false when the caller should wait for `onDrain`. `onFlushed` says that `bytes` may be reused. */
  write(bytes: Uint8Array, onFlushed?: () => void): boolean {
    if (this.#closed || this.#ending) return false;
    if (onFlushed === undefined) return this.#socket.write(bytes);
    // An error reaches `onClose`; the bytes are ours again either way.
    return this.#socket.write(bytes, () => onFlushed());
  }

  /** Sends what was written, then closes; what still arrives is dropped. `onClose` gets no error. */
  end(): void {
    if (this.#closed || this.#ending) return;
    this.#ending = true;
    this.#socket.end();
    // Reading goes on until the other side closes: closing with unread data resets the connection, and the last write with it.
    this.resume();
    this.#lingerTimer = setTimeout(() => this.#socket.destroy(), LINGER_MS);
  }

  /** Closes at once. `onClose` gets `error`. */
  destroy(error?: Df2RedisError): void {
    if (this.#closed) return;
    this.#ending = true;
    this.#failure ??= error;
    this.#socket.destroy();
  }

  #connect(endpoint: Endpoint, readBufferBytes: number): Socket {
    if (endpoint.tls !== undefined) {
      const socket = connectTls(tlsOptions(endpoint, endpoint.tls));
      socket.on("data", (chunk: Buffer) => this.#deliver(chunk));
      return socket;
    }
    const buffer = Buffer.allocUnsafeSlow(readBufferBytes);
    return connectTcp({
      ...tcpOptions(endpoint),
      onread: {
        buffer,
        callback: (size: number): boolean => {
          this.#deliver(buffer.subarray(0, size));
          return !this.#paused;
        },
      },
    });
  }

  #deliver(chunk: Buffer): void {
    if (this.#closed || this.#ending) return;
    this.#bytesRead += chunk.length;
    try {
      this.#handlers.onData(chunk);
    } catch (thrown) {
      this.destroy(asDf2RedisError(thrown));
    }
  }

  #listen(connectTimeoutMs: number, opened: (socket: NetSocket) => void, failed: (error: Df2RedisError) => void): void {
    const socket = this.#socket;
    const tls = this.peer.endpoint.tls !== undefined;
    let stage: "tcp" | "tls" = "tcp";
    const deadline = new Deadline(connectTimeoutMs, () =>
      this.destroy(connectTimeoutError(this.peer, connectTimeoutMs, stage)),
    );
    const onAbort = (): void => this.destroy(abortedError(this.peer, this.#signal?.reason));
    this.#signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("connect", () => {
      stage = "tls";
    });
    socket.once(tls ? "secureConnect" : "connect", () => {
      deadline.met();
      this.#open = true;
      opened(this);
    });
    socket.on("drain", () => this.#handlers.onDrain?.());
    socket.on("error", (thrown: Error) => {
      this.#failure ??= this.#open ? lostError(this.peer, thrown) : connectError(this.peer, thrown);
    });
    socket.once("end", () => this.#onEnd());
    socket.once("close", () => {
      deadline.met();
      clearTimeout(this.#lingerTimer);
      this.#signal?.removeEventListener("abort", onAbort);
      this.#closed = true;
      if (this.#open) this.#handlers.onClose(this.#failure);
      else failed(this.#failure ?? connectError(this.peer, "it was given up"));
    });
  }

  /** The other side sends no more. No protocol of ours uses half-open connections, so that is the end of it. */
  #onEnd(): void {
    // During the TLS handshake node:tls has its own words for it.
    if (!this.#open) return;
    if (!this.#ending) this.#failure ??= closedError(this.peer);
    this.#socket.destroy();
  }
}
