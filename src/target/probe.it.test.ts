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
  const found = await probe(redis.port, { user: "narrow", password: "pw" });
  // Nor DBSIZE: that no key was seen does not say that there is none.
  expect(found).toEqual({ ...full, commands: new Set(["RESTORE", "LMPOP"]), tellsKeys: false });
});

test("counts the keys of each database by DBSIZE where INFO is hidden", async () => {
  await using redis = await startRedis({ args: ["--databases", "5"] });
  await using admin = await redis.client(3);
  await admin.call("MSET", "a", 1, "b", 2);
  await admin.call("ACL", "SETUSER", "noinfo", "on", ">pw", "~*", "+@all", "-info");
  const found = await probe(redis.port, { user: "noinfo", password: "pw" });
  expect(found).toMatchObject({ databases: 5, keys: 2, keysByDatabase: new Map([[3, 2]]) });
  expect(found).toEqual(await probe(redis.port));
});

test("databases that our user may not select do not count", async () => {
  await using redis = await startRedis();
  await using admin = await redis.client();
  await admin.call("ACL", "SETUSER", "one", "on", ">pw", "~*", "+@all", "-select");
  expect((await probe(redis.port, { user: "one", password: "pw" })).databases).toBe(1);
});

test("finds out which commands our user may run", async () => {
  await using redis = await startRedis();
  await using admin = await redis.client();
  const all = await probe(redis.port);
  expect(all.commands).toEqual(new Set(["RESTORE", "EVAL", "SCRIPT", "LMPOP", "PEXPIRETIME"]));
  const narrow = ["+@all", "-eval", "-restore", "-script|load"];
  await admin.call("ACL", "SETUSER", "narrow", "on", ">pw", "~*", ...narrow);
  const found = await probe(redis.port, { user: "narrow", password: "pw" });
  expect(found.commands).toEqual(new Set(["LMPOP", "PEXPIRETIME"]));
  expect(found.restorableTypes.size).toBe(0);
  // Rights on some keys only do not take a command away.
  await admin.call("ACL", "SETUSER", "keys", "on", ">pw", "~app:*", "+@all");
  expect((await probe(redis.port, { user: "keys", password: "pw" })).commands).toEqual(all.commands);
});

test("a write mode that cannot be had is refused, with its name", async () => {
  await using redis = await startRedis();
  await using admin = await redis.client();
  await admin.call("ACL", "SETUSER", "narrow", "on", ">pw", "~*", "+@all", "-restore");
  const narrow = { ...plainEndpoint(redis.port), user: "narrow", password: new Secret("pw") };
  const timeouts = { connectTimeoutMs: 5000, replyTimeoutMs: 5000 };
  const error = await rejection<Df2RedisError>(probeTarget({ endpoint: narrow, ...timeouts, writeMode: "restore" }));
  expect(error.code).toBe("TARGET_UNSUITABLE");
  expect(error.message).toContain("RESTORE, which target.writeMode: restore needs");
  const commands = await probeTarget({ endpoint: plainEndpoint(redis.port), ...timeouts, writeMode: "commands" });
  expect(commands.restorableTypes.size).toBe(0);
  expect(commands.commands.has("RESTORE")).toBe(true);
});

test("the longest argument that it takes", async () => {
  await using redis = await startRedis({ args: ["--proto-max-bulk-len", "4mb"] });
  expect((await probe(redis.port)).maxBulkBytes).toBe(4 * 1024 * 1024);
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
