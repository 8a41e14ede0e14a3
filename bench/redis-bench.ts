/**
 * A generated flow through the real command line tool into a redis-server, against `redis-cli --pipe` with the same data as native commands.
 * Each run has a fresh server; the two sides take turns in going first. After the first round both servers must hold the same data.
 */
import { fileURLToPath } from "node:url";
import type { RespClient } from "../test/support/resp-client.ts";
import { type RedisServer, startRedis } from "../test/support/redis-server.ts";
import type { DataFiles } from "./data-files.ts";
import { startBenchMaster } from "./master-process.ts";
import { type ProcessCost, runMeasured } from "./measured-process.ts";
import { median } from "./statistics.ts";

const LAUNCHER = fileURLToPath(new URL("../df2redis", import.meta.url));

export type Side = "pipe" | "tool";

/** Seconds, and bytes; medians over the rounds, except for the peak, which is the highest. */
export type SideResult = {
  readonly wallSeconds: number;
  /** Without the start of the program: from the source's first byte to the program's end. The same as `wallSeconds` for the pipe. */
  readonly copySeconds: number;
  readonly cpuSeconds: number;
  readonly serverCpuSeconds: number;
  /** The generated source's, whole process; 0 for the pipe. */
  readonly sourceCpuSeconds: number;
  readonly peakBytes: number | undefined;
};

export type ComparisonResult = {
  readonly keys: number;
  readonly rounds: number;
  readonly pipe: SideResult;
  readonly tool: SideResult;
  /** Keys per second of the tool over those of the pipe, from the medians. */
  readonly copyRatio: number;
  readonly wallRatio: number;
  readonly sameData: boolean;
};

type Run = {
  readonly cost: Omit<SideResult, "peakBytes"> & { readonly peakBytes: number | undefined };
  readonly digest: string;
};

export type ToolOptions = { readonly workers?: number | undefined };

export async function comparePipeAndTool(
  data: DataFiles,
  options: { readonly keys: number; readonly rounds: number } & ToolOptions,
): Promise<ComparisonResult> {
  const runs: Record<Side, Run[]> = { pipe: [], tool: [] };
  for (let round = 0; round < options.rounds; round++) {
    const order: readonly Side[] = round % 2 === 0 ? ["pipe", "tool"] : ["tool", "pipe"];
    for (const side of order) {
      runs[side].push(await runSide(side, data, { ...options, withDigest: round === 0 }));
    }
  }
  const pipe = summary(runs.pipe);
  const tool = summary(runs.tool);
  return {
    keys: options.keys,
    rounds: options.rounds,
    pipe,
    tool,
    copyRatio: pipe.copySeconds / tool.copySeconds,
    wallRatio: pipe.wallSeconds / tool.wallSeconds,
    sameData: runs.pipe[0]?.digest === runs.tool[0]?.digest,
  };
}

/** One run of the tool, for its cost alone. */
export async function runTool(data: DataFiles, options: { readonly keys: number } & ToolOptions): Promise<SideResult> {
  return (await runSide("tool", data, { ...options, withDigest: false })).cost;
}

type RunSideOptions = { readonly keys: number; readonly withDigest: boolean } & ToolOptions;

async function runSide(side: Side, data: DataFiles, options: RunSideOptions): Promise<Run> {
  await using server = await startRedis({ args: ["--enable-debug-command", "local"] });
  await using client = await server.client();
  const serverBefore = await serverCpuSeconds(client);
  const cost = side === "pipe" ? await runPipe(server, data) : await runMigrate(server, data, options);
  const serverAfter = await serverCpuSeconds(client);
  const size = Number(await client.call("DBSIZE"));
  if (size !== options.keys) throw new Error(`${side}: the server holds ${size} keys instead of ${options.keys}`);
  return {
    cost: { ...cost, serverCpuSeconds: serverAfter - serverBefore },
    digest: options.withDigest ? String(await client.call("DEBUG", "DIGEST")) : "",
  };
}

type ProgramCost = Omit<SideResult, "serverCpuSeconds">;

async function runPipe(server: RedisServer, data: DataFiles): Promise<ProgramCost> {
  if (data.commandFile === undefined) throw new Error("no native commands were written for redis-cli");
  const cost = await runMeasured(["redis-cli", "-p", String(server.port), "--pipe"], { stdinFile: data.commandFile });
  if (!/errors: 0,/.test(cost.stdout)) throw new Error(`redis-cli --pipe: ${cost.stdout}`);
  return { ...costOf(cost), copySeconds: cost.wallSeconds, sourceCpuSeconds: 0 };
}

async function runMigrate(server: RedisServer, data: DataFiles, options: ToolOptions): Promise<ProgramCost> {
  await using master = await startBenchMaster(data.flowFiles);
  const workers = options.workers === undefined ? [] : ["--workers", String(options.workers)];
  const target = `redis://${server.address}`;
  const cost = await runMeasured([
    LAUNCHER,
    "migrate",
    "--source",
    master.address,
    "--target",
    target,
    "--json",
    ...workers,
  ]);
  await master.stop();
  const { syncedAtMs } = master;
  if (syncedAtMs === undefined) throw new Error("df2redis ended without a sync");
  return { ...costOf(cost), copySeconds: (cost.endedAtMs - syncedAtMs) / 1000, sourceCpuSeconds: master.cpuSeconds };
}

function costOf({
  wallSeconds,
  cpuSeconds,
  peakBytes,
}: ProcessCost): Pick<SideResult, "wallSeconds" | "cpuSeconds" | "peakBytes"> {
  return { wallSeconds, cpuSeconds, peakBytes };
}

async function serverCpuSeconds(client: RespClient): Promise<number> {
  const info = String(await client.call("INFO", "cpu"));
  const field = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(info)?.[1] ?? Number.NaN);
  return field("used_cpu_user") + field("used_cpu_sys");
}

function summary(runs: readonly Run[]): SideResult {
  const of = (field: Exclude<keyof SideResult, "peakBytes">): number => median(runs.map((run) => run.cost[field]));
  const peaks = runs.map((run) => run.cost.peakBytes).filter((peak) => peak !== undefined);
  return {
    wallSeconds: of("wallSeconds"),
    copySeconds: of("copySeconds"),
    cpuSeconds: of("cpuSeconds"),
    serverCpuSeconds: of("serverCpuSeconds"),
    sourceCpuSeconds: of("sourceCpuSeconds"),
    peakBytes: peaks.length === 0 ? undefined : Math.max(...peaks),
  };
}
