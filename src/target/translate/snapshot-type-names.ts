/** The names under which keys are counted in progress and reports. */
import type { ValueKind } from "../../rdb/rdb-handler.ts";

/** By RDB type, for types whose bodies RESTORE may take. */
const BY_RDB_TYPE: readonly (string | undefined)[] = [
  "string", // 0
  "list",
  "set",
  "zset",
  "hash",
  "zset",
  undefined,
  undefined,
  undefined,
  "hash", // 9
  "list",
  "set",
  "zset",
  "hash",
  "list",
  "stream", // 15
  "hash",
  "zset",
  "list",
  "stream",
  "set", // 20
  "stream",
];

export function typeNameOfRdbType(type: number): string {
  return BY_RDB_TYPE[type] ?? "unknown";
}

export function typeNameOfKind(kind: ValueKind): string {
  if (kind === "hashTtl") return "hash";
  return kind === "setTtl" ? "set" : kind;
}
