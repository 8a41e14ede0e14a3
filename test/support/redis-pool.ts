/** A few redis-servers that concurrent tests take turns with: each test has one for itself, emptied. */
import { type RedisServer, type RedisServerOptions, startRedis } from "./redis-server.ts";
import type { RespClient } from "./resp-client.ts";

/** A server and a client of it, for one test. Disposing of it gives it back. */
export class PooledRedis implements AsyncDisposable {
  readonly port: number;
  readonly client: RespClient;
  readonly #giveBack: () => void;

  constructor(port: number, client: RespClient, giveBack: () => void) {
    this.port = port;
    this.client = client;
    this.#giveBack = giveBack;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    this.#giveBack();
  }
}

export class RedisPool {
  readonly #size: number;
  readonly #options: RedisServerOptions;
  #servers: RedisServer[] = [];
  readonly #free: RedisServer[] = [];
  readonly #waiting: ((server: RedisServer) => void)[] = [];

  constructor(size: number, options: RedisServerOptions = {}) {
    this.#size = size;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#servers = await Promise.all(Array.from({ length: this.#size }, () => startRedis(this.#options)));
    this.#free.push(...this.#servers);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  /** Waits for a server that nobody uses, and empties it. */
  async take(): Promise<PooledRedis> {
    const server = this.#free.pop() ?? (await new Promise<RedisServer>((resolve) => this.#waiting.push(resolve)));
    const client = await server.client();
    await client.call("FLUSHALL");
    return new PooledRedis(server.port, client, () => this.#giveBack(server));
  }

  #giveBack(server: RedisServer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(server);
    else next(server);
  }
}
