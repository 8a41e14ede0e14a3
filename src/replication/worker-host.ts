/**
 * A worker: one ordered connection to the target and the pipelines of its flows. Runs in a worker thread, or inline in the main thread
 * when there is only one; it does not know which. Gets `WorkerCommand`s, tells `WorkerEvent`s. Decides nothing about the session.
 */
import { type Df2RedisError, asDf2RedisError } from "../errors/df2redis-error.ts";
import { openFlow } from "../source/flow-connection.ts";
import { DocumentReader } from "../target/document-reader.ts";
import type { RetryOptions } from "../target/retry-options.ts";
import { TargetWriter } from "../target/target-writer.ts";
import { isRetryableError } from "../target/translate/journal-error-class.ts";
import { FlowCounters } from "./flow-counters.ts";
import { FlowPolicies } from "./flow-policies.ts";
import { FlowPipeline } from "./flow-pipeline.ts";
import { LossCounter } from "./loss-counter.ts";
import { Rejections } from "./rejections.ts";
import type { FlowRequest, WorkerCommand, WorkerEvent, WorkerReport } from "./worker-messages.ts";
import type { WorkerSettings } from "./worker-settings.ts";

const TICK_MS = 1000;
/** Deadlines of members kept by all flows together, at about 150 bytes each. */
const KEPT_MEMBERS = 2_000_000;

export class WorkerHost {
  readonly #settings: WorkerSettings;
  readonly #tell: (event: WorkerEvent) => void;
  readonly #counters: FlowCounters;
  readonly #losses: LossCounter;
  readonly #keysByType: Record<string, number> = {};
  /** Strings are most of the keys: a field of their own is twice as fast as a lookup by name. */
  #strings = 0;
  readonly #abort = new AbortController();
  readonly #documents: DocumentReader;
  #writer: TargetWriter | undefined;
  #pipelines: FlowPipeline[] = [];
  #timer: NodeJS.Timeout | undefined;
  #flushScheduled = false;
  #isOpening = false;
  #isDraining = false;
  /** Nothing is told any more: drained, or failed. */
  #isEnded = false;
  readonly #rejections: Rejections;
  readonly #policies: FlowPolicies;
  /** As the first flow that knows tells it. */
  #sourceVersion: string | undefined;

