/** One connection of the load generator: writes requests, counts the replies, keeps the errors by their text. */
import type { Socket } from "node:net";
import { ReplyCounter } from "../../src/resp/reply-counter.ts";

export class LoadConnection {
  /** Kinds of errors and how often each came. */
  readonly errors = new Map<string, number>();
  sent = 0;
  sentBytes = 0;
  /** Why it closed, once it has. */
  closed: string | undefined;
  readonly #socket: Socket;
  readonly #counter: ReplyCounter;

  constructor(socket: Socket, onReplies: () => void) {
    this.#socket = socket;
    this.#counter = new ReplyCounter({ onErrorReply: (_index, message) => this.#countError(message) });
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#counter.feed(chunk);
      onReplies();
    });
    socket.on("error", (error) => {
      this.closed ??= error.message;
    });
    socket.on("close", () => {
      this.closed ??= "the server closed the connection";
      onReplies();
    });
  }

  get answered(): number {
    return this.#counter.count;
  }

  get outstanding(): number {
    return this.sent - this.#counter.count;
  }

  write(text: string, commands: number): void {
    this.sent += commands;
    this.sentBytes += text.length;
    this.#socket.write(text, "latin1");
  }

  close(): void {
    this.closed ??= "";
    this.#socket.destroy();
  }

  #countError(message: string): void {
    // The first words name the kind; what follows may be different each time.
    const kind = message.slice(0, 120);
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1);
  }
}
