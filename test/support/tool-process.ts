/**
 * The tool as a child process, as an operator or a program runs it: its `--json` events as they come, what it prints, signals, how it ends, and what it
 * uses. Gone when this process ends.
 */
import { runEnv } from "./run-defaults.ts";
import type { ChildProcess } from "node:child_process";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { RunReport } from "../../src/commands/run-report.ts";
import { Waiters } from "../../src/simulator/waiters.ts";
import { spawnBound } from "./bound-process.ts";
import { type ProcessUsage, processState, processUsage } from "./process-stat.ts";
import { until } from "./until.ts";

const LAUNCHER = fileURLToPath(new URL("../../df2redis", import.meta.url));
const PROGRAM = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));
const PRELOAD = new URL("tool-usage-preload.ts", import.meta.url).href;
const KEPT_TEXT = 256 * 1024;
const WAIT_MS = 30_000;

/** A line of standard output: `phase`, `progress`, `warning`, `report`, `error`. */
export type ToolEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

/** What an `error` event says. */
export type ToolError = {
  readonly code: string;
  readonly message: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly causes: readonly string[];
  readonly retryable: boolean;
  readonly action: string;
};

export type ToolExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type ToolSignal = "SIGINT" | "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT";

export type ToolOptions = {
  /** All it sees, besides PATH and the like. */
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of Node itself, e.g. `--max-old-space-size=64`. */
  readonly nodeArgs?: readonly string[];
  /** Through `./df2redis`, which looks for a Node first, instead of by this Node. Its final usage is not known then. */
  readonly byLauncher?: boolean;
};

/** @param args what follows the program's name; `--json` is needed for events */
export function startTool(args: readonly string[], options: ToolOptions = {}): ToolProcess {
  return new ToolProcess(args, options);
}

export class ToolProcess implements AsyncDisposable {
  /** Everything it has told so far. */
  readonly events: ToolEvent[] = [];
  /** Once the process is gone and everything it printed has been read. */
  readonly exit: Promise<ToolExit>;
  readonly #child: ChildProcess;
  readonly #args: readonly string[];
  readonly #waiters = new Waiters();
  #stdout = "";
  #stderr = "";
  #finalUsage = "";
  #lastUsage: ProcessUsage | undefined;
  #ended: ToolExit | undefined;