  constructor(settings: WorkerSettings, tell: (event: WorkerEvent) => void) {
    this.#settings = settings;
    this.#tell = tell;
    this.#counters = new FlowCounters(settings.flows, settings.counters);
    const { target: endpoint, connectTimeoutMs, replyTimeoutMs } = settings;
    const { signal } = this.#abort;
    const retryMs = 1000 * (settings.errors?.retrySeconds ?? 0);
    this.#documents = new DocumentReader({ endpoint, connectTimeoutMs, replyTimeoutMs, signal, retryMs });
    this.#losses = new LossCounter((kind, { db, key }) => tell({ type: "loss", kind, db, key }));
    this.#policies = new FlowPolicies(settings);
    this.#rejections = new Rejections({
      errors: settings.errors,
      sourceJournalsFailures: settings.sourceJournalsFailures,
      tell,
      writer: () => this.#writer,
      fail: (error) => this.#fail(error),
    });
  }

  /** Connects to the target. */
  async start(): Promise<void> {
    const { target, batchBytes, windowBytes, connectTimeoutMs, replyTimeoutMs, capabilities } = this.#settings;
    try {
      this.#writer = await TargetWriter.connect({
        endpoint: target,
        limits: { batchBytes, windowBytes },
        connectTimeoutMs,
        replyTimeoutMs,
        signal: this.#abort.signal,
        retry: this.#retry(),
        describeArgs: this.#settings.errors?.values,
        onError: (rejection) => this.#rejections.onRejection(rejection),
        onFailure: (error) => this.#fail(error),
        onDrain: () => this.#pumpAll(),
      });
      this.#writer.encoder.databases = capabilities.databases;
      this.#tell({ type: "ready" });
    } catch (thrown) {
      this.#fail(asDf2RedisError(thrown));
    }
  }

  handle(command: WorkerCommand): void {
    switch (command.type) {
      case "openFlows":
        void this.#openFlows(command);
        break;
      case "stableStarted":
        for (const pipeline of this.#pipelines) pipeline.onStableStarted();
        break;
      case "releaseFlush":
        for (const pipeline of this.#pipelines) pipeline.releaseFlush(command.db, command.places);
        break;
      case "rejectedStored":
        this.#rejections.stored();
        break;
      case "beginArming":
        for (const pipeline of this.#pipelines) pipeline.beginArming();
        break;
      case "drain":
        this.#drain();
        break;
      case "close":
        this.#close();
        break;
      case "abort":
        this.#end();
        break;
    }
  }

  async #openFlows(command: Extract<WorkerCommand, { type: "openFlows" }>): Promise<void> {
    this.#isOpening = true;
    try {
      await Promise.all(command.flows.map((request) => this.#openFlow(command.masterId, command.syncId, request)));
      // The session may have ended in this very turn.
      // Behind the sockets' turn: after a pause of the whole process a deadline must not overtake its renewal, which has come meanwhile.
      if (!this.#isEnded) this.#timer ??= setInterval(() => setImmediate(() => this.#tick()), TICK_MS);
    } catch (thrown) {
      this.#fail(asDf2RedisError(thrown));
    } finally {
      this.#isOpening = false;
    }
  }

  async #openFlow(masterId: string, syncId: string, request: FlowRequest): Promise<void> {
    const {
      source,
      connectTimeoutMs,
      replyTimeoutMs,
      limits,
      bodyLimitBytes,
      capabilities,
      snapshotOnly,
      plan,
      writeMode,
    } = this.#settings;
    const { flow, lsn } = request;
    const { signal } = this.#abort;
    const connection = await openFlow({
      endpoint: source,
      masterId,
      syncId,
      flow,
      lsn,
      connectTimeoutMs,
      replyTimeoutMs,
      signal,
    });
    const writer = this.#writer;
    if (this.#isEnded || writer === undefined) {
      connection.destroy();
      return;
    }
    const pipeline = new FlowPipeline({
      connection,
      startLsn: lsn,
      writer,
      capabilities,
      limits,
      bodyLimitBytes,
      snapshotOnly,
      plan,
      writeMode,
      counters: this.#counters,
      losses: this.#losses,
      mapper: this.#policies.mapper(),
      gate: this.#policies.gate({
        encoder: writer.encoder,
        losses: this.#losses,
        underivable: (entry, why) => this.#rejections.onUnderivable(flow, entry, why),
      }),
      expiry: this.#settings.expiry,
      memberLimit: Math.ceil(KEPT_MEMBERS / this.#settings.flows),
      sourceVersion: () => this.#sourceVersion,
      readDocument: (db, key) => this.#documents.read(db, key),
      unrunnable: (entry, why) => this.#rejections.onUnrunnable(flow, entry, why),
      countKey: (typeName) => {
        if (typeName === "string") this.#strings++;
        else this.#keysByType[typeName] = (this.#keysByType[typeName] ?? 0) + 1;
      },
      onDragonflyVersion: (version) => {
        this.#sourceVersion = version;
        this.#tell({ type: "dragonflyVersion", version });
      },
      clock: Date.now,
      events: {
        cut: () => this.#tell({ type: "flowCut", flow }),
        snapshotApplied: () => this.#tell({ type: "snapshotApplied", flow }),
        flushReached: (flush) => this.#tell({ type: "flushReached", request: { flow, ...flush } }),
        encoded: () => this.#scheduleFlush(),
        resumed: () => this.#pumpAll(),
        failed: (error) => this.#fail(error),
      },
    });
    if (connection.kind === "partial") pipeline.keepMembers(this.#settings.memberDeadlines);
    this.#pipelines.push(pipeline);
    this.#tell({ type: "flowOpened", flow, kind: connection.kind });
    pipeline.attach();
  }

  /** One write for all that this turn of the event loop encoded, whichever flow it came from. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#writer?.flush(true);
      this.#publish();
    });
  }

  #pumpAll(): void {
    for (const pipeline of this.#pipelines) pipeline.pump();
    if (this.#isDraining) this.#continueDrain();
  }

  #tick(): void {
    if (this.#isEnded) return;
    for (const pipeline of this.#pipelines) pipeline.tick();
    this.#publish();
  }

  #publish(): void {
    const first = this.#pipelines[0]?.flow;
    if (first === undefined) return;
    this.#counters.set(first, "commands", this.#writer?.commandsDone ?? 0);
    this.#counters.set(first, "losses", this.#losses.lost);
    this.#counters.set(first, "rejected", this.#rejections.count);
  }

  #drain(): void {
    if (this.#isDraining || this.#isEnded) return;
    this.#isDraining = true;
    for (const pipeline of this.#pipelines) pipeline.beginDrain();
    this.#continueDrain();
  }

  /** Decodes what is left; again when the writer has room, until nothing is. */
  #continueDrain(): void {
    const done = this.#pipelines.map((pipeline) => pipeline.pump());
    if (done.includes(false) || this.#isEnded) return;
    this.#isDraining = false;
    for (const pipeline of this.#pipelines) pipeline.endDrain();
    const writer = this.#writer;
    if (writer === undefined) {
      this.#drained();
      return;
    }
    writer.afterApplied(() => this.#drained());
    writer.flush(true);
  }

  #drained(): void {
    this.#publish();
    this.#tell({ type: "drained", report: this.#report() });
    this.#isEnded = true;
    clearInterval(this.#timer);
    this.#documents.close();
    void this.#writer?.close().catch(() => undefined);
  }

  /** After `drained`: behind the last acknowledgements, which `#end` might cut off. */
  #close(): void {
    if (!this.#isEnded || this.#isOpening) return this.#end();
    for (const pipeline of this.#pipelines) pipeline.close();
  }

  #report(): WorkerReport {
    const memberDeadlines = this.#pipelines.flatMap(({ flow, memberDeadlines: held }) =>
      [...held].map((deadline) => ({ ...deadline, flow })),
    );
    return { losses: this.#losses.reports(), keysByType: this.#countedKeys(), memberDeadlines };
  }

  #countedKeys(): Record<string, number> {
    return this.#strings === 0 ? this.#keysByType : { string: this.#strings, ...this.#keysByType };
  }

  #retry(): RetryOptions | undefined {
    const { errors } = this.#settings;
    if (errors === undefined) return undefined;
    return {
      isRetryable: isRetryableError,
      retryMs: 1000 * errors.retrySeconds,
      onWaiting: (wait) => this.#tell({ type: "targetWaiting", ...wait }),
      onResumed: (wait) => this.#tell({ type: "targetResumed", ...wait }),
    };
  }

  #fail(error: Df2RedisError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearInterval(this.#timer);
    for (const pipeline of this.#pipelines) pipeline.halt();
    this.#documents.close();
    this.#writer?.destroy();
    this.#tell({ type: "failed", error: error.toPlain() });
  }

  #end(): void {
    this.#isEnded = true;
    clearInterval(this.#timer);
    this.#abort.abort();
    for (const pipeline of this.#pipelines) pipeline.destroy();
    this.#documents.close();
    this.#writer?.destroy();
  }
}
