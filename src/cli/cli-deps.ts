/** What the CLI needs from the outside, so that tests can run it in-process with captured streams and a run of their own. */
import type { RunMode, RunObserver, RunReport } from "../commands/run-report.ts";
import type { Environment } from "../config/env-layer.ts";
import type { Config } from "../config/load-config.ts";
import type { Logger } from "../observability/logger.ts";

export type OutputStream = {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

export type StopSignal = "SIGINT" | "SIGTERM";

/** The part of `process` that signals come from. */
export type SignalSource = {
  on(signal: StopSignal, listener: () => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
};

export type RunReplication = (options: {
  readonly config: Config;
  readonly mode: RunMode;
  readonly observer: RunObserver;
  readonly stop: AbortSignal;
  readonly force: AbortSignal;
  readonly logger: Logger;
}) => Promise<RunReport>;

export type CliDeps = {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Environment;
  readonly readFile: (path: string) => string;
  readonly signals: SignalSource;
  readonly runReplication: RunReplication;
  /** Ends the process although something is still going on. */
  readonly forceExit: (code: number) => void;
};
