/**
 * A run of the product in this process against any source and target, with all that it told: for masters that a test scripts (tiny-master.ts).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { runReplication } from "../../src/commands/replicate.ts";
import type { RunMode, RunPhase, RunReport } from "../../src/commands/run-report.ts";
import type { Flags } from "../../src/config/flag-layer.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { silentLogger } from "../../src/observability/logger.ts";
import type { ResumePoint } from "../../src/replication/replication-session.ts";
import { until } from "./until.ts";

const SEEN_MS = 10_000;

export type RunHereOptions = {
  readonly source: string;
  readonly targetPort: number;
  readonly mode?: RunMode;
  readonly workers?: number;
  readonly resume?: ResumePoint;
  /** More command line flags, by their long names. */
  readonly flags?: Flags;
  /** The text of a configuration file, for what has no flag. */
  readonly config?: string;
  /** Of an earlier run that is gone on with. A new one when not given. */
  readonly stateDir?: string;
};

export class RunHere implements AsyncDisposable {
  readonly phases: RunPhase[] = [];
  readonly notes: string[] = [];
  readonly warnings: string[] = [];
  readonly stateDir: string;
  readonly ended: Promise<RunReport>;
  readonly #stop = new AbortController();
  readonly #force = new AbortController();
  readonly #ownsStateDir: boolean;
  #isRunning = true;

  constructor(options: RunHereOptions) {
    const { source, targetPort, mode = "replicate", workers = 1, resume, config = "" } = options;
    this.#ownsStateDir = options.stateDir === undefined;
    this.stateDir = options.stateDir ?? mkdtempSync(path.join(tmpdir(), "df2redis-test-state-"));
    const flags: Flags = {
      source,
      target: `127.0.0.1:${targetPort}`,
      workers: String(workers),
      "state-dir": this.stateDir,
      ...options.flags,
    };
    this.ended = runReplication({
      config: loadConfig({ file: config === "" ? undefined : "/config.yaml", env: {}, flags, readFile: () => config }),
      mode,
      observer: {
        phase: (phase) => this.phases.push(phase),
        progress: () => {},
        note: (message) => this.notes.push(message),
        warning: (message) => this.warnings.push(message),
      },
      stop: this.#stop.signal,
      force: this.#force.signal,
      logger: silentLogger(),
      resume,
    }).finally(() => {
      this.#isRunning = false;
    });
    // Whoever waits sees it; until then it is not unhandled.
    this.ended.catch(() => {});
  }

  /** The directory of the run's files. */
  get taskDir(): string {
    return path.join(this.stateDir, "default");
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Waits for a condition; throws what the run failed with when it ends before. */
  async until(condition: () => boolean, what: string): Promise<void> {
    await until(() => condition() || !this.#isRunning, what);
    if (condition()) return;
    const report = await this.ended;
    throw new Error(`the run ended before ${what}: ${JSON.stringify(report)}`);
  }

  /** The same for what a server is asked. */
  async untilSeen(condition: () => Promise<boolean>, what: string): Promise<void> {
    const deadline = performance.now() + SEEN_MS;
    while (!(await condition())) {
      if (!this.#isRunning) throw new Error(`the run ended before ${what}: ${JSON.stringify(await this.ended)}`);
      if (performance.now() > deadline) throw new Error(`waited ${SEEN_MS} ms in vain for ${what}`);
      await delay(5);
    }
  }

  async untilPhase(phase: RunPhase): Promise<void> {
    await this.until(() => this.phases.includes(phase), `the phase ${phase}`);
  }

  /** As Ctrl-C does. */
  stop(): void {
    this.#stop.abort();
  }

  /** As the second Ctrl-C does. */
  force(): void {
    this.#force.abort();
  }

  async finish(): Promise<RunReport> {
    this.stop();
    return await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    this.force();
    await this.ended.catch(() => {});
    if (this.#ownsStateDir) rmSync(this.stateDir, { recursive: true, force: true });
  }
}
