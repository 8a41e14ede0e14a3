/** Two ends of TCP connections for tests of what lies between: they keep all that comes, how it came, and how it ended. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { Waiters } from "../../../src/simulator/waiters.ts";

const HOST = "127.0.0.1";

/** One end of a connection. */
export class TcpPeer {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  readonly #waiters = new Waiters();
  #size = 0;
  #ended = false;
  #closed = false;
  #errorCode: string | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      this.#waiters.check();
    });
    socket.on("end", () => {
      this.#ended = true;
      this.#waiters.check();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#errorCode = error.code;
    });
    socket.on("close", () => {
      this.#closed = true;
      this.#waiters.check();
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get size(): number {
    return this.#size;
  }

  get chunkSizes(): number[] {
    return this.#chunks.map((chunk) => chunk.length);
  }

  /** `end`: the other side ended in an orderly way. Else the error's code, or "open". */
  get ending(): string {
    return this.#errorCode ?? (this.#ended ? "end" : "open");
  }

  send(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  until(condition: () => boolean): Promise<void> {
    return this.#waiters.until(condition);
  }

  /** When so many bytes have come, or the connection has ended. */
  untilSize(size: number): Promise<void> {
    return this.until(() => this.#size >= size || this.ending !== "open");
  }

  untilEnded(): Promise<void> {
    return this.until(() => this.#ended || this.#closed);
  }
}

/** A server whose connections are peers. */
export class PeerServer implements AsyncDisposable {
  readonly peers: TcpPeer[] = [];
  readonly port: number;
  readonly #server: Server;
  readonly #waiters = new Waiters();

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket: Socket) => {
      this.peers.push(new TcpPeer(socket));
      this.#waiters.check();
    });
  }

  static async start(): Promise<PeerServer> {
    const server = createServer({ allowHalfOpen: true }).listen(0, HOST);
    await once(server, "listening");
    return new PeerServer(server);
  }

  /** The n-th connection, once it is there. */
  async peer(index = 0): Promise<TcpPeer> {
    await this.#waiters.until(() => this.peers.length > index);
    return this.peers[index] as TcpPeer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.peers) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

export async function connectPeer(port: number): Promise<TcpPeer> {
  const socket = connect({ port, host: HOST, allowHalfOpen: true });
  const peer = new TcpPeer(socket);
  await once(socket, "connect");
  return peer;
}
