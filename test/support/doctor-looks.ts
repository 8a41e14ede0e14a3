/** What `doctor` sees of two healthy servers, to be changed by tests one fact at a time. */
import type { SourceLook, TargetLook } from "../../src/commands/doctor/look.ts";
import type { DoctorCheck } from "../../src/commands/doctor/doctor-report.ts";
import type { Census } from "../../src/source/census.ts";
import type { SourceFacts } from "../../src/source/source-facts.ts";
import { OPTIONAL_COMMANDS } from "../../src/target/capabilities.ts";
import type { TargetFacts } from "../../src/target/target-facts.ts";
import { plainEndpoint } from "./scripted-server.ts";

export const GIB = 1024 ** 3;

export const SOURCE_FACTS: SourceFacts = {
  identity: { product: "dragonfly", version: "1.40.1", redisVersion: "7.4.0" },
  isReplica: false,
  masterAddress: undefined,
  isLoading: false,
  isCluster: false,
  evicts: false,
  usedBytes: GIB,
  limitBytes: 4 * GIB,
  keysByDatabase: new Map([[0, 1000]]),
  connectedReplicas: 0,
  maxClients: 64_000,
  connectedClients: 10,
  searchIndexes: 0,
  refusals: new Map(),
};

export const CENSUS: Census = {
  sampledKeys: 100,
  expiringKeys: 5,
  types: new Map([["string", { keys: 100, bytes: 10_000, measured: 100, largestBytes: 500 }]]),
  features: new Map(),
  isComplete: false,
  refusals: new Map(),
};

export const TARGET_FACTS: TargetFacts = {
  identity: { product: "redis", version: "7.4.1", redisVersion: "7.4.1" },
  mode: "standalone",
  isReplica: false,
  masterAddress: undefined,
  isLoading: false,
  databases: 16,
  keysByDatabase: new Map(),
  rights: new Map(
    OPTIONAL_COMMANDS.map((name) => [name, name === "JSON.SET" || name === "FT.CREATE" ? "absent" : "allowed"]),
  ),
  keysRefused: undefined,
  restoreVersions: [9, 10, 11],
  modules: [],
  maxBulkBytes: 512 * 1024 * 1024,
  memory: { usedBytes: 0, limitBytes: 8 * GIB, systemBytes: 16 * GIB, policy: "noeviction" },
  persistence: { aof: true, snapshots: true, lastSnapshot: "ok", lastAofWrite: "ok" },
  connectedReplicas: 0,
  maxClients: 10_000,
  connectedClients: 1,
  refusals: new Map(),
};

export function sourceLook(
  changes: Partial<Omit<SourceLook, "facts" | "census">> & {
    readonly facts?: Partial<SourceFacts>;
    readonly census?: Partial<Census>;
  } = {},
): SourceLook {
  return {
    endpoint: plainEndpoint(6380),
    handshake: { masterId: "m".repeat(40), syncId: "SYNC1", flowCount: 4, protocolVersion: 5, lineageId: undefined },
    clock: { offsetMs: 0, errorMs: 1 },
    latencyMs: 0.2,
    ...changes,
    facts: { ...SOURCE_FACTS, ...changes.facts },
    census: { ...CENSUS, ...changes.census },
  };
}

export function targetLook(
  changes: Partial<Omit<TargetLook, "facts">> & { readonly facts?: Partial<TargetFacts> } = {},
): TargetLook {
  return {
    endpoint: plainEndpoint(6379),
    write: "written",
    clock: { offsetMs: 0, errorMs: 1 },
    latencyMs: 0.2,
    ...changes,
    facts: { ...TARGET_FACTS, ...changes.facts },
  };
}

/** Level by id, of checks that are not ok. */
export function raised(checks: readonly DoctorCheck[]): Record<string, string> {
  return Object.fromEntries(checks.filter(({ level }) => level !== "ok").map(({ id, level }) => [id, level]));
}

export function found(checks: readonly DoctorCheck[], id: string): string {
  return checks.find((check) => check.id === id)?.found ?? "";
}
