/**
 * A Redis in this process that keeps every command it gets and answers `+OK` to each, or holds its answers back until it is told to give some: for
 * what a real server does not do on demand. Holds no data.
 */
import type { Endpoint } from "../../src/config/endpoint.ts";
import { type ScriptedServer, scriptedServer } from "./scripted-server.ts";

const OK = "+OK\r\n";
/** Of a connection's opening; never held, never kept. */
const ANSWERS: Readonly<Record<string, string>> = { PING: "+PONG\r\n", CLIENT: OK, AUTH: OK };

type Held = { readonly send: () => void };

export class FakeRedis implements AsyncDisposable {
  /** All commands of all connections, as words with one space between them. */
  readonly commands: string[] = [];
  /** An error reply for a command that begins with this text. */
  readonly refusals = new Map<string, string>();
  #server: ScriptedServer | undefined;
  #holding = false;
  readonly #held: Held[] = [];

  static async start(): Promise<FakeRedis> {
    const redis = new FakeRedis();
    redis.#server = await scriptedServer({
      answer: (words, socket) => {
        const opening = ANSWERS[words[0] ?? ""];
        if (opening !== undefined) return opening;
        const line = words.join(" ");
        redis.commands.push(line);
        redis.#held.push({ send: () => socket.write(redis.#answerTo(line)) });
        if (!redis.#holding) redis.answer();
        return undefined;
      },
    });
    return redis;
  }

  get endpoint(): Endpoint {
    if (this.#server === undefined) throw new Error("not started");
    return this.#server.endpoint;
  }

  /** Commands without an answer. */
  get unanswered(): number {
    return this.#held.length;
  }

  /** Answers nothing from now on. */
  hold(): void {
    this.#holding = true;
  }

  /** Answers the oldest `count` commands that wait, or all. */
  answer(count = this.#held.length): void {
    for (const { send } of this.#held.splice(0, count)) send();
  }

  /** Answers all that waits and will come. */
  release(): void {
    this.#holding = false;
    this.answer();
  }

  /** Breaks every connection. */
  dropConnections(): void {
    for (const socket of this.#server?.sockets ?? []) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  #answerTo(line: string): string {
    for (const [start, words] of this.refusals) if (line.startsWith(start)) return `-${words}\r\n`;
    return OK;
  }
}
