/** Judges what was seen of the target. Pure: facts in, checks out. */
import type { WriteMode } from "../../config/schema.ts";
import { ERROR_CODES } from "../../errors/codes.ts";
import type { Df2RedisError } from "../../errors/df2redis-error.ts";
import { identityName } from "../../net/server-identity.ts";
import { formatBytes, plural } from "../../observability/format.ts";
import { safeText } from "../../observability/key-text.ts";
import { OPTIONAL_COMMANDS, type OptionalCommand } from "../../target/capabilities.ts";
import { restoreSupport } from "../../target/restore-support.ts";
import type { TargetFacts } from "../../target/target-facts.ts";
import { targetMisfit } from "../../target/target-suitability.ts";
import { CheckList } from "./check-list.ts";
import type { DoctorCheck } from "./doctor-report.ts";
import { judgeClientRoom, judgeConnection, judgeHidden, judgeUnreachable } from "./judge-connection.ts";
import { type NoLook, type TargetLook, wasSeen, type WriteTry } from "./look.ts";
import { bytesText, keysText } from "./words.ts";

/** Redis' own `proto-max-bulk-len`. */
const USUAL_BULK_BYTES = 512 * 1024 * 1024;

export type TargetJudgeOptions = {
  readonly writeMode: WriteMode;
  /** Connections that a run opens. */
  readonly connections: number;
};

export function judgeTarget(look: TargetLook | NoLook, options: TargetJudgeOptions): DoctorCheck[] {
  const list = new CheckList("target");
  if (!wasSeen(look)) {
    judgeUnreachable(list, look.error);
    return list.checks;
  }
  const { facts, endpoint } = look;
  judgeConnection(list, look);
  const misfit = targetMisfit({ endpoint, role: "target" }, facts, options.writeMode);
  judgeSuitability(list, facts, misfit);
  if (look.write !== "not tried" || misfit === undefined) judgeWrite(list, look.write);
  judgeKeyRights(list, facts);
  judgeRestore(list, facts, options.writeMode);
  judgeScripts(list, facts);
  judgeCommands(list, facts);
  judgeMemory(list, facts);
  judgePersistence(list, facts);
  judgeContents(list, facts);
  judgeLimits(list, facts);
  judgeClientRoom(list, { ...facts, needed: options.connections });
  judgeHidden(list, facts.refusals);
  return list.checks;
}

function judgeSuitability(list: CheckList, { identity }: TargetFacts, misfit: Df2RedisError | undefined): void {
  const name = identityName(identity);
  if (misfit !== undefined) list.problem("version", misfit.message, ERROR_CODES[misfit.code].action);
  else if (identity.product === "redis" || identity.product === "valkey")
    list.ok("version", `${name}, a master, standalone`);
  else list.warning("version", name, "No test was made with it: try a copy first and compare.");
}

function judgeWrite(list: CheckList, write: WriteTry): void {
  if (write === "not tried") list.unknown("write", "no write was tried (--no-write-check)");
  else if (write === "written") list.ok("write", "takes writes (one key was set and deleted)");
  else list.problem("write", `refuses a write: ${safeText(write.refused)}`, writeAdvice(write.refused));
}

/** @param refused `SET: <the server's words>` */
function writeAdvice(refused: string): string {
  if (/NOPERM/.test(refused)) return "Widen the ACL of our user.";
  if (/READONLY/.test(refused)) return "Use the master's address.";
  if (/OOM/.test(refused)) return "Raise its maxmemory.";
  if (/MISCONF/.test(refused)) return "It cannot save to its disk: see its log.";
  if (/NOREPLICAS/.test(refused)) return "It wants replicas (min-replicas-to-write), and too few are connected.";
  return "See its log.";
}

function judgeKeyRights(list: CheckList, { keysRefused }: TargetFacts): void {
  if (keysRefused === undefined) return;
  const advice =
    "Every key of the source must be allowed, with the prefix that `databases` gives it; otherwise the run stops at the first that is not.";
  list.warning("keys-allowed", `our user may use some keys only: ${safeText(keysRefused)}`, advice);
}

function judgeRestore(list: CheckList, facts: TargetFacts, writeMode: WriteMode): void {
  const right = facts.rights.get("RESTORE");
  const slow = "Collections are written by commands: the same data, at more cost for the target.";
  if (writeMode === "commands") return list.ok("restore", "not used (target.writeMode: commands)");
  if (right === "forbidden")
    return list.warning("restore", "our user may not run RESTORE", `Allow it (+restore). ${slow}`);
  if (right !== "allowed")
    return list.warning(
      "restore",
      right === "absent" ? "it has no RESTORE" : "whether it has RESTORE is unknown",
      slow,
    );
  const support = restoreSupport(facts.identity, facts.restoreVersions);
  if (support === undefined) return;
  if (support.restorableTypes.size === 0)
    return list.warning("restore", "its RESTORE loads no stored form that is known to be safe", slow);
  const types =
    support.rdbVersion === 11
      ? "all stored forms"
      : `stored forms up to those of Redis ${support.rdbVersion === 10 ? "7.0" : "6.2"}`;
  list.ok("restore", `RESTORE takes RDB version ${support.rdbVersion}, ${types}`);
}

