import { expect, test } from "vitest";
import { startRedis } from "../../test/support/redis-server.ts";
import { rejection } from "../../test/support/until.ts";
import { Secret } from "../config/secret.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { flushTarget } from "./target-flush.ts";

const TIMEOUTS = { connectTimeoutMs: 5000, replyTimeoutMs: 5000 };

test("I6: empties one database or all, and a refusal is an error that names the command", async () => {
  await using redis = await startRedis();
  await using client = await redis.client();
  const endpoint = { host: redis.host, port: redis.port, user: undefined, password: undefined, tls: undefined };
  const sizes = async (): Promise<unknown[]> => {
    const found: unknown[] = [];
    for (const db of [0, 3]) {
      await client.call("SELECT", db);
      found.push(await client.call("DBSIZE"));
    }
    return found;
  };
  for (const db of [3, 0]) {
    await client.call("SELECT", db);
    await client.call("SET", "k", "v");
  }
  await flushTarget({ endpoint, ...TIMEOUTS }, 3);
  expect(await sizes()).toEqual([1, 0]);

  await client.call("ACL", "SETUSER", "app", "on", ">hunter2", "~*", "+@all", "-flushall", "-flushdb");
  const limited = { ...endpoint, user: "app", password: new Secret("hunter2") };
  for (const [db, command] of [
    [-1, "FLUSHALL"],
    [0, "FLUSHDB"],
    [99, "SELECT"],
  ] as const) {
    const error = await rejection<Df2RedisError>(flushTarget({ endpoint: limited, ...TIMEOUTS }, db));
    expect(error).toMatchObject({ code: "TARGET_REJECTED", context: { command, db } });
    expect(error.message).toContain(command);
  }
  expect(await sizes()).toEqual([1, 0]);

  await client.call("SET", "k", "v");
  await flushTarget({ endpoint, ...TIMEOUTS }, -1);
  expect(await sizes()).toEqual([0, 0]);
});
