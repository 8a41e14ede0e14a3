/** What servers of several releases can do, as the probe would find it. */
import { uniformPlan } from "../../src/target/features.ts";
import type { OptionalCommand, TargetCapabilities } from "../../src/target/capabilities.ts";

const RDB_9 = [0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15];
const RDB_10 = [...RDB_9, 16, 17, 18, 19];
const RDB_11 = [...RDB_10, 20, 21];
const COMMANDS_62: readonly OptionalCommand[] = ["RESTORE", "EVAL", "SCRIPT"];
const COMMANDS_70: readonly OptionalCommand[] = [...COMMANDS_62, "LMPOP", "PEXPIRETIME"];

const COMMON = {
  product: "redis",
  databases: 16,
  keys: 0,
  tellsKeys: true,
  keysByDatabase: new Map<number, number>(),
  maxBulkBytes: 512 * 1024 * 1024,
} as const;

export const REDIS_62: TargetCapabilities = {
  ...COMMON,
  version: "6.2.14",
  rdbVersion: 9,
  restorableTypes: new Set(RDB_9),
  commands: new Set(COMMANDS_62),
};

export const REDIS_70: TargetCapabilities = {
  ...COMMON,
  version: "7.0.15",
  rdbVersion: 10,
  restorableTypes: new Set(RDB_10),
  commands: new Set(COMMANDS_70),
};

export const REDIS_72: TargetCapabilities = {
  ...COMMON,
  version: "7.2.5",
  rdbVersion: 11,
  restorableTypes: new Set(RDB_11),
  commands: new Set(COMMANDS_70),
};

export const REDIS_74: TargetCapabilities = {
  ...REDIS_72,
  version: "7.4.1",
  commands: new Set([...COMMANDS_70, "HPEXPIREAT"]),
};

/** Of a run on a plain Redis that was told to leave out what it cannot hold. */
export const DROP_ALL = uniformPlan("drop");
