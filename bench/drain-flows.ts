/** Reads every flow of a master up to FULLSYNC_END and throws the bytes away: how fast a source alone is. */
import { openFlow } from "../src/source/flow-connection.ts";
import { SourceControl } from "../src/source/source-control.ts";

const TIMEOUTS = { connectTimeoutMs: 5000, replyTimeoutMs: 5000 } as const;
/** The opcode and 8 zero bytes (docs/protocol.md §4): the last thing that a master sends before STARTSTABLE. */
const FULLSYNC_END = Buffer.from([200, 0, 0, 0, 0, 0, 0, 0, 0]);

export type Drained = { readonly seconds: number; readonly bytes: number };

export async function drainFlows(port: number): Promise<Drained> {
  const endpoint = { host: "127.0.0.1", port, user: undefined, password: undefined, tls: undefined };
  const control = await SourceControl.connect({ endpoint, ...TIMEOUTS, onClose: () => {} });
  const { masterId, syncId, flowCount } = control.master;
  const flows = await Promise.all(
    Array.from({ length: flowCount }, (_, flow) => openFlow({ endpoint, masterId, syncId, flow, ...TIMEOUTS })),
  );
  const startedMs = performance.now();
  const ends = flows.map(
    (flow) =>
      new Promise<void>((resolve, reject) => {
        let tail = Buffer.alloc(0);
        flow.attach({
          onData: (chunk) => {
            tail = Buffer.concat([tail, chunk.subarray(-FULLSYNC_END.length)]).subarray(-FULLSYNC_END.length);
            if (tail.equals(FULLSYNC_END)) resolve();
          },
          onClose: (error) => reject(error ?? new Error("a flow was closed")),
        });
      }),
  );
  await control.sync();
  await Promise.all(ends);
  const seconds = (performance.now() - startedMs) / 1000;
  const bytes = flows.reduce((sum, flow) => sum + flow.bytesRead, 0);
  for (const flow of flows) flow.destroy();
  control.destroy();
  return { seconds, bytes };
}
