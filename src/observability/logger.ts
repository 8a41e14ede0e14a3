/**
 * The logger of a run: JSON lines in a file when `log.dir` is set, and lines on the console. Secrets print as `***`, errors lose the keys
 * of the user's data, at every level above trace. Log per batch or per event, never per key.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type DestinationStream,
  destination,
  type Logger as PinoLogger,
  multistream,
  pino,
  type StreamEntry,
} from "pino";
import { prettyFactory } from "pino-pretty";
import type { LogConfig } from "../config/schema.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { loggableError } from "./log-error.ts";

export type Logger = PinoLogger;

export type LoggerOptions = {
  readonly log: LogConfig;
  readonly taskName: string;
  readonly command: string;
  /** Where console lines go: standard error, or a display that keeps its progress line below them. */
  readonly console: { write(text: string): void };
  readonly consoleIsTerminal: boolean;
  /** Somebody reads a display that says what level info says: then info goes to the file only. */
  readonly hasDisplay: boolean;
};

export type RunLog = {
  readonly logger: Logger;
  /** Only the file: for what the terminal shows anyway. Silent without a file. */
  readonly fileLogger: Logger;
  readonly file: string | undefined;
  close(): void;
};

const SECRET_NAMES = ["password", "pass", "passphrase", "keyPassphrase", "token", "secret", "authorization"];
const REDACT_PATHS = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

export function createLogger(options: LoggerOptions): RunLog {
  const file =
    options.log.dir === undefined ? undefined : join(options.log.dir, `${options.taskName}-${options.command}.log`);
  const fileStream = file === undefined ? undefined : openFile(file, options.log.dir ?? ".");
  const fileEntries = fileStream === undefined ? [] : [{ level: options.log.level, stream: fileStream } as StreamEntry];
  const consoleEntries = options.log.consoleEnabled
    ? [{ level: consoleLevel(options), stream: consoleStream(options) } as StreamEntry]
    : [];
  return {
    logger: build(options, [...fileEntries, ...consoleEntries]),
    fileLogger: build(options, fileEntries),
    file,
    close: () => fileStream?.end(),
  };
}

/** A logger that says nothing. */
export function silentLogger(): Logger {
  return pino({ level: "silent" });
}

function build(options: LoggerOptions, streams: StreamEntry[]): Logger {
  if (streams.length === 0) return silentLogger();
  const showKeys = options.log.level === "trace";
  return pino(
    {
      level: options.log.level,
      base: { task: options.taskName, command: options.command },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACT_PATHS, censor: "***" },
      serializers: { err: (thrown: unknown) => loggableError(thrown, showKeys) },
    },
    multistream(streams),
  );
}

/** Synchronous: what a run said last must be in the file when it dies. Lines are few. */
function openFile(file: string, dir: string): ReturnType<typeof destination> {
  try {
    mkdirSync(dir, { recursive: true });
    const stream = destination({ dest: file, sync: true, append: true, mode: 0o640 });
    // A disk that fills up later must not end a run; SonicBoom drops the line and tells us.
    stream.on("error", () => {});
    return stream;
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Df2RedisError("CONFIG_INVALID", `log.dir: the log file cannot be opened: ${reason}`, {
      context: { file },
      cause: thrown,
    });
  }
}

function consoleLevel({ log, hasDisplay }: LoggerOptions): LogConfig["level"] {
  return hasDisplay && log.level === "info" ? "warn" : log.level;
}

function consoleStream(options: LoggerOptions): DestinationStream {
  const { format } = options.log;
  const isPretty = format === "pretty" || (format === "auto" && options.consoleIsTerminal);
  if (!isPretty) return options.console;
  const pretty = prettyFactory({
    colorize: false,
    ignore: "task,command",
    translateTime: "SYS:HH:MM:ss",
    singleLine: true,
  });
  return { write: (line) => options.console.write(pretty(line) ?? "") };
}
