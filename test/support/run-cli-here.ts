/** Runs a command line in this process with the product's own run behind it: exit code and output, much faster than a child process. */
import { runEnv } from "./run-defaults.ts";
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import type { StopSignal } from "../../src/cli/cli-deps.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import { runReplication } from "../../src/commands/replicate.ts";
import { until } from "./until.ts";

export class CliHere implements AsyncDisposable {
  stdout = "";
  stderr = "";
  readonly ended: Promise<number>;
  readonly #signals = new EventEmitter();
  #isRunning = true;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.ended = runCli(args, {
      stdout: { write: (text) => (this.stdout += text) },
      stderr: { write: (text) => (this.stderr += text) },
      env: { ...runEnv(), ...env },
      readFile: (path) => readFileSync(path, "utf8"),
      signals: this.#signals,
      runReplication,
      forceExit: () => {},
    });
    void this.ended.then(() => {
      this.#isRunning = false;
    });
  }

  get output(): string {
    return this.stdout + this.stderr;
  }

  signal(name: StopSignal): void {
    this.#signals.emit(name);
  }

  async says(text: string): Promise<void> {
    await until(() => this.output.includes(text) || !this.#isRunning, `it to say ${text}`);
    if (!this.output.includes(text)) throw new Error(`it ended without saying ${text}:\n${this.output}`);
  }

  /** Of `--json`: the last event of that name. */
  event(name: string): Record<string, unknown> | undefined {
    return this.stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .findLast((event) => event["event"] === name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#isRunning) {
      this.signal("SIGINT");
      await Promise.race([this.ended, new Promise((resolve) => setTimeout(resolve, 50))]);
    }
  }
}
