/** Peak memory of a run of the tool, for data of different sizes: it must not grow with them. */
import { writeDataFiles, writeHugeHash, type DataFiles } from "./data-files.ts";
import { runTool, type ToolOptions } from "./redis-bench.ts";

const HUGE_HASH_SHARE = 4;
const SMALL_SHARE = 10;

export type MemoryResult = {
  readonly what: string;
  readonly keys: number;
  readonly flowBytes: number;
  readonly peakBytes: number;
};

export type MemoryBenchOptions = { readonly keys: number; readonly flows: number } & ToolOptions;

export async function benchMemory(options: MemoryBenchOptions): Promise<MemoryResult[]> {
  const { keys, flows } = options;
  const fields = Math.ceil(keys / HUGE_HASH_SHARE);
  const few = Math.ceil(keys / SMALL_SHARE);
  const form = { flows, compression: "lz4" } as const;
  const strings = (n: number) => (): DataFiles =>
    writeDataFiles({ keys: n, kinds: ["string"] }, { ...form, withCommands: false });
  return [
    await peakOf(`${count(few)} strings`, few, strings(few), options),
    await peakOf(`${count(keys)} strings`, keys, strings(keys), options),
    await peakOf(`one hash of ${count(fields)} fields`, 1, () => writeHugeHash(fields, form), options),
  ];
}

async function peakOf(
  what: string,
  keys: number,
  write: () => DataFiles,
  { workers }: ToolOptions,
): Promise<MemoryResult> {
  using data = write();
  const { peakBytes } = await runTool(data, { keys, workers });
  if (peakBytes === undefined) throw new Error("df2redis did not tell its peak memory");
  return { what, keys, flowBytes: data.flowBytes, peakBytes };
}

function count(n: number): string {
  return n.toLocaleString("en");
}
