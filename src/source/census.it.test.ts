/** The look at a source, against the live simulator and against servers that refuse. */
import { describe, expect, test } from "vitest";
import { RespClient } from "../../test/support/resp-client.ts";
import { plainEndpoint, scriptedServer } from "../../test/support/scripted-server.ts";
import { rejection } from "../../test/support/until.ts";
import { Secret } from "../config/secret.ts";
import type { Endpoint } from "../config/endpoint.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { Conversation } from "../net/conversation.ts";
import { liveReplication } from "../simulator/live/replication/live-replication.ts";
import { type LiveMaster, type LiveMasterOptions, startLiveMaster } from "../simulator/live/server.ts";
import { type Census, type CensusOptions, takeCensus } from "./census.ts";
import { inspectSource } from "./inspect-source.ts";

function startMaster(options: Partial<LiveMasterOptions> = {}): Promise<LiveMaster> {
  return startLiveMaster({ shards: 2, replication: liveReplication(), ...options });
}

async function withConversation<T>(endpoint: Endpoint, use: (conversation: Conversation) => Promise<T>): Promise<T> {
  const timeouts = { connectTimeoutMs: 5000, replyTimeoutMs: 5000 };
  const conversation = await Conversation.open(endpoint, { role: "source", ...timeouts });
  return await use(conversation).finally(() => conversation.close());
}

async function fill(port: number, db: number, commands: readonly string[]): Promise<void> {
  await using client = await RespClient.connect({ port });
  await client.call("SELECT", db);
  for (const command of commands) await client.call(...(command.split(" ") as [string, ...string[]]));
}

function census(port: number, options: CensusOptions): Promise<Census> {
  return withConversation(plainEndpoint(port), (conversation) => takeCensus(conversation, options));
}

describe("takeCensus", () => {
  test("types, deadlines, sizes and features of every database that it is told of", async () => {
    await using master = await startMaster();
    await fill(master.port, 0, ["SET a 1", "SET b 1 EX 100", "LPUSH l 1", "JSON.SET j $ 1", "BF.ADD bf x"]);
    await fill(master.port, 3, [
      "SADD s a",
      "SADDEX s 100 b",
      "HSET h f v",
      "HEXPIRE h 100 FIELDS 1 f",
      "SADD plain a",
    ]);
    await fill(master.port, 4, ["SET not-looked-at 1"]);
    const found = await census(master.port, { databases: [0, 3], keysPerDatabase: 100 });
    const counts = Object.fromEntries([...found.types].map(([name, { keys }]) => [name, keys]));
    expect(counts).toEqual({ string: 2, list: 1, "ReJSON-RL": 1, "MBbloom--": 1, set: 2, hash: 1 });
    expect(found).toMatchObject({ sampledKeys: 8, expiringKeys: 1, isComplete: true });
    expect(Object.fromEntries(found.features)).toEqual({ json: 1, bloom: 1, fieldTtl: 1, memberTtl: 1 });
    expect(found.types.get("string")?.largestBytes).toBeGreaterThan(0);
    expect(found.refusals.size).toBe(0);
  });

  test("looks at no more keys than it may, and says that there are more", async () => {
    await using master = await startMaster();
    await fill(
      master.port,
      0,
      Array.from({ length: 250 }, (_, i) => `SET k${i} v`),
    );
    const some = await census(master.port, { databases: [0], keysPerDatabase: 120 });
    expect(some).toMatchObject({ sampledKeys: 120, isComplete: false });
    const all = await census(master.port, { databases: [0], keysPerDatabase: 250 });
    expect(all).toMatchObject({ sampledKeys: 250, isComplete: true });
    const none = await census(master.port, { databases: [0], keysPerDatabase: 0 });
    expect(none).toMatchObject({ sampledKeys: 0, isComplete: false });
  });

  test("keys that are no text", async () => {
    await using master = await startMaster();
    await using client = await RespClient.connect({ port: master.port });
    await client.call("SADD", Buffer.from([0xff, 0, 0x0d, 0x0a]), Buffer.from([0xfe]));
    const found = await census(master.port, { databases: [0], keysPerDatabase: 10 });
    expect(found.types.get("set")).toMatchObject({ keys: 1, measured: 1 });
  });

  test("a source that refuses everything gives nothing, and no error", async () => {
    await using server = await scriptedServer({ answer: () => "-NOPERM no\r\n" });
    const found = await census(server.port, { databases: [0, 1], keysPerDatabase: 10 });
    expect(found).toMatchObject({ sampledKeys: 0, isComplete: false });
    expect([...found.refusals.keys()]).toEqual(["SELECT"]);
  });
});

describe("inspectSource", () => {
  test("what a master tells of itself", async () => {
    await using master = await startMaster({ dragonflyVersion: "df-v1.27.4" });
    await fill(master.port, 5, ["SET a 1"]);
    const facts = await withConversation(plainEndpoint(master.port), inspectSource);
    expect(facts).toMatchObject({
      identity: { product: "dragonfly", version: "1.27.4" },
      isReplica: false,
      isLoading: false,
      isCluster: false,
      evicts: false,
      keysByDatabase: new Map([[5, 1]]),
      maxClients: 64_000,
    });
    expect(facts.usedBytes).toBeGreaterThan(0);
  });

  test("a user with few rights is told less", async () => {
    await using master = await startMaster({ users: [{ name: "few", password: "pw", rules: ["+ping", "+role"] }] });
    const few = { ...plainEndpoint(master.port), user: "few", password: new Secret("pw") };
    const facts = await withConversation(few, inspectSource);
    expect(facts).toMatchObject({ identity: { product: "unknown" }, isReplica: false });
    expect(facts.keysByDatabase).toBeUndefined();
    expect(facts.usedBytes).toBeUndefined();
    expect([...facts.refusals.keys()]).toContain("INFO");
  });

  test("who is not let in at all hears why", async () => {
    await using master = await startMaster({ requirepass: "pw" });
    const error = await rejection<Df2RedisError>(withConversation(plainEndpoint(master.port), inspectSource));
    expect(error.code).toBe("AUTH_FAILED");
    expect(error.message).toContain("wants a password");
  });
});
