/**
 * The least that the live simulator's replication side can run in: shards that the test writes to, a RESP server that knows REPLCONF, DFLY and INFO, a
 * configuration and a clock that the test moves.
 */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { LiveReplication, type LiveReplicationOptions } from "../../src/simulator/live/replication/live-replication.ts";
import type { ClientConnection, MasterCore } from "../../src/simulator/live/replication-handler.ts";
import { Shard } from "../../src/simulator/live/shard.ts";
import { RequestParser } from "../../src/simulator/request-parser.ts";

export type BareMasterOptions = LiveReplicationOptions & {
  readonly shards?: number;
  readonly version?: string;
};

export class BareMaster implements AsyncDisposable {
  readonly shards: readonly Shard[];
  readonly replication: LiveReplication;
  nowMs = 1_795_333_017_000;
  isShutDown = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #nextId = 1;

  private constructor(options: BareMasterOptions) {
    this.shards = Array.from({ length: options.shards ?? 2 }, (_, i) => new Shard(i));
    let txid = 0;
    const core: MasterCore = {
      shards: this.shards,
      dragonflyVersion: options.version ?? "df-v1.40.1",
      nowMs: () => this.nowMs,
      config: () => undefined,
      onConfigChange: () => {},
      nextTxid: () => ++txid,
      shutdown: () => {
        this.isShutDown = true;
      },
    };
    this.replication = new LiveReplication(core, { tickMs: 0, ...options });
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async start(options: BareMasterOptions = {}): Promise<BareMaster> {
    const master = new BareMaster(options);
    await new Promise<void>((resolve) => {
      master.#server.listen(0, "127.0.0.1", resolve);
    });
    return master;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Moves the clock and lets the master look at it. */
  pass(ms: number): void {
    this.nowMs += ms;
    this.replication.tick();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.replication.stop();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    const parser = new RequestParser();
    const connection = bareConnection(socket, this.#nextId++);
    let waiting: Buffer[][] = [];
    const next = (): void => {
      while (waiting.length > 0 && !connection.isSuspended) {
        const args = waiting.shift() ?? [];
        if (connection.onRequest === undefined) this.#run(connection.client, args);
        else connection.onRequest(args);
      }
    };
    connection.onResume = next;
    socket.on("data", (chunk: Buffer) => {
      waiting = [...waiting, ...parser.push(chunk).map((request) => request.map((arg) => Buffer.from(arg, "latin1")))];
      next();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.replication.onConnectionClosed(connection.client);
    });
  }

  #run(client: ClientConnection, args: readonly Buffer[]): void {
    const name = args[0]?.toString().toUpperCase() ?? "";
    const refusal = this.replication.refusal(args);
    if (refusal !== undefined) client.error(refusal);
    else if (name === "INFO") client.bulk(`# Replication\r\n${this.replication.infoReplication()}`);
    else if (name === "PING") client.simple("PONG");
    else if (!this.replication.handle(client, args)) client.error(`ERR unknown command \`${name}\``);
  }
}

type BareConnection = {
  readonly client: ClientConnection;
  isSuspended: boolean;
  onRequest: ((args: readonly Buffer[]) => void) | undefined;
  onResume: () => void;
};

function bareConnection(socket: Socket, id: number): BareConnection {
  const write = (bytes: Buffer | string): void => {
    socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  };
  const client: ClientConnection = {
    id,
    remoteAddress: socket.remoteAddress ?? "",
    remotePort: socket.remotePort ?? 0,
    get closed() {
      return socket.destroyed;
    },
    write,
    simple: (text) => write(`+${text}\r\n`),
    error: (text) => write(`-${text}\r\n`),
    integer: (value) => write(`:${value}\r\n`),
    bulk: (value) => write(value === undefined ? "$-1\r\n" : `$${value.length}\r\n${value.toString("latin1")}\r\n`),
    arrayHead: (count) => write(`*${count}\r\n`),
    suspend: () => {
      state.isSuspended = true;
      return () => {
        state.isSuspended = false;
        state.onResume();
      };
    },
    close: () => socket.end(),
    destroy: () => socket.destroy(),
    takeOver: (onRequest) => {
      state.onRequest = onRequest;
      return socket;
    },
    attributes: new Map(),
  };
  const state: BareConnection = { client, isSuspended: false, onRequest: undefined, onResume: () => {} };
  return state;
}
