/**
 * A TCP server that answers as a test tells it to: for faults that no real server makes on demand. Requests are RESP arrays or inline
 * commands, as words; an answer is raw bytes.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Endpoint } from "../../src/config/endpoint.ts";
import { replyItems, replyText } from "../../src/resp/reply.ts";
import { ReplyDecoder } from "../../src/resp/reply-decoder.ts";

export type Answer = string | Buffer | undefined;

export type Script = {
  /** Sent as soon as a client is there. */
  readonly greeting?: Answer;
  /** The raw answer to a request; undefined stays silent. */
  answer?(words: readonly string[], socket: Socket): Answer;
  onConnection?(socket: Socket): void;
};

export class ScriptedServer implements AsyncDisposable {
  readonly port: number;
  readonly requests: (readonly string[])[] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  get endpoint(): Endpoint {
    return plainEndpoint(this.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

export function plainEndpoint(port: number, host = "127.0.0.1"): Endpoint {
  return { host, port, user: undefined, password: undefined, tls: undefined };
}

export async function scriptedServer(script: Script, host = "127.0.0.1"): Promise<ScriptedServer> {
  const server = createServer();
  server.listen(0, host);
  await once(server, "listening");
  const scripted = new ScriptedServer(server);
  server.on("connection", (socket) => {
    scripted.sockets.push(socket);
    socket.on("error", () => socket.destroy());
    script.onConnection?.(socket);
    if (script.greeting !== undefined) socket.write(script.greeting);
    const answer = script.answer?.bind(script);
    if (answer !== undefined) answerRequests(scripted, socket, answer);
  });
  return scripted;
}

function answerRequests(server: ScriptedServer, socket: Socket, answer: NonNullable<Script["answer"]>): void {
  const decoder = new ReplyDecoder();
  socket.on("data", (chunk) => {
    decoder.push(chunk);
    for (let request = decoder.next(); request !== undefined; request = decoder.next()) {
      const words = (replyItems(request) ?? []).map((item) => replyText(item) ?? "");
      server.requests.push(words);
      const bytes = answer(words, socket);
      if (bytes !== undefined && !socket.destroyed) socket.write(bytes);
    }
  });
}
