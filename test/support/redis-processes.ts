/**
 * redis-servers in the conditions that hurt a migration: with a replica that can take over, out of memory, unable to save, on a full disk. Nothing
 * here touches the machine beyond processes of its own and temporary files.
 */
import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isOnPath, spawnBound } from "./bound-process.ts";
import { type RedisServer, type RedisServerOptions, startRedis } from "./redis-server.ts";
import type { Argument, Reply } from "./resp-client.ts";

const WAIT_MS = 15_000;
const POLL_MS = 10;

/** One command on a connection of its own; throws on an error reply. */
export async function redisCall(server: RedisServer, ...args: readonly Argument[]): Promise<Reply> {
  await using client = await server.client();
  return await client.call(...args);
}

/** A field of INFO, e.g. `master_link_status`. */
export async function redisInfo(server: RedisServer, field: string): Promise<string | undefined> {
  const info = String(await redisCall(server, "INFO", "everything"));
  return info
    .split("\r\n")
    .find((line) => line.startsWith(`${field}:`))
    ?.slice(field.length + 1);
}

export async function untilRedisInfo(server: RedisServer, field: string, wanted: string): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  for (let value = await redisInfo(server, field); value !== wanted; value = await redisInfo(server, field)) {
    if (performance.now() > deadline) throw new Error(`${field} is ${value}, not ${wanted}:\n${server.output}`);
    await delay(POLL_MS);
  }
}

/** A master and a replica of it, linked. */
export class RedisPair implements AsyncDisposable {
  readonly master: RedisServer;
  readonly replica: RedisServer;

  constructor(master: RedisServer, replica: RedisServer) {
    this.master = master;
    this.replica = replica;
  }

  /** When the replica has everything that the master has written so far. */
  async untilInSync(): Promise<void> {
    await untilRedisInfo(this.replica, "master_link_status", "up");
    const offset = await redisInfo(this.master, "master_repl_offset");
    const deadline = performance.now() + WAIT_MS;
    while (Number(await redisInfo(this.replica, "slave_repl_offset")) < Number(offset)) {
      if (performance.now() > deadline) throw new Error(`the replica stays behind offset ${offset}`);
      await delay(POLL_MS);
    }
  }

  /** Makes the replica a master of its own, as a failover does (REPLICAOF NO ONE). The old master is left as it is. */
  async promote(): Promise<void> {
    await redisCall(this.replica, "REPLICAOF", "NO", "ONE");
    await untilRedisInfo(this.replica, "role", "master");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.replica.stop(), this.master.stop()]);
  }
}

export async function startRedisPair(options: RedisServerOptions = {}): Promise<RedisPair> {
  const [master, replica] = await Promise.all([
    startRedis({ ...options, args: ["--repl-diskless-sync-delay", "0", ...(options.args ?? [])] }),
    startRedis(options),
  ]);
  const pair = new RedisPair(master, replica);
  try {
    const { password } = options;
    if (password !== undefined) await redisCall(replica, "CONFIG", "SET", "masterauth", password);
    await redisCall(replica, "REPLICAOF", master.host, master.port);
    await pair.untilInSync();
    return pair;
  } catch (error) {
    await pair[Symbol.asyncDispose]();
    throw error;
  }
}

/** Writes that need memory are refused with -OOM once `bytes` are used; never evicts. 0 ends the limit. */
export async function limitMemory(server: RedisServer, bytes: number): Promise<void> {
  // One at a time: 6.2 takes no more.
  await redisCall(server, "CONFIG", "SET", "maxmemory-policy", "noeviction");
  await redisCall(server, "CONFIG", "SET", "maxmemory", bytes);
}

/** Saves fail from now on, and writes are refused with -MISCONF: the snapshot cannot be put in place, as on a full disk. Needs no rights. */
export async function breakSaves(server: RedisServer): Promise<void> {
  const obstacle = path.join(server.directory, await dumpFile(server));
  rmSync(obstacle, { recursive: true, force: true });
  // A file cannot be renamed onto a directory, not even by root.
  mkdirSync(path.join(obstacle, "in the way"), { recursive: true });
  await redisCall(server, "CONFIG", "SET", "save", "3600 1");
  await redisCall(server, "CONFIG", "SET", "stop-writes-on-bgsave-error", "yes");
  await redisCall(server, "BGSAVE");
  await untilRedisInfo(server, "rdb_last_bgsave_status", "err");
}

