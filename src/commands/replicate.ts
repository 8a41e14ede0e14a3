/**
 * `replicate` and `migrate`: joins the master, copies its snapshot and, for `replicate`, follows its journal until stopped. Free of argv and
 * terminal: it tells an observer, and is stopped by signals.
 */
import { availableParallelism } from "node:os";
import { type Endpoint, endpointAddress } from "../config/endpoint.ts";
import type { Config } from "../config/load-config.ts";
import { Df2RedisError, asDf2RedisError } from "../errors/df2redis-error.ts";
import type { Logger } from "../observability/logger.ts";
import { FlowCounters } from "../replication/flow-counters.ts";
import { ReplicationSession, type ResumePoint, type SessionResult } from "../replication/replication-session.ts";
import { flushTarget } from "../replication/target-flush.ts";
import { startInlineWorker, startThreadWorker } from "../replication/worker-link.ts";
import type { WorkerSettings } from "../replication/worker-settings.ts";
import type { MasterInfo } from "../source/master-info.ts";
import { SourceControl } from "../source/source-control.ts";
import { uniformPlan } from "../target/features.ts";
import type { TargetCapabilities } from "../target/capabilities.ts";
import { probeTarget } from "../target/probe.ts";
import { defaultWorkers } from "./default-workers.ts";
import type { RunMode, RunObserver, RunProgress, RunReport } from "./run-report.ts";
import { SessionEvents } from "./session-events.ts";

const PROGRESS_MS = 500;

export type RunReplicationOptions = {
  readonly config: Config;
  readonly mode: RunMode;
  readonly observer: RunObserver;
  /** Aborted: apply and acknowledge what has arrived, then end. */
  readonly stop: AbortSignal;
  /** Aborted: end at once. */
  readonly force: AbortSignal;
  readonly logger: Logger;
  /** Ask for a partial sync from here. */
  readonly resume?: ResumePoint | undefined;
};

/** @throws Df2RedisError whatever ended the run before its goal; `INTERRUPTED` when it was the operator */
export async function runReplication(options: RunReplicationOptions): Promise<RunReport> {
  return await new ReplicationRun(options).run();
}

class ReplicationRun {
  readonly #options: RunReplicationOptions;
  readonly #startedMs = performance.now();
  readonly #events: SessionEvents;
  /** Ends what is being connected, while there is no session to stop. */
  readonly #connecting = new AbortController();
  #session: ReplicationSession | undefined;
  #counters = new FlowCounters(0);

  constructor(options: RunReplicationOptions) {
    this.#options = options;
    this.#events = new SessionEvents(options.observer, options.logger);
  }

