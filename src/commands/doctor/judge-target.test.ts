import { describe, expect, test } from "vitest";
import { found, raised, TARGET_FACTS, targetLook } from "../../../test/support/doctor-looks.ts";
import type { WriteMode } from "../../config/schema.ts";
import type { OptionalCommand } from "../../target/capabilities.ts";
import type { CommandRight, TargetFacts } from "../../target/target-facts.ts";
import { judgeTarget } from "./judge-target.ts";

function rights(changes: Partial<Record<OptionalCommand, CommandRight>>): Pick<TargetFacts, "rights"> {
  return {
    rights: new Map([...TARGET_FACTS.rights, ...(Object.entries(changes) as [OptionalCommand, CommandRight][])]),
  };
}

function judged(changes: Parameters<typeof targetLook>[0], writeMode: WriteMode = "auto"): Record<string, string> {
  return raised(judgeTarget(targetLook(changes), { writeMode, connections: 4 }));
}

const OLD = { product: "redis", version: "6.0.9", redisVersion: "6.0.9" } as const;
const KEYDB = { product: "keydb", version: "6.3.4", redisVersion: "6.3.4" } as const;
const MEMORY = { usedBytes: 0, systemBytes: 100, policy: "allkeys-lru" };
const NO_SAVES = { aof: false, snapshots: false, lastSnapshot: "ok", lastAofWrite: "ok" };

describe("judgeTarget", () => {
  test("a healthy target raises nothing", () => {
    expect(judged({})).toEqual({});
  });

  test.each<[string, Parameters<typeof targetLook>[0], Record<string, string>]>([
    ["too old", { facts: { identity: OLD } }, { "target.version": "problem" }],
    ["a replica", { facts: { isReplica: true } }, { "target.version": "problem" }],
    ["a cluster's node", { facts: { mode: "cluster" }, write: "not tried" }, { "target.version": "problem" }],
    ["a Sentinel", { facts: { mode: "sentinel" } }, { "target.version": "problem" }],
    ["loading", { facts: { isLoading: true } }, { "target.version": "problem" }],
    ["KeyDB", { facts: { identity: KEYDB } }, { "target.version": "warning" }],
    ["a write refused", { write: { refused: "SET: MISCONF no" } }, { "target.write": "problem" }],
    ["no write tried", { write: "not tried" }, { "target.write": "unknown" }],
    [
      "some keys only",
      { facts: { keysRefused: "NOPERM No permissions to access a key" } },
      { "target.keys-allowed": "warning" },
    ],
    ["RESTORE forbidden", { facts: rights({ RESTORE: "forbidden" }) }, { "target.restore": "warning" }],
    ["no RESTORE", { facts: rights({ RESTORE: "absent" }) }, { "target.restore": "warning" }],
    ["a RESTORE that takes no version of ours", { facts: { restoreVersions: [] } }, { "target.restore": "warning" }],
    ["EVAL forbidden", { facts: rights({ EVAL: "forbidden" }) }, { "target.scripts": "problem" }],
    ["no EVAL", { facts: rights({ EVAL: "absent" }) }, { "target.scripts": "warning" }],
    ["HPEXPIREAT forbidden", { facts: rights({ HPEXPIREAT: "forbidden" }) }, { "target.commands-allowed": "warning" }],
    ["eviction", { facts: { memory: { ...MEMORY, limitBytes: 50 } } }, { "target.memory": "warning" }],
    ["eviction without a limit", { facts: { memory: { ...MEMORY, limitBytes: 0 } } }, {}],
    ["a hidden limit", { facts: { memory: { ...MEMORY, limitBytes: undefined } } }, { "target.memory": "unknown" }],
    ["nothing saved", { facts: { persistence: NO_SAVES } }, { "target.persistence": "warning" }],
    [
      "a failed save",
      { facts: { persistence: { ...NO_SAVES, lastSnapshot: "err" } } },
      { "target.persistence": "warning" },
    ],
    ["hidden saves", { facts: { persistence: { ...NO_SAVES, aof: undefined } } }, { "target.persistence": "unknown" }],
    ["hidden keys", { facts: { keysByDatabase: undefined } }, { "target.keys": "unknown" }],
    ["hidden modules", { facts: { modules: undefined } }, { "target.modules": "unknown" }],
    ["short arguments", { facts: { maxBulkBytes: 1024 } }, { "target.argument-size": "warning" }],
    ["no room", { facts: { maxClients: 4, connectedClients: 1 } }, { "target.connections": "problem" }],
    ["refusals", { facts: { refusals: new Map([["CONFIG GET", "NOPERM"]]) } }, { "target.hidden": "unknown" }],
  ])("%s", (_what, changes, expected) => {
    expect(judged(changes)).toEqual(expected);
  });

  test("write mode restore needs a RESTORE", () => {
    const facts = rights({ RESTORE: "forbidden" });
    expect(judged({ facts }, "restore")).toMatchObject({ "target.version": "problem" });
    expect(judged({ facts }, "commands")).toEqual({});
    const dragonfly = { product: "dragonfly", version: "1.40.1", redisVersion: "7.4.0" } as const;
    expect(judged({ facts: { identity: dragonfly } }, "restore")).toMatchObject({ "target.version": "problem" });
  });

  test("words", () => {
    const checks = judgeTarget(targetLook(), { writeMode: "auto", connections: 4 });
    expect(found(checks, "target.version")).toBe("Redis 7.4.1, a master, standalone");
    expect(found(checks, "target.restore")).toBe("RESTORE takes RDB version 11, all stored forms");
    expect(found(checks, "target.commands")).toBe(
      "has LMPOP, PEXPIRETIME, HPEXPIREAT; lacks JSON.SET (a JSON module), FT.CREATE (a search module)",
    );
  });
});
