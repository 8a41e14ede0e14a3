/** A FlowPipeline by itself: a flow connection that a test feeds, a real TargetWriter, and a Redis whose answers a test holds back. */
import { DEFAULT_DECODE_LIMITS } from "../../src/bytes/decode-limits.ts";
import type { Df2RedisError } from "../../src/errors/df2redis-error.ts";
import { FlowCounters } from "../../src/replication/flow-counters.ts";
import { FlowPipeline, type FlowPipelineOptions } from "../../src/replication/flow-pipeline.ts";
import type { FlushRequest } from "../../src/replication/worker-messages.ts";
import type { FlowConnection, FlowHandlers } from "../../src/source/flow-connection.ts";
import type { TargetCapabilities } from "../../src/target/capabilities.ts";
import { TargetWriter, type WriterLimits } from "../../src/target/target-writer.ts";
import { DROP_ALL, REDIS_70 } from "./capabilities.ts";
import { FakeRedis } from "./fake-redis.ts";
import { EOF_TOKEN } from "./rdb-builder.ts";
import { until } from "./until.ts";

export const CAPABILITIES: TargetCapabilities = {
  ...REDIS_70,
  restorableTypes: new Set([2, 4, 5, 16, 17, 18, 19, 20]),
};

/** As a FlowConnection behaves: what arrives while it is paused waits, and is delivered after `resume`. */
export class FakeFlow {
  readonly flow = 0;
  readonly eofToken = EOF_TOKEN;
  readonly kind: "full" | "partial";
  readonly acks: number[] = [];
  bytesRead = 0;
  isPaused = false;
  ended = false;
  destroyed = false;
  onAck: () => void = () => {};
  #handlers: FlowHandlers | undefined;
  readonly #waiting: Buffer[] = [];

  constructor(kind: "full" | "partial") {
    this.kind = kind;
  }

  attach(handlers: FlowHandlers): void {
    this.#handlers = handlers;
    this.#deliver();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    // As a socket does it: not within the call.
    queueMicrotask(() => this.#deliver());
  }

  sendAck(lsn: number): void {
    this.acks.push(lsn);
    this.onAck();
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  /** Bytes that the master sent and that were not read. */
  get unreadBytes(): number {
    return this.#waiting.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  feed(...chunks: readonly Buffer[]): void {
    this.#waiting.push(...chunks);
    this.#deliver();
  }

  close(error: Df2RedisError | undefined): void {
    this.#handlers?.onClose(error);
  }

  #deliver(): void {
    while (!this.isPaused && !this.destroyed && this.#handlers !== undefined) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) return;
      this.bytesRead += chunk.length;
      this.#handlers.onData(chunk);
      // Whoever keeps a view of it finds nonsense.
      chunk.fill(0xee);
    }
  }
}

export type PipelineBenchOptions = {
  /** Where a partial sync starts; a full sync when not given. */
  readonly startLsn?: number;
  readonly snapshotOnly?: boolean;
  readonly limits?: WriterLimits;
  /** Unix ms. */
  readonly clock?: () => number;
  /** What else of the pipeline's options is to be another. */
  readonly pipeline?: Partial<Omit<FlowPipelineOptions, "connection" | "events">>;
};

export class PipelineBench implements AsyncDisposable {
  readonly redis: FakeRedis;
  readonly flow: FakeFlow;
  readonly writer: TargetWriter;
  readonly pipeline: FlowPipeline;
  readonly counters = new FlowCounters(1);
  /** What the pipeline told its host, in order. */
  readonly told: string[] = [];
  readonly flushes: Omit<FlushRequest, "flow">[] = [];
  readonly failures: Df2RedisError[] = [];

  private constructor(redis: FakeRedis, writer: TargetWriter, options: PipelineBenchOptions) {
    const { startLsn, snapshotOnly = false, clock = Date.now } = options;
    this.redis = redis;
    this.writer = writer;
    this.flow = new FakeFlow(startLsn === undefined ? "full" : "partial");
    this.pipeline = new FlowPipeline({
      connection: this.flow as unknown as FlowConnection,
      startLsn,
      writer,
      capabilities: CAPABILITIES,
      limits: DEFAULT_DECODE_LIMITS,
      bodyLimitBytes: 1024 * 1024,
      snapshotOnly,
      plan: DROP_ALL,
      mapper: undefined,
      gate: undefined,
      memberLimit: 1000,
      expiry: { hold: "snapshot" as const, withinHours: 24 },
      sourceVersion: () => undefined,
      writeMode: "auto",
      counters: this.counters,
      losses: { record: (kind) => this.told.push(`loss ${kind}`) },
      readDocument: async () => undefined,
      unrunnable: () => this.told.push("unrunnable"),
      countKey: (typeName) => this.told.push(typeName),
      onDragonflyVersion: (version) => this.told.push(version),
      clock,
      ...options.pipeline,
      events: {
        cut: () => this.told.push("cut"),
        snapshotApplied: () => this.told.push("snapshotApplied"),
        flushReached: (request) => {
          this.told.push("flushReached");
          this.flushes.push(request);
        },
        resumed: () => void this.pipeline.pump(),
        encoded: () => setImmediate(() => writer.flush(true)),
        failed: (error) => {
          this.told.push("failed");
          this.failures.push(error);
        },
      },
    });
  }

  static async start(options: PipelineBenchOptions = {}): Promise<PipelineBench> {
    const redis = await FakeRedis.start();
    const bench: { pipeline?: FlowPipeline } = {};
    const writer = await TargetWriter.connect({
      endpoint: redis.endpoint,
      limits: options.limits ?? { batchBytes: 64 * 1024, windowBytes: 8 * 1024 * 1024 },
      connectTimeoutMs: 5000,
      replyTimeoutMs: 60_000,
      onError: () => {},
      onFailure: () => {},
      onDrain: () => bench.pipeline?.pump(),
    });
    const started = new PipelineBench(redis, writer, options);
    bench.pipeline = started.pipeline;
    started.pipeline.attach();
    return started;
  }

  /** The Redis has got that many commands in all. */
  async received(count: number): Promise<void> {
    await until(
      () => this.redis.commands.length >= count,
      `${count} commands; there are ${this.redis.commands.length}`,
    );
  }

  async applied(lsn: number): Promise<void> {
    await until(() => this.counters.get(0, "appliedLsn") >= lsn, `LSN ${lsn} to be applied`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.writer.destroy();
    await this.redis[Symbol.asyncDispose]();
  }
}
