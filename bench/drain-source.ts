/** A bench master whose bytes are read and thrown away: how fast the prepared source alone is. */
import type { DataFiles } from "./data-files.ts";
import { drainFlows } from "./drain-flows.ts";
import { startBenchMaster } from "./master-process.ts";

export type DrainResult = { readonly seconds: number; readonly sourceCpuSeconds: number };

export async function drainSource(data: DataFiles): Promise<DrainResult> {
  await using master = await startBenchMaster(data.flowFiles);
  const { seconds } = await drainFlows(master.port);
  await master.stop();
  return { seconds, sourceCpuSeconds: master.cpuSeconds };
}
