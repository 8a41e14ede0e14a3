/** I2, I3, I7 on a real server: a target that runs out of memory, cannot save or becomes a replica, and recovers, ends with exactly the data. */
import { describe, expect, test } from "vitest";
import { breakSaves, limitMemory, redisCall, redisInfo, repairSaves } from "../../test/support/redis-processes.ts";
import { type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import { plainEndpoint } from "../../test/support/scripted-server.ts";
import { until } from "../../test/support/until.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import type { RetryWaiting } from "./retry-options.ts";
import { type TargetRejection, TargetWriter } from "./target-writer.ts";
import { isRetryableError } from "./translate/journal-error-class.ts";

type Rig = {
  readonly writer: TargetWriter;
  readonly waits: RetryWaiting[];
  readonly resumed: { readonly waitedMs: number }[];
  readonly rejections: TargetRejection[];
  readonly failures: Df2RedisError[];
  /** Resolves when there is room. */
  room(): Promise<void>;
};

async function connect(server: RedisServer, onWaiting?: () => void): Promise<Rig> {
  const rig = {
    waits: [] as RetryWaiting[],
    resumed: [] as { readonly waitedMs: number }[],
    rejections: [] as TargetRejection[],
    failures: [] as Df2RedisError[],
  };
  let drained = (): void => undefined;
  const writer = await TargetWriter.connect({
    endpoint: plainEndpoint(server.port),
    limits: { batchBytes: 16 * 1024, windowBytes: 256 * 1024 },
    connectTimeoutMs: 1000,
    replyTimeoutMs: 10_000,
    retry: {
      isRetryable: isRetryableError,
      retryMs: 30_000,
      onWaiting: (wait) => {
        rig.waits.push(wait);
        onWaiting?.();
      },
      onResumed: (wait) => void rig.resumed.push(wait),
    },
    onError: (rejected) => void rig.rejections.push(rejected),
    onFailure: (error) => void rig.failures.push(error),
    onDrain: () => drained(),
  });
  const room = async (): Promise<void> => {
    while (writer.isFull() && rig.failures.length === 0) await new Promise<void>((resolve) => (drained = resolve));
  };
  return { ...rig, writer, room };
}

/** Leaves room for about so many bytes more. */
async function leaveMemory(server: RedisServer, bytes: number): Promise<void> {
  await limitMemory(server, Number(await redisInfo(server, "used_memory")) + bytes);
}

describe("a target that takes no writes for a while", () => {
  test("out of memory, several times over: every key is exact, every list in order, in its database", async () => {
    await using server = await startRedis();
    let onWaiting = (): void => undefined;
    const rig = await connect(server, () => onWaiting());
    const { writer, resumed, failures, rejections } = rig;
    const { encoder } = writer;
    await leaveMemory(server, 1 << 20);
    // Each time it is full it gets a little more.
    let raising = Promise.resolve();
    onWaiting = () => void (raising = raising.then(() => leaveMemory(server, 1 << 20)));
    const value = "v".repeat(400);
    const marks: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      encoder.select(i % 3);
      // Each list grows over many windows; within one window it is written once.
      encoder.command("RPUSH", `list:${i % 2000}`, `${i}`);
      encoder.command("SET", `key:${i}`, `${i} ${value}`);
      writer.flush();
      if (i % 1000 === 0) writer.afterApplied(() => void marks.push(i));
      await rig.room();
    }
    await writer.close();
    await raising;
    expect([failures, rejections]).toEqual([[], []]);
    expect(resumed.length).toBeGreaterThan(1);
    expect(writer.commandsDone).toBe(writer.commandsSent);
    expect(marks).toEqual(Array.from({ length: 20 }, (_, i) => 1000 * i));
    await using client = await server.client();
    for (const db of [0, 1, 2]) {
      await client.call("SELECT", db);
      const expected = new Map<string, string[]>();
      for (let i = db; i < 20_000; i += 3) {
        const list = `list:${i % 2000}`;
        expected.set(list, [...(expected.get(list) ?? []), `${i}`]);
      }
      const lists = await client.pipeline([...expected.keys()].map((key) => ["LRANGE", key, 0, -1]));
      expect(lists.map((list) => (Array.isArray(list) ? list.map(String) : list))).toEqual([...expected.values()]);
      const keys = Array.from({ length: 20_000 }, (_, i) => i).filter((i) => i % 3 === db);
      const values = await client.pipeline(keys.map((i) => ["GET", `key:${i}`]));
      expect(values.map(String)).toEqual(keys.map((i) => `${i} ${value}`));
      expect(await client.call("DBSIZE")).toBe(keys.length + expected.size);
    }
  }, 60_000);

  test("DEL runs where SET does not: no deleted key comes back", async () => {
    await using server = await startRedis();
    const { writer, failures, resumed, waits } = await connect(server);
    await limitMemory(server, 1);
    for (let i = 0; i < 100; i++) writer.encoder.command("SET", `k:${i}`, "v");
    for (let i = 0; i < 100; i += 2) writer.encoder.command("DEL", `k:${i}`);
    writer.flush(true);
    await until(() => waits.length === 1, "the wait");
    expect(waits[0]).toMatchObject({ commands: 50 });
    await limitMemory(server, 0);
    await writer.close();
    expect([failures, resumed.length]).toEqual([[], 1]);
    expect(await redisCall(server, "DBSIZE")).toBe(50);
    expect(await redisCall(server, "EXISTS", "k:1", "k:0")).toBe(1);
  });

  test("a deadline that was set on the old value: the run ends instead of guessing", async () => {
    await using server = await startRedis();
    await redisCall(server, "SET", "k", "old");
    const { writer, failures } = await connect(server);
    await limitMemory(server, 1);
    writer.encoder.command("APPEND", "k", "new");
    writer.encoder.command("PEXPIREAT", "k", "4000000000000");
    writer.flush(true);
    await until(() => failures.length === 1, "the failure");
    expect(failures[0]).toMatchObject({ code: "TARGET_REJECTED", context: { command: "APPEND", key: "k" } });
  });

  test("scripts are refused as a whole, and applied as a whole", async () => {
    await using server = await startRedis();
    const { writer, failures, waits, rejections } = await connect(server);
    await limitMemory(server, 1);
    const script = "for i=2,#ARGV,2 do redis.call('HSET',KEYS[1],ARGV[i],ARGV[i+1]) end return 1";
    writer.encoder.command("EVAL", script, "1", "h", "1", "a", "1", "b", "2");
    writer.flush(true);
    await until(() => waits.length === 1, "the wait");
    expect(waits[0]?.words).toMatch(/OOM command not allowed/);
    expect(await redisCall(server, "EXISTS", "h")).toBe(0);
    await limitMemory(server, 0);
    await writer.close();
    expect([failures, rejections]).toEqual([[], []]);
    expect(await redisCall(server, "HLEN", "h")).toBe(2);
  });

  test("unable to save", async () => {
    await using server = await startRedis();
    const { writer, failures, waits } = await connect(server);
    await breakSaves(server);
    writer.encoder.select(4);
    writer.encoder.command("SET", "k", "v");
    writer.flush(true);
    await until(() => waits.length === 1, "the wait");
    expect(waits[0]?.words).toMatch(/^MISCONF/);
    await repairSaves(server);
    await writer.close();
    expect(failures).toEqual([]);
    expect(await redisInfo(server, "db4")).toMatch(/^keys=1,/);
  });

  test("a replica for a moment, as in a failover", async () => {
    await using server = await startRedis();
    const { writer, failures, waits } = await connect(server);
    await redisCall(server, "REPLICAOF", "127.0.0.1", "1");
    for (let i = 0; i < 50; i++) writer.encoder.command("INCR", "n");
    writer.flush(true);
    await until(() => waits.length === 1, "the wait");
    expect(waits[0]).toMatchObject({ commands: 50 });
    expect(waits[0]?.words).toMatch(/^READONLY/);
    await redisCall(server, "REPLICAOF", "NO", "ONE");
    await writer.close();
    expect(failures).toEqual([]);
    expect(String(await redisCall(server, "GET", "n"))).toBe("50");
  });
});
