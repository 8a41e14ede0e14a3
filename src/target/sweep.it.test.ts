/** I8: what the sweep deletes on a real server, and what it must not. */
import { describe, expect, test } from "vitest";
import { rejection } from "../../test/support/until.ts";
import { useRedis } from "../../test/support/use-redis.ts";
import { Slice } from "../bytes/slice.ts";
import type { Endpoint } from "../config/endpoint.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { findOwnedKeys } from "./find-owned-keys.ts";
import { type KeyPlace, wholeDatabases } from "./key-places.ts";
import type { OwnedKeys } from "./owned-keys.ts";
import { type SweepOptions, type SweepResult, sweepTarget } from "./sweep.ts";

const redis = useRedis();

const PLACES = wholeDatabases(16);
const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `key:${i}`);

function connection(): { endpoint: Endpoint; connectTimeoutMs: number; replyTimeoutMs: number } {
  const { host, port } = redis.server;
  const endpoint = { host, port, user: undefined, password: undefined, tls: undefined };
  return { endpoint, connectTimeoutMs: 5000, replyTimeoutMs: 5000 };
}

async function fill(db: number, keys: readonly string[]): Promise<void> {
  await redis.client.call("SELECT", db);
  await redis.client.pipeline(keys.map((key) => ["SET", key, "old"]));
}

async function owned(places: readonly KeyPlace[] = PLACES): Promise<OwnedKeys> {
  return await findOwnedKeys({ ...connection(), places, keysByDatabase: new Map(), memoryBytes: 1 << 24 });
}

async function sweep(keys: OwnedKeys, more: Partial<SweepOptions> = {}): Promise<SweepResult> {
  return await sweepTarget({ ...connection(), places: PLACES, owned: keys, mode: "on", keysPerSecond: 1e6, ...more });
}

async function left(db: number): Promise<string[]> {
  await redis.client.call("SELECT", db);
  const keys = (await redis.client.call("KEYS", "*")) as readonly Buffer[];
  return keys.map(String).toSorted();
}

describe("mode on", () => {
  test("deletes what was there and nobody claimed; keeps the claimed, the new ones and ours", async () => {
    await fill(0, [...numbered(2500), "df2redis:task:position"]);
    await fill(4, ["a", "b"]);
    const keys = await owned();
    for (let i = 0; i < 2500; i += 10) keys.claim(0, Slice.from(`key:${i}`));
    keys.claim(4, Slice.from("b"));
    await fill(0, ["new"]);
    const progress: number[] = [];
    const result = await sweep(keys, { onProgress: ({ looked }) => progress.push(looked) });
    expect(result).toMatchObject({ found: 2251, deleted: 2251, kept: 0, keptSamples: [] });
    expect(result.looked).toBeGreaterThanOrEqual(2503);
    expect(progress.at(-1)).toBe(result.looked);
    expect(result.samples).toHaveLength(10);
    for (const { db, key } of result.samples)
      expect([0, 4].includes(db) && /^key:\d+[1-9]$|^key:[1-9]$|^a$/.test(key)).toBe(true);
    expect(await left(4)).toEqual(["b"]);
    expect(await left(0)).toEqual(
      [...Array.from({ length: 250 }, (_, i) => `key:${10 * i}`), "df2redis:task:position", "new"].toSorted(),
    );
  });

  test("keeps to the places of the run", async () => {
    await fill(0, ["p:1", "p:2", "other"]);
    await fill(1, ["p:1"]);
    const result = await sweep(await owned(), { places: [{ db: 0, prefix: "p:" }] });
    expect(result).toMatchObject({ found: 2, deleted: 2 });
    expect([await left(0), await left(1)]).toEqual([["other"], ["p:1"]]);
  });

  test("a second run finds nothing more", async () => {
    await fill(0, numbered(50));
    const keys = await owned();
    await sweep(keys);
    expect(await sweep(keys)).toMatchObject({ found: 0, deleted: 0, looked: 0 });
  });

  test("while workers claim and write, none of their writes is lost and nothing else is left", async () => {
    const names = numbered(4000);
    await fill(0, names);
    const keys = await owned();
    await using writer = await redis.server.client();
    const written: string[] = [];
    const write = async (key: string): Promise<void> => {
      keys.claim(0, Slice.from(key));
      written.push(key);
      await writer.pipeline([
        ["UNLINK", key],
        ["RPUSH", key, "new"],
      ]);
    };
    const state = { isSwept: false };
    const work = async (): Promise<void> => {
      // From the end to the beginning and again: it meets keys before, while and after they are swept.
      for (let i = 0; !state.isSwept && i < names.length; i += 3) await write(names[names.length - 1 - i] ?? "");
    };
    const [result] = await Promise.all([
      sweep(keys, { keysPerSecond: 20_000 }).finally(() => (state.isSwept = true)),
      work(),
    ]);
    expect(await left(0)).toEqual(written.toSorted());
    const values = await redis.client.pipeline(written.map((key) => ["LRANGE", key, 0, -1]));
    expect(values.every((value) => String(value) === "new")).toBe(true);
    expect(result.deleted).toBeGreaterThan(0);
    expect(result.kept).toBe(0);
  });
});

describe("dry run", () => {
  test("counts and shows each key once, deletes nothing, and leaves the table as it was", async () => {
    await fill(0, [...numbered(1500), "weird\u0000key"]);
    const keys = await owned();
    keys.claim(0, Slice.from("key:0"));
    const result = await sweep(keys, { mode: "dry-run" });
    expect(result).toMatchObject({ found: 1500, deleted: 0, kept: 0 });
    expect(result.samples).toHaveLength(10);
    expect([keys.remaining, (await left(0)).length]).toEqual([1500, 1501]);
    expect(await sweep(keys)).toMatchObject({ found: 1500, deleted: 1500 });
  });

  test("needs no right to delete", async () => {
    await fill(0, ["a"]);
    const keys = await owned();
    await redis.client.call("ACL", "SETUSER", "default", "-watch", "-unlink", "-exec", "-multi");
    try {
      expect(await sweep(keys, { mode: "dry-run" })).toMatchObject({ found: 1, samples: [{ db: 0, key: "a" }] });
      expect(await rejection<Df2RedisError>(sweep(keys))).toMatchObject({ code: "AUTH_FAILED" });
    } finally {
      await redis.client.call("ACL", "SETUSER", "default", "+@all");
    }
    expect(await left(0)).toEqual(["a"]);
  });
});

describe("pace", () => {
  test("looks at no more keys in a second than it may, in small steps", async () => {
    await fill(0, numbered(1000));
    let nowMs = 0;
    const pauses: number[] = [];
    const result = await sweep(await owned(), {
      places: wholeDatabases(1),
      keysPerSecond: 500,
      nowMs: () => nowMs,
      pause: async (ms) => {
        pauses.push(ms);
        nowMs += ms;
      },
    });
    expect(result.deleted).toBe(1000);
    expect(nowMs).toBeCloseTo((result.looked / 500) * 1000, 6);
    // Pages of about 50 keys.
    expect(Math.max(...pauses)).toBeLessThan(400);
  });

  test("stops in a pause when told to", async () => {
    await fill(0, numbered(100));
    const abort = new AbortController();
    const keys = await owned();
    const error = await rejection<Df2RedisError>(
      sweep(keys, { keysPerSecond: 1, signal: abort.signal, onProgress: () => setImmediate(() => abort.abort()) }),
    );
    expect(error).toMatchObject({ code: "INTERRUPTED" });
    expect((await left(0)).length).toBeGreaterThan(50);
  });
});
