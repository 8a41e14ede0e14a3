/**
 * Between servers of one format nothing may change: what a server dumps comes back to the byte when its dump has come along a flow, through the
 * decoder and the translator. On each of the test servers (DF2REDIS_TEST_SERVERS), which check payloads to the last byte.
 *
 * Left out: hashes with deadlines of fields. Redis 7.4 and Valkey 9 dump them as types of their own (24, 25 and 22), which no Dragonfly sends.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { UnsupportedConfig } from "../../src/config/schema.ts";
import { FEATURES } from "../../src/target/features.ts";
import { planFeatures } from "../../src/target/feature-plan.ts";
import { probeTarget } from "../../src/target/probe.ts";
import { rdbStream, splitDump } from "../support/dump-to-rdb.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { RespError, type RespClient } from "../support/resp-client.ts";
import { translateRdb, type TranslateOptions } from "../support/snapshot-translation.ts";
import { testServers } from "../support/test-servers.ts";
import { DUMP_VALUES, type DumpValue } from "./dump-values.ts";

const TIMEOUTS = { connectTimeoutMs: 5000, replyTimeoutMs: 5000 };
const AUTO = Object.fromEntries(FEATURES.map((feature) => [feature, "auto"])) as UnsupportedConfig;
const DEADLINE = Date.now() + 3_600_123;
/** The last that Redis-like streams are headed with here; servers of other numbers (Valkey 9: 80) use the types of 11. */
const STREAM_VERSION = 11;

describe.each(testServers())("$name", ({ path }) => {
  let redis: RedisServer;
  let client: RespClient;
  let options: TranslateOptions;
  beforeAll(async () => {
    redis = await startRedis({ program: path, args: ["--sanitize-dump-payload", "yes"] });
    client = await redis.client();
    const endpoint = { host: "127.0.0.1", port: redis.port, user: undefined, password: undefined, tls: undefined };
    const capabilities = await probeTarget({ endpoint, ...TIMEOUTS });
    options = { capabilities, plan: planFeatures(AUTO, capabilities) };
  });
  afterAll(async () => {
    client.close();
    await redis.stop();
  });
  beforeEach(async () => {
    await client.call("FLUSHALL");
  });

  /** What the server dumps for a value, and what it dumps when it has loaded that dump itself. */
  async function make({ commands }: DumpValue): Promise<{ payload: Buffer; reloaded: Buffer }> {
    const replies = await client.pipeline(commands);
    expect(errors(replies)).toEqual([]);
    const payload = await dump("k");
    await client.call("RESTORE", "again", 0, payload);
    const reloaded = await dump("again");
    await client.call("DEL", "again");
    return { payload, reloaded };
  }

  async function dump(key: string): Promise<Buffer> {
    return (await client.call("DUMP", key)) as Buffer;
  }

  /** The dump as the only object of a flow, under the same key; on the key that it was made from, and on another that is in the way. */
  async function carry(payload: Buffer, more: TranslateOptions): Promise<Buffer[][]> {
    const dumped = splitDump(payload);
    const objects = [
      { key: "k", ...dumped },
      { key: "k", ...dumped, db: 3, expireAtMs: DEADLINE },
    ];
    await client.pipeline([
      ["SELECT", 3],
      ["RPUSH", "k", "stale"],
      ["SELECT", 0],
    ]);
    const { commands, kit } = translateRdb(rdbStream(objects, STREAM_VERSION), { ...options, ...more });
    expect(kit.losses).toEqual([]);
    expect(errors(await client.pipeline([...commands, ["SELECT", 0]]))).toEqual([]);
    return commands;
  }

  describe.each(["auto", "restore"] as const)("write mode %s", (writeMode) => {
    test.each(DUMP_VALUES.map((value) => [value.name, value] as const))("%s", async (name, value) => {
      const { payload, reloaded } = await make(value);
      const commands = await carry(payload, { writeMode });
      const restored = commands.filter(([command]) => String(command) === "RESTORE");
      // Strings come as SET or, decoded, by RESTORE. Of all else the payload is the one that was dumped, stamped with a version known to load.
      if (name.startsWith("string")) expect(restored).toHaveLength(writeMode === "auto" ? 0 : 2);
      else expect(restored.map((command) => hasBytesOf(command[3], payload))).toEqual([true, true]);
      if (value.isUnordered !== true) expect(reloaded.equals(payload)).toBe(true);
      expect((await dump("k")).equals(reloaded)).toBe(true);
      await client.call("SELECT", 3);
      expect((await dump("k")).equals(reloaded)).toBe(true);
      const leftMs = DEADLINE - Date.now();
      expect(Math.abs(Number(await client.call("PTTL", "k")) - leftMs)).toBeLessThan(5000);
      await client.call("SELECT", 0);
    });
  });
});

/** Whether type and body are those of `payload`. */
function hasBytesOf(sent: Buffer | undefined, payload: Buffer): boolean {
  const [a, b] = [splitDump(sent ?? Buffer.alloc(0)), splitDump(payload)];
  return a.type === b.type && a.body.equals(b.body);
}

function errors(replies: readonly unknown[]): string[] {
  return replies.filter((reply) => reply instanceof RespError).map(String);
}
