/**
 * A Dragonfly master that sends prepared files, as a process of its own, so that it shares nothing with what is measured. It knows one replica at a
 * time and only what a replica asks (docs/protocol.md §1, §2); it checks nothing. Started by `startBenchMaster` with the flows' files as
 * arguments; tells its port, when DFLY SYNC came, and at the end what it cost.
 */
import { createReadStream } from "node:fs";
import { createServer, type Socket } from "node:net";
import { pathToFileURL } from "node:url";
import { type Request, RequestParser } from "../src/simulator/request-parser.ts";
import { flowTail } from "./generated-flow.ts";

export type MasterMessage =
  | { readonly type: "listening"; readonly port: number }
  /** Unix ms, with fractions. */
  | { readonly type: "synced"; readonly atMs: number }
  | { readonly type: "cost"; readonly cpuSeconds: number };

const HOST = "127.0.0.1";
const READ_BYTES = 1 << 20;
const MASTER_ID = "b".repeat(40);
const EOF_TOKEN = "e".repeat(40);
const SYNC_ID = "SYNC1";
const PROTOCOL_VERSION = 5;
const OK = "+OK\r\n";

export class BenchMaster {
  readonly #flowFiles: readonly string[];
  readonly #tell: (message: MasterMessage) => void;
  readonly #sockets: (Socket | undefined)[] = [];

  constructor(flowFiles: readonly string[], tell: (message: MasterMessage) => void) {
    this.#flowFiles = flowFiles;
    this.#tell = tell;
  }

  accept(socket: Socket): void {
    const parser = new RequestParser();
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      for (const request of parser.push(chunk)) this.#answer(socket, request);
    });
    // The replica closes as it likes.
    socket.on("error", () => {});
  }

  #answer(socket: Socket, request: Request): void {
    const [name = "", what = "", , , flow = "0"] = request;
    const words = `${name} ${what}`.toUpperCase();
    if (words === "REPLCONF ACK") return;
    if (words === "DFLY FLOW") this.#openFlow(socket, Number(flow));
    else if (words === "DFLY SYNC") this.#sync(socket);
    else if (words === "DFLY STARTSTABLE") this.#startStable(socket);
    else if (request.join(" ").toLowerCase() === "replconf capa dragonfly") socket.write(this.#greeting());
    else socket.write(name.toUpperCase() === "PING" ? "+PONG\r\n" : OK);
  }

  #greeting(): string {
    return `*5\r\n+${MASTER_ID}\r\n+${SYNC_ID}\r\n:${this.#flowFiles.length}\r\n:${PROTOCOL_VERSION}\r\n+${MASTER_ID}\r\n`;
  }

  #openFlow(socket: Socket, flow: number): void {
    this.#sockets[flow] = socket;
    socket.write(`*2\r\n+FULL\r\n+${EOF_TOKEN}\r\n`);
  }

  #sync(control: Socket): void {
    control.write(OK);
    this.#tell({ type: "synced", atMs: performance.timeOrigin + performance.now() });
    for (const [flow, file] of this.#flowFiles.entries()) {
      const socket = this.#sockets[flow];
      if (socket !== undefined) createReadStream(file, { highWaterMark: READ_BYTES }).pipe(socket, { end: false });
    }
  }

  #startStable(control: Socket): void {
    control.write(OK);
    for (const socket of this.#sockets) socket?.write(flowTail(0, EOF_TOKEN));
  }
}

function serve(): void {
  const tell = (message: MasterMessage): void => void process.send?.(message);
  const master = new BenchMaster(process.argv.slice(2), tell);
  const server = createServer({ highWaterMark: READ_BYTES }, (socket) => master.accept(socket));
  server.listen(0, HOST, () => {
    const address = server.address();
    if (address !== null && typeof address === "object") tell({ type: "listening", port: address.port });
  });
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ type: "cost", cpuSeconds: (user + system) / 1e6 } satisfies MasterMessage, () => process.exit(0));
  });
  // The benchmark is gone.
  process.on("disconnect", () => process.exit(0));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) serve();