/** Ends `breakSaves`. */
export async function repairSaves(server: RedisServer): Promise<void> {
  rmSync(path.join(server.directory, await dumpFile(server)), { recursive: true, force: true });
  await redisCall(server, "BGSAVE");
  await untilRedisInfo(server, "rdb_last_bgsave_status", "ok");
}

async function dumpFile(server: RedisServer): Promise<string> {
  const reply = await redisCall(server, "CONFIG", "GET", "dbfilename");
  return Array.isArray(reply) ? String(reply[1]) : "dump.rdb";
}

/** Why a server on a small disk cannot be had on this machine; undefined when it can. */
export function smallDiskObstacle(): string | undefined {
  const missing = ["unshare", "nsenter", "mount"].filter((program) => !isOnPath(program));
  if (missing.length > 0) return `needs ${missing.join(", ")}`;
  try {
    execFileSync("unshare", ["--mount", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /tmp"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "needs the right to mount a file system (root)";
  }
}

export type SmallDiskOptions = RedisServerOptions & {
  readonly sizeBytes: number;
  /**
   * With `always` redis-server ends itself when its append-only file cannot be written; with `everysec` it refuses writes with -MISCONF until there is
   * room again.
   */
  readonly appendfsync: "always" | "everysec";
};

/**
 * A server with an append-only file on a disk of a few megabytes. The disk is a tmpfs in a mount namespace of its own, so nobody else sees it, and it
 * is gone with its keeper process: no mount can be left behind, whatever happens to the test.
 */
export class SmallDiskRedis implements AsyncDisposable {
  readonly server: RedisServer;
  readonly #keeper: ChildProcess;

  constructor(server: RedisServer, keeper: ChildProcess) {
    this.server = server;
    this.#keeper = keeper;
  }

  /** Takes all room that is left. */
  fillDisk(): void {
    // `dd` ends with an error when the disk is full, which is what it is for.
    this.#inside(`dd if=/dev/zero of="$0/filler" bs=4096 2>/dev/null || true`);
  }

  /** Gives back what `fillDisk` took. */
  freeDisk(): void {
    this.#inside(`rm -f "$0/filler"`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    await endKeeper(this.#keeper);
    rmSync(this.server.directory, { recursive: true, force: true });
  }

  #inside(script: string): void {
    const [program = "", ...args] = insideOf(this.#keeper);
    execFileSync(program, [...args, "sh", "-c", script, this.server.directory]);
  }
}

export async function startRedisOnSmallDisk(options: SmallDiskOptions): Promise<SmallDiskRedis> {
  const { sizeBytes, appendfsync, ...rest } = options;
  const directory = mkdtempSync(path.join(tmpdir(), "df2redis-disk-"));
  const keeper = await startKeeper(directory, sizeBytes);
  try {
    const args = ["--appendonly", "yes", "--appendfsync", appendfsync, ...(rest.args ?? [])];
    const server = await startRedis({ ...rest, args, directory, launcher: insideOf(keeper) });
    return new SmallDiskRedis(server, keeper);
  } catch (error) {
    await endKeeper(keeper);
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Holds the disk until its standard input ends, which it does at the latest when this process does. */
async function startKeeper(directory: string, sizeBytes: number): Promise<ChildProcess> {
  const script = `mount -t tmpfs -o size=${sizeBytes} tmpfs "$0" && echo mounted && exec cat >/dev/null`;
  const keeper = spawnBound("unshare", ["--mount", "sh", "-c", script, directory], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const mounted = keeper.stdout === null ? [] : await Promise.race([once(keeper.stdout, "data"), once(keeper, "exit")]);
  if (!String(mounted[0]).startsWith("mounted")) throw new Error(`cannot mount a disk: ${smallDiskObstacle() ?? "?"}`);
  return keeper;
}

async function endKeeper(keeper: ChildProcess): Promise<void> {
  if (keeper.exitCode !== null || keeper.signalCode !== null) return;
  const exited = once(keeper, "exit");
  keeper.stdin?.end();
  await exited;
}

function insideOf({ pid }: ChildProcess): string[] {
  return ["nsenter", `--mount=/proc/${pid}/ns/mnt`, "--"];
}
