/** The load generator against a redis-server: what it writes, how fast, that a seed repeats it, and that what goes wrong is seen. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { compareServers } from "./compare-servers.ts";
import { LoadMix } from "./load-mix.ts";
import { startLoad } from "./load-generator.ts";
import { parseCommands } from "./parse-commands.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await using client = await server.client();
  await client.call("FLUSHALL");
});

test("its steps are commands of every type that a server can run, the same for the same seed", () => {
  const texts = [1, 1, 2].map((seed) => {
    const mix = new LoadMix({ seed, connection: 0, nowMs: () => 1_800_000_000_000 });
    for (let i = 0; i < 20_000; i++) mix.step();
    return mix.out.take();
  });
  expect(texts[0]?.text === texts[1]?.text).toBe(true);
  expect(texts[0]?.text === texts[2]?.text).toBe(false);
  const commands = parseCommands(Buffer.from(texts[0]?.text ?? "", "latin1"));
  expect(commands).toHaveLength(texts[0]?.commands ?? 0);
  const names = new Set(commands.map(([name]) => String(name)));
  const wanted =
    "SET INCR APPEND MSET HSET HINCRBY RPUSH LPOP LMOVE SADD SREM SMOVE SPOP ZADD ZINCRBY ZPOPMIN XADD XGROUP XREADGROUP XACK XDEL " +
    "RENAME COPY EXPIRE PERSIST DEL UNLINK MULTI EXEC SETEX PEXPIREAT";
  expect(wanted.split(" ").filter((name) => !names.has(name))).toEqual([]);
  expect(commands.some((args) => args.some((arg) => arg.length > 64 * 1024))).toBe(true);
});

test("does its steps in all databases, with no error but for keys that are not there", async () => {
  await using load = startLoad({ port: server.port, seed: 7, steps: 30_000, connections: 4, databases: [0, 3] });
  const report = await load.finished();
  expect(report.commands).toBeGreaterThan(30_000);
  expect(report.missed).toBeGreaterThan(0);
  await using client = await server.client();
  const info = String(await client.call("INFO", "keyspace"));
  expect([...info.matchAll(/^db(\d+):/gm)].map((match) => Number(match[1]))).toEqual([0, 3]);
  const { equal } = await compareServers({ source: client, target: client });
  expect(Object.keys(equal).toSorted()).toEqual(["hash", "list", "set", "stream", "string", "zset"]);
});

test("keeps its rate until it is stopped, and every command has its reply", async () => {
  await using load = startLoad({ port: server.port, seed: 7, opsPerSecond: 5000 });
  await load.untilCommands(7500);
  const report = await load.stop();
  // From its own clock; a busy machine may make it late but never early.
  expect(report.opsPerSecond).toBeLessThan(5500);
  expect(report.commands).toBeGreaterThanOrEqual(7500);
  expect(report.elapsedMs).toBeGreaterThan(1300);
  expect(report.cpuSeconds).toBeGreaterThan(0);
});

test("an error reply that is not to be expected fails it", async () => {
  await using client = await server.client();
  await client.call("CONFIG", "SET", "maxmemory", 1);
  await using load = startLoad({ port: server.port, seed: 7, steps: 100 });
  await expect(load.finished()).rejects.toThrow(/refused commands of the load:[^]*OOM/);
  await client.call("CONFIG", "SET", "maxmemory", 0);
});

test("a wrong type fails it, whatever the command", async () => {
  await using client = await server.client();
  await client.pipeline(Array.from({ length: 600 }, (_, i) => ["SET", `hashes:${i}`, "x"]));
  await using load = startLoad({ port: server.port, seed: 7, steps: 2000, databases: [0] });
  await expect(load.finished()).rejects.toThrow("WRONGTYPE");
});

test("a server that goes away fails it", async () => {
  await using other = await startRedis();
  await using load = startLoad({ port: other.port, seed: 7, opsPerSecond: 1000 });
  await load.untilCommands(100);
  await other.crash();
  await expect(load.finished()).rejects.toThrow("connection broke");
});
