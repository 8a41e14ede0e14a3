/** Against real servers: what the gate before our scripts does to keys (nothing), and to scripts when the server takes no writes (all of it). */
import { describe, expect, test } from "vitest";
import { breakSaves, limitMemory, redisInfo } from "../../../test/support/redis-processes.ts";
import { type RedisServer, startRedis } from "../../../test/support/redis-server.ts";
import type { RespClient } from "../../../test/support/resp-client.ts";
import { testServers } from "../../../test/support/test-servers.ts";
import { isRetryableError } from "./journal-error-class.ts";
import { gatedScript } from "./write-gate.ts";

/** Finds nothing to write. */
const IDLE = gatedScript(Buffer.from("return redis.call('EXISTS',KEYS[1])"));

const KEYS: readonly (readonly (string | number)[])[] = [
  ["SET", "string", "v"],
  ["SET", "empty", ""],
  ["SET", "number", 7],
  ["RPUSH", "list", "a", "b"],
  ["SADD", "set", "a", 1],
  ["HSET", "hash", "f", "v"],
  ["ZADD", "zset", 1, "a"],
  ["XADD", "stream", "1-1", "f", "v"],
  ["PFADD", "hll", "a"],
];

const STATES: Readonly<Record<string, (server: RedisServer, client: RespClient) => Promise<void>>> = {
  OOM: (server) => limitMemory(server, 1),
  MISCONF: (server) => breakSaves(server),
  READONLY: async (_server, client) => void (await client.call("REPLICAOF", "127.0.0.1", 1)),
  NOREPLICAS: async (_server, client) => void (await client.call("CONFIG", "SET", "min-replicas-to-write", 1)),
};

describe.each(testServers())("on $name", ({ path }) => {
  test("keys of every type, and missing ones, stay as they are", async () => {
    await using server = await startRedis({ program: path });
    await using client = await server.client();
    await client.pipeline(KEYS);
    await client.call("PEXPIRE", "list", 3_600_000);
    const names = [...KEYS.map(([, key]) => String(key)), "missing"];
    const state = (): Promise<unknown[]> =>
      client.pipeline(
        names.flatMap((key) => [
          ["DUMP", key],
          ["PEXPIRETIME", key],
          ["OBJECT", "ENCODING", key],
        ]),
      );
    const before = await state();
    const changes = await redisInfo(server, "rdb_changes_since_last_save");
    const replies = await client.pipeline(names.map((key) => ["EVAL", IDLE, 1, key]));
    expect(replies).toEqual(names.map((key) => (key === "missing" ? 0 : 1)));
    expect(await state()).toEqual(before);
    expect(await redisInfo(server, "rdb_changes_since_last_save")).toBe(changes);
  });

  test.each(Object.entries(STATES))("%s refuses a script that would have written nothing", async (code, enter) => {
    await using server = await startRedis({ program: path });
    await using client = await server.client();
    await client.call("SET", "there", "v");
    await enter(server, client);
    for (const key of ["there", "missing"]) {
      const words = String(await client.call("EVAL", IDLE, 1, key).catch((error: unknown) => error));
      expect(words).toContain(code);
      expect(isRetryableError(words.replace(/^\w*Error: /, ""))).toBe(true);
    }
  });
});
