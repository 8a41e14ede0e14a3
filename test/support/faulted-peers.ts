/**
 * A recorded master and a target with a fault proxy before each, for a tool between the proxies: in this process by its whole command path
 * (`runHere`), or as a process of its own (`startTool(peers.args)`).
 */
import type { RunMode } from "../../src/commands/run-report.ts";
import type { Recording } from "../../src/simulator/recording.ts";
import { type RecordingMaster, startRecordingMaster } from "../../src/simulator/recording-master.ts";
import { CliHere } from "./run-cli-here.ts";
import { type FaultProxy, type FaultProxyOptions, startFaultProxy } from "./fault-proxy.ts";
import type { ToolError } from "./tool-process.ts";
import { until } from "./until.ts";

/** Short enough for a test, long enough for a busy machine. */
export const SHORT_TIMEOUTS: Readonly<Record<string, string>> = {
  DF2REDIS_ADVANCED_CONNECT_TIMEOUT_MS: "2000",
  DF2REDIS_ADVANCED_HANDSHAKE_TIMEOUT_MS: "2000",
  DF2REDIS_ADVANCED_REPLY_TIMEOUT_MS: "2000",
};

export type FaultedPeersOptions = {
  readonly recording: Recording;
  readonly targetPort: number;
  readonly second?: boolean;
  readonly mode?: RunMode;
  readonly workers?: number;
  /** Faults between the master and the tool: the tool is the client, the master the proxy's target. */
  readonly source?: Omit<FaultProxyOptions, "target">;
  /** Faults between the tool and the target. */
  readonly target?: Omit<FaultProxyOptions, "target">;
};

export class FaultedPeers implements AsyncDisposable {
  readonly master: RecordingMaster;
  readonly source: FaultProxy;
  readonly target: FaultProxy;
  /** The tool's command line. */
  readonly args: readonly string[];

  constructor(parts: Pick<FaultedPeers, "master" | "source" | "target">, { mode, workers }: FaultedPeersOptions) {
    const { master, source, target } = parts;
    this.master = master;
    this.source = source;
    this.target = target;
    const workerArgs = workers === undefined ? [] : ["--workers", String(workers)];
    this.args = [mode ?? "replicate", "--json", "--source", source.address, "--target", target.address, ...workerArgs];
  }

  /** What to say when a test fails. */
  report(): string {
    return `source side:\n${this.source.report()}\ntarget side:\n${this.target.report()}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.source.stop(), this.target.stop(), this.master.stop()]);
  }
}

export async function startFaultedPeers(options: FaultedPeersOptions): Promise<FaultedPeers> {
  const master = await startRecordingMaster({ recording: options.recording, second: options.second ?? false });
  const source = await startFaultProxy({ ...options.source, target: { port: master.port } });
  const target = await startFaultProxy({ ...options.target, target: { port: options.targetPort } });
  return new FaultedPeers({ master, source, target }, options);
}

/** The tool in this process, with short timeouts. */
export function runHere(peers: FaultedPeers, env: Readonly<Record<string, string>> = {}): CliHere {
  return new CliHere(peers.args, { ...SHORT_TIMEOUTS, ...env });
}

/** The exit code; throws when the run hangs. */
export async function endWithin(run: CliHere, timeoutMs: number): Promise<number> {
  let code: number | undefined;
  void run.ended.then((ended) => {
    code = ended;
  });
  await until(() => code !== undefined, "the tool to end", timeoutMs);
  return await run.ended;
}

export function errorOf(run: CliHere): ToolError | undefined {
  return run.event("error")?.["error"] as ToolError | undefined;
}
