/**
 * A Redis in this process that keeps every command it gets and answers `+OK` to each, or holds its answers back until it is told to give some: for
 * what a real server does not do on demand. Holds no data.
 */
import type { Endpoint } from "../../src/config/endpoint.ts";
import { type ScriptedServer, scriptedServer } from "./scripted-server.ts";

const OK = "+OK\r\n";
const INFO = "redis_version:7.0.15\r\nredis_mode:standalone\r\nrole:master\r\n";
/** To what is said when a connection opens and by the probe; never held, never kept. */
const ANSWERS: Readonly<Record<string, string>> = {
  PING: "+PONG\r\n",
  CLIENT: OK,
  AUTH: OK,
  INFO: `$${INFO.length}\r\n${INFO}\r\n`,
  CONFIG: "*2\r\n$9\r\ndatabases\r\n$2\r\n16\r\n",
};

/** Those of the optional commands that a Redis 7.0 without modules has. */
const THERE = new Set(["RESTORE", "EVAL", "SCRIPT", "LMPOP", "PEXPIRETIME"]);

type Held = { readonly line: string; readonly send: () => void };

export class FakeRedis implements AsyncDisposable {
  /** All commands of all connections, as words with one space between them. */
  readonly commands: string[] = [];
  /** An error reply for a command that begins with this text. */
  readonly refusals = new Map<string, string>();
  /** Another reply than +OK, as it goes over the wire, to a command that begins with this text. */
  readonly replies = new Map<string, string>();
  /** Commands that it has beside those of a Redis 7.0. */
  readonly more = new Set<string>();
  #server: ScriptedServer | undefined;
  #holdFrom: string | undefined;
  readonly #held: Held[] = [];
  /** Connections of the probe: those that ask for INFO. */
  readonly #probes = new WeakSet<object>();

  static async start(): Promise<FakeRedis> {
    const redis = new FakeRedis();
    redis.#server = await scriptedServer({
      answer: (words, socket) => {
        const opening = ANSWERS[words[0] ?? ""];
        if (words[0] === "INFO") redis.#probes.add(socket);
        if (opening !== undefined) return opening;
        if (redis.#probes.has(socket)) return redis.#probeAnswer(words);
        const line = words.join(" ");
        redis.commands.push(line);
        redis.#held.push({ line, send: () => socket.write(redis.#answerTo(line)) });
        if (redis.#holdFrom === undefined || !line.startsWith(redis.#holdFrom)) redis.answer();
        return undefined;
      },
    });
    return redis;
  }

  get endpoint(): Endpoint {
    if (this.#server === undefined) throw new Error("not started");
    return this.#server.endpoint;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#server?.sockets.filter((socket) => !socket.destroyed).length ?? 0;
  }

  /** Commands without an answer. */
  get unanswered(): number {
    return this.#held.length;
  }

  /** Answers nothing from now on; with `start`, only not what begins with it. */
  hold(start = ""): void {
    this.#holdFrom = start;
  }

  /** Answers the oldest `count` commands that wait, or all that are not to be held. */
  answer(count?: number): void {
    const start = this.#holdFrom;
    const due =
      count === undefined && start !== undefined
        ? this.#held.filter(({ line }) => !line.startsWith(start))
        : this.#held.slice(0, count);
    for (const held of due) {
      this.#held.splice(this.#held.indexOf(held), 1);
      held.send();
    }
  }

  /** Answers all that waits and will come. */
  release(): void {
    this.#holdFrom = undefined;
    this.answer();
  }

  /** Breaks every connection. */
  dropConnections(): void {
    for (const socket of this.#server?.sockets ?? []) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  /** To what the probe asks beside what `ANSWERS` holds. */
  #probeAnswer(words: readonly string[]): string {
    const [name = ""] = words;
    if (!words.some((word) => word.includes("df2redis:probe"))) return OK;
    return THERE.has(name) || this.more.has(name) ? "-ERR Bad data format\r\n" : "-ERR unknown command\r\n";
  }

  #answerTo(line: string): string {
    for (const [start, words] of this.refusals) if (line.startsWith(start)) return `-${words}\r\n`;
    for (const [start, reply] of this.replies) if (line.startsWith(start)) return reply;
    return OK;
  }
}
