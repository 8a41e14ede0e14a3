/** The command line tool as a child process, as an operator starts it: its output so far, its signals, its end. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

const LAUNCHER = fileURLToPath(new URL("../../df2redis", import.meta.url));
const BIN = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));

export type CliExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type CliChildOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** Through `./df2redis`, which looks for a Node first, instead of by this Node. */
  readonly byLauncher?: boolean;
};

export class CliChild implements AsyncDisposable {
  stdout = "";
  stderr = "";
  readonly ended: Promise<CliExit>;
  readonly #child: ChildProcess;
  #exit: CliExit | undefined;

  constructor(args: readonly string[], options: CliChildOptions = {}) {
    const { PATH = "", HOME = "", TMPDIR = "/tmp" } = process.env;
    const [program, leading] = options.byLauncher ? [LAUNCHER, []] : [process.execPath, [BIN]];
    this.#child = spawn(program, [...leading, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH, HOME, TMPDIR, ...options.env },
    });
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = new Promise((resolve) => {
      this.#child.on("close", (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  get output(): string {
    return this.stdout + this.stderr;
  }

  get isRunning(): boolean {
    return this.#exit === undefined;
  }

  signal(name: "SIGINT" | "SIGTERM"): void {
    this.#child.kill(name);
  }

  /** Waits for a condition on what it said; fails when it ends before. */
  async until(condition: () => boolean, what: string): Promise<void> {
    await until(() => condition() || !this.isRunning, what, 20_000);
    if (!condition()) throw new Error(`it ended before ${what}:\n${this.output}`);
  }

  async says(text: string): Promise<void> {
    await this.until(() => this.output.includes(text), `it said ${text}`);
  }

  /** Of `--json`: the events so far. Throws when a line is none. */
  events(): Record<string, unknown>[] {
    const lines = this.stdout.slice(0, this.stdout.lastIndexOf("\n") + 1).split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) this.#child.kill("SIGKILL");
    await this.ended;
  }
}
