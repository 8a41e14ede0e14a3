/** A writer that tries refused commands again, on a scripted server whose answers a test sets, with a clock that only the test moves. */
import type { Df2RedisError } from "../../src/errors/df2redis-error.ts";
import type { RetryClock, RetryWaiting } from "../../src/target/retry-options.ts";
import { type TargetRejection, TargetWriter, type TargetWriterOptions } from "../../src/target/target-writer.ts";
import { isRetryableError } from "../../src/target/translate/journal-error-class.ts";
import { type ScriptedServer, scriptedServer } from "./scripted-server.ts";
import { until } from "./until.ts";

export const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

/** Runs a timer when it is told to. */
export class TestClock implements RetryClock {
  #nowMs = 1000;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];
  /** Every delay that was asked for. */
  readonly delays: number[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.delays.push(delayMs);
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  get waiting(): number {
    return this.#timers.length;
  }

  /** Up to the next timer. */
  async next(): Promise<void> {
    await until(() => this.#timers.length > 0, "a pause");
    const [timer] = this.#timers.splice(0, 1);
    this.#nowMs = timer?.atMs ?? this.#nowMs;
    timer?.run();
  }
}

export type RetryBench = AsyncDisposable & {
  readonly server: ScriptedServer;
  readonly writer: TargetWriter;
  readonly clock: TestClock;
  readonly rejections: TargetRejection[];
  readonly failures: Df2RedisError[];
  readonly waits: RetryWaiting[];
  readonly resumed: { readonly waitedMs: number }[];
  readonly drains: () => number;
  /** Answers by the beginning of a command; the first that fits. */
  readonly answers: Map<string, string | (() => string)>;
  /** What ran or was refused, in order, as lines. */
  readonly got: () => string[];
};

export async function retryBench(
  options: { readonly retryMs?: number; readonly refuse?: readonly string[] } & Partial<TargetWriterOptions> = {},
): Promise<RetryBench> {
  const answers = new Map<string, string | (() => string)>();
  for (const start of options.refuse ?? []) answers.set(start, OOM);
  const server = await scriptedServer({
    answer: (words) => {
      if (words[0] === "PING") return "+PONG\r\n";
      const line = words.join(" ");
      const found = [...answers].find(([start]) => line.startsWith(start))?.[1];
      return typeof found === "function" ? found() : (found ?? "+OK\r\n");
    },
  });
  const clock = new TestClock();
  const rejections: TargetRejection[] = [];
  const failures: Df2RedisError[] = [];
  const waits: RetryWaiting[] = [];
  const resumed: { readonly waitedMs: number }[] = [];
  let drains = 0;
  const writer = await TargetWriter.connect({
    endpoint: server.endpoint,
    limits: { batchBytes: 4096, windowBytes: 1 << 20 },
    connectTimeoutMs: 2000,
    replyTimeoutMs: 5000,
    retry: {
      isRetryable: isRetryableError,
      retryMs: options.retryMs ?? 10_000,
      onWaiting: (wait) => void waits.push(wait),
      onResumed: (wait) => void resumed.push(wait),
      clock,
    },
    onError: (rejected) => void rejections.push(rejected),
    onFailure: (error) => void failures.push(error),
    onDrain: () => void drains++,
    ...options,
  });
  return {
    server,
    writer,
    clock,
    rejections,
    failures,
    waits,
    resumed,
    drains: () => drains,
    answers,
    got: () => server.requests.slice(2).map((words) => words.join(" ")),
    [Symbol.asyncDispose]: async () => {
      writer.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Encodes the lines as commands, SELECT by way of the encoder, and sends them. */
export function sendLines(writer: TargetWriter, ...lines: readonly string[]): void {
  for (const line of lines) {
    const words = line.split(" ");
    if (words[0] === "SELECT") writer.encoder.select(Number(words[1]));
    else writer.encoder.command(...words);
  }
  writer.flush(true);
}
