/**
 * Real redis-servers for tests and the demo: each on a free port of 127.0.0.1, without persistence unless asked for, in a directory of its own, gone
 * when the process that started it ends. They can be stopped, killed, frozen, and started again in place. What needs more than one process, or a
 * disk of its own, is in redis-processes.ts.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { spawnBound } from "./bound-process.ts";
import { processState } from "./process-stat.ts";
import { RespClient, type RespClientOptions } from "./resp-client.ts";
import { until } from "./until.ts";

const HOST = "127.0.0.1";
const PORT_ATTEMPTS = 5;
const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 3_000;

export type RedisServerOptions = {
  /** More arguments for redis-server, e.g. `["--maxmemory", "10mb"]`. */
  readonly args?: readonly string[];
  readonly password?: string;
  /** Write an append-only file and sync it with every command, so that a crash loses nothing that was answered. */
  readonly aof?: boolean;
  /** Program and leading arguments that start redis-server in another environment and become it (`nsenter …`). */
  readonly launcher?: readonly string[];
  /** The server to start instead of the `redis-server` on PATH. */
  readonly program?: string | undefined;
  /** Where it keeps its files, instead of a directory of its own that goes with it. */
  readonly directory?: string;
  /** Files in PEM: serve TLS on `port` instead of plain TCP. With `ca`, clients must show a certificate that it signed. */
  readonly tls?: {
    readonly keyFile: string;
    readonly certFile: string;
    readonly caFile: string;
    readonly authClients?: boolean;
  };
};

const running = new Set<RedisServer>();
process.on("exit", () => {
  for (const server of running) server.killNow();
});

