/**
 * One session with a master, from the opened control connection to the end: opens the flows in the workers, starts the sync, sends STARTSTABLE once
 * every flow delivered its cut (I1), runs flushes once all flows wait for them (I6), and ends by draining, or by failing as a whole.
 *
 * Lives in the main thread and holds no data: workers apply the flows, the session only decides. Never reconnects.
 */
import { Df2RedisError, asDf2RedisError } from "../errors/df2redis-error.ts";
import type { KeyPlace } from "../target/key-places.ts";
import type { LossKind, LossReport } from "../target/losses.ts";
import type { FlowCounters } from "./flow-counters.ts";
import { FlushBarrier } from "./flush-barrier.ts";
import { mergeLosses } from "./loss-counter.ts";
import { type FlowMemberDeadline, withBuffers } from "./member-deadlines-file.ts";
import type { RejectedBytes, RejectedEntry } from "./rejected-entry.ts";
import { type SessionEvent, type SessionState, nextSessionState } from "./session-state.ts";
import type { WorkerLink } from "./worker-link.ts";
import type { FlowRequest, FlushRequest, WorkerEvent, WorkerReport } from "./worker-messages.ts";

/** The part of the control connection that the session uses. */
export type SessionControl = {
  readonly master: { readonly masterId: string; readonly syncId: string; readonly flowCount: number };
  sync(): Promise<void>;
  startStable(): Promise<void>;
};

export type SessionObserver = {
  state(state: SessionState): void;
  loss(kind: LossKind, db: number, key: string): void;
  rejected(entry: RejectedEntry): void;
  /** The target takes no writes for now; `undefined`: it does again. */
  waiting(wait: TargetWait | undefined): void;
};

/** Writes that the target cannot take now are tried again (docs/refused-writes.md). */
export type TargetWait = {
  /** The target's. */
  readonly words: string;
  readonly commands: number;
  readonly sinceMs: number;
};

/** Where a partial sync starts, per flow. */
export type ResumePoint = { readonly masterId: string; readonly lsns: readonly number[] };

export type SessionOptions = {
  readonly control: SessionControl;
  readonly startWorker: (onEvent: (event: WorkerEvent) => void) => WorkerLink;
  readonly workers: number;
  readonly counters: FlowCounters;
  /** Empties what belongs to a database of the source, or all for -1. @returns as in the message `releaseFlush` */
  readonly runFlush: (db: number) => Promise<readonly KeyPlace[] | undefined>;
  readonly resume: ResumePoint | undefined;
  /** End once the snapshot is applied. */
  readonly snapshotOnly: boolean;
  /** Resolves once the entry is on disk. */
  readonly storeRejected: (entry: RejectedEntry, bytes: RejectedBytes) => Promise<void>;
  readonly observer: SessionObserver;
};

export type SessionResult = {
  readonly losses: readonly LossReport[];
  readonly keysByType: Readonly<Record<string, number>>;
  readonly memberDeadlines: readonly FlowMemberDeadline[];
  /** As the snapshot says it. */
  readonly dragonflyVersion: string | undefined;
};

