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
import { DeadLetterFile } from "../replication/dead-letter-file.ts";
import { startInlineWorker, startThreadWorker } from "../replication/worker-link.ts";
import type { WorkerSettings } from "../replication/worker-settings.ts";
import type { MasterInfo } from "../source/master-info.ts";
import { SourceControl } from "../source/source-control.ts";
import type { KeyPlace } from "../target/key-places.ts";
import { bodyLimitBytesFor } from "../target/translate/write-mode.ts";
import { AfterCopy } from "./after-copy.ts";
import { BackgroundStep } from "./background-step.ts";
import { defaultWorkers } from "./default-workers.ts";
import { keptMembers, loadMemberDeadlines } from "./kept-members.ts";
import type { RunMode, RunObserver, RunProgress, RunReport, SweepReport } from "./run-report.ts";
import { SessionEvents } from "./session-events.ts";
import { runSourceFlush } from "./source-flush.ts";
import { type PreparedTarget, prepareTarget } from "./target-preparation.ts";

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
  /** Ends what is done beside the flows. */
  readonly #copying = new AbortController();
  /** Ends what has to be done after the flows. */
  readonly #finishing = new AbortController();
  readonly #deadLetters: DeadLetterFile;
  #session: ReplicationSession | undefined;
  #counters = new FlowCounters(0);
  /** A flush of the source that is being run on the target, or was the last one. */
  #flushing: Promise<unknown> = Promise.resolve();

  constructor(options: RunReplicationOptions) {
    this.#options = options;
    this.#events = new SessionEvents(options.observer, options.logger);
    this.#deadLetters = new DeadLetterFile({ directory: options.config.taskDir, clock: Date.now });
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
      const target = await prepareTarget({ ...this.#common(), isResume: this.#options.resume !== undefined });
      control = await this.#connectSource();
      return await this.#runSession(control, target);
    } catch (thrown) {
      const error = asDf2RedisError(thrown);
      this.#tellPhase("failed", error.message);
      throw error;
    } finally {
      stop.removeEventListener("abort", onStop);
      force.removeEventListener("abort", onForce);
      control?.close();
      await this.#deadLetters.close();
    }
  }

  #stop(): void {
    this.#copying.abort(interrupted("stopped while the target was being swept"));
    if (this.#session === undefined) this.#connecting.abort(interrupted("stopped before the sync began"));
    else this.#session.stop();
  }

  #force(): void {
    const error = interrupted("stopped at once: what was in flight may or may not have been applied");
    this.#copying.abort(error);
    this.#finishing.abort(error);
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

  async #runSession(control: SourceControl, target: PreparedTarget): Promise<RunReport> {
    const { config, mode, resume } = this.#options;
    const flows = control.master.flowCount;
    const workers = Math.min(flows, config.advanced.workers ?? defaultWorkers(flows, availableParallelism()));
    this.#counters = new FlowCounters(flows);
    const memberDeadlines = resume === undefined ? [] : await loadMemberDeadlines(config.taskDir);
    const settings = { ...this.#workerSettings(target, control.master), memberDeadlines };
    const session = new ReplicationSession({
      control,
      startWorker: (onEvent) =>
        workers === 1 ? startInlineWorker(settings, onEvent) : startThreadWorker(settings, onEvent),
      workers,
      counters: this.#counters,
      runFlush: async (db) => await this.#flush(target, db),
      resume,
      snapshotOnly: mode === "migrate",
      storeRejected: (entry, bytes) => this.#deadLetters.append(entry, bytes),
      observer: this.#events.observer(flows),
    });
    this.#session = session;
    const afterCopy = new AfterCopy({
      ...this.#common(),
      signal: this.#copying.signal,
      force: this.#finishing.signal,
      target,
      counters: this.#counters,
      beginArming: () => session.beginArming(),
    });
    const background = new BackgroundStep((error) => session.fail(error));
    const timer = setInterval(() => {
      session.tick();
      if (session.state === "stable" && afterCopy.isDue) background.startOnce(() => afterCopy.run());
      this.#options.observer.progress(this.#progress(session));
    }, PROGRESS_MS);
    try {
      const result = await session.run();
      await background.ended();
      await this.#flushing;
      this.#options.observer.progress(this.#progress(session));
      this.#checkComplete();
      // Before the sweep, which an operator may stop.
      await afterCopy.finish();
      if (mode === "migrate") await afterCopy.sweepOnce();
      afterCopy.tellUnswept();
      return await this.#report({ control, target, workers, result, sweep: afterCopy.sweep });
    } catch (thrown) {
      if (this.#events.hasCopyBegun) afterCopy.tellHeld();
      throw thrown;
    } finally {
      clearInterval(timer);
      // Whoever hears that the run is over may begin another one: nothing of this one deletes keys any more.
      const isOver = interrupted("the run has ended");
      this.#copying.abort(isOver);
      this.#finishing.abort(isOver);
      await background.settled();
      await this.#flushing;
    }
  }

  async #flush(target: PreparedTarget, db: number): Promise<readonly KeyPlace[] | undefined> {
    this.#options.logger.warn(
      { db },
      db === -1
        ? "the source ran FLUSHALL: emptying the target"
        : "the source ran FLUSHDB: emptying that database of the target",
    );
    const flush = runSourceFlush({ ...this.#common(), signal: this.#finishing.signal, target }, db);
    this.#flushing = flush.catch(() => {});
    return await flush;
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

  /** What each part of the run is given. */
  #common() {
    const { config, observer, logger } = this.#options;
    return { config, observer, logger, signal: this.#connecting.signal, ...this.#timeouts() };
  }

  #timeouts(): { readonly connectTimeoutMs: number; readonly replyTimeoutMs: number } {
    const { connectTimeoutMs, replyTimeoutMs } = this.#options.config.advanced;
    return { connectTimeoutMs, replyTimeoutMs };
  }

  #workerSettings(
    { capabilities, plan, owned }: PreparedTarget,
    master: MasterInfo,
  ): Omit<WorkerSettings, "memberDeadlines"> {
    const { config, mode } = this.#options;
    const { policy, memoryBytes } = config.conflict;
    const { limits, restoreLimitBytes, batchBytes, windowBytes } = config.advanced;
    return {
      source: config.source,
      target: config.target,
      capabilities,
      limits,
      bodyLimitBytes: bodyLimitBytesFor(config.writeMode, restoreLimitBytes, capabilities),
      batchBytes,
      windowBytes,
      ...this.#timeouts(),
      snapshotOnly: mode === "migrate",
      plan,
      writeMode: config.writeMode,
      expiry: config.expiry,
      databases: config.databases,
      conflict: owned === undefined || policy === undefined ? undefined : { policy, owned: owned.share() },
      guardLimitBytes: memoryBytes,
      errors: config.errors,
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

  async #report(parts: {
    readonly control: SourceControl;
    readonly target: PreparedTarget;
    readonly workers: number;
    readonly result: SessionResult;
    readonly sweep: SweepReport | undefined;
  }): Promise<RunReport> {
    const { config, mode } = this.#options;
    const { control, target, workers, result, sweep } = parts;
    const { product, version } = target.capabilities;
    const counters = this.#counters;
    return {
      mode,
      outcome: mode === "migrate" ? "done" : "interrupted",
      elapsedMs: performance.now() - this.#startedMs,
      source: { ...sourceOf(config.source, control), version: result.dragonflyVersion ?? "unknown" },
      target: { address: endpointAddress(config.target), product, version },
      workers,
      plan: target.plan,
      conflictPolicy: target.owned === undefined ? undefined : config.conflict.policy,
      sweep,
      keptMembers: await keptMembers(config.taskDir, result.memberDeadlines),
      deadLetterFile: this.#deadLetters.count === 0 ? undefined : this.#deadLetters.path,
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
