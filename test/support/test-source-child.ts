/** A source that is a process of ours: the simulator or a Dragonfly binary. Knows how to start it, how to see that it is up, and how to end it. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { spawnBound } from "./bound-process.ts";
import { freePort } from "./redis-server.ts";
import { RespClient } from "./resp-client.ts";
import type { SourceEndpoint, SourceFlags, SourceKind, TestSource } from "./test-source-options.ts";

const HOST = "127.0.0.1";
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;
const KEPT_OUTPUT = 16 * 1024;

export type SourceProgram = {
  readonly kind: SourceKind;
  readonly shards: number;
  readonly flags: SourceFlags;
  /** Program and arguments that listen on `port` and keep their files in `directory`. */
  command(port: number, directory: string): readonly [string, ...string[]];
};

/** Starts it and waits until it answers. Throws with its own words when it does not. */
export async function startSourceChild(program: SourceProgram): Promise<SourceChild> {
  const source = new SourceChild(program, await freePort());
  try {
    await source.start();
    return source;
  } catch (error) {
    await source.stop();
    throw error;
  }
}

export class SourceChild implements TestSource {
  readonly kind: SourceKind;
  readonly shards: number;
  readonly endpoint: SourceEndpoint;
  readonly #program: SourceProgram;
  readonly #directory = mkdtempSync(path.join(tmpdir(), "df2redis-source-"));
  #process: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #output = "";

  constructor(program: SourceProgram, port: number) {
    const { requirepass, tls } = program.flags;
    this.kind = program.kind;
    this.shards = program.shards;
    this.#program = program;
    this.endpoint = { host: HOST, port, password: requirepass, tlsCa: tls && readFileSync(tls.caFile, "utf8") };
  }

  get address(): string {
    return `${HOST}:${this.endpoint.port}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get exited(): Promise<void> {
    return this.#exited;
  }

  async start(): Promise<void> {
    const [command, ...args] = this.#program.command(this.endpoint.port, this.#directory);
    const child = spawnBound(command, args, { stdio: ["ignore", "pipe", "pipe"], cwd: this.#directory });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-KEPT_OUTPUT)));
    this.#exited = new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", (error) => {
        this.#output += error.message;
        resolve();
      });
    });
    await this.#untilItAnswers();
  }

  async client(db = 0): Promise<RespClient> {
    return await connectTo(this.endpoint, db);
  }

  async restart(): Promise<void> {
    await this.#end();
    await this.start();
  }

  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  async #untilItAnswers(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const error = await this.#ping();
      if (error === undefined) return;
      const isGone = this.#process?.exitCode !== null || this.#process.signalCode !== null;
      if (isGone || performance.now() > deadline)
        throw new Error(
          `the ${this.kind} source does not answer on port ${this.endpoint.port} (${error}):\n${this.#output}`,
        );
      await delay(20);
    }
  }

  async #ping(): Promise<string | undefined> {
    try {
      await using client = await this.client();
      await client.call("PING");
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

export async function connectTo(endpoint: SourceEndpoint, db = 0): Promise<RespClient> {
  const { host, port, user, password, tlsCa } = endpoint;
  const tls = tlsCa === undefined ? undefined : { ca: tlsCa };
  const client = await RespClient.connect({ host, port, tls, password: user === undefined ? password : undefined });
  if (user !== undefined) await client.call("AUTH", user, password ?? "");
  if (db !== 0) await client.call("SELECT", db);
  return client;
}
