/**
 * One client's socket at the live simulator: cuts requests, runs them in order, holds them back while they must wait (CLIENT PAUSE, the output limit, a
 * handler that answers later), and hands REPLCONF and DFLY to the replication side. Owns the socket until `takeOver`.
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { unknownCommand } from "./command-error.ts";
import { CommandSession, nameOf } from "./command-session.ts";
import type { ClientInfo, MasterServices } from "./master-services.ts";
import { ProtocolError } from "./protocol-error.ts";
import type { ClientConnection } from "./replication-handler.ts";
import { RequestReader } from "./request-reader.ts";

/** What a client that is held back may send ahead. */
const MAX_PENDING_BYTES = 16 * 1024 * 1024;

export class LiveConnection implements ClientConnection, ClientInfo {
  readonly attributes = new Map<string, unknown>();
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly connectedAtMs: number;
  lastRequestMs: number;
  requests = 0;
  readBytes = 0;
  reads = 0;
  closed = false;
  readonly #socket: Socket;
  readonly #master: MasterServices;
  readonly #session: CommandSession;
  readonly #reader = new RequestReader();
  #suspended = 0;
  /** A request that waits to be run. */
  #held: Buffer[] | undefined;
  #running = false;
  #replicates = false;
  #onRequest: ((args: readonly Buffer[]) => void) | undefined;

  constructor(
    socket: Socket,
    options: {
      readonly master: MasterServices;
      readonly id: number;
      readonly onClose: (connection: LiveConnection) => void;
    },
  ) {
    const { master, id, onClose } = options;
    this.#socket = socket;
    this.#master = master;
    this.#session = new CommandSession(master, id);
    this.remoteAddress = socket.remoteAddress ?? "";
    this.remotePort = socket.remotePort ?? 0;
    this.connectedAtMs = master.keyspace.nowMs();
    this.lastRequestMs = this.connectedAtMs;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    // A reset is a way to close.
    socket.on("error", () => {});
    socket.on("drain", () => this.#pump());
    socket.on("close", () => {
      this.closed = true;
      if (this.#replicates) master.replication.onConnectionClosed(this);
      onClose(this);
    });
  }

  get id(): number {
    return this.#session.state.id;
  }

  get state(): CommandSession["state"] {
    return this.#session.state;
  }

  get shownName(): string {
    const name = this.attributes.get("name");
    return typeof name === "string" ? name : this.state.name;
  }

  write(bytes: Buffer | string): void {
    this.#session.reply.raw(bytes);
    this.#flushSoon();
  }

  simple(text: string): void {
    this.#session.reply.simple(text);
    this.#flushSoon();
  }

  error(text: string): void {
    this.#session.reply.error(text);
    this.#flushSoon();
  }

  integer(value: number): void {
    this.#session.reply.integer(value);
    this.#flushSoon();
  }

  bulk(value: Buffer | string | undefined): void {
    this.#session.reply.bulk(value);
    this.#flushSoon();
  }

  arrayHead(count: number): void {
    this.#session.reply.arrayHead(count);
    this.#flushSoon();
  }

  suspend(): () => void {
    this.#suspended += 1;
    let done = false;
    return () => {
      if (done) return;
      done = true;
      this.#suspended -= 1;
      this.#pump();
    };
  }

  close(): void {
    this.#flush();
    this.#socket.end();
  }

  destroy(): void {
    // Only a plain socket can be reset.
    if (this.#socket instanceof TLSSocket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  takeOver(onRequest: (args: readonly Buffer[]) => void): Socket {
    this.#flush();
    this.#onRequest = onRequest;
    return this.#socket;
  }

  #receive(chunk: Buffer): void {
    this.readBytes += chunk.length;
    this.reads += 1;
    this.#reader.push(chunk);
    this.#pump();
    if (this.#reader.pendingBytes > MAX_PENDING_BYTES && (this.#suspended > 0 || this.#slowReader))
      this.#socket.pause();
  }

  /** Replies pile up because the client does not read them. A flow's writer watches its socket itself. */
  get #slowReader(): boolean {
    return this.#onRequest === undefined && this.#socket.writableNeedDrain;
  }

  #pump(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#suspended === 0 && !this.closed && !this.#slowReader) {
        const request = this.#held ?? this.#reader.next();
        if (request === undefined) break;
        this.#held = undefined;
        this.#handle(request);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#running = false;
      this.#flush();
    }
    if (this.#suspended === 0 && this.#socket.isPaused()) this.#socket.resume();
  }

  #fail(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.#session.reply.error(`ERR Protocol error: ${error.message}`);
    this.#flush();
    this.#socket.end();
    this.closed = true;
  }

  #handle(request: Buffer[]): void {
    if (this.#onRequest !== undefined) {
      this.#onRequest(request);
      return;
    }
    if (this.#mustWait(request)) return;
    this.requests += 1;
    this.lastRequestMs = this.#master.keyspace.nowMs();
    const refusal = this.#master.replication.refusal(request);
    if (refusal !== undefined) this.#session.reply.error(refusal);
    else if (!this.#isReplication(request)) this.#session.execute(request);
    else this.#replicate(request);
  }

  /** True when the request is held back; it runs when the reason is gone. */
  #mustWait(request: Buffer[]): boolean {
    const { pause, replication } = this.#master;
    const paused = pause.active;
    if (!paused && !replication.writesBlocked()) return false;
    const writes = this.#session.writes(request);
    if (paused && pause.blocks(writes) && !this.#isReplication(request) && nameOf(request) !== "CLIENT") {
      this.#held = request;
      pause.whenOver(this.suspend());
      return true;
    }
    if (!writes || !replication.writesBlocked()) return false;
    this.#held = request;
    replication.whenWritable(this.suspend());
    return true;
  }

  #isReplication(request: readonly Buffer[]): boolean {
    const length = request[0]?.length;
    if (length !== 8 && length !== 4) return false;
    const name = nameOf(request);
    return name === "REPLCONF" || name === "DFLY";
  }

  #replicate(request: Buffer[]): void {
    const name = nameOf(request);
    if (this.#session.refusesReplication(name)) return;
    this.#replicates = true;
    if (!this.#master.replication.handle(this, request)) this.#session.reply.error(unknownCommand(name));
  }

  #flushSoon(): void {
    if (!this.#running) this.#flush();
  }

  #flush(): void {
    const socket = this.#socket;
    if (!socket.writable) return;
    this.#session.reply.flush((bytes) =>
      typeof bytes === "string" ? socket.write(bytes, "latin1") : socket.write(bytes),
    );
  }
}
