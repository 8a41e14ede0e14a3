/**
 * A Dragonfly master that sends what a test gives it (flow-bytes.ts): the handshake's replies, each flow's bytes when the request comes that
 * releases them, and more whenever the test says so. For streams that no recording holds. It judges nothing; `requests` tells what came.
 */
import type { Socket } from "node:net";
import type { Endpoint } from "../../src/config/endpoint.ts";
import { EOF_TOKEN } from "./rdb-builder.ts";
import { type Answer, type ScriptedServer, scriptedServer } from "./scripted-server.ts";

export const MASTER_ID = "f".repeat(40);
export const SYNC_ID = "SYNC7";

export type TinyFlow = {
  readonly kind?: "FULL" | "PARTIAL";
  /** Sent after DFLY SYNC. */
  readonly snapshot?: Buffer;
  /** Sent after DFLY STARTSTABLE: for a full sync the snapshot's end first. */
  readonly stable?: Buffer;
};

const OK = "+OK\r\n";

export class TinyMaster implements AsyncDisposable {
  /** Requests on control connections, as words with one space between them. */
  readonly requests: string[] = [];
  /** Instead of the usual reply, by the request's first words, e.g. "DFLY SYNC"; undefined: none. */
  readonly replies = new Map<string, Answer>();
  /** Whether all flows are closed as soon as one is, as a real master does it. */
  closesTogether = true;
  readonly #flows: readonly TinyFlow[];
  readonly #acks: number[][];
  readonly #sockets = new Map<number, Socket>();
  readonly #ended = new Set<number>();
  #server: ScriptedServer | undefined;

  private constructor(flows: readonly TinyFlow[]) {
    this.#flows = flows;
    this.#acks = flows.map(() => []);
  }

  static async start(flows: readonly TinyFlow[]): Promise<TinyMaster> {
    const master = new TinyMaster(flows);
    master.#server = await scriptedServer({ answer: (words, socket) => master.#answer(words, socket) });
    return master;
  }

  get endpoint(): Endpoint {
    if (this.#server === undefined) throw new Error("not started");
    return this.#server.endpoint;
  }

  get address(): string {
    return `127.0.0.1:${this.endpoint.port}`;
  }

  /** What `flow` has acknowledged, in order. */
  acks(flow: number): readonly number[] {
    return this.#acks[flow] ?? [];
  }

  /** Connections of any kind that are open. */
  get connections(): number {
    return this.#server?.sockets.filter((socket) => !socket.destroyed).length ?? 0;
  }

  isOpen(flow: number): boolean {
    return this.#sockets.get(flow)?.destroyed === false;
  }

  /** More bytes of a flow's stream. */
  send(flow: number, ...bytes: readonly Buffer[]): void {
    this.#sockets.get(flow)?.write(Buffer.concat(bytes));
  }

  /** Whether the replica closed `flow` in an orderly way: a reset may take its last acknowledgement along. */
  wasEnded(flow: number): boolean {
    return this.#ended.has(flow);
  }

  closeFlow(flow: number): void {
    this.#sockets.get(flow)?.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  #answer(words: readonly string[], socket: Socket): Answer {
    const line = words.join(" ");
    if (words[1] === "ACK") {
      const flow = [...this.#sockets].find(([, other]) => other === socket)?.[0];
      if (flow !== undefined) this.#acks[flow]?.push(Number(words[2]));
      return undefined;
    }
    this.requests.push(line);
    for (const [start, reply] of this.replies) if (line.startsWith(start)) return reply;
    if (line === "PING") return "+PONG\r\n";
    if (line === "REPLCONF capa dragonfly")
      return `*4\r\n+${MASTER_ID}\r\n+${SYNC_ID}\r\n:${this.#flows.length}\r\n:5\r\n`;
    if (words[1] === "FLOW") return this.#openFlow(Number(words[4]), socket);
    // The reply first, as a real master does; on the flows it may arrive later all the same.
    if (words[1] === "SYNC") queueMicrotask(() => this.#sendAll((flow) => flow.snapshot));
    if (words[1] === "STARTSTABLE") queueMicrotask(() => this.#sendAll((flow) => flow.stable));
    return OK;
  }

  #openFlow(flow: number, socket: Socket): Answer {
    this.#sockets.set(flow, socket);
    socket.on("end", () => this.#ended.add(flow));
    // A real master ends the session as a whole.
    socket.on("close", () => {
      if (this.closesTogether) for (const other of this.#sockets.values()) other.destroy();
    });
    return `*2\r\n+${this.#flows[flow]?.kind ?? "FULL"}\r\n+${EOF_TOKEN}\r\n`;
  }

  #sendAll(bytesOf: (flow: TinyFlow) => Buffer | undefined): void {
    for (const [i, flow] of this.#flows.entries()) {
      const bytes = bytesOf(flow);
      if (bytes !== undefined) this.send(i, bytes);
    }
  }
}
