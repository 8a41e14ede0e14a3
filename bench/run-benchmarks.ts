/** Runs the chosen benchmarks one after the other and gathers their results. */
import { type ComparisonResult, comparePipeAndTool } from "./redis-bench.ts";
import { writeDataFiles } from "./data-files.ts";
import type { ObjectKind } from "./dataset.ts";
import { benchDecode, type DecodeResult } from "./decode-bench.ts";
import { drainSource, type DrainResult } from "./drain-source.ts";
import { benchGenerator, type GeneratorResult } from "./generator-bench.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { benchMemory, type MemoryResult } from "./memory-bench.ts";
import type { BenchOptions, Section } from "./options.ts";
import { benchJournal, benchSnapshot, type TranslateResult } from "./translate-bench.ts";

/** Largest input of the benchmarks that keep it in memory. */
const MOST_KEYS_IN_MEMORY = 200_000;
const ROUNDS_IN_MEMORY = 5;

type Comparison = {
  readonly section: Section;
  readonly what: string;
  readonly kind: ObjectKind;
  readonly share: number;
  /** Keys per second over those of the pipe. */
  readonly aim: number;
};

const COMPARISONS: readonly Comparison[] = [
  { section: "strings", what: "100-byte strings", kind: "string", share: 1, aim: 0.9 },
  { section: "hashes", what: "10-field hashes", kind: "hash", share: 4, aim: 1.5 },
  { section: "zsets", what: "20-member zsets", kind: "zset", share: 16, aim: 1.5 },
];

export type RedisResult = ComparisonResult & {
  readonly what: string;
  readonly aim: number;
  readonly flowBytes: number;
  readonly commandBytes: number;
  /** The generated source, read by nobody who does anything with it. */
  readonly source: DrainResult;
};

export type BenchResults = {
  readonly machine: Machine;
  readonly options: BenchOptions;
  readonly decode: readonly DecodeResult[];
  readonly translate: readonly TranslateResult[];
  readonly redis: readonly RedisResult[];
  readonly memory: readonly MemoryResult[];
  readonly generator: readonly GeneratorResult[];
};

export async function runBenchmarks(options: BenchOptions, progress: (text: string) => void): Promise<BenchResults> {
  const machine = describeMachine();
  const wants = (section: Section): boolean => options.sections.includes(section);
  const keys = Math.min(options.keys, MOST_KEYS_IN_MEMORY);
  const run = <T>(section: Section, work: () => readonly T[]): readonly T[] => {
    if (!wants(section)) return [];
    progress(`${section} …`);
    return work();
  };
  const decode = run("decode", () => benchDecode({ keys: Math.ceil(keys / 2), rounds: ROUNDS_IN_MEMORY }));
  const snapshot = run("translate", () => benchSnapshot({ keys, rounds: ROUNDS_IN_MEMORY }));
  const journal = run("journal", () => benchJournal({ entries: keys, rounds: ROUNDS_IN_MEMORY }));
  const redis: RedisResult[] = [];
  for (const comparison of COMPARISONS)
    if (wants(comparison.section)) redis.push(await compare(comparison, options, progress));
  if (wants("memory")) progress("memory …");
  const memory = wants("memory") ? await benchMemory(options) : [];
  if (wants("generator")) progress("generator …");
  const generator = wants("generator") ? [await benchGenerator(options)] : [];
  return { machine, options, decode, translate: [...snapshot, ...journal], redis, memory, generator };
}

async function compare(
  comparison: Comparison,
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<RedisResult> {
  const { what, kind, share, aim, section } = comparison;
  const { flows, rounds, workers } = options;
  const keys = Math.ceil(options.keys / share);
  progress(`${section}: making ${keys.toLocaleString("en")} keys …`);
  using data = writeDataFiles({ keys, kinds: [kind] }, { flows, compression: "lz4", withCommands: true });
  const source = await drainSource(data);
  progress(`${section}: ${rounds} rounds of redis-cli --pipe and df2redis migrate …`);
  const result = await comparePipeAndTool(data, { keys, rounds, workers });
  return { ...result, what, aim, flowBytes: data.flowBytes, commandBytes: data.commandBytes, source };
}
