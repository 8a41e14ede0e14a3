/**
 * A run of the product between a test's source and a real Redis, in this process: its phases, and the moment at which the source itself says that
 * everything has been acknowledged. Writing clients of the source have to be done by then.
 */
import { runFlags } from "../support/run-defaults.ts";
import { setTimeout as delay } from "node:timers/promises";
import { runReplication } from "../../src/commands/replicate.ts";
import type { RunMode, RunPhase, RunReport } from "../../src/commands/run-report.ts";
import type { Flags } from "../../src/config/flag-layer.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { silentLogger } from "../../src/observability/logger.ts";
import { type RespClient, RespError } from "../support/resp-client.ts";
import type { TestSource } from "../support/test-source.ts";

const CAUGHT_UP_MS = 60_000;
const POLL_MS = 20;

export type LiveRunOptions = {
  readonly source: TestSource;
  readonly targetPort: number;
  readonly workers?: number;
  /** Instead of the source's own. */
  readonly user?: { readonly name: string; readonly password: string };
  readonly resume?: { readonly masterId: string; readonly lsns: readonly number[] };
  /** More command line flags, by their long names. */
  readonly flags?: Flags;
  /** Keys that have no flag. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default `replicate`. */
  readonly mode?: RunMode;
};

export class LiveRun implements AsyncDisposable {
  readonly phases: RunPhase[] = [];
  readonly warnings: string[] = [];
  readonly notes: string[] = [];
  readonly #source: TestSource;
  readonly #stop = new AbortController();
  readonly #force = new AbortController();
  readonly #ended: Promise<RunReport>;
  #listeners: (() => void)[] = [];

  constructor(options: LiveRunOptions) {
    const { source, workers } = options;
    this.#source = source;
    const user = options.user?.name ?? source.endpoint.user;
    const password = options.user?.password ?? source.endpoint.password;
    const { tlsCa } = source.endpoint;
    const flags: Flags = {
      source: source.address,
      target: `redis://127.0.0.1:${options.targetPort}`,
      ...(workers !== undefined && { workers: String(workers) }),
      ...(user !== undefined && { "source-user": user }),
      ...(password !== undefined && { "source-password-file": "/password" }),
      ...(tlsCa !== undefined && { "source-tls-ca": "/ca" }),
      ...runFlags(),
      ...options.flags,
    };
    const readFile = (path: string): string => (path === "/ca" ? tlsCa : password) ?? "";
    this.#ended = runReplication({
      config: loadConfig({ env: options.env ?? {}, flags, readFile }),
      mode: options.mode ?? "replicate",
      observer: {
        phase: (phase) => {
          this.phases.push(phase);
          for (const listener of this.#listeners.splice(0)) listener();
        },
        progress: () => {},
        note: (message) => {
          this.notes.push(message);
          for (const listener of this.#listeners.splice(0)) listener();
        },
        warning: (message) => void this.warnings.push(message),
      },
      stop: this.#stop.signal,
      force: this.#force.signal,
      logger: silentLogger(),
      resume: options.resume,
    });
    this.#ended.catch(() => {});
  }

  /** Throws when the run failed. */
  get ended(): Promise<RunReport> {
    return this.#ended;
  }

  async untilPhase(phase: RunPhase): Promise<void> {
    await this.#until(() => this.phases.includes(phase), phase);
  }

  /** Until it says something that begins so. */
  async untilNote(start: string): Promise<void> {
    await this.#until(() => this.notes.some((note) => note.startsWith(start)), start);
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      const next = new Promise<undefined>((resolve) => this.#listeners.push(() => resolve(undefined)));
      const report = await Promise.race([this.#ended, next]);
      if (report !== undefined) throw new Error(`the run ended before ${what}: ${JSON.stringify(report)}`);
    }
  }

  /** Until the source says that its replica has acknowledged all. */
  async untilCaughtUp(): Promise<void> {
    await this.untilPhase("catching_up");
    await using client = await this.#source.client();
    const early = this.#ended.then(() => Promise.reject(new Error("the run ended before it had caught up")));
    await Promise.race([untilNoLag(client), early]);
  }

  /** As Ctrl-C does it. */
  stop(): void {
    this.#stop.abort();
  }

  /** Waits until all is acknowledged, and stops as Ctrl-C does. */
  async finish(): Promise<RunReport> {
    await this.untilCaughtUp();
    this.#stop.abort();
    return await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#force.abort();
    await this.#ended.catch(() => {});
  }
}

/** What INFO REPLICATION says of each replica. */
export type ReplicaLine = { readonly state: string; readonly lag: number; readonly port: number };

export async function replicaLines(client: RespClient): Promise<ReplicaLine[]> {
  const info = String(await client.call("INFO", "REPLICATION"));
  return [...info.matchAll(/^slave\d+:(.*)$/gm)].map(([, line = ""]) => {
    const field = (name: string): string => new RegExp(`(?:^|,)${name}=([^,\\r]*)`).exec(line)?.[1] ?? "";
    return { state: field("state"), lag: Number(field("lag")), port: Number(field("port")) };
  });
}

export async function untilNoLag(client: RespClient, timeoutMs = CAUGHT_UP_MS): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const replicas = await replicaLines(client);
    const isStable =
      replicas.length > 0 && replicas.every(({ state }) => state === "online" || state === "stable_sync");
    if (isStable && replicas.every(({ lag }) => lag === 0)) return;
    if (performance.now() > deadline) throw new Error(`the replica stays behind: ${JSON.stringify(replicas)}`);
    await delay(POLL_MS);
  }
}

/** The current LSN of each shard. */
export async function replicaOffset(client: RespClient): Promise<number[]> {
  const reply = await client.call("DFLY", "REPLICAOFFSET");
  return Array.isArray(reply) ? reply.map(Number) : [];
}

/** Runs commands in pipelines; throws at the first error reply, with its command. */
export async function runAll(
  client: RespClient,
  commands: readonly (readonly (string | number | Buffer)[])[],
): Promise<void> {
  const AT_A_TIME = 200;
  for (let at = 0; at < commands.length; at += AT_A_TIME) {
    const some = commands.slice(at, at + AT_A_TIME);
    const replies = await client.pipeline(some);
    for (const [i, reply] of replies.entries())
      if (reply instanceof RespError)
        throw new Error(`${some[i]?.slice(0, 4).join(" ").slice(0, 200)}: ${reply.message}`);
  }
}
