/** A ReplicationSession between fakes: workers that do what a test makes them say, and a control connection that answers when told to. */
import { Df2RedisError } from "../../src/errors/df2redis-error.ts";
import { FlowCounters } from "../../src/replication/flow-counters.ts";
import type { RejectedEntry } from "../../src/replication/rejected-entry.ts";
import { ReplicationSession, type ResumePoint, type SessionResult } from "../../src/replication/replication-session.ts";
import type { WorkerCommand, WorkerEvent, WorkerReport } from "../../src/replication/worker-messages.ts";
import { until } from "./until.ts";

export const MASTER_ID = "a".repeat(40);

export type FakeSessionOptions = {
  readonly flows?: number;
  readonly workers?: number;
  readonly resume?: ResumePoint;
  readonly snapshotOnly?: boolean;
  /** Called instead of answering at once. */
  readonly sync?: () => Promise<void>;
  readonly startStable?: () => Promise<void>;
  readonly runFlush?: (db: number) => Promise<void>;
  readonly failToStart?: { readonly worker: number; readonly error: Error };
};

export class FakeWorker {
  readonly commands: WorkerCommand[] = [];
  readonly tell: (event: WorkerEvent) => void;
  closed = 0;

  constructor(tell: (event: WorkerEvent) => void) {
    this.tell = tell;
  }

  /** The types of the commands it got, in order. */
  get got(): string[] {
    return this.commands.map((command) => command.type);
  }

  fail(code: "CONNECTION_LOST" | "TARGET_REJECTED", message: string): void {
    this.tell({ type: "failed", error: new Df2RedisError(code, message, { context: { flow: 1 } }).toPlain() });
  }
}

export class FakeSession {
  readonly session: ReplicationSession;
  readonly counters: FlowCounters;
  readonly workers: FakeWorker[] = [];
  /** What was asked of the control connection and the target, and what the session went through, in order. */
  readonly log: string[] = [];
  readonly rejected: RejectedEntry[] = [];
  readonly ended: Promise<SessionResult>;
  /** What the closing of a worker waits for. */
  closeWith: () => Promise<void> = async () => {};
  readonly #flows: number;

  constructor(options: FakeSessionOptions = {}) {
    const { flows = 2, workers = 1, snapshotOnly = false } = options;
    this.#flows = flows;
    this.counters = new FlowCounters(flows);
    const asked = async (what: string, answer: (() => Promise<void>) | undefined): Promise<void> => {
      this.log.push(what);
      await answer?.();
    };
    this.session = new ReplicationSession({
      control: {
        master: { masterId: MASTER_ID, syncId: "SYNC1", flowCount: flows },
        sync: () => asked("SYNC", options.sync),
        startStable: () => asked("STARTSTABLE", options.startStable),
      },
      startWorker: (tell) => {
        if (options.failToStart?.worker === this.workers.length) throw options.failToStart.error;
        return this.#startWorker(tell);
      },
      workers,
      counters: this.counters,
      runFlush: async (db) => {
        await asked(`flush ${db}`, async () => options.runFlush?.(db));
        return undefined;
      },
      storeRejected: (entry) => asked(`store ${entry.command}`, undefined),
      resume: options.resume,
      snapshotOnly,
      observer: {
        state: (state) => this.log.push(state),
        loss: (kind, db, key) => this.log.push(`loss ${kind} ${db} ${key}`),
        rejected: (entry) => this.rejected.push(entry),
        waiting: (wait) => this.log.push(wait === undefined ? "resumed" : `waiting: ${wait.words}`),
      },
    });
    this.ended = this.session.run();
    // A test looks at it when it wants to.
    this.ended.catch(() => {});
  }

  worker(i: number): FakeWorker {
    const worker = this.workers[i];
    if (worker === undefined) throw new Error(`worker ${i} was not started`);
    return worker;
  }

  get allClosed(): boolean {
    return this.workers.every((worker) => worker.closed > 0);
  }

  ready(): void {
    for (const worker of this.workers) worker.tell({ type: "ready" });
  }

  /** The flow's worker says so. */
  tell(flow: number, event: WorkerEvent): void {
    this.worker(flow % this.workers.length).tell(event);
  }

  open(...kinds: readonly ("full" | "partial")[]): void {
    for (const [flow, kind] of kinds.entries()) this.tell(flow, { type: "flowOpened", flow, kind });
  }

  cut(flow: number): void {
    this.tell(flow, { type: "flowCut", flow });
  }

  /** Up to a full sync under way. */
  async toFullSync(): Promise<void> {
    this.ready();
    this.open(...Array.from({ length: this.#flows }, () => "full" as const));
    await until(() => this.session.state === "full_sync", "full_sync");
  }

  /** Up to the journal. */
  async toCatchingUp(): Promise<void> {
    await this.toFullSync();
    for (let flow = 0; flow < this.#flows; flow++) this.cut(flow);
    await until(() => this.session.state === "catching_up", "catching_up");
  }

  async toStable(): Promise<void> {
    await this.toCatchingUp();
    this.setLsns(100, 100);
    this.session.tick();
  }

  setLsns(lsn: number, appliedLsn: number): void {
    for (let flow = 0; flow < this.#flows; flow++) {
      this.counters.set(flow, "lsn", lsn);
      this.counters.set(flow, "appliedLsn", appliedLsn);
    }
  }

  drained(report: Partial<WorkerReport> = {}): void {
    for (const worker of this.workers)
      worker.tell({ type: "drained", report: { losses: [], keysByType: {}, memberDeadlines: [], ...report } });
  }

  #startWorker(tell: (event: WorkerEvent) => void): { send(command: WorkerCommand): void; close(): Promise<void> } {
    const worker = new FakeWorker(tell);
    this.workers.push(worker);
    return {
      send: (command) => void worker.commands.push(command),
      close: () => {
        worker.closed++;
        return this.closeWith();
      },
    };
  }
}
