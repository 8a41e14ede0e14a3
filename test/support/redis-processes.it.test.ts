import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { isOnPath } from "./bound-process.ts";
import { processState, processUsage } from "./process-stat.ts";
import {
  breakSaves,
  limitMemory,
  redisCall,
  redisInfo,
  repairSaves,
  smallDiskObstacle,
  startRedisOnSmallDisk,
  startRedisPair,
} from "./redis-processes.ts";
import { startRedis } from "./redis-server.ts";
import { rejection, until } from "./until.ts";

describe("one server", () => {
  test("loses everything in a crash, and comes back on the same port", async () => {
    await using server = await startRedis();
    await redisCall(server, "SET", "k", "v");
    const { pid, port } = server;
    await server.crash();
    expect(await server.exited).toEqual({ code: null, signal: "SIGKILL" });
    await server.restart();
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    expect(await redisCall(server, "GET", "k")).toBeNull();
  });

  test("with an append-only file, loses nothing that it answered", async () => {
    await using server = await startRedis({ aof: true });
    await using client = await server.client();
    await client.pipeline(Array.from({ length: 500 }, (_, i) => ["RPUSH", "list", i]));
    await server.crash();
    await server.restart();
    expect(await redisCall(server, "LLEN", "list")).toBe(500);
  });

  test("frozen, takes connections and answers nothing; thawed, answers what has come", async () => {
    await using server = await startRedis();
    await using client = await server.client();
    await server.freeze();
    await using late = await server.client();
    const replies = [client.call("INCR", "n"), late.call("INCR", "n")];
    expect(processState(server.pid ?? 0)).toBe("T");
    server.thaw();
    await Promise.all(replies);
    expect(await redisCall(server, "GET", "n")).toEqual(Buffer.from("2"));
  });

  test("can be stopped while it is frozen, at once, and its files go", async () => {
    const server = await startRedis({ aof: true });
    await server.freeze();
    const beganMs = performance.now();
    await server.stop();
    expect(performance.now() - beganMs).toBeLessThan(2500);
    expect(server.isRunning).toBe(false);
    expect(existsSync(server.directory)).toBe(false);
  });

  test("out of memory, refuses writes and evicts nothing", async () => {
    await using server = await startRedis();
    await redisCall(server, "SET", "k", "v");
    await limitMemory(server, 1);
    expect((await rejection(redisCall(server, "SET", "more", "v"))).message).toMatch(/^OOM/);
    expect(await redisCall(server, "DBSIZE")).toBe(1);
    await limitMemory(server, 0);
    await redisCall(server, "SET", "more", "v");
  });

  test("unable to save, refuses writes until it can", async () => {
    await using server = await startRedis();
    await breakSaves(server);
    expect((await rejection(redisCall(server, "SET", "k", "v"))).message).toMatch(/^MISCONF/);
    await repairSaves(server);
    await redisCall(server, "SET", "k", "v");
  });

  test("what a process uses can be read", async () => {
    await using server = await startRedis();
    const usage = processUsage(server.pid ?? 0);
    expect(usage?.peakRssBytes).toBeGreaterThan(1024 * 1024);
    expect(usage?.cpuSeconds).toBeGreaterThanOrEqual(0);
    expect(processUsage(2 ** 30)).toBeUndefined();
  });
});

describe("a pair", () => {
  test("the replica has what the master wrote, and takes over when told", async () => {
    await using pair = await startRedisPair({ password: "secret" });
    await redisCall(pair.master, "SET", "k", "v");
    await pair.untilInSync();
    expect((await rejection(redisCall(pair.replica, "SET", "k", "w"))).message).toMatch(/^READONLY/);
    await pair.master.crash();
    await pair.promote();
    expect(await redisCall(pair.replica, "GET", "k")).toEqual(Buffer.from("v"));
    await redisCall(pair.replica, "SET", "k", "w");
  });
});

const obstacle = smallDiskObstacle();

describe.skipIf(obstacle !== undefined)(`a small disk${obstacle === undefined ? "" : ` (${obstacle})`}`, () => {
  const sizeBytes = 4 * 1024 * 1024;

  test("full, with everysec: writes are refused until there is room", async () => {
    await using disk = await startRedisOnSmallDisk({ sizeBytes, appendfsync: "everysec" });
    const { server } = disk;
    await redisCall(server, "SET", "before", "v");
    disk.fillDisk();
    await until(() => server.isRunning, "it to go on");
    const big = Buffer.alloc(64 * 1024);
    await redisCall(server, "SET", "lost?", big);
    await expect.poll(() => redisInfo(server, "aof_last_write_status"), { timeout: 10_000 }).toBe("err");
    expect((await rejection(redisCall(server, "SET", "k", "v"))).message).toMatch(/^MISCONF.*No space left on device/);
    disk.freeDisk();
    await expect.poll(() => redisInfo(server, "aof_last_write_status"), { timeout: 10_000 }).toBe("ok");
    await redisCall(server, "SET", "k", "v");
    // The disk outlives the server.
    await server.crash();
    await server.restart();
    expect(await redisCall(server, "GET", "before")).toEqual(Buffer.from("v"));
  });

  test("full, with always: the server ends itself, and has what it answered when it is back", async () => {
    await using disk = await startRedisOnSmallDisk({ sizeBytes, appendfsync: "always" });
    const { server } = disk;
    await redisCall(server, "SET", "before", "v");
    disk.fillDisk();
    await rejection(redisCall(server, "SET", "k", Buffer.alloc(64 * 1024)));
    expect(await server.exited).toEqual({ code: 1, signal: null });
    disk.freeDisk();
    await server.restart();
    expect(await redisCall(server, "GET", "before")).toEqual(Buffer.from("v"));
    expect(await redisCall(server, "GET", "k")).toBeNull();
  });
});

test.skipIf(!isOnPath("setpriv"))("servers go with the process that started them, even when it is killed", async () => {
  const processes = new URL("redis-processes.ts", import.meta.url).href;
  const script = `
    const { startRedisOnSmallDisk, startRedisPair, smallDiskObstacle } = await import(${JSON.stringify(processes)});
    const pair = await startRedisPair();
    const disk = smallDiskObstacle() ?? (await startRedisOnSmallDisk({ sizeBytes: 4194304, appendfsync: "always" }));
    const servers = [pair.master, pair.replica, ...(typeof disk === "string" ? [] : [disk.server])];
    console.log(JSON.stringify({ pids: servers.map((one) => one.pid), directories: servers.map((one) => one.directory) }));
    setInterval(() => {}, 1000);
  `;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: parent.stdout }), "line")) as [string];
  const { pids, directories } = JSON.parse(line) as { readonly pids: number[]; readonly directories: string[] };
  expect(pids.map((pid) => processState(pid)).filter((state) => state === undefined)).toEqual([]);
  parent.kill("SIGKILL");
  await until(() => pids.every((pid) => [undefined, "Z"].includes(processState(pid))), "the servers to go");
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});
