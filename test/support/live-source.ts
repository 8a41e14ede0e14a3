/**
 * The live simulator in the process of the test, as a source: quicker to start than one of its own, and a test can write to it between two turns of
 * the event loop, so that an entry comes where the test wants it.
 */
import { setImmediate as turn } from "node:timers/promises";
import { CommandSession } from "../../src/simulator/live/command-session.ts";
import { liveReplication } from "../../src/simulator/live/replication/live-replication.ts";
import { type LiveMaster, startLiveMaster } from "../../src/simulator/live/server.ts";
import type { RespClient } from "./resp-client.ts";
import { connectTo } from "./test-source-child.ts";
import type { TestSource } from "./test-source-options.ts";

export type Word = string | number | Buffer;
export type Words = readonly Word[];

const SNAPSHOT_MS = 20_000;

export type LiveSourceOptions = {
  readonly shards?: number;
  /** As a Dragonfly's. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly version?: string;
};

export class LiveSource implements TestSource {
  readonly kind = "simulator";
  readonly pid = undefined;
  readonly shards: number;
  readonly #master: LiveMaster;
  readonly #session: CommandSession;

  private constructor(master: LiveMaster) {
    this.#master = master;
    this.shards = master.shards.length;
    this.#session = new CommandSession(master, 0);
  }

  static async start(options: LiveSourceOptions = {}): Promise<LiveSource> {
    const { shards = 2, flags = {}, version } = options;
    const master = await startLiveMaster({
      shards,
      flags,
      ...(version !== undefined && { dragonflyVersion: version }),
      replication: liveReplication(),
    });
    return new LiveSource(master);
  }

  get endpoint(): { readonly host: string; readonly port: number } {
    return { host: "127.0.0.1", port: this.#master.port };
  }

  get address(): string {
    return this.#master.address;
  }

  async client(db = 0): Promise<RespClient> {
    return await connectTo(this.endpoint, db);
  }

  /** Runs commands at once, each in the database that was selected last. Throws at the first error, with its command. */
  write(...commands: readonly Words[]): void {
    for (const words of commands) {
      const reply = this.try(words);
      if (reply.startsWith("-")) throw new Error(`${words.slice(0, 3).join(" ")}: ${reply}`);
    }
  }

  /** Runs a command at once. @returns its reply as it is on the wire, one character a byte */
  try(words: Words): string {
    this.#session.execute(words.map((word) => (Buffer.isBuffer(word) ? word : Buffer.from(String(word)))));
    let reply = "";
    this.#session.reply.flush((bytes) => {
      reply += bytes.toString("latin1");
    });
    return reply;
  }

  get isInSnapshot(): boolean {
    return this.#master.shards.some(({ watchers }) => watchers.size > 0);
  }

  /** Asks in every turn: a small snapshot takes only a few. */
  async untilSnapshot(): Promise<void> {
    const deadline = performance.now() + SNAPSHOT_MS;
    while (!this.isInSnapshot) {
      if (performance.now() > deadline) throw new Error("waited in vain for a snapshot");
      await turn();
    }
  }

  async stop(): Promise<void> {
    await this.#master.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
