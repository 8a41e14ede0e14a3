import { expect, test } from "vitest";
import { startRedis } from "../../test/support/redis-server.ts";
import { plainEndpoint } from "../../test/support/scripted-server.ts";
import { rejection } from "../../test/support/until.ts";
import { Secret } from "../config/secret.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import type { TargetCapabilities } from "./capabilities.ts";
import { probeTarget } from "./probe.ts";

function probe(port: number, login?: { user?: string; password: string }): Promise<TargetCapabilities> {
  const credentials = login === undefined ? {} : { user: login.user, password: new Secret(login.password) };
  return probeTarget({
    endpoint: { ...plainEndpoint(port), ...credentials },
    connectTimeoutMs: 5000,
    replyTimeoutMs: 5000,
  });
}

test("a real Redis: its version, its databases, and a RESTORE version that it takes", async () => {
  await using redis = await startRedis({ args: ["--databases", "20"] });
  await using client = await redis.client();
  const found = await probe(redis.port);
  const version = /redis_version:(\S+)/.exec(String(await client.call("INFO", "server")))?.[1];
  expect(found).toMatchObject({ product: "redis", version, databases: 20 });
  await client.call("SET", "k", "v");
  const dumped = await client.call("DUMP", "k");
  if (!Buffer.isBuffer(dumped)) throw new Error("DUMP gave no bytes");
  // The server's own version is the highest that it loads.
  expect(found.rdbVersion).toBeLessThanOrEqual(dumped.readUInt16LE(dumped.length - 10));
});

test("a user who may not run INFO or CONFIG", async () => {
  await using redis = await startRedis();
  await using admin = await redis.client();
  await admin.call("ACL", "SETUSER", "narrow", "on", ">pw", "~*", "+@write", "+@connection", "+ping");
  const full = await probe(redis.port);
  expect(await probe(redis.port, { user: "narrow", password: "pw" })).toEqual(full);
});

test("a replica, and a cluster node", async () => {
  await using master = await startRedis();
  await using replica = await startRedis({ args: ["--replicaof", "127.0.0.1", String(master.port)] });
  const error = await rejection<Df2RedisError>(probe(replica.port));
  expect(error.code).toBe("TARGET_UNSUITABLE");
  expect(error.message).toContain(`is a replica of 127.0.0.1:${master.port}`);
  await using node = await startRedis({ args: ["--cluster-enabled", "yes"] });
  expect((await rejection<Df2RedisError>(probe(node.port))).message).toContain("Redis Cluster");
});

test("no connection left", async () => {
  await using redis = await startRedis({ args: ["--maxclients", "1"] });
  await using only = await redis.client();
  expect(await only.call("PING")).toBe("PONG");
  const error = await rejection<Df2RedisError>(probe(redis.port));
  expect(error.code).toBe("TARGET_NOT_READY");
  expect(error.message).toContain("maxclients");
});
