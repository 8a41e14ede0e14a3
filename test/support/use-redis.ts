/** One redis-server and a client of it for all tests of a file, emptied before each test. Call it at the top level of the file. */
import { afterAll, beforeAll, beforeEach } from "vitest";
import { type RedisServer, type RedisServerOptions, startRedis } from "./redis-server.ts";
import type { RespClient } from "./resp-client.ts";

export type UsedRedis = {
  /** Not before the tests run. */
  readonly server: RedisServer;
  /** In database 0 at the start of each test. */
  readonly client: RespClient;
};

export function useRedis(options: RedisServerOptions = {}): UsedRedis {
  let server: RedisServer | undefined;
  let client: RespClient | undefined;
  beforeAll(async () => {
    server = await startRedis(options);
    client = await server.client();
  });
  beforeEach(async () => {
    await client?.call("SELECT", 0);
    await client?.call("FLUSHALL");
  });
  afterAll(async () => {
    client?.close();
    await server?.stop();
  });
  return {
    get server() {
      return started(server);
    },
    get client() {
      return started(client);
    },
  };
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new Error("redis-server is not started before the tests run");
  return part;
}
