/**
 * A worker: one ordered connection to the target and the pipelines of its flows. Runs in a worker thread, or inline in the main thread
 * when there is only one; it does not know which. Gets `WorkerCommand`s, tells `WorkerEvent`s. Decides nothing about the session.
 */
import { Df2RedisError, asDf2RedisError } from "../errors/df2redis-error.ts";
import type { JournalCommand } from "../journal/journal-command.ts";
import { keyText } from "../observability/key-text.ts";
import { openFlow } from "../source/flow-connection.ts";
import { DocumentReader } from "../target/document-reader.ts";
import type { LossRecorder } from "../target/losses.ts";
import { type TargetRejection, TargetWriter } from "../target/target-writer.ts";
import { classifyTargetError } from "../target/translate/journal-error-class.ts";
import { FlowCounters } from "./flow-counters.ts";
import { FlowPipeline } from "./flow-pipeline.ts";
import { LossCounter } from "./loss-counter.ts";
import type { FlowRequest, WorkerCommand, WorkerEvent } from "./worker-messages.ts";
import type { WorkerSettings } from "./worker-settings.ts";

const TICK_MS = 1000;
/** Rejected entries that are told one by one; the rest is counted. */
const TOLD_REJECTIONS = 100;

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
  #rejections = 0;

  constructor(settings: WorkerSettings, tell: (event: WorkerEvent) => void) {
    this.#settings = settings;
    this.#tell = tell;
    this.#counters = new FlowCounters(settings.flows, settings.counters);
    const { target: endpoint, connectTimeoutMs, replyTimeoutMs } = settings;
    const { signal } = this.#abort;
    this.#documents = new DocumentReader({ endpoint, connectTimeoutMs, replyTimeoutMs, signal });
    this.#losses = new LossCounter((kind, { db, key }) => tell({ type: "loss", kind, db, key }));
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
        onError: (rejection) => this.#onRejection(rejection),
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
        for (const pipeline of this.#pipelines) pipeline.releaseFlush(command.db);
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
      if (!this.#isEnded) this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
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
      losses: flow === 0 ? this.#losses : withoutIndexDefinitions(this.#losses),
      readDocument: (db, key) => this.#documents.read(db, key),
      unrunnable: (entry, why) => this.#onUnrunnable(flow, entry, why),
      countKey: (typeName) => {
        if (typeName === "string") this.#strings++;
        else this.#keysByType[typeName] = (this.#keysByType[typeName] ?? 0) + 1;
      },
      onDragonflyVersion: (version) => this.#tell({ type: "dragonflyVersion", version }),
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
    for (const pipeline of this.#pipelines) pipeline.tick();
    this.#publish();
  }

  #publish(): void {
    const first = this.#pipelines[0]?.flow;
    if (first === undefined) return;
    this.#counters.set(first, "commands", this.#writer?.commandsDone ?? 0);
    this.#counters.set(first, "losses", this.#losses.total);
    this.#counters.set(first, "rejected", this.#rejections);
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
    this.#tell({ type: "drained", report: { losses: this.#losses.reports(), keysByType: this.#countedKeys() } });
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

  #countedKeys(): Record<string, number> {
    return this.#strings === 0 ? this.#keysByType : { string: this.#strings, ...this.#keysByType };
  }

  #onRejection({ command, message }: TargetRejection): void {
    const { flow, db, lsn } = command;
    const key = command.key === undefined ? "" : keyText(command.key);
    // Neither a snapshot's objects have an LSN nor the entries between them, so of those only the kind of command tells.
    const sourceJournalsFailures = this.#settings.sourceJournalsFailures && lsn >= 0;
    if (classifyTargetError(command, message, { sourceJournalsFailures }) === "unrunnable") {
      this.#reject({ flow, lsn, db, command: command.name, key, error: withoutArguments(message) });
      return;
    }
    const at = lsn < 0 ? "while the snapshot was written" : `at LSN ${lsn}`;
    const words = withoutArguments(message);
    this.#fail(
      new Df2RedisError(
        "TARGET_REJECTED",
        `the target refused ${command.name} of key "${key}" in database ${db} (flow ${flow}, ${at}): ${words}`,
        { context: { flow, db, command: command.name, key, words, ...(lsn < 0 ? {} : { lsn }) } },
      ),
    );
  }

  #onUnrunnable(flow: number, entry: JournalCommand, why: string): void {
    const command = entry.arg(0).toLatin1().toUpperCase();
    this.#reject({ flow, lsn: entry.lsn, db: entry.db, command, key: keyText(entry.arg(1).view()), error: why });
  }

  #reject(entry: Extract<WorkerEvent, { type: "rejected" }>["entry"]): void {
    this.#rejections++;
    if (this.#rejections <= TOLD_REJECTIONS) this.#tell({ type: "rejected", entry });
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

/** A server that does not know a command repeats its arguments, which may be values (Redis src/server.c processCommand). */
function withoutArguments(words: string): string {
  return words.replace(/, with args beginning with:.*$/s, "");
}

/** From 1.37 on every flow carries the search index definitions (docs/protocol.md §1): they are counted on the first one only. */
function withoutIndexDefinitions(losses: LossRecorder): LossRecorder {
  return {
    record: (kind, db, key) => {
      if (kind !== "search" || db !== -1) losses.record(kind, db, key);
    },
  };
}