  async run(): Promise<RunReport> {
    const { stop, force } = this.#options;
    const onStop = (): void => this.#stop();
    const onForce = (): void => this.#force();
    stop.addEventListener("abort", onStop, { once: true });
    force.addEventListener("abort", onForce, { once: true });
    if (stop.aborted) this.#stop();
    if (force.aborted) this.#force();
    let control: SourceControl | undefined;
    try {
      this.#tellPhase("connecting", this.#addresses());
      const capabilities = await probeTarget({
        endpoint: this.#options.config.target,
        ...this.#timeouts(),
        signal: this.#connecting.signal,
      });
      this.#options.logger.debug(
        { target: capabilities.version, product: capabilities.product, databases: capabilities.databases },
        "target probed",
      );
      this.#warnOfKeys(capabilities);
      control = await this.#connectSource();
      return await this.#runSession(control, capabilities);
    } catch (thrown) {
      const error = asDf2RedisError(thrown);
      this.#tellPhase("failed", error.message);
      throw error;
    } finally {
      stop.removeEventListener("abort", onStop);
      force.removeEventListener("abort", onForce);
      control?.close();
    }
  }

  /** Nothing is emptied for the operator, so what stands there already may end up beside the source's keys. */
  #warnOfKeys({ keys }: TargetCapabilities): void {
    if (keys === 0 || this.#options.resume !== undefined) return;
    this.#options.observer.warning(
      "the target is not empty: keys of the source replace those of the same name, all others stay. A key that the source creates while it is being copied may mix with an old one of that name; start with an empty target for an exact copy",
      { keys },
    );
  }

  #stop(): void {
    if (this.#session === undefined) this.#connecting.abort(interrupted("stopped before the sync began"));
    else this.#session.stop();
  }

  #force(): void {
    const error = interrupted("stopped at once: what was in flight may or may not have been applied");
    this.#connecting.abort(error);
    this.#session?.fail(error);
  }

  async #connectSource(): Promise<SourceControl> {
    const { config } = this.#options;
    return await SourceControl.connect({
      endpoint: config.source,
      ...this.#timeouts(),
      replyTimeoutMs: config.advanced.handshakeTimeoutMs,
      signal: this.#connecting.signal,
      // The control connection may close on its own when the master ends the session; the flows say why.
      onClose: (error) => {
        if (error !== undefined) this.#session?.fail(error);
      },
    });
  }

  async #runSession(control: SourceControl, capabilities: TargetCapabilities): Promise<RunReport> {
    const { config, mode, resume } = this.#options;
    const flows = control.master.flowCount;
    const workers = Math.min(flows, config.advanced.workers ?? defaultWorkers(flows, availableParallelism()));
    this.#counters = new FlowCounters(flows);
    const settings = this.#workerSettings(capabilities, control.master);
    const session = new ReplicationSession({
      control,
      startWorker: (onEvent) =>
        workers === 1 ? startInlineWorker(settings, onEvent) : startThreadWorker(settings, onEvent),
      workers,
      counters: this.#counters,
      runFlush: async (db) => {
        this.#options.logger.warn(
          { db },
          db === -1
            ? "the source ran FLUSHALL: emptying the target"
            : "the source ran FLUSHDB: emptying that database of the target",
        );
        await flushTarget({ endpoint: config.target, ...this.#timeouts() }, db);
      },
      resume,
      snapshotOnly: mode === "migrate",
      observer: this.#events.observer(flows),
    });
    this.#session = session;
    const timer = setInterval(() => {
      session.tick();
      this.#options.observer.progress(this.#progress(session));
    }, PROGRESS_MS);
    try {
      const result = await session.run();
      this.#options.observer.progress(this.#progress(session));
      this.#checkComplete();
      return this.#report({ control, capabilities, workers, result });
    } finally {
      clearInterval(timer);
    }
  }

  /** A run that was stopped inside its snapshot has copied a part only. */
  #checkComplete(): void {
    if (this.#counters.appliedLsns().every((lsn) => lsn !== undefined)) return;
    throw interrupted("stopped before the snapshot was complete: the target holds a part of the data only");
  }

  #tellPhase(phase: Parameters<RunObserver["phase"]>[0], detail: string): void {
    this.#options.observer.phase(phase, detail);
  }

  #addresses(): string {
    const { source, target } = this.#options.config;
    return `source ${endpointAddress(source)}, target ${endpointAddress(target)}`;
  }

  #timeouts(): { readonly connectTimeoutMs: number; readonly replyTimeoutMs: number } {
    const { connectTimeoutMs, replyTimeoutMs } = this.#options.config.advanced;
    return { connectTimeoutMs, replyTimeoutMs };
  }

  #workerSettings(capabilities: TargetCapabilities, master: MasterInfo): WorkerSettings {
    const { config, mode } = this.#options;
    const { limits, restoreLimitBytes, batchBytes, windowBytes } = config.advanced;
    return {
      source: config.source,
      target: config.target,
      capabilities,
      limits,
      bodyLimitBytes: restoreLimitBytes,
      batchBytes,
      windowBytes,
      ...this.#timeouts(),
      snapshotOnly: mode === "migrate",
      plan: uniformPlan("drop"),
      writeMode: config.writeMode,
      // Releases before 1.11 all do; those from 1.11 to 1.13 do, too, but cannot be told from later ones (Dragonfly src/server/transaction.cc).
      sourceJournalsFailures: master.protocolVersion === 0,
      flows: master.flowCount,
      counters: this.#counters.buffer,
    };
  }

  #progress(session: ReplicationSession): RunProgress {
    const counters = this.#counters;
    return {
      phase: session.state,
      elapsedMs: performance.now() - this.#startedMs,
      flows: counters.flows,
      flowsCut: session.flowsCut,
      keys: counters.sum("keys"),
      journalEntries: counters.sum("journalEntries"),
      receivedBytes: counters.sum("receivedBytes"),
      commands: counters.sum("commands"),
      lagEntries: counters.lag(),
      losses: counters.sum("losses"),
      rejected: counters.sum("rejected"),
    };
  }

  #report(parts: {
    readonly control: SourceControl;
    readonly capabilities: TargetCapabilities;
    readonly workers: number;
    readonly result: SessionResult;
  }): RunReport {
    const { config, mode } = this.#options;
    const { control, capabilities, workers, result } = parts;
    const counters = this.#counters;
    return {
      mode,
      outcome: mode === "migrate" ? "done" : "interrupted",
      elapsedMs: performance.now() - this.#startedMs,
      source: { ...sourceOf(config.source, control), version: result.dragonflyVersion ?? "unknown" },
      target: { address: endpointAddress(config.target), product: capabilities.product, version: capabilities.version },
      workers,
      snapshotMs: this.#events.snapshotMs,
      keysByType: result.keysByType,
      journalEntries: counters.sum("journalEntries"),
      receivedBytes: counters.sum("receivedBytes"),
      commands: counters.sum("commands"),
      appliedLsns: counters.appliedLsns(),
      losses: result.losses,
      rejectedCount: counters.sum("rejected"),
      rejected: this.#events.rejected,
    };
  }
}

function sourceOf(
  endpoint: Endpoint,
  control: SourceControl,
): { readonly address: string; readonly masterId: string; readonly flows: number } {
  return { address: endpointAddress(endpoint), masterId: control.master.masterId, flows: control.master.flowCount };
}

function interrupted(message: string): Df2RedisError {
  return new Df2RedisError("INTERRUPTED", message);
}
