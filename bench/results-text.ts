/** The results as a table for people, with what each number means. */
import type { DecodeResult } from "./decode-bench.ts";
import type { GeneratorResult } from "./generator-bench.ts";
import type { SideResult } from "./redis-bench.ts";
import type { BenchResults, RedisResult } from "./run-benchmarks.ts";

const MEGABYTE = 1e6;
/** A source that is not much faster than its reader would be part of what is measured. */
const GENERATOR_AIM = 3;
const MEMORY_AIM_MEGABYTES = 250;
/** From this share of its core on the server is what limits. */
const SERVER_BOUND = 0.85;
/** A shorter run of the pipe says nothing: warming up is most of it. */
const SHORTEST_SECONDS = 1;

export function resultsText(results: BenchResults): string {
  const parts = [machineText(results)];
  if (results.decode.length > 0) parts.push(decodeText(results.decode));
  if (results.translate.length > 0) parts.push(translateText(results));
  for (const result of results.redis) parts.push(redisText(result));
  if (results.memory.length > 0) parts.push(memoryText(results));
  for (const result of results.generator) parts.push(generatorText(result));
  if (results.redis.length > 0) parts.push(aimsText(results));
  return `${parts.join("\n\n")}\n`;
}

function machineText({ machine, options }: BenchResults): string {
  const { cores, cpu, node, redis, load } = machine;
  return (
    `${cores} cores (${cpu}), Node.js ${node}, Redis ${redis}, load ${load.toFixed(1)} before the start\n` +
    `${options.flows} flows, LZ4, medians of ${options.rounds} rounds; MB are 10^6 bytes; CPU is user and system time of whole processes`
  );
}

function decodeText(results: readonly DecodeResult[]): string {
  const rows = results.map((result) => [
    result.compression,
    `${result.wireMegabytes.toFixed(1)} of ${result.contentMegabytes.toFixed(1)} MB`,
    result.wholeRate.toFixed(0),
    result.wholeWireRate.toFixed(0),
    result.elementsRate.toFixed(0),
  ]);
  return table(
    "Decoding alone, MB per CPU-second: of ten keys 6 strings of 400 bytes, 2 hashes, 2 zsets",
    [["compression", "size", "whole bodies", "(of the wire)", "elements"], ...rows],
    "whole bodies: collections handed on as they are, for RESTORE; elements: each field and member by itself.\n" +
      "LZF compresses single strings: in whole bodies they stay compressed, the target expands them.",
  );
}

function translateText({ translate }: BenchResults): string {
  const rows = translate.map(({ what, perCpuSecond }) => [what, thousands(perCpuSecond)]);
  return table("Decode (LZ4), translate and encode, without a socket: per CPU-second", [
    ["", "keys or entries"],
    ...rows,
  ]);
}

function redisText(result: RedisResult): string {
  const { what, keys, pipe, tool, source } = result;
  const title =
    `${keys.toLocaleString("en")} ${what} into a redis-server ` +
    `(${megabytes(result.commandBytes)} as commands, ${megabytes(result.flowBytes)} on the flows)`;
  const head = [
    "",
    "keys/s copying",
    "keys/s in all",
    "copying",
    "in all",
    "its CPU",
    "server CPU",
    "source CPU",
    "peak memory",
  ];
  return table(
    title,
    [head, sideRow("redis-cli --pipe", keys, pipe), sideRow("df2redis migrate", keys, tool)],
    `df2redis / pipe, keys/s: ${ratio(result.copyRatio)} copying, ${ratio(result.wallRatio)} with the start of the program.\n${limitText(result)}\n` +
      `The source alone, its bytes thrown away: ${thousands(keys / source.seconds)} keys/s. ` +
      (result.sameData ? "Both servers held the same data (DEBUG DIGEST)." : "THE DATA DIFFERS."),
  );
}

function sideRow(name: string, keys: number, side: SideResult): string[] {
  return [
    name,
    thousands(keys / side.copySeconds),
    thousands(keys / side.wallSeconds),
    seconds(side.copySeconds),
    seconds(side.wallSeconds),
    seconds(side.cpuSeconds),
    seconds(side.serverCpuSeconds),
    side.sourceCpuSeconds === 0 ? "–" : seconds(side.sourceCpuSeconds),
    side.peakBytes === undefined ? "–" : megabytes(side.peakBytes),
  ];
}

function limitText({ pipe, tool }: RedisResult): string {
  const share = (side: SideResult): number => side.serverCpuSeconds / side.copySeconds;
  const say = (name: string, side: SideResult): string =>
    `${name} the server was busy ${(100 * share(side)).toFixed(0)} % of the time${share(side) >= SERVER_BOUND ? " (it is the limit)" : ""}`;
  const saved = pipe.serverCpuSeconds / tool.serverCpuSeconds;
  return `${say("With the pipe", pipe)}, ${say("with df2redis", tool)}.\nCPU of the server per key, pipe / df2redis: ${ratio(saved)}.`;
}

function memoryText({ memory }: BenchResults): string {
  const rows = memory.map(({ what, flowBytes, peakBytes }) => [what, megabytes(flowBytes), megabytes(peakBytes)]);
  return table("Peak memory of df2redis (all of the process)", [["", "on the flows", "peak"], ...rows]);
}

function generatorText(result: GeneratorResult): string {
  const { keys, drainedKeys, drainedKeysPerSecond, copiedKeysPerSecond, peakBytes } = result;
  const times = drainedKeysPerSecond / copiedKeysPerSecond;
  return table(
    "The generated source of df2redis simulate, keys/s of all types",
    [
      ["", "keys", "keys/s"],
      ["read by nobody who does anything", drainedKeys.toLocaleString("en"), thousands(drainedKeysPerSecond)],
      ["df2redis migrate into a redis-server", keys.toLocaleString("en"), thousands(copiedKeysPerSecond)],
    ],
    `The source is ${ratio(times)} what the tool takes, aim ${ratio(GENERATOR_AIM)}: ${verdict(times >= GENERATOR_AIM)}. Its process had at most ${megabytes(peakBytes)}.`,
  );
}

function aimsText({ redis, memory }: BenchResults): string {
  const lines = redis.map((result) => {
    const { what, aim, copyRatio, sameData } = result;
    const judgement =
      result.pipe.wallSeconds < SHORTEST_SECONDS ? "too few keys to tell" : verdict(copyRatio >= aim && sameData);
    return `${what}: ${ratio(copyRatio)} the keys/s of the pipe while copying, aim ${ratio(aim)}: ${judgement}`;
  });
  const peaks = [...redis.map(({ tool }) => tool.peakBytes ?? 0), ...memory.map(({ peakBytes }) => peakBytes)];
  const peak = Math.max(...peaks) / MEGABYTE;
  lines.push(
    `peak memory: ${peak.toFixed(0)} MB, aim under ${MEMORY_AIM_MEGABYTES} MB: ${verdict(peak < MEMORY_AIM_MEGABYTES)}`,
  );
  return ["Aims", ...lines.map((line) => `  ${line}`)].join("\n");
}

function verdict(met: boolean): string {
  return met ? "met" : "NOT MET";
}

/** The first column is text, the others are numbers. */
function table(title: string, rows: readonly (readonly string[])[], note?: string): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  return [
    title,
    ...lines.map((line) => `  ${line}`),
    ...(note === undefined ? [] : note.split("\n").map((line) => `  ${line}`)),
  ].join("\n");
}

function thousands(value: number): string {
  return `${(value / 1000).toLocaleString("en", { maximumFractionDigits: 0 })} k`;
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(0)} MB`;
}

function ratio(value: number): string {
  return `${value.toFixed(2)} ×`;
}
