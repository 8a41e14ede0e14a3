/** Reading the keys of a real server: places, pages, what is found before a run. */
import { describe, expect, test } from "vitest";
import { rejection } from "../../test/support/until.ts";
import { useRedis } from "../../test/support/use-redis.ts";
import { Slice } from "../bytes/slice.ts";
import type { Endpoint } from "../config/endpoint.ts";
import { Secret } from "../config/secret.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { findOwnedKeys } from "./find-owned-keys.ts";
import { type KeyPlace, wholeDatabases } from "./key-places.ts";
import { scanKeys, type ScanKeysOptions } from "./scan-keys.ts";

const redis = useRedis();

const TIMEOUTS = { connectTimeoutMs: 5000, replyTimeoutMs: 5000 };

function endpoint(user?: string): Endpoint {
  const { host, port } = redis.server;
  return { host, port, user, password: user === undefined ? undefined : new Secret("pw"), tls: undefined };
}

async function fill(db: number, keys: readonly (string | Buffer)[]): Promise<void> {
  await redis.client.call("SELECT", db);
  await redis.client.pipeline(keys.map((key) => ["SET", key, "v"]));
}

const numbered = (count: number, prefix = "key:"): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

async function scan(places: readonly KeyPlace[], more: Partial<ScanKeysOptions> = {}): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { db, keys } of scanKeys({ endpoint: endpoint(), ...TIMEOUTS, places, ...more })) {
    for (const key of keys) found.add(`${db} ${key.toString("latin1")}`);
  }
  return found;
}

describe("scanKeys", () => {
  test("finds every key of every database, over many pages, bytes as they are", async () => {
    await fill(0, numbered(3000));
    await fill(9, [Buffer.from([0, 13, 10, 255]), "", "df2redis:task:position"]);
    const found = await scan(wholeDatabases(16), { pageKeys: 100 });
    expect(found.size).toBe(3002);
    for (const key of numbered(3000)) expect(found.has(`0 ${key}`)).toBe(true);
    expect(found.has("9 \0\r\n\u00ff") && found.has("9 ")).toBe(true);
  });

  test("keeps to its places: databases, prefixes taken by the letter, exceptions", async () => {
    await fill(0, ["a", "b"]);
    await fill(1, ["p*:1", "pp:1", "p*:x:1", "q:1", "r:1"]);
    expect(await scan([{ db: 1, prefix: "p*:" }])).toEqual(new Set(["1 p*:1", "1 p*:x:1"]));
    expect(await scan([{ db: 1, prefix: "p*:", except: ["p*:x:"] }])).toEqual(new Set(["1 p*:1"]));
    const two = [
      { db: 1, prefix: "q:" },
      { db: 1, prefix: "r:" },
    ];
    expect(await scan(two)).toEqual(new Set(["1 q:1", "1 r:1"]));
    expect(await scan([{ db: 2, prefix: "" }])).toEqual(new Set());
  });

  test("every prefix of odd bytes finds its own keys by MATCH", async () => {
    const prefixes = ["[a-c]", "?", String.raw`\d`, "^", "-", "]", "*", "é"];
    await fill(0, [...prefixes.map((prefix) => `${prefix}key`), "bkey", "xkey", "dkey"]);
    for (const prefix of prefixes) {
      const found = await scan([{ db: 0, prefix }]);
      expect(found).toEqual(new Set([`0 ${Buffer.from(`${prefix}key`).toString("latin1")}`]));
    }
  });

  test("can be left in the middle, and closes its connection", async () => {
    await fill(0, numbered(500));
    for await (const { keys } of scanKeys({
      endpoint: endpoint(),
      ...TIMEOUTS,
      places: wholeDatabases(1),
      pageKeys: 10,
    })) {
      expect(keys.length).toBeGreaterThan(0);
      break;
    }
    const clients = async (): Promise<number> =>
      String(await redis.client.call("CLIENT", "LIST"))
        .trim()
        .split("\n").length;
    await expect.poll(clients).toBe(1);
  });

  test("ends with the signal's reason", async () => {
    await fill(0, numbered(500));
    const abort = new AbortController();
    const run = async (): Promise<void> => {
      const options = {
        endpoint: endpoint(),
        ...TIMEOUTS,
        places: wholeDatabases(1),
        pageKeys: 10,
        signal: abort.signal,
      };
      for await (const page of scanKeys(options)) if (page.keys.length > 0) abort.abort();
    };
    expect(await rejection<Df2RedisError>(run())).toMatchObject({ code: "INTERRUPTED" });
  });

  test("a user who may not SCAN is told so", async () => {
    await redis.client.call("ACL", "SETUSER", "app", "reset", "on", ">pw", "~*", "+@all", "-scan");
    const error = await rejection<Df2RedisError>(scan(wholeDatabases(1), { endpoint: endpoint("app") }));
    expect(error).toMatchObject({ code: "AUTH_FAILED", context: { request: "SCAN" } });
    expect(error.message).toContain("widen its ACL");
  });

  test("a database that is not there is an error, not another database", async () => {
    const error = await rejection<Df2RedisError>(scan([{ db: 99, prefix: "" }]));
    expect(error).toMatchObject({ code: "TARGET_REJECTED", context: { command: "SELECT" } });
  });
});