  constructor(args: readonly string[], { env = {}, nodeArgs = [], byLauncher = false }: ToolOptions) {
    const { PATH = "", HOME = "", TMPDIR = tmpdir() } = process.env;
    const node = ["--import", PRELOAD, ...nodeArgs, PROGRAM];
    this.#args = args;
    this.#child = spawnBound(byLauncher ? LAUNCHER : process.execPath, [...(byLauncher ? [] : node), ...args], {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      env: { PATH, HOME, TMPDIR, ...runEnv(), ...env },
    });
    this.#readEvents();
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-KEPT_TEXT);
    });
    this.#child.stdio[3]?.on("data", (chunk: Buffer) => {
      this.#finalUsage += chunk.toString();
    });
    this.exit = this.#end();
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`the tool could not be started: ${this.text()}`);
    return pid;
  }

  get isRunning(): boolean {
    return this.#ended === undefined;
  }

  /** The last of what it printed. */
  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Its report, when it has ended well. */
  get report(): RunReport | undefined {
    const event = this.events.findLast((one) => one.event === "report");
    return event === undefined ? undefined : toReport(event);
  }

  /** What it complained of, when it has ended with an error. */
  get error(): ToolError | undefined {
    return this.events.findLast((one) => one.event === "error")?.["error"] as ToolError | undefined;
  }

  /** Memory and CPU time so far; of a process that ended by itself, all of it; of one that was killed, what was seen last. */
  get usage(): ProcessUsage | undefined {
    if (this.#finalUsage !== "") return JSON.parse(this.#finalUsage) as ProcessUsage;
    this.#lastUsage = (this.isRunning ? processUsage(this.pid) : undefined) ?? this.#lastUsage;
    return this.#lastUsage;
  }

  /** The first event, past or to come, for which this holds. Throws when the tool ends without one, or takes too long. */
  async waitFor(condition: (event: ToolEvent) => boolean, timeoutMs = WAIT_MS): Promise<ToolEvent> {
    let seen = 0;
    let found: ToolEvent | undefined;
    const look = (): boolean => {
      while (found === undefined && seen < this.events.length) {
        const event = this.events[seen++];
        if (event !== undefined && condition(event)) found = event;
      }
      return found !== undefined || !this.isRunning;
    };
    await this.#within(timeoutMs, this.#waiters.until(look));
    if (found === undefined) throw new Error(`the tool ended without the event that was waited for\n${this.text()}`);
    return found;
  }

  waitForPhase(phase: string): Promise<ToolEvent> {
    return this.waitFor((event) => event.event === "phase" && event["phase"] === phase);
  }

  /** Waits for something that the tool brings about. Throws when it ends, or takes too long. */
  async whileRunning<T>(promise: Promise<T>, timeoutMs = WAIT_MS): Promise<T> {
    const ended = this.exit.then(() => {
      throw new Error(`the tool ended too early\n${this.text()}`);
    });
    return await this.#within(timeoutMs, Promise.race([promise, ended]));
  }

  /** Waits for a condition on what it said. Throws when it ends before. */
  async until(condition: () => boolean, what: string): Promise<void> {
    await until(() => condition() || !this.isRunning, what, WAIT_MS);
    if (!condition()) throw new Error(`the tool ended before ${what}\n${this.text()}`);
  }

  /** When it has printed `words`, to standard output or standard error. */
  async says(words: string): Promise<void> {
    await this.until(() => this.stdout.includes(words) || this.stderr.includes(words), `it said ${words}`);
  }

  /** Events as they come, from the first one on, to the tool's end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ToolEvent> {
    for (let i = 0; ; i++) {
      await this.#waiters.until(() => i < this.events.length || !this.isRunning);
      const event = this.events[i];
      if (event === undefined) return;
      yield event;
    }
  }

  signal(signal: ToolSignal): void {
    // While someone still can.
    void this.usage;
    this.#child.kill(signal);
  }

  /** SIGSTOP, and waits until it has taken effect. */
  async freeze(): Promise<void> {
    this.signal("SIGSTOP");
    await until(() => processState(this.pid) === "T", "the tool to freeze");
  }

  /** SIGCONT. */
  thaw(): void {
    this.signal("SIGCONT");
  }

  /** Its end, or an error that says what it was doing when it took too long. */
  async exitWithin(timeoutMs: number): Promise<ToolExit> {
    return await this.#within(timeoutMs, this.exit);
  }

  /** Command line, events and standard error, for messages. */
  text(): string {
    const state = this.#ended === undefined ? "runs" : `ended with ${this.#ended.signal ?? this.#ended.code}`;
    return `df2redis ${this.#args.join(" ")} ${state}\n${this.#stdout.slice(-4096)}${this.#stderr.slice(-4096)}`;
  }

  /** Kills it if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) this.#child.kill("SIGKILL");
    await this.exit;
  }

  #readEvents(): void {
    if (this.#child.stdout === null) return;
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.#stdout = (this.#stdout + line + "\n").slice(-KEPT_TEXT);
      const event = parseEvent(line);
      if (event !== undefined) this.events.push(event);
      this.#waiters.check();
    });
  }

  #end(): Promise<ToolExit> {
    return new Promise((resolve) => {
      const end = (exit: ToolExit): void => {
        this.#ended = exit;
        resolve(exit);
        this.#waiters.check();
      };
      this.#child.on("error", (error) => {
        this.#stderr += error.message;
        if (this.#child.pid === undefined) end({ code: null, signal: null });
      });
      this.#child.on("close", (code, signal) => end({ code, signal }));
    });
  }

  async #within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`waited ${timeoutMs} ms for the tool in vain\n${this.text()}`)),
        timeoutMs,
      );
    });
    return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
  }
}

function parseEvent(line: string): ToolEvent | undefined {
  try {
    const event: unknown = JSON.parse(line);
    return typeof event === "object" && event !== null && "event" in event ? (event as ToolEvent) : undefined;
  } catch {
    return undefined;
  }
}

/** JSON says null where a report has no value. */
function toReport(event: ToolEvent): RunReport {
  const report = event as unknown as RunReport & { readonly snapshotMs: number | null };
  const appliedLsns = report.appliedLsns.map((lsn) => lsn ?? undefined);
  return { ...report, snapshotMs: report.snapshotMs ?? undefined, appliedLsns };
}