export class ReplicationSession {
  readonly #options: SessionOptions;
  readonly #flows: number;
  readonly #barrier: FlushBarrier;
  readonly #workers: WorkerLink[] = [];
  readonly #opened = new Map<number, "full" | "partial">();
  readonly #cut = new Set<number>();
  readonly #applied = new Set<number>();
  readonly #reports: WorkerReport[] = [];
  readonly #waiting = new Map<number, TargetWait>();
  #state: SessionState = "connecting";
  #ready = 0;
  #dragonflyVersion: string | undefined;
  /** What the target has to reach to have caught up. */
  #catchUpGoal: readonly number[] | undefined;
  readonly #ended = Promise.withResolvers<SessionResult>();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#flows = options.control.master.flowCount;
    this.#barrier = new FlushBarrier(this.#flows);
  }

  get state(): SessionState {
    return this.#state;
  }

  get flowsCut(): number {
    return this.#cut.size;
  }

  /** Runs the session to its end. Rejects with the first error of any part; all is closed then. */
  async run(): Promise<SessionResult> {
    try {
      for (let i = 0; i < this.#options.workers; i++) {
        this.#workers.push(this.#options.startWorker((event) => this.#guard(() => this.#onEvent(i, event))));
      }
      return await this.#ended.promise;
    } finally {
      await Promise.all(this.#workers.map((worker) => worker.close()));
    }
  }

  /** The scan that arms held deadlines begins. */
  beginArming(): void {
    this.#sendAll({ type: "beginArming" });
  }

  /** Stops reading, applies and acknowledges all that has arrived, and ends. */
  stop(): void {
    if (this.#isEnding) return;
    this.#advance("stop");
    if (this.#ready < this.#options.workers) this.#finish();
    else this.#sendAll({ type: "drain" });
  }

  /** Ends at once with an error: of the control connection, or the operator's second signal. */
  fail(error: Df2RedisError): void {
    if (this.#state === "stopped" || this.#state === "failed") return;
    this.#advance("fail");
    this.#sendAll({ type: "abort" });
    this.#ended.reject(error);
  }

  /**
   * From time to time: notices that the target has caught up. That is so once all that had been received at an earlier tick is applied: under
   * steady load the lag may never be seen at 0.
   */
  tick(): void {
    const { counters } = this.#options;
    if (this.#state !== "catching_up" || counters.lag() === undefined) return;
    const goal = (this.#catchUpGoal ??= counters.receivedLsns());
    if (goal.every((lsn, flow) => counters.get(flow, "appliedLsn") >= lsn)) this.#advance("caughtUp");
  }

  get #isEnding(): boolean {
    return this.#state === "stopping" || this.#state === "stopped" || this.#state === "failed";
  }

  #onEvent(worker: number, event: WorkerEvent): void {
    if (event.type === "failed") return this.fail(Df2RedisError.fromPlain(event.error));
    if (event.type === "drained") return this.#onDrained(event.report);
    if (event.type === "loss") return this.#options.observer.loss(event.kind, event.db, event.key);
    if (event.type === "rejected") return this.#onRejected(worker, event.entry, event.bytes);
    if (event.type === "targetWaiting") return this.#onWaiting(worker, event);
    if (event.type === "targetResumed") return this.#onWaiting(worker, undefined);
    if (event.type === "dragonflyVersion") this.#dragonflyVersion = event.version;
    else if (event.type === "snapshotApplied") this.#onSnapshotApplied(event.flow);
    else if (!this.#isEnding) this.#onProgress(worker, event);
  }

  #onRejected(worker: number, entry: RejectedEntry, bytes: RejectedBytes | undefined): void {
    this.#options.observer.rejected(entry);
    if (bytes === undefined) return;
    const stored = async (): Promise<void> => {
      await this.#options.storeRejected(entry, bytes);
      this.#workers[worker]?.send({ type: "rejectedStored" });
    };
    this.#background(stored());
  }

  /** Each worker waits on its own: the run does as long as one of them. */
  #onWaiting(worker: number, wait: TargetWait | undefined): void {
    if (wait === undefined) this.#waiting.delete(worker);
    else this.#waiting.set(worker, wait);
    this.#options.observer.waiting(this.#waiting.values().next().value);
  }

  #onProgress(worker: number, event: WorkerEvent): void {
    switch (event.type) {
      case "ready":
        this.#onReady(worker);
        break;
      case "flowOpened":
        this.#opened.set(event.flow, event.kind);
        if (this.#opened.size === this.#flows) this.#background(this.#startSync());
        break;
      case "flowCut":
        this.#cut.add(event.flow);
        if (this.#cut.size === this.#flows) this.#background(this.#startStable());
        break;
      case "flushReached":
        this.#onFlushReached(event.request);
        break;
      default:
    }
  }

  #onReady(worker: number): void {
    this.#ready++;
    if (this.#ready === this.#options.workers) this.#advance("connected");
    const { masterId, syncId } = this.#options.control.master;
    this.#workers[worker]?.send({ type: "openFlows", masterId, syncId, flows: this.#flowsOf(worker) });
  }

  /** Flow i goes to worker i mod n. */
  #flowsOf(worker: number): FlowRequest[] {
    const { resume, workers, control } = this.#options;
    const lsns = resume?.masterId === control.master.masterId ? resume.lsns : [];
    const requests: FlowRequest[] = [];
    for (let flow = worker; flow < this.#flows; flow += workers) requests.push({ flow, lsn: lsns[flow] });
    return requests;
  }

  async #startSync(): Promise<void> {
    const kinds = new Set(this.#opened.values());
    if (kinds.size > 1) {
      throw new Df2RedisError(
        "RESUME_IMPOSSIBLE",
        "the source still holds the journal of some flows from the wanted LSN on, but not of all: a full sync is needed",
      );
    }
    if (kinds.has("full")) {
      await this.#options.control.sync();
      if (!this.#isEnding) this.#advance("fullSyncStarted");
      return;
    }
    await this.#options.control.startStable();
    if (this.#isEnding) return;
    this.#advance("partialSyncStarted");
    this.#sendAll({ type: "stableStarted" });
  }

  async #startStable(): Promise<void> {
    await this.#options.control.startStable();
    if (!this.#isEnding) this.#advance("stableStarted");
  }

  #onSnapshotApplied(flow: number): void {
    this.#applied.add(flow);
    if (this.#options.snapshotOnly && this.#applied.size === this.#flows) this.stop();
  }

  #onFlushReached(request: FlushRequest): void {
    const flush = this.#barrier.reach(request);
    if (flush !== undefined) this.#background(this.#flush(flush));
  }

  async #flush(flush: FlushRequest): Promise<void> {
    const places = await this.#options.runFlush(flush.db);
    // Who drains ends before the flush, with nothing behind it applied.
    if (this.#isEnding) return;
    this.#barrier.reset();
    this.#sendAll({ type: "releaseFlush", db: flush.db, places });
  }

  #onDrained(report: WorkerReport): void {
    this.#reports.push(report);
    if (this.#reports.length === this.#options.workers && this.#state === "stopping") this.#finish();
  }

  #finish(): void {
    this.#advance("drained");
    this.#ended.resolve({
      losses: mergeLosses(this.#reports.map((report) => report.losses)),
      memberDeadlines: this.#reports.flatMap((report) => report.memberDeadlines).map(withBuffers),
      keysByType: mergeCounts(this.#reports.map((report) => report.keysByType)),
      dragonflyVersion: this.#dragonflyVersion,
    });
  }

  #sendAll(command: Parameters<WorkerLink["send"]>[0]): void {
    for (const worker of this.#workers) worker.send(command);
  }

  #advance(event: SessionEvent): void {
    const before = this.#state;
    this.#state = nextSessionState(before, event);
    if (this.#state !== before) this.#options.observer.state(this.#state);
  }

  #background(step: Promise<void>): void {
    step.catch((thrown: unknown) => this.fail(asDf2RedisError(thrown)));
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.fail(asDf2RedisError(thrown));
    }
  }
}

function mergeCounts(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const merged: Record<string, number> = {};
  for (const [name, count] of counts.flatMap((one) => Object.entries(one))) merged[name] = (merged[name] ?? 0) + count;
  return merged;
}