describe("findOwnedKeys", () => {
  test("knows all keys of the places, ours aside, and tells how far it is", async () => {
    await fill(0, [...numbered(2500), "df2redis:x"]);
    await fill(3, ["k"]);
    const told: number[] = [];
    const owned = await findOwnedKeys({
      endpoint: endpoint(),
      ...TIMEOUTS,
      places: wholeDatabases(16),
      keysByDatabase: new Map([[0, 10]]),
      memoryBytes: 1 << 20,
      onProgress: (keys) => told.push(keys),
    });
    expect([owned.size, told.at(-1), told.length > 16]).toEqual([2501, 2501, true]);
    expect([owned.has(0, Slice.from("key:7")), owned.has(3, Slice.from("k"))]).toEqual([true, true]);
    expect([owned.has(1, Slice.from("key:7")), owned.has(0, Slice.from("df2redis:x"))]).toEqual([false, false]);
  });

  test("gives up when there are more keys than it may remember", async () => {
    const keys = findOwnedKeys({
      endpoint: endpoint(),
      ...TIMEOUTS,
      places: wholeDatabases(16),
      keysByDatabase: new Map(),
      memoryBytes: 8192,
    });
    expect((await keys).size).toBe(0);
    await fill(0, numbered(1000));
    const error = await rejection<Df2RedisError>(
      findOwnedKeys({
        endpoint: endpoint(),
        ...TIMEOUTS,
        places: wholeDatabases(1),
        keysByDatabase: new Map(),
        memoryBytes: 8192,
      }),
    );
    expect(error).toMatchObject({
      code: "LIMIT_EXCEEDED",
      context: { limit: "conflict.memoryBytes", limitBytes: 8192 },
    });
  });
});

describe("what findOwnedKeys expects", () => {
  const find = async (places: readonly KeyPlace[]): Promise<number> =>
    (
      await findOwnedKeys({
        endpoint: endpoint(),
        ...TIMEOUTS,
        places,
        keysByDatabase: new Map([[0, 1_000_000]]),
        memoryBytes: 1 << 20,
      })
    ).size;

  test("is what the target said about whole databases, so that too many are refused before a long scan", async () => {
    const error = await rejection<Df2RedisError>(find(wholeDatabases(1)));
    expect(error).toMatchObject({ code: "LIMIT_EXCEEDED", context: { keys: 1_000_000 } });
  });

  test("is nothing for other databases and prefixes", async () => {
    expect([await find([{ db: 1, prefix: "" }]), await find([{ db: 0, prefix: "p:" }])]).toEqual([0, 0]);
  });
});
