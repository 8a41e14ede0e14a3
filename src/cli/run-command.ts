/** What `replicate` and `migrate` share: configuration, display, log, signals, and the exit code. */
import type { RunMode, RunObserver, RunReport } from "../commands/run-report.ts";
import type { Flags } from "../config/flag-layer.ts";
import { type Config, loadConfig } from "../config/load-config.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { loggableContext } from "../observability/log-error.ts";
import { createLogger, type RunLog } from "../observability/logger.ts";
import type { CliDeps, StopSignal } from "./cli-deps.ts";
import { exitCodeOfReport } from "./exit-codes.ts";
import { JsonDisplay } from "./json-display.ts";
import { PlainDisplay } from "./plain-display.ts";
import type { RunDisplay } from "./run-display.ts";
import { StopSignals } from "./stop-signals.ts";
import { TerminalDisplay } from "./terminal-display.ts";

export type RunCommandOptions = {
  readonly mode: RunMode;
  readonly file: string | undefined;
  readonly flags: Flags;
  readonly json: boolean;
};

/** Resolves to the exit code; throws what ended the run. */
export async function runCommand(options: RunCommandOptions, deps: CliDeps): Promise<number> {
  const config = loadConfig({ file: options.file, env: deps.env, flags: options.flags, readFile: deps.readFile });
  const display = createDisplay(options.json, deps);
  const log = openLog({ config, mode: options.mode, display, hasDisplay: display instanceof TerminalDisplay }, deps);
  const signals = new StopSignals(deps.signals, (signal, isSecond) =>
    display.notice(signalText(options.mode, signal, isSecond)),
  );
  try {
    return await run({ config, mode: options.mode, display, log, signals }, deps);
  } catch (thrown) {
    log.fileLogger.error({ err: thrown }, "the run ended with an error");
    throw thrown;
  } finally {
    signals.close();
    display.close();
    log.close();
  }
}

function createDisplay(json: boolean, { stdout, stderr }: CliDeps): RunDisplay {
  if (json) return new JsonDisplay(stdout, stderr);
  return stdout.isTTY === true ? new TerminalDisplay(stdout, stderr) : new PlainDisplay(stdout, stderr);
}

type LogTarget = {
  readonly config: Config;
  readonly mode: RunMode;
  readonly display: RunDisplay;
  readonly hasDisplay: boolean;
};

function openLog({ config, mode, display, hasDisplay }: LogTarget, deps: CliDeps): RunLog {
  return createLogger({
    log: config.log,
    taskName: config.taskName,
    command: mode,
    console: { write: (text) => display.log(text) },
    consoleIsTerminal: deps.stderr.isTTY === true,
    hasDisplay,
  });
}

type Run = {
  readonly config: Config;
  readonly mode: RunMode;
  readonly display: RunDisplay;
  readonly log: RunLog;
  readonly signals: StopSignals;
};

async function run({ config, mode, display, log, signals }: Run, deps: CliDeps): Promise<number> {
  const observer = loggedObserver(display, log);
  const running = deps.runReplication({
    config,
    mode,
    observer,
    stop: signals.stop,
    force: signals.force,
    logger: log.logger,
  });
  const ended = await Promise.race([running, signals.forced()]);
  if (ended === "forced") {
    // Nobody waits for the run any more; how it ends is of no interest.
    running.catch(() => {});
    throw new Df2RedisError(
      "INTERRUPTED",
      "A second signal forced the end; what was in flight may or may not be in the target.",
      {
        context: { forced: true },
      },
    );
  }
  log.fileLogger.info({ report: loggableReport(ended) }, "the run ended");
  display.report(ended);
  return exitCodeOfReport(ended);
}

/** Samples are keys, which a log does not hold. */
function loggableReport(report: RunReport): object {
  const { losses, sweep, keptMembers } = report;
  return {
    ...report,
    losses: losses.map(({ kind, count }) => ({ kind, count })),
    sweep: sweep && { ...sweep, samples: undefined, keptSamples: undefined },
    keptMembers: keptMembers && { ...keptMembers, samples: undefined },
    rejected: undefined,
  };
}

/** The display shows phases and warnings to the operator; the log file keeps them. */
function loggedObserver(display: RunDisplay, log: RunLog): RunObserver {
  return {
    phase(phase, detail) {
      // The detail of a failure is its message, which may name a key; the error is logged on its own.
      log.fileLogger.info(phase === "failed" ? { phase } : { phase, detail }, "phase");
      display.phase(phase, detail);
    },
    progress(progress) {
      display.progress(progress);
    },
    note(message) {
      log.fileLogger.info(message);
      display.note(message);
    },
    warning(message, context) {
      log.fileLogger.warn(loggableContext(context ?? {}), message);
      display.warning(message, context);
    },
  };
}

function signalText(mode: RunMode, signal: StopSignal, isSecond: boolean): string {
  if (isSecond) return `${signal} again: ending at once.`;
  const what =
    mode === "replicate" ? "applying and acknowledging what has been received" : "the snapshot will not be complete";
  return `${signal}: stopping, ${what}. Once more (Ctrl-C) forces the end.`;
}