function judgeScripts(list: CheckList, { rights }: TargetFacts): void {
  const right = rights.get("EVAL");
  const use =
    "Without it no deadlines are held back, and `replicate` stops at the first journal entry that needs a script (RENAME, COPY, PREPEND, INCRBYFLOAT and some others).";
  if (right === "allowed") list.ok("scripts", "EVAL is allowed");
  else if (right === "forbidden") list.problem("scripts", "our user may not run EVAL", `Allow it (+eval). ${use}`);
  else list.warning("scripts", right === "absent" ? "it has no EVAL" : "whether it has EVAL is unknown", use);
}

const CAME_WITH: Partial<Record<OptionalCommand, string>> = {
  LMPOP: "Redis 7.0",
  PEXPIRETIME: "Redis 7.0",
  HPEXPIREAT: "Redis 7.4 or Valkey 9",
  "JSON.SET": "a JSON module",
  "FT.CREATE": "a search module",
};

function judgeCommands(list: CheckList, { rights, modules }: TargetFacts): void {
  const has = OPTIONAL_COMMANDS.filter((name) => CAME_WITH[name] !== undefined && rights.get(name) === "allowed");
  const lacks = OPTIONAL_COMMANDS.filter((name) => CAME_WITH[name] !== undefined && rights.get(name) === "absent");
  const forbidden = OPTIONAL_COMMANDS.filter(
    (name) => CAME_WITH[name] !== undefined && rights.get(name) === "forbidden",
  );
  const parts = [
    has.length > 0 ? `has ${has.join(", ")}` : "",
    lacks.length > 0 ? `lacks ${lacks.map((name) => `${name} (${CAME_WITH[name]})`).join(", ")}` : "",
  ].filter((part) => part !== "");
  if (parts.length > 0) list.ok("commands", parts.join("; "));
  if (forbidden.length > 0)
    list.warning(
      "commands-allowed",
      `our user may not run ${forbidden.join(", ")}`,
      "Allow them, or df2redis does without.",
    );
  if (modules === undefined) list.unknown("modules", "it does not tell its modules");
  else if (modules.length > 0)
    list.ok("modules", modules.map(({ name, version }) => safeText(`${name} ${version}`)).join(", "));
}

function judgeMemory(list: CheckList, { memory }: TargetFacts): void {
  const { usedBytes, limitBytes, policy } = memory;
  if (limitBytes === undefined)
    return list.unknown("memory", `it does not tell its maxmemory; ${bytesText(usedBytes)} used`);
  if (limitBytes === 0) return list.ok("memory", `${bytesText(usedBytes)} used, no maxmemory`);
  const found = `${bytesText(usedBytes)} of ${formatBytes(limitBytes)} used, policy ${safeText(policy ?? "unknown")}`;
  if (policy === "noeviction") return list.ok("memory", found);
  list.warning(
    "memory",
    found,
    "When its memory is full it deletes keys by itself, and the copy has gaps: set maxmemory-policy noeviction.",
  );
}

function judgePersistence(list: CheckList, { persistence }: TargetFacts): void {
  const { aof, snapshots, lastSnapshot, lastAofWrite } = persistence;
  const kinds = [aof === true ? "append-only file" : "", snapshots === true ? "snapshots" : ""].filter(
    (kind) => kind !== "",
  );
  if (lastSnapshot === "err" || lastAofWrite === "err") {
    list.warning(
      "persistence",
      "its last save to disk failed",
      "See its log; it may refuse writes because of it (MISCONF).",
    );
  } else if (kinds.length > 0) list.ok("persistence", kinds.join(" and "));
  else if (aof === undefined || snapshots === undefined)
    list.unknown("persistence", "it does not tell how it saves to disk");
  else
    list.warning(
      "persistence",
      "it saves nothing to disk",
      "A restart of the target loses the copy: set appendonly or save, unless that is meant.",
    );
}

function judgeContents(list: CheckList, { keysByDatabase, connectedReplicas }: TargetFacts): void {
  if (keysByDatabase === undefined)
    list.unknown("keys", "it tells neither by INFO nor by DBSIZE how many keys it holds");
  else list.ok("keys", keysText(keysByDatabase));
  if (connectedReplicas !== undefined && connectedReplicas > 0)
    list.ok("replicas", `${plural(connectedReplicas, "replica")} connected`);
}

function judgeLimits(list: CheckList, { maxBulkBytes, databases }: TargetFacts): void {
  list.ok("databases", plural(databases, "database"));
  if (maxBulkBytes === undefined || maxBulkBytes >= USUAL_BULK_BYTES) return;
  list.warning(
    "argument-size",
    `takes arguments of at most ${formatBytes(maxBulkBytes)} (proto-max-bulk-len)`,
    "A longer string of the source stops the run.",
  );
}
