/**
 * Spoiled streams: at least 20,000 of them, each ends in success, in waiting for more, or in a typed error, in bounded time and memory.
 *
 *     DF2REDIS_TEST_MUTATIONS=1000000 npx vitest run test/mutation      more of them
 *     DF2REDIS_TEST_SEED=12345 DF2REDIS_TEST_MUTATIONS=1 npx vitest …   one of them again
 */
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { DEFAULT_DECODE_LIMITS } from "../../src/bytes/decode-limits.ts";
import { SeededRandom } from "../support/hostile.ts";
import { corpus } from "./corpus.ts";
import { mutateStream } from "./mutate-stream.ts";
import type { MutationJob, MutationSummary } from "./mutation-thread.ts";
import { runStream } from "./run-mutant.ts";

const COUNT = Number(process.env["DF2REDIS_TEST_MUTATIONS"] ?? 20_000);
const FIRST_SEED = Number(process.env["DF2REDIS_TEST_SEED"] ?? 1);
/** The slowest of 150,000 took 0.3 s on a busy machine. */
const STUCK_MS = 20_000;
const HEAP_MB = 512;
const MOST_BYTES = 400e6;

/** Runs the mutants in a thread and names the one at which it stands still or dies. */
function runMutants(firstSeed: number, count: number): Promise<MutationSummary> {
  const progress = new SharedArrayBuffer(4);
  const begun = new Int32Array(progress);
  const job: MutationJob = { firstSeed, count, progress };
  const thread = new Worker(new URL("mutation-thread.ts", import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  const seed = (): number => firstSeed + Atomics.load(begun, 0) - 1;
  let watchdog: NodeJS.Timeout | undefined;
  return new Promise<MutationSummary>((resolve, reject) => {
    let seen = -1;
    const check = (): void => {
      const now = Atomics.load(begun, 0);
      if (now === seen) reject(new Error(`seed ${seed()} does not end`));
      seen = now;
      watchdog = setTimeout(check, STUCK_MS);
    };
    check();
    thread.once("message", resolve);
    thread.once("error", (error) => reject(new Error(`seed ${seed()}: ${String(error)}`, { cause: error })));
    thread.once("exit", (code) => reject(new Error(`seed ${seed()}: the thread ended with ${code}`)));
  }).finally(() => {
    clearTimeout(watchdog);
    void thread.terminate();
  });
}

describe("the streams that are spoiled", () => {
  const bases = corpus();

  test("are sound: every one decodes to its end", () => {
    expect(bases.length).toBeGreaterThan(100);
    let commands = 0;
    for (const { name, start, head, content, tail } of bases) {
      const outcome = runStream(Buffer.concat([head, content, tail]), {
        start,
        limits: DEFAULT_DECODE_LIMITS,
        random: new SeededRandom(1),
      });
      expect(outcome.kind, `${name}: ${outcome.code}`).not.toBe("error");
      commands += outcome.commands;
    }
    expect(commands).toBeGreaterThan(5000);
  });

  test("are spoiled the same way by the same seed", () => {
    const [base, other] = bases;
    if (base === undefined || other === undefined) throw new Error("no streams");
    const once = (seed: number): Buffer => mutateStream(base, other, new SeededRandom(seed));
    expect(once(5)).toEqual(once(5));
    expect(once(5)).not.toEqual(once(6));
  });
});

test(
  `${COUNT} spoiled streams from seed ${FIRST_SEED} on`,
  async () => {
    const summary = await runMutants(FIRST_SEED, COUNT);
    expect(summary.failures).toEqual([]);
    expect(Object.values(summary.outcomes).reduce((sum, n) => sum + n, 0)).toBe(COUNT);
    expect(summary.largest.bytes, `after seed ${summary.largest.seed}`).toBeLessThan(MOST_BYTES);
    if (COUNT < 10_000) return;
    // All ends occur, so the mutants reach beyond the first check.
    expect(Object.keys(summary.outcomes)).toEqual(
      expect.arrayContaining(["success", "needsMore", "STREAM_CORRUPT", "LIMIT_EXCEEDED"]),
    );
    expect(summary.outcomes["success"]).toBeGreaterThan(COUNT / 50);
  },
  10 * 60_000,
);
