/**
 * One run of the product between a simulated master and a real Redis, in this process, while random commands change the master: before the full sync,
 * in the middle of it, and behind it. What the seed decides: the commands, the master's release, shards and chunks, and how the product writes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import type { RunReport } from "../../src/commands/run-report.ts";
import { WRITE_MODES } from "../../src/config/schema.ts";
import { CommandSession } from "../../src/simulator/live/command-session.ts";
import { liveReplication } from "../../src/simulator/live/replication/live-replication.ts";
import { type LiveMaster, startLiveMaster } from "../../src/simulator/live/server.ts";
import type { KeyEntry } from "../../src/simulator/live/values.ts";
import { LiveRun } from "../conformance/live-run.ts";
import { SeededRandom } from "../support/hostile.ts";
import { connectTo } from "../support/test-source-child.ts";
import type { TestSource } from "../support/test-source-options.ts";
import { until } from "../support/until.ts";
import { RandomCommands, type Word } from "./random-commands.ts";

const COMMANDS = { before: 250, during: 350, after: 300 };
/** So many that the full sync takes some turns of the event loop. */
const FILLERS = 1500;
const FILLER_BYTES = 500;
const SNAPSHOT_MS = 20_000;
const SOON_MS = 10_000;

export type ConvergedRun = {
  readonly report: RunReport;
  readonly warnings: readonly string[];
  /** What the master holds, as `db` and entry. */
  readonly held: readonly (readonly [db: number, entry: KeyEntry])[];
  /** Commands that were answered with an error. */
  readonly errors: number;
  readonly commands: number;
  /** Commands that came while a snapshot was being written. */
  readonly inSnapshot: number;
  /** How the seed set things up, for messages. */
  readonly setup: string;
};

export async function convergeRun(seed: number, targetPort: number): Promise<ConvergedRun> {
  const random = new SeededRandom(seed);
  const setup = chooseSetup(random);
  const master = await startLiveMaster({ ...setup.master, replication: liveReplication() });
  const stateDirectory = mkdtempSync(path.join(tmpdir(), "df2redis-converge-"));
  try {
    return await new ConvergeRun({ master, random, setup, flags: { ...setup.flags, "state-dir": stateDirectory } }).run(
      targetPort,
    );
  } finally {
    await master.stop();
    rmSync(stateDirectory, { recursive: true, force: true });
  }
}

type Setup = ReturnType<typeof chooseSetup>;

function chooseSetup(random: SeededRandom) {
  const of = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;
  const compression = of(["0", "1", "2", "3"]);
  const tagged = of(["true", "false"]);
  const chunk = of(["100", "2000", "65536"]);
  const master = {
    shards: 1 + random.below(4),
    dragonflyVersion: of(["df-v1.27.4", "df-v1.40.1"]),
    flags: {
      compression_mode: compression,
      serialization_tagged_chunks: tagged,
      serialization_max_chunk_size: chunk,
    },
  };
  const flags = {
    "write-mode": of(WRITE_MODES),
    ...(random.below(3) === 0 ? { "unsupported-sticky": "drop" } : {}),
  };
  return { master, flags, workers: 1 + random.below(2) };
}

class ConvergeRun {
  readonly #master: LiveMaster;
  readonly #random: SeededRandom;
  readonly #setup: Setup;
  readonly #flags: Readonly<Record<string, string>>;
  readonly #session: CommandSession;
  readonly #commands: RandomCommands;
  #canFlush = true;
  #errors = 0;
  #inSnapshot = 0;
  #count = 0;

  constructor(options: {
    readonly master: LiveMaster;
    readonly random: SeededRandom;
    readonly setup: Setup;
    readonly flags: Readonly<Record<string, string>>;
  }) {
    this.#master = options.master;
    this.#random = options.random;
    this.#setup = options.setup;
    this.#flags = options.flags;
    this.#session = new CommandSession(options.master, 0);
    const streamIds = (key: string): string[] => this.#streamIds(key);
    const canFlush = (): boolean => this.#canFlush;
    this.#commands = new RandomCommands(options.random, {
      streamIds,
      get canFlush() {
        return canFlush();
      },
    });
  }

  async run(targetPort: number): Promise<ConvergedRun> {
    this.#write(COMMANDS.before);
    this.#execute(["DEBUG", "POPULATE", FILLERS, "filler", FILLER_BYTES]);
    // A flush inside of the snapshot voids it.
    this.#canFlush = false;
    await using run = new LiveRun({
      source: this.#source(),
      targetPort,
      workers: this.#setup.workers,
      flags: this.#flags,
    });
    await Promise.race([this.#untilSnapshot(), run.untilPhase("catching_up")]);
    await this.#writeInTurns(COMMANDS.during, 40);
    await run.untilPhase("stable");
    this.#canFlush = true;
    await this.#writeInTurns(COMMANDS.after, 8);
    await this.#untilNothingExpires();
    const report = await run.finish();
    return {
      report,
      warnings: run.warnings,
      held: this.#held(),
      errors: this.#errors,
      commands: this.#count,
      inSnapshot: this.#inSnapshot,
      setup: JSON.stringify(this.#setup),
    };
  }

  get #isInSnapshot(): boolean {
    return this.#master.shards.some(({ watchers }) => watchers.size > 0);
  }

  /** Asks in every turn: a small snapshot takes only a few. */
  async #untilSnapshot(): Promise<void> {
    const deadline = performance.now() + SNAPSHOT_MS;
    while (!this.#isInSnapshot && performance.now() < deadline) await turn();
  }

  async #writeInTurns(count: number, most: number): Promise<void> {
    for (let left = count; left > 0;) {
      const some = Math.min(left, 1 + this.#random.below(most));
      this.#write(some);
      left -= some;
      await turn();
    }
  }

  #write(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#count += 1;
      if (this.#isInSnapshot) this.#inSnapshot += 1;
      if (this.#execute(this.#commands.next()).startsWith("-")) this.#errors += 1;
    }
  }

  #execute(words: readonly Word[]): string {
    this.#session.execute(words.map((word) => (Buffer.isBuffer(word) ? word : Buffer.from(String(word)))));
    let reply = "";
    this.#session.reply.flush((bytes) => {
      reply += bytes.toString("latin1");
    });
    return reply;
  }

  #held(): (readonly [number, KeyEntry])[] {
    return this.#master.shards.flatMap((shard) =>
      shard.databases.flatMap((database, db) => [...database.values()].map((entry) => [db, entry] as const)),
    );
  }

  #streamIds(key: string): string[] {
    const { db } = this.#session.state;
    for (const shard of this.#master.shards) {
      const value = shard.databases[db]?.get(key)?.value;
      if (value?.type === "stream") return value.entries.map(({ id }) => `${id.ms}-${id.seq}`);
    }
    return [];
  }

  /** Deadlines are some ms ahead or days. */
  async #untilNothingExpires(): Promise<void> {
    await until(() => {
      this.#master.expireDue();
      const soon = Date.now() + SOON_MS;
      return this.#held().every(([, { expireAtMs }]) => expireAtMs < 0 || expireAtMs > soon);
    }, "all near deadlines to pass");
  }

  #source(): TestSource {
    const endpoint = { host: "127.0.0.1", port: this.#master.port };
    const stop = async (): Promise<void> => await this.#master.stop();
    return {
      kind: "simulator",
      endpoint,
      address: this.#master.address,
      pid: undefined,
      shards: this.#master.shards.length,
      client: async (db = 0) => await connectTo(endpoint, db),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  }
}
