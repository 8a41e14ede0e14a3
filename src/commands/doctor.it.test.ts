/** The doctor on real servers: a Redis of many kinds, and the live simulator as its source. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { found, raised } from "../../test/support/doctor-looks.ts";
import { type RedisServerOptions, startRedis } from "../../test/support/redis-server.ts";
import { RespClient } from "../../test/support/resp-client.ts";
import { useRedis } from "../../test/support/use-redis.ts";
import { testServers } from "../../test/support/test-servers.ts";
import { until } from "../../test/support/until.ts";
import { loadConfig } from "../config/load-config.ts";
import { liveReplication } from "../simulator/live/replication/live-replication.ts";
import { type LiveMaster, startLiveMaster } from "../simulator/live/server.ts";
import type { DoctorReport } from "./doctor/doctor-report.ts";
import { runDoctor } from "./doctor.ts";

const redis = useRedis();
let master: LiveMaster;

beforeAll(async () => {
  const users = [{ name: "reader", password: "pw", rules: ["+@all", "-replconf"] }];
  master = await startLiveMaster({ shards: 2, replication: liveReplication(), users });
  await using client = await RespClient.connect({ port: master.port });
  await client.call("SET", "a", 1);
  await client.call("JSON.SET", "j", "$", 1);
});
afterAll(async () => {
  await master.stop();
});

type Addresses = { readonly source?: string; readonly target?: string; readonly writes?: boolean };

function examine(
  { source, target, writes = true }: Addresses,
  flags: Record<string, string> = {},
): Promise<DoctorReport> {
  const addresses = { source: source ?? `127.0.0.1:${master.port}`, target: target ?? redis.server.address };
  const config = loadConfig({ env: {}, flags: { ...addresses, ...flags }, readFile: () => "" });
  return runDoctor({ config, sampleKeys: 100, writes });
}

/** What the simulator and a Redis for tests raise by nature. */
const USUAL = { "source.hidden": "unknown", "target.persistence": "warning" };

async function withRedis(options: RedisServerOptions): Promise<Record<string, string>> {
  await using server = await startRedis(options);
  return raised((await examine({ target: server.address })).checks);
}

describe("runDoctor", () => {
  test("two servers that fit: go", async () => {
    const report = await examine({});
    expect(raised(report.checks)).toEqual(USUAL);
    expect(report).toMatchObject({ outcome: "go", reasons: [], warnings: 1 });
    expect(report.source).toMatchObject({ product: "dragonfly", version: "1.40.1", keysByDatabase: { 0: 2 } });
    expect(report.target).toMatchObject({ product: "redis", address: redis.server.address, keysByDatabase: {} });
    expect(found(report.checks, "source.replication")).toBe("takes us as a replica: 2 flows, protocol version 5");
    expect(found(report.checks, "fit.feature-json")).toContain("as strings");
  });

  test.each(testServers())("leaves nothing behind on $name", async ({ path }) => {
    await using server = await startRedis({ program: path });
    await using client = await server.client();
    const report = await examine({ target: server.address });
    expect(report.outcome).toBe("go");
    expect(await client.call("DBSIZE")).toBe(0);
    await until(() => master.replication.replicas().length === 0, "the master to forget us");
  });

  test("--no-write-check writes nothing", async () => {
    const written = async (): Promise<string> =>
      /cmdstat_set:calls=(\d+)/.exec(String(await redis.client.call("INFO", "commandstats")))?.[1] ?? "0";
    const before = await written();
    const report = await examine({ writes: false });
    expect(raised(report.checks)).toEqual({ ...USUAL, "target.write": "unknown" });
    expect(await written()).toBe(before);
    await examine({});
    expect(Number(await written())).toBe(Number(before) + 1);
  });

  test("a user who may not run all", async () => {
    await redis.client.call(
      "ACL",
      "SETUSER",
      "narrow",
      "on",
      ">pw",
      "~*",
      "+@all",
      "-eval",
      "-restore",
      "-script|load",
    );
    const target = `redis://narrow:pw@${redis.server.address}`;
    const report = await examine({ target });
    expect(report.outcome).toBe("no-go");
    expect(raised(report.checks)).toEqual({ ...USUAL, "target.restore": "warning", "target.scripts": "problem" });
    expect(report.reasons).toEqual(["target.scripts: our user may not run EVAL"]);
    expect(raised((await examine({ target }, { "write-mode": "restore" })).checks)).toMatchObject({
      "target.version": "problem",
    });
  });

  test("a user who may read only, and one who is hidden everything that can be", async () => {
    await redis.client.call("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@all", "-@write");
    const reader = await examine({ target: `redis://reader:pw@${redis.server.address}` });
    expect(raised(reader.checks)).toMatchObject({ "target.write": "problem" });
    await redis.client.call("ACL", "SETUSER", "blind", "on", ">pw", "~*", "+@write", "+hello", "+ping", "+eval");
    const blind = await examine({ target: `redis://blind:pw@${redis.server.address}` });
    expect(blind.outcome).toBe("go");
    expect(raised(blind.checks)).toMatchObject({
      "target.hidden": "unknown",
      "target.memory": "unknown",
      "target.keys": "unknown",
      "fit.empty": "unknown",
      "fit.memory": "unknown",
      "fit.clock": "unknown",
    });
  });

  test("a password that is missing or wrong", async () => {
    await using server = await startRedis({ password: "pw" });
    const none = await examine({ target: server.address });
    expect(raised(none.checks)).toEqual({ "source.hidden": "unknown", "target.reachable": "problem" });
    expect(found(none.checks, "target.reachable")).toContain("wants a password");
    const wrong = await examine({ target: `redis://:nope@${server.address}` });
    expect(found(wrong.checks, "target.reachable")).toContain("does not accept the password");
    expect(JSON.stringify(wrong)).not.toContain("nope");
    expect((await examine({ target: `redis://:pw@${server.address}` })).outcome).toBe("go");
  });

  test("too little memory, and eviction", async () => {
    expect(await withRedis({ args: ["--maxmemory", "3mb"] })).toEqual({ ...USUAL, "fit.memory": "problem" });
    const evicting = ["--maxmemory", "4gb", "--maxmemory-policy", "allkeys-lru"];
    expect(await withRedis({ args: evicting })).toEqual({ ...USUAL, "target.memory": "warning" });
  });

  test("a replica and a node of a cluster", async () => {
    expect(await withRedis({ args: ["--replicaof", "127.0.0.1", String(redis.server.port)] })).toMatchObject({
      "target.version": "problem",
    });
    expect(await withRedis({ args: ["--cluster-enabled", "yes"] })).toMatchObject({ "target.version": "problem" });
  });

  test("a target that holds keys", async () => {
    await redis.client.call("SET", "x", 1);
    expect((await examine({})).reasons).toEqual(["fit.empty: the target is not empty (1 key in database 0)"]);
    expect((await examine({}, { "conflict-policy": "overwrite" })).outcome).toBe("go");
  });

  test("a source that is none", async () => {
    const plain = await examine({ source: redis.server.address, target: "127.0.0.1:1" });
    expect(raised(plain.checks)).toMatchObject({ "source.version": "problem", "target.reachable": "problem" });
    const refused = await examine({ source: `redis://reader:pw@127.0.0.1:${master.port}` });
    expect(raised(refused.checks)).toEqual({ ...USUAL, "source.replication": "problem" });
    expect(found(refused.checks, "source.replication")).toContain("may not run REPLCONF");
  });

  test("rules for databases that contradict each other are a mistake, not a check", async () => {
    await expect(examine({}, { databases: "1=0,1=2" })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});