/** Starts a server and waits until it answers. Throws with the server's own words when it does not start. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    const server = new RedisServer(await freePort(), options);
    try {
      await server.ready();
      return server;
    } catch (error) {
      await server.stop();
      // Another process may have taken the port in between.
      if (attempt === PORT_ATTEMPTS || !server.output.includes("Address already in use")) throw error;
    }
  }
}

export type ProcessEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export class RedisServer implements AsyncDisposable {
  readonly host = HOST;
  readonly port: number;
  /** Where its files are. */
  readonly directory: string;
  readonly #options: RedisServerOptions;
  #process: ChildProcess;
  #exited: Promise<ProcessEnd>;
  #output = "";
  #spawnError: Error | undefined;

  constructor(port: number, options: RedisServerOptions) {
    this.port = port;
    this.#options = options;
    this.directory = options.directory ?? mkdtempSync(path.join(tmpdir(), "df2redis-redis-"));
    this.#process = this.#spawn([]);
    this.#exited = exitOf(this.#process);
    running.add(this);
  }

  get address(): string {
    return `${HOST}:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get isRunning(): boolean {
    return this.#process.pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** How the process that runs now, or ran last, ends. */
  get exited(): Promise<ProcessEnd> {
    return this.#exited;
  }

  /** The last of what the server printed. */
  get output(): string {
    return this.#output;
  }

  /** What a client needs to reach this server. */
  get clientOptions(): RespClientOptions {
    const { tls, password } = this.#options;
    return { port: this.port, password, tls: tls && { ca: readFileSync(tls.caFile, "utf8") } };
  }

  /** A client of this server; the caller closes it. */
  async client(db = 0): Promise<RespClient> {
    const client = await RespClient.connect(this.clientOptions);
    if (db !== 0) await client.call("SELECT", db);
    return client;
  }

  async ready(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!this.#answers(await this.#ask())) {
      if (this.#spawnError !== undefined) throw new Error(`redis-server cannot be run: ${this.#spawnError.message}`);
      if (!this.isRunning) throw new Error(`redis-server ended at once:\n${this.#output}`);
      if (Date.now() > deadline) throw new Error(`redis-server on port ${this.port} does not answer:\n${this.#output}`);
      await delay(10);
    }
  }

  /** Stops the server for good; its files are gone, so it is given no time to put them in order. Safe to call twice. */
  async stop(): Promise<void> {
    await this.crash();
    this.#forget();
  }

  /** SIGTERM, then SIGKILL when it does not end. Its files stay for `restart`. */
  async shutDown(): Promise<void> {
    if (!this.isRunning) return;
    this.#process.kill("SIGTERM");
    // A frozen process would take no notice.
    this.#process.kill("SIGCONT");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  /** SIGKILL, as a crash: nothing is said or saved. Its files stay for `restart`. */
  async crash(): Promise<void> {
    if (!this.isRunning) return;
    this.#process.kill("SIGKILL");
    await this.#exited;
  }

  /** Freezes the process with SIGSTOP: its connections stay open and are taken, and nothing is answered. */
  async freeze(): Promise<void> {
    this.#process.kill("SIGSTOP");
    await until(() => processState(this.#process.pid ?? 0) === "T", "redis-server to freeze");
  }

  /** Lets a frozen process go on (SIGCONT). */
  thaw(): void {
    this.#process.kill("SIGCONT");
  }

  /** Ends it in an orderly way if it still runs, and starts it again on the same port, directory and options. */
  async restart(moreArgs: readonly string[] = []): Promise<void> {
    await this.shutDown();
    this.#spawnError = undefined;
    this.#process = this.#spawn(moreArgs);
    this.#exited = exitOf(this.#process);
    running.add(this);
    await this.ready();
  }

  killNow(): void {
    this.#process.kill("SIGKILL");
    this.#forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #spawn(moreArgs: readonly string[]): ChildProcess {
    const args = [...serverArguments(this.port, this.directory, this.#options), ...moreArgs];
    const server = this.#options.program ?? "redis-server";
    const [program = server, ...leading] = this.#options.launcher ?? [];
    const launched = this.#options.launcher === undefined ? args : [...leading, server, ...args];
    const child = spawnBound(program, launched, { stdio: ["ignore", "pipe", "pipe"] });
    child.on("error", (error) => {
      this.#spawnError = error;
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-8192);
      });
    }
    return child;
  }

  #forget(): void {
    running.delete(this);
    if (this.#options.directory === undefined) rmSync(this.directory, { recursive: true, force: true });
  }

  /** A server with TLS or a password is up when it takes a connection; a plain one when it says so. */
  #answers(reply: string | undefined): boolean {
    if (reply === undefined || !this.isRunning) return false;
    return this.#options.tls !== undefined || reply.startsWith("+PONG") || reply.startsWith("-NOAUTH");
  }

  /** The reply to a PING, empty when the connection was taken and closed, undefined when it was not taken. */
  #ask(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ port: this.port, host: HOST });
      const tls = this.#options.tls !== undefined;
      const done = (reply: string | undefined): void => {
        socket.destroy();
        resolve(reply);
      };
      socket.on("connect", () => (tls ? done("") : socket.write("PING\r\n")));
      socket.on("data", (chunk) => done(chunk.toString()));
      socket.on("error", () => done(undefined));
      socket.on("close", () => done(undefined));
    });
  }
}

function serverArguments(port: number, directory: string, options: RedisServerOptions): string[] {
  const { tls, password } = options;
  const ports = tls ? ["--port", "0", "--tls-port", String(port)] : ["--port", String(port)];
  const tlsArguments = tls
    ? ["--tls-key-file", tls.keyFile, "--tls-cert-file", tls.certFile, "--tls-ca-cert-file", tls.caFile]
    : [];
  const clients = tls ? ["--tls-auth-clients", tls.authClients ? "yes" : "no"] : [];
  const aof = options.aof ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
  const fixed = ["--bind", HOST, "--save", "", ...aof, "--dir", directory, "--daemonize", "no"];
  const auth = password === undefined ? [] : ["--requirepass", password];
  return [...ports, ...tlsArguments, ...clients, ...fixed, ...auth, ...(options.args ?? [])];
}

async function exitOf(child: ChildProcess): Promise<ProcessEnd> {
  return await new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: null, signal: null }));
  });
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
