import { describe, expect, test } from "vitest";
import { CENSUS, found, GIB, raised, sourceLook } from "../../../test/support/doctor-looks.ts";
import { plainEndpoint } from "../../../test/support/scripted-server.ts";
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import { judgeSource } from "./judge-source.ts";

const REFUSED = new Df2RedisError("SOURCE_REFUSED", "It says no.");
const HANDSHAKE = { masterId: "m", syncId: "SYNC1", flowCount: 4, protocolVersion: 5, lineageId: undefined };

describe("judgeSource", () => {
  test("a healthy source raises nothing", () => {
    expect(raised(judgeSource(sourceLook()))).toEqual({});
  });

  test("one that cannot be reached has one check, with what to do", () => {
    const error = new Df2RedisError("CONNECT_FAILED", "Cannot connect.");
    const [check, ...others] = judgeSource({ endpoint: plainEndpoint(1), error });
    expect(check).toMatchObject({ id: "source.reachable", level: "problem", found: "Cannot connect." });
    expect(check?.advice).toContain("firewall");
    expect(others).toEqual([]);
  });

  test.each<[string, Parameters<typeof sourceLook>[0], Record<string, string>]>([
    ["far away", { latencyMs: 80 }, { "source.reachable": "warning" }],
    ["plain TCP over a network", { endpoint: plainEndpoint(6379, "10.0.0.1") }, { "source.tls": "warning" }],
    [
      "a Redis",
      { facts: { identity: { product: "redis", version: "7.0.0", redisVersion: "7.0.0" } }, handshake: REFUSED },
      { "source.version": "problem" },
    ],
    ["a refused handshake", { handshake: REFUSED }, { "source.replication": "problem" }],
    ["an unknown protocol", { handshake: { ...HANDSHAKE, protocolVersion: 6 } }, { "source.replication": "warning" }],
    ["an old protocol", { handshake: { ...HANDSHAKE, protocolVersion: 0 } }, { "source.replication": "warning" }],
    ["a replica", { facts: { isReplica: true } }, { "source.role": "warning" }],
    ["still loading", { facts: { isLoading: true } }, { "source.loading": "problem" }],
    ["cluster mode", { facts: { isCluster: true } }, { "source.cluster": "warning" }],
    ["a cache", { facts: { evicts: true } }, { "source.eviction": "warning" }],
    ["nearly full", { facts: { usedBytes: 3.6 * GIB } }, { "source.memory": "warning" }],
    ["hidden memory", { facts: { usedBytes: undefined } }, { "source.memory": "unknown" }],
    ["hidden keys", { facts: { keysByDatabase: undefined } }, { "source.keys": "unknown" }],
    [
      "SCAN refused",
      { census: { sampledKeys: 0, refusals: new Map([["SCAN", "NOPERM"]]) } },
      { "source.types": "unknown", "source.hidden": "unknown" },
    ],
    ["no room", { facts: { maxClients: 14, connectedClients: 10 } }, { "source.connections": "problem" }],
    ["just room", { facts: { maxClients: 15, connectedClients: 10 } }, {}],
    ["hidden maxclients", { facts: { maxClients: undefined } }, { "source.connections": "unknown" }],
  ])("%s", (_what, changes, expected) => {
    expect(raised(judgeSource(sourceLook(changes)))).toEqual(expected);
  });

  test("says what it holds", () => {
    const types = new Map([
      ["hash", { keys: 1, bytes: 9, measured: 1, largestBytes: 2_000_000 }],
      ["string", { keys: 999, bytes: 9, measured: 1, largestBytes: 10 }],
    ]);
    const keysByDatabase = new Map([
      [3, 200],
      [0, 1000],
    ]);
    const checks = judgeSource(
      sourceLook({ facts: { keysByDatabase }, census: { ...CENSUS, sampledKeys: 1000, types } }),
    );
    expect(found(checks, "source.keys")).toBe("1,200 keys: 1,000 in database 0, 200 in 3");
    expect(found(checks, "source.types")).toBe(
      "a sample of 1,000 keys: string 100 %, hash under 1 %; 5 with a deadline; the largest is a hash of 2.0 MB",
    );
  });
});
