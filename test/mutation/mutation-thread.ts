/**
 * Runs mutants in a thread of its own, so that one that never ends or takes all memory can be named and stopped. It writes the seed that
 * it is at where the test can see it, and posts a summary at the end.
 */
import { parentPort, workerData } from "node:worker_threads";
import { corpus } from "./corpus.ts";
import { runMutant } from "./run-mutant.ts";

export type MutationJob = {
  readonly firstSeed: number;
  readonly count: number;
  /** [0]: mutants begun so far. */
  readonly progress: SharedArrayBuffer;
};

export type MutationSummary = {
  readonly outcomes: Readonly<Record<string, number>>;
  /** What was thrown that should not have been, by seed. */
  readonly failures: readonly string[];
  readonly slowest: { readonly seed: number; readonly ms: number };
  readonly largest: { readonly seed: number; readonly bytes: number };
  readonly inputBytes: number;
};

const MEASURE_EVERY = 20;

function usedBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function run({ firstSeed, count, progress }: MutationJob): MutationSummary {
  const bases = corpus();
  const at = new Int32Array(progress);
  const outcomes: Record<string, number> = {};
  const failures: string[] = [];
  let slowest = { seed: -1, ms: 0 };
  let largest = { seed: -1, bytes: 0 };
  let inputBytes = 0;
  const before = usedBytes();
  for (let i = 0; i < count && failures.length < 10; i++) {
    const seed = firstSeed + i;
    Atomics.store(at, 0, i + 1);
    const started = performance.now();
    try {
      const outcome = runMutant(bases, seed);
      const name = outcome.code ?? outcome.kind;
      outcomes[name] = (outcomes[name] ?? 0) + 1;
      inputBytes += outcome.inputBytes;
    } catch (error) {
      failures.push(`seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
    const ms = performance.now() - started;
    if (ms > slowest.ms) slowest = { seed, ms };
    if (i % MEASURE_EVERY > 0) continue;
    const bytes = usedBytes() - before;
    if (bytes > largest.bytes) largest = { seed, bytes };
  }
  return { outcomes, failures, slowest, largest, inputBytes };
}

parentPort?.postMessage(run(workerData as MutationJob));
