/**
 * A Dragonfly master that has only generated data: it answers the handshake and a full sync with as many keys as wanted, in constant memory, and then an
 * empty journal (docs/protocol.md §1, §2). It takes one replica after the other, each gets the whole data. For benchmarks and tests of scale.
 */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { rdbEnd, rdbHeader } from "../live/replication/rdb-header.ts";
import { ByteWriter } from "../live/replication/byte-writer.ts";
import { RDB_OPCODE_JOURNAL_OFFSET } from "../../rdb/opcodes.ts";
import { type Request, RequestParser } from "../request-parser.ts";
import { type GeneratedDataOptions, GeneratedFlow } from "./generated-flow.ts";

export type GeneratedMasterOptions = GeneratedDataOptions & {
  /** 0 or undefined: a free one. */
  readonly port?: number;
  /** Told when DFLY SYNC came. */
  readonly onSync?: () => void;
};

const HOST = "127.0.0.1";
const PIECE_BYTES = 256 * 1024;
const MASTER_ID = "9".repeat(40);
const EOF_TOKEN = "e".repeat(40);
const FIRST_LSN = 1;
const OK = "+OK\r\n";

export async function startGeneratedMaster(options: GeneratedMasterOptions): Promise<GeneratedMaster> {
  const master = new GeneratedMaster(options);
  await master.listen(options.port ?? 0);
  return master;
}

export class GeneratedMaster implements AsyncDisposable {
  readonly #options: GeneratedMasterOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Of the current replica. */
  #flows: (Socket | undefined)[] = [];
  #sources: GeneratedFlow[] = [];
  #lastSyncId = 0;
  readonly #acked: number[] = [];

  constructor(options: GeneratedMasterOptions) {
    this.#options = options;
    this.#server = createServer({ highWaterMark: PIECE_BYTES, noDelay: true }, (socket) => this.#accept(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `host:port` */
  get address(): string {
    return `${HOST}:${this.port}`;
  }

  /** Keys that the current replica has been sent. */
  get sentKeys(): number {
    return this.#sources.reduce((sum, { sentKeys }) => sum + sentKeys, 0);
  }

  /** What each flow has acknowledged last. */
  get acked(): readonly number[] {
    return this.#acked;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, HOST, resolve);
    });
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #accept(socket: Socket): void {
    const parser = new RequestParser();
    this.#sockets.add(socket);
    socket.on("data", (chunk: Buffer) => {
      for (const request of parser.push(chunk)) this.#answer(socket, request);
    });
    // A replica closes as it likes.
    socket.on("error", () => {});
    socket.on("close", () => this.#closed(socket));
  }

  /** One flow's end is the end of all. */
  #closed(socket: Socket): void {
    this.#sockets.delete(socket);
    if (!this.#flows.includes(socket)) return;
    for (const flow of this.#flows) flow?.destroy();
    this.#flows = [];
  }

  #answer(socket: Socket, request: Request): void {
    const [name = "", what = "", ack = "", , flow = "0"] = request;
    const words = `${name} ${what}`.toUpperCase();
    if (words === "REPLCONF ACK") this.#acked[this.#flows.indexOf(socket)] = Number(ack);
    else if (words === "DFLY FLOW") this.#openFlow(socket, Number(flow));
    else if (words === "DFLY SYNC") this.#sync(socket);
    else if (words === "DFLY STARTSTABLE") this.#startStable(socket);
    else if (words === "DFLY REPLICAOFFSET")
      socket.write(`*${this.#options.flows}\r\n${`:${FIRST_LSN}\r\n`.repeat(this.#options.flows)}`);
    else if (words.startsWith("INFO")) socket.write(this.#info());
    else if (request.join(" ").toLowerCase() === "replconf capa dragonfly") socket.write(this.#greeting());
    else socket.write(name.toUpperCase() === "PING" ? "+PONG\r\n" : OK);
  }

  #greeting(): string {
    this.#flows = [];
    this.#sources = [];
    return `*5\r\n+${MASTER_ID}\r\n+SYNC${++this.#lastSyncId}\r\n:${this.#options.flows}\r\n:5\r\n+${MASTER_ID}\r\n`;
  }

  #info(): string {
    const text = `# Server\r\nredis_version:7.4.0\r\ndragonfly_version:${this.#version}\r\n\r\n# Replication\r\nrole:master\r\nmaster_replid:${MASTER_ID}\r\n`;
    return `$${text.length}\r\n${text}\r\n`;
  }

  #openFlow(socket: Socket, flow: number): void {
    this.#flows[flow] = socket;
    socket.write(`*2\r\n+FULL\r\n+${EOF_TOKEN}\r\n`);
  }

  #sync(control: Socket): void {
    control.write(OK);
    this.#options.onSync?.();
    this.#sources = Array.from(
      { length: this.#options.flows },
      (_, flow) => new GeneratedFlow({ ...this.#options, flow }),
    );
    for (const [flow, source] of this.#sources.entries()) void this.#send(flow, source);
  }

  async #send(flow: number, source: GeneratedFlow): Promise<void> {
    const socket = this.#flows[flow];
    if (socket === undefined) return;
    socket.write(this.#header(flow));
    while (!source.isEnded && !socket.destroyed) {
      if (!socket.write(nextPiece(source))) await drained(socket);
      // Other flows and requests have their turn.
      else await turn();
    }
  }

  #header(flow: number): Buffer {
    const { flows } = this.#options;
    const facts = { dragonflyVersion: this.#version, flow, shardCount: flows, scripts: [] };
    return rdbHeader({ ...facts, nowMs: 0, usedBytes: 0, tableBytes: 0 });
  }

  #startStable(control: Socket): void {
    control.write(OK);
    const out = new ByteWriter();
    out.u8(RDB_OPCODE_JOURNAL_OFFSET);
    out.int64Le(FIRST_LSN);
    out.bytes(rdbEnd());
    out.latin1(EOF_TOKEN);
    const tail = out.take();
    for (const flow of this.#flows) flow?.write(tail);
  }

  get #version(): string {
    return this.#options.version ?? "df-v1.40.1";
  }
}

/** The socket keeps it until it is sent, so each is a buffer of its own. */
function nextPiece(source: GeneratedFlow): Buffer {
  const out = Buffer.allocUnsafeSlow(PIECE_BYTES + source.maxPieceBytes);
  let at = 0;
  while (at < PIECE_BYTES && !source.isEnded) at = source.next(out, at);
  return out.subarray(0, at);
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
