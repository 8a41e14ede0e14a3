/** Reads all flows of a bench master and throws the bytes away: how fast the source alone is. */
import { SourceControl } from "../src/source/source-control.ts";
import { openFlow } from "../src/source/flow-connection.ts";
import { startBenchMaster } from "./master-process.ts";
import type { DataFiles } from "./data-files.ts";

const TIMEOUTS = { connectTimeoutMs: 5000, replyTimeoutMs: 5000 } as const;

export type DrainResult = { readonly seconds: number; readonly sourceCpuSeconds: number };

export async function drainSource(data: DataFiles): Promise<DrainResult> {
  await using master = await startBenchMaster(data.flowFiles);
  const endpoint = { host: "127.0.0.1", port: master.port, user: undefined, password: undefined, tls: undefined };
  const control = await SourceControl.connect({ endpoint, ...TIMEOUTS, onClose: () => {} });
  const { masterId, syncId } = control.master;
  const flows = await Promise.all(
    data.flowFiles.map((_, flow) => openFlow({ endpoint, masterId, syncId, flow, ...TIMEOUTS })),
  );
  const startedMs = performance.now();
  await new Promise<void>((resolve, reject) => {
    let left = data.flowBytes;
    for (const flow of flows) {
      flow.attach({
        onData: (chunk) => {
          left -= chunk.length;
          if (left === 0) resolve();
        },
        onClose: (error) => reject(error ?? new Error("a flow was closed")),
      });
    }
    control.sync().catch(reject);
  });
  const seconds = (performance.now() - startedMs) / 1000;
  for (const flow of flows) flow.destroy();
  control.destroy();
  await master.stop();
  return { seconds, sourceCpuSeconds: master.cpuSeconds };
}
