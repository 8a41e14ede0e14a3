/** Starts a bench master in a process of its own and ends it. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { MasterMessage } from "./bench-master.ts";

const MODULE = fileURLToPath(new URL("./bench-master.ts", import.meta.url));

export async function startBenchMaster(flowFiles: readonly string[]): Promise<MasterProcess> {
  const master = new MasterProcess(flowFiles);
  await master.listening;
  return master;
}

export class MasterProcess implements AsyncDisposable {
  readonly listening: Promise<void>;
  readonly #child: ChildProcess;
  #port = 0;
  #syncedAtMs: number | undefined;
  #cpuSeconds = 0;
  #ended = false;

  constructor(flowFiles: readonly string[]) {
    this.#child = fork(MODULE, [...flowFiles], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.listening = new Promise((resolve, reject) => {
      this.#child.on("message", (message: MasterMessage) => {
        this.#take(message);
        if (message.type === "listening") resolve();
      });
      this.#child.on("exit", (code) => {
        this.#ended = true;
        reject(new Error(`the bench master ended with code ${code}`));
      });
    });
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** When DFLY SYNC came, Unix ms; undefined before. */
  get syncedAtMs(): number | undefined {
    return this.#syncedAtMs;
  }

  /** User and system time of the whole process; 0 before `stop`. */
  get cpuSeconds(): number {
    return this.#cpuSeconds;
  }

  async stop(): Promise<void> {
    if (this.#ended) return;
    const exited = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    this.#child.send("stop");
    await exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #take(message: MasterMessage): void {
    if (message.type === "listening") this.#port = message.port;
    else if (message.type === "synced") this.#syncedAtMs = message.atMs;
    else this.#cpuSeconds = message.cpuSeconds;
  }
}
