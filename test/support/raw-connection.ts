/** A raw socket to a simulated master: sends what it is told, keeps all that comes, and waits for conditions on it. */
import { connect, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";

export class RawConnection {
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #closed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static async open(port: number, tls?: ConnectionOptions, host = "127.0.0.1"): Promise<RawConnection> {
    const socket = tls ? connectTls({ ...tls, port, host }) : connect({ port, host });
    await new Promise<void>((resolve, reject) => {
      socket.once(tls ? "secureConnect" : "connect", resolve);
      socket.once("error", reject);
    });
    socket.setNoDelay(true);
    return new RawConnection(socket);
  }

  get size(): number {
    return this.#size;
  }

  get chunkSizes(): readonly number[] {
    return this.#chunks.map((chunk) => chunk.length);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Everything received so far. */
  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  /** Sends an inline command and gives the bytes of its reply, which is to be one that ends with its packet. */
  async ask(line: string, replyLines = 1): Promise<string> {
    const before = this.#size;
    this.send(`${line}\r\n`);
    await this.until(() => this.bytes().subarray(before).toString("latin1").split("\r\n").length > replyLines);
    return this.bytes().subarray(before).toString("latin1");
  }

  /** Resolves once `condition` holds, or the connection has closed. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async untilSize(size: number): Promise<void> {
    await this.until(() => this.#size >= size);
  }

  async untilClosed(): Promise<void> {
    await this.until(() => this.#closed);
  }

  /** Stops reading, so that the sender's socket fills up. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }
}
