/** A WorkerHost between a master that sends what a test gives it and a Redis that answers as a test wants. */
import { DROP_ALL } from "./capabilities.ts";
import { DEFAULT_DECODE_LIMITS } from "../../src/bytes/decode-limits.ts";
import { FlowCounters } from "../../src/replication/flow-counters.ts";
import type { FlowRequest, WorkerCommand, WorkerEvent } from "../../src/replication/worker-messages.ts";
import type { WorkerSettings } from "../../src/replication/worker-settings.ts";
import { FakeRedis } from "./fake-redis.ts";
import { CAPABILITIES } from "./pipeline-bench.ts";
import { MASTER_ID, SYNC_ID, type TinyFlow, TinyMaster } from "./tiny-master.ts";
import { until } from "./until.ts";

type EventOf<T extends WorkerEvent["type"]> = Extract<WorkerEvent, { readonly type: T }>;

/** A worker, however it runs: something that takes commands. */
export type Commanded = { readonly send: (command: WorkerCommand) => void };

export class WorkerBench implements AsyncDisposable {
  readonly master: TinyMaster;
  readonly redis: FakeRedis;
  readonly settings: WorkerSettings;
  readonly counters: FlowCounters;
  readonly events: WorkerEvent[] = [];
  #worker: Commanded | undefined;

  private constructor(
    master: TinyMaster,
    redis: FakeRedis,
    options: { readonly flows: number } & Partial<WorkerSettings>,
  ) {
    this.master = master;
    this.redis = redis;
    this.counters = new FlowCounters(options.flows);
    // Who closes the other flows must be the worker.
    master.closesTogether = false;
    this.settings = {
      source: master.endpoint,
      target: redis.endpoint,
      capabilities: CAPABILITIES,
      limits: DEFAULT_DECODE_LIMITS,
      bodyLimitBytes: 1024 * 1024,
      batchBytes: 64 * 1024,
      windowBytes: 1024 * 1024,
      connectTimeoutMs: 5000,
      replyTimeoutMs: 5000,
      snapshotOnly: false,
      plan: DROP_ALL,
      expiry: { hold: "snapshot", withinHours: 24 },
      databases: [],
      conflict: undefined,
      guardLimitBytes: 1024 * 1024,
      memberDeadlines: [],
      writeMode: "auto",
      sourceJournalsFailures: false,
      counters: this.counters.buffer,
      ...options,
    };
  }

  /** @param start makes the worker, which tells its events to `tell` */
  static async start(
    flows: readonly TinyFlow[],
    start: (settings: WorkerSettings, tell: (event: WorkerEvent) => void) => Commanded,
    settings: Partial<WorkerSettings> = {},
  ): Promise<WorkerBench> {
    const master = await TinyMaster.start(flows);
    const bench = new WorkerBench(master, await FakeRedis.start(), { flows: flows.length, ...settings });
    bench.#worker = start(bench.settings, (event) => bench.events.push(event));
    return bench;
  }

  send(command: WorkerCommand): void {
    this.#worker?.send(command);
  }

  of<T extends WorkerEvent["type"]>(type: T): EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type);
  }

  async told(type: WorkerEvent["type"], count = 1): Promise<void> {
    const failed = (): boolean => type !== "failed" && this.of("failed").length > 0;
    await until(() => this.of(type).length >= count || failed(), `${count} × ${type}`);
    if (failed()) throw new Error(`the worker failed: ${JSON.stringify(this.of("failed"))}`);
  }

  async open(...lsns: readonly number[]): Promise<void> {
    await this.told("ready");
    const flows: FlowRequest[] = Array.from({ length: this.settings.flows }, (_, flow) => ({ flow, lsn: lsns[flow] }));
    this.send({ type: "openFlows", masterId: MASTER_ID, syncId: SYNC_ID, flows });
    await this.told("flowOpened", flows.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.send({ type: "abort" });
    await this.master[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
  }
}
