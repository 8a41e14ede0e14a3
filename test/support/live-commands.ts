/** A live simulated master without sockets, for tests of its commands: requests in words, replies as JSON would show them, and what was journaled. */
import { expect } from "vitest";
import { CommandSession } from "../../src/simulator/live/command-session.ts";
import { LiveMaster, type LiveMasterOptions } from "../../src/simulator/live/server.ts";
import type { Shard } from "../../src/simulator/live/shard.ts";

/** Arguments, or all of them in one line, separated by one space. */
export type Request = string | readonly (string | number | Buffer)[];

/** A request, its reply, and what it journals. */
export type Step = readonly [request: Request, reply: unknown, ...journal: readonly string[]];

export function expectSteps(live: LiveCommands, steps: readonly Step[]): void {
  const seen = steps.map(([request]): Step => [request, live.ask(request), ...live.journal()]);
  expect(seen).toEqual(steps);
}

export class LiveCommands {
  nowMs = 1_800_000_000_000;
  readonly master: LiveMaster;
  readonly #session: CommandSession;
  #journal: { readonly shard: number; readonly db: number; readonly txid: number; readonly text: string }[] = [];

  constructor(options: Partial<LiveMasterOptions> = {}) {
    this.master = new LiveMaster({ shards: 1, expireCycleMs: 0, nowMs: () => this.nowMs, ...options });
    this.#session = new CommandSession(this.master, 1);
    for (const shard of this.master.shards) this.#listen(shard);
  }

  /** Errors are texts that start with `-`. */
  ask(request: Request): unknown {
    const words = typeof request === "string" ? request.split(" ") : request;
    this.#session.execute(words.map((word) => (Buffer.isBuffer(word) ? word : Buffer.from(String(word)))));
    let reply = "";
    this.#session.reply.flush((bytes) => {
      reply += bytes.toString("latin1");
    });
    return new ReplyReader(reply).whole();
  }

  /** The entries since the last time, arguments separated by one space; what is no printable ASCII as `.`. */
  journal(): string[] {
    return this.takeJournal().map(({ text }) => text);
  }

  takeJournal(): readonly {
    readonly shard: number;
    readonly db: number;
    readonly txid: number;
    readonly text: string;
  }[] {
    const taken = this.#journal;
    this.#journal = [];
    return taken;
  }

  #listen(shard: Shard): void {
    shard.onRecord = ({ db, txid, args }) => {
      const text = args.map((word) => word.toString("latin1").replaceAll(/[^\x20-\x7e]/g, ".")).join(" ");
      this.#journal.push({ shard: shard.index, db, txid, text });
    };
  }
}

class ReplyReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): unknown {
    const value = this.#value();
    if (this.#at !== this.#text.length) throw new Error(`more than one reply: ${JSON.stringify(this.#text)}`);
    return value;
  }

  #line(): string {
    const end = this.#text.indexOf("\r\n", this.#at);
    if (end < 0) throw new Error(`no whole reply: ${JSON.stringify(this.#text)}`);
    const line = this.#text.slice(this.#at, end);
    this.#at = end + 2;
    return line;
  }

  #value(): unknown {
    const line = this.#line();
    const kind = line[0];
    if (kind === "-") return line;
    if (kind === "+") return line.slice(1);
    const count = Number(line.slice(1));
    if (kind === ":") return count;
    if (count < 0) return null;
    if (kind === "*") return Array.from({ length: count }, () => this.#value());
    const text = this.#text.slice(this.#at, this.#at + count);
    this.#at += count + 2;
    return text;
  }
}
