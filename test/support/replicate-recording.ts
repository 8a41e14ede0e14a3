/**
 * Replicates a recording into a real Redis by the product's own command path, in this process: the master it plays, the run, and how it ended.
 */
import { runFlags } from "./run-defaults.ts";
import { runReplication } from "../../src/commands/replicate.ts";
import type { RunMode, RunObserver, RunProgress, RunReport } from "../../src/commands/run-report.ts";
import type { Flags } from "../../src/config/flag-layer.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { silentLogger } from "../../src/observability/logger.ts";
import type { Recording } from "../../src/simulator/recording.ts";
import {
  type RecordingMaster,
  type RecordingMasterOptions,
  startRecordingMaster,
} from "../../src/simulator/recording-master.ts";

export type ReplicateOptions = {
  readonly recording: Recording;
  readonly targetPort: number;
  readonly second?: boolean;
  readonly mode?: RunMode;
  readonly workers?: number;
  /** The master sends pieces of that size. */
  readonly chunkBytes?: number;
  /** What the master wants of its clients. */
  readonly master?: Pick<RecordingMasterOptions, "user" | "password" | "tls">;
  /** More command line flags, by their long names. */
  readonly flags?: Flags;
  /** Reads the files that flags name. */
  readonly readFile?: (path: string) => string;
  /** Ask to go on from there instead of a full sync. */
  readonly resume?: { readonly masterId: string; readonly lsns: readonly number[] };
  /** Called as soon as the master listens: for holds. */
  readonly prepare?: (master: RecordingMaster) => void;
  readonly onProgress?: (progress: RunProgress) => void;
};

/** A run that goes on. Dispose of it when it has not been ended. */
export class RecordingRun implements AsyncDisposable {
  readonly master: RecordingMaster;
  readonly warnings: string[] = [];
  readonly #stop = new AbortController();
  readonly #force = new AbortController();
  readonly #ended: Promise<RunReport>;

  constructor(master: RecordingMaster, options: ReplicateOptions) {
    this.master = master;
    const { workers, resume } = options;
    const flags = {
      source: master.address,
      target: `redis://127.0.0.1:${options.targetPort}`,
      ...(workers === undefined ? {} : { workers: String(workers) }),
      ...runFlags(),
      ...options.flags,
    };
    this.#ended = runReplication({
      config: loadConfig({ env: {}, flags, readFile: options.readFile ?? (() => "") }),
      mode: options.mode ?? "replicate",
      observer: this.#observer(options.onProgress),
      stop: this.#stop.signal,
      force: this.#force.signal,
      logger: silentLogger(),
      resume,
    });
    // Whoever waits sees it; until then it is not unhandled.
    this.#ended.catch(() => {});
  }

  /** The run's end; throws when it failed. */
  get ended(): Promise<RunReport> {
    return this.#ended;
  }

  /** Waits for `condition`, or throws when the run ends before. */
  async until(condition: Promise<unknown>): Promise<void> {
    const ended = this.#ended.then((report) => {
      throw new Error(`the run ended too early: ${JSON.stringify(report)}`);
    });
    await Promise.race([condition, ended]);
  }

  /** Waits until all is acknowledged, then stops the run as Ctrl-C does. */
  async finish(): Promise<RunReport> {
    await this.until(this.master.whenAllAcked());
    this.#stop.abort();
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#force.abort();
    await this.master.stop();
    await this.#ended.catch(() => {});
  }

  #observer(onProgress: ReplicateOptions["onProgress"]): RunObserver {
    return {
      phase: () => {},
      progress: (progress) => onProgress?.(progress),
      note: () => {},
      warning: (message) => void this.warnings.push(message),
    };
  }
}

export async function startReplication(options: ReplicateOptions): Promise<RecordingRun> {
  const { recording, second = false, chunkBytes } = options;
  const master = await startRecordingMaster({
    ...options.master,
    recording,
    second,
    ...(chunkBytes === undefined ? {} : { chunkBytes }),
  });
  options.prepare?.(master);
  return new RecordingRun(master, options);
}
