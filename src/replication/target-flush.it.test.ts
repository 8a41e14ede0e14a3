import { describe, expect, test } from "vitest";
import { startRedis } from "../../test/support/redis-server.ts";
import { rejection } from "../../test/support/until.ts";
import { useRedis } from "../../test/support/use-redis.ts";
import { Slice } from "../bytes/slice.ts";
import { Secret } from "../config/secret.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { OwnedKeys } from "../target/owned-keys.ts";
import { flushTarget, type TargetFlushOptions } from "./target-flush.ts";

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

describe("I6: what a flush of the source leaves", () => {
  const redis = useRedis();
  const options = (): TargetFlushOptions => {
    const { host, port } = redis.server;
    return { endpoint: { host, port, user: undefined, password: undefined, tls: undefined }, ...TIMEOUTS };
  };
  const fill = async (db: number, keys: readonly string[]): Promise<void> => {
    await redis.client.call("SELECT", db);
    await redis.client.pipeline(keys.map((key) => ["SET", key, "v"]));
  };
  const left = async (): Promise<string[]> => {
    const found: string[] = [];
    for (let db = 0; db < 16; db++) {
      await redis.client.call("SELECT", db);
      for (const key of (await redis.client.call("KEYS", "*")) as readonly Buffer[]) found.push(`${db} ${String(key)}`);
    }
    return found.toSorted();
  };
  const many = Array.from({ length: 2500 }, (_, i) => `new:${i}`);

  test("whole databases: the others", async () => {
    for (const db of [0, 1, 2]) await fill(db, ["k"]);
    await flushTarget(options(), {
      kind: "places",
      places: [
        { db: 0, prefix: "" },
        { db: 2, prefix: "" },
      ],
    });
    expect(await left()).toEqual(["1 k"]);
  });

  test("prefixes: keys without them, the exceptions, and ours", async () => {
    await fill(0, [...many, "other", "new:x:1"]);
    await fill(1, ["a:1", "b:1", "df2redis:x"]);
    await flushTarget(options(), {
      kind: "places",
      places: [
        { db: 0, prefix: "new:", except: ["new:x:"] },
        { db: 1, prefix: "a:" },
      ],
    });
    expect(await left()).toEqual(["0 new:x:1", "0 other", "1 b:1", "1 df2redis:x"]);
  });

  test("a whole database and a prefix in another, in one flush", async () => {
    await fill(0, ["k", "df2redis:x"]);
    await fill(1, ["a:1", "b:1"]);
    await flushTarget(options(), {
      kind: "places",
      places: [
        { db: 0, prefix: "" },
        { db: 1, prefix: "a:" },
      ],
    });
    expect(await left()).toEqual(["1 b:1"]);
  });

  test("with keys to spare: those, in the scope of one database and of all, claimed or not", async () => {
    await fill(0, [...many, "own", "df2redis:x"]);
    await fill(7, ["own", "new", "own7"]);
    const spared = OwnedKeys.create({ expectedKeys: 2, memoryBytes: 1 << 20 });
    spared.add(0, Slice.from("own"));
    spared.add(7, Slice.from("own7"));
    spared.claim(0, Slice.from("own"));
    await flushTarget({ ...options(), spared, databases: 16 }, 0);
    expect(await left()).toEqual(["0 df2redis:x", "0 own", "7 new", "7 own", "7 own7"]);
    await flushTarget({ ...options(), spared, databases: 16 }, { kind: "all" });
    expect(await left()).toEqual(["0 df2redis:x", "0 own", "7 own7"]);
  });

  test("a refused UNLINK is an error without keys", async () => {
    await fill(0, ["secret:1"]);
    await redis.client.call("ACL", "SETUSER", "default", "-unlink");
    const error = await rejection<Df2RedisError>(
      flushTarget(options(), { kind: "places", places: [{ db: 0, prefix: "secret:" }] }),
    );
    await redis.client.call("ACL", "SETUSER", "default", "+@all");
    expect(error).toMatchObject({ code: "TARGET_REJECTED", context: { command: "UNLINK", db: 0 } });
    expect(error.message).toMatch(/^the target refused UNLINK: NOPERM/);
  });
});
