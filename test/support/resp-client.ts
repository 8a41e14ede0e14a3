/**
 * A small RESP2 client for tests: binary-safe, pipelining, independent of the product's own. Bulk strings come back as Buffers (views of what was
 * read, never reused), errors as `RespError` values.
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export class RespError extends Error {}

export type Reply = null | number | string | Buffer | RespError | readonly Reply[];

export type Argument = string | number | Buffer;

export type RespClientOptions = {
  readonly port: number;
  readonly host?: string;
  readonly password?: string | undefined;
  readonly tls?: { readonly ca: string } | undefined;
};

export class RespClient implements AsyncDisposable {
  readonly #socket: Socket;
  #unparsed: Buffer = Buffer.alloc(0);
  readonly #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the server closed the connection")));
  }

  static async connect(options: RespClientOptions): Promise<RespClient> {
    const address = { port: options.port, host: options.host ?? "127.0.0.1" };
    const socket = options.tls ? connectTls({ ...options.tls, ...address }) : connect(address);
    await new Promise<void>((resolve, reject) => {
      socket.once(options.tls ? "secureConnect" : "connect", resolve);
      socket.once("error", reject);
    });
    const client = new RespClient(socket);
    if (options.password !== undefined) await client.call("AUTH", options.password);
    return client;
  }

  /** One command. Throws on an error reply. */
  async call(...args: readonly Argument[]): Promise<Reply> {
    const [reply] = await this.pipeline([args]);
    if (reply instanceof RespError) throw reply;
    return reply ?? null;
  }

  /** All commands in one write; error replies are among the replies. */
  pipeline(commands: readonly (readonly Argument[])[]): Promise<Reply[]> {
    const replies = commands.map(
      () =>
        new Promise<Reply>((resolve, reject) => {
          this.#waiting.push({ resolve, reject });
        }),
    );
    this.#socket.write(Buffer.concat(commands.flatMap(encode)));
    return Promise.all(replies);
  }

  close(): void {
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#unparsed.length === 0 ? chunk : Buffer.concat([this.#unparsed, chunk]);
    const parser = new ReplyParser(bytes);
    let end = 0;
    for (let reply = parser.next(); reply !== undefined; reply = parser.next()) {
      end = parser.at;
      this.#waiting.shift()?.resolve(reply);
    }
    this.#unparsed = bytes.subarray(end);
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}

const CRLF: Buffer = Buffer.from("\r\n");

function encode(args: readonly Argument[]): Buffer[] {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === "object" ? arg : Buffer.from(String(arg));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF);
  }
  return parts;
}

class ReplyParser {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The next whole reply, or undefined when its bytes are not all here. */
  next(): Reply | undefined {
    if (this.at >= this.#bytes.length) return undefined;
    const line = this.#line();
    if (line === undefined) return undefined;
    const rest = line.slice(1);
    switch (line[0]) {
      case "+":
        return rest;
      case "-":
        return new RespError(rest);
      case ":":
        return Number(rest);
      case "$":
        return this.#bulk(Number(rest));
      case "*":
        return this.#array(Number(rest));
      default:
        return new RespError(`not a reply: ${line.slice(0, 40)}`);
    }
  }

  #line(): string | undefined {
    const end = this.#bytes.indexOf(CRLF, this.at);
    if (end < 0) return undefined;
    const line = this.#bytes.toString("latin1", this.at, end);
    this.at = end + 2;
    return line;
  }

  #bulk(size: number): Reply | undefined {
    if (size < 0) return null;
    const start = this.at;
    if (start + size + 2 > this.#bytes.length) return undefined;
    this.at = start + size + 2;
    return this.#bytes.subarray(start, start + size);
  }

  #array(count: number): Reply | undefined {
    if (count < 0) return null;
    const items: Reply[] = [];
    for (let i = 0; i < count; i++) {
      const item = this.next();
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }
}
