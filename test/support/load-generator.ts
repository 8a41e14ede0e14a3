/**
 * A mixed write load with a seed, pipelined over several connections and databases, at a wanted rate or as fast as the server takes it. It runs in a
 * process of its own, so that it takes nothing from what is measured. What it writes is in load-mix.ts.
 */
import type { ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { spawnBound } from "./bound-process.ts";
import type { LoadKeys } from "./load-mix.ts";
import { processUsage } from "./process-stat.ts";

const PROGRAM = fileURLToPath(new URL("load-process.ts", import.meta.url));

/** What such a load is bound to meet, since it does not know which keys exist. */
const EXPECTED_ERRORS: readonly RegExp[] = [/^(ERR )?no such key/i];

export type LoadOptions = {
  readonly port: number;
  readonly host?: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly tlsCa?: string | undefined;
  readonly seed: number;
  readonly connections?: number;
  /** Connection *i* writes to database *i mod n* of these. */
  readonly databases?: readonly number[];
  /** undefined: as fast as the server answers. */
  readonly opsPerSecond?: number;
  /** Ends by itself after so many steps; most are one command. */
  readonly steps?: number;
  /** Unanswered commands that each connection may have. */
  readonly window?: number;
  readonly keys?: Partial<LoadKeys>;
  readonly largePer10k?: number;
};

/** What the process gets. */
export type LoadPlan = Required<Pick<LoadOptions, "port" | "host" | "seed" | "connections" | "databases" | "window">> &
  LoadOptions;

/** What it tells. */
export type LoadStatus = {
  readonly event: "progress" | "done";
  readonly elapsedMs: number;
  /** Answered ones. */
  readonly commands: number;
  readonly bytes: number;
  readonly errors: Readonly<Record<string, number>>;
  /** Why a connection closed, null when none did. */
  readonly closed: string | null;
};

export type LoadReport = {
  readonly commands: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly opsPerSecond: number;
  /** The error replies that were to be expected: commands on keys that did not exist. */
  readonly missed: number;
  /** Of the process, while it ran. */
  readonly cpuSeconds: number;
};

export function startLoad(options: LoadOptions): LoadGenerator {
  return new LoadGenerator(options);
}

export class LoadGenerator implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #exited: Promise<string>;
  #status: LoadStatus | undefined;
  #cpuSeconds = 0;
  #stderr = "";
  #listeners: (() => void)[] = [];

  constructor(options: LoadOptions) {
    const plan: LoadPlan = { host: "127.0.0.1", connections: 8, databases: [0, 0, 1, 5], window: 256, ...options };
    this.#process = spawnBound(process.execPath, [PROGRAM, JSON.stringify(plan)], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#process.on("message", (message) => {
      this.#status = message as LoadStatus;
      this.#cpuSeconds = processUsage(this.#process.pid ?? 0)?.cpuSeconds ?? this.#cpuSeconds;
      for (const listener of this.#listeners.splice(0)) listener();
    });
    this.#process.stderr?.on(
      "data",
      (chunk: Buffer) => (this.#stderr = (this.#stderr + chunk.toString()).slice(-4096)),
    );
    this.#exited = new Promise((resolve) => {
      this.#process.once("close", (code, signal) => resolve(`exit code ${code}, signal ${signal}`));
      this.#process.once("error", (error) => resolve(error.message));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** The latest of what it told. */
  get status(): LoadStatus | undefined {
    return this.#status;
  }

  /** When so many commands have been answered. Throws when it ends before. */
  async untilCommands(commands: number): Promise<void> {
    while ((this.#status?.commands ?? 0) < commands) {
      if (this.#status?.event === "done")
        throw new Error(`the load ended before ${commands} commands: ${JSON.stringify(this.#status)}`);
      const exit = await Promise.race([this.#exited, this.#nextStatus()]);
      if (exit !== undefined) throw this.#failure(exit);
    }
  }

  /** Lets it go on for a while. Throws as soon as it fails. */
  async runFor(ms: number): Promise<void> {
    const exit = await Promise.race([this.#exited, delay(ms, undefined, { ref: false })]);
    if (exit !== undefined) throw this.#failure(exit);
  }

  /** Writes no more, waits for all replies and reports. Throws for an error reply that was not to be expected. */
  async stop(): Promise<LoadReport> {
    if (this.#process.connected) this.#process.send("stop", () => {});
    return this.finished();
  }

  /** The same for a load that ends by itself. */
  async finished(): Promise<LoadReport> {
    const exit = await this.#exited;
    const status = this.#status;
    if (status?.event !== "done") throw this.#failure(exit);
    if (status.closed) throw new Error(`the load's connection broke: ${status.closed}`);
    const { commands, bytes, elapsedMs } = status;
    return {
      commands,
      bytes,
      elapsedMs,
      opsPerSecond: (commands * 1000) / elapsedMs,
      missed: expectedErrors(status.errors),
      cpuSeconds: this.#cpuSeconds,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#exited;
  }

  #nextStatus(): Promise<undefined> {
    return new Promise((resolve) => this.#listeners.push(() => resolve(undefined)));
  }

  #failure(exit: string): Error {
    return new Error(`the load generator failed (${exit}):\n${this.#stderr}`);
  }
}

/** How many there were; throws for any other. */
function expectedErrors(errors: LoadStatus["errors"]): number {
  const others = Object.entries(errors).filter(([text]) => !EXPECTED_ERRORS.some((expected) => expected.test(text)));
  if (others.length > 0)
    throw new Error(
      `the server refused commands of the load:\n${others.map(([text, count]) => `  ${count} × ${text}`).join("\n")}`,
    );
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}
