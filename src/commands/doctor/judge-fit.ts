/** Judges whether what the source holds fits into the target, under the configuration. Pure: facts in, checks out. */
import type { Config } from "../../config/load-config.ts";
import { asDf2RedisError } from "../../errors/df2redis-error.ts";
import { formatBytes, formatDuration } from "../../observability/format.ts";
import { checkDatabaseMap } from "../../target/check-database-map.ts";
import { databaseMap } from "../../target/database-map.ts";
import { targetCapabilities } from "../../target/probe.ts";
import { CheckList } from "./check-list.ts";
import type { DoctorCheck } from "./doctor-report.ts";
import { judgeFeatures } from "./judge-features.ts";
import type { SourceLook, TargetLook } from "./look.ts";
import { keysText, sum } from "./words.ts";

/**
 * How much more memory a Redis is expected to need for the same data. A rule of thumb: Dragonfly's tables and small values are denser (its
 * authors name about 30 %); how much depends on the data.
 */
export const MEMORY_FACTOR = 1.3;

const CLOCK_LIMIT_MS = 1000;

export type FitOptions = {
  readonly config: Config;
  readonly source: SourceLook;
  readonly target: TargetLook;
};

export function judgeFit(options: FitOptions): DoctorCheck[] {
  const list = new CheckList("fit");
  judgeDatabases(list, options);
  judgeEmptiness(list, options);
  judgeMemory(list, options);
  judgeLengths(list, options);
  judgeClocks(list, options);
  const { config, source, target } = options;
  judgeFeatures(list, {
    asked: config.unsupported,
    capabilities: targetCapabilities(target.facts, config.writeMode),
    census: source.census,
    searchIndexes: source.facts.searchIndexes,
  });
  return list.checks;
}

function judgeDatabases(list: CheckList, { config, source, target }: FitOptions): void {
  const { keysByDatabase } = source.facts;
  const map = databaseMap(config.databases);
  const targetDatabases = target.facts.databases;
  try {
    checkDatabaseMap(map, { sourceDatabases: keysByDatabase?.keys(), targetDatabases });
  } catch (thrown) {
    return list.problem("databases", asDf2RedisError(thrown).message);
  }
  const rule = map === undefined ? "each database keeps its number" : "the databases go where `databases` says";
  if (keysByDatabase === undefined) list.unknown("databases", `${rule}; which of them hold keys is unknown`);
  else list.ok("databases", `${rule}; the target has room for all that hold keys`);
}

function judgeEmptiness(list: CheckList, { config, target }: FitOptions): void {
  const { keysByDatabase } = target.facts;
  const { policy } = config.conflict;
  if (keysByDatabase === undefined) {
    return list.unknown("empty", "whether the target is empty is unknown", "Keys that it holds may be replaced.");
  }
  if (sum(keysByDatabase.values()) === 0) return list.ok("empty", "the target is empty");
  const found = `the target is not empty (${keysText(keysByDatabase)})`;
  switch (policy) {
    case undefined:
      return list.problem(
        "empty",
        found,
        "Use an empty target, or say what is to become of its keys: conflict.policy (--conflict-policy) overwrite, skip or panic.",
      );
    case "overwrite":
      return list.warning("empty", `${found}, conflict.policy: overwrite`, sweepText(config.sweep.mode));
    case "skip":
      return list.ok(
        "empty",
        `${found}, conflict.policy: skip`,
        "Its keys stay as they are; keys of the source with the same name are not copied.",
      );
    case "panic":
      return list.ok(
        "empty",
        `${found}, conflict.policy: panic`,
        "The run stops at the first key that both sides have.",
      );
  }
}

function sweepText(mode: Config["sweep"]["mode"]): string {
  const replaced = "Keys of the same name are replaced";
  if (mode === "on")
    return `${replaced}, and after the copy all keys that the source does not have are deleted (sweep: on).`;
  if (mode === "dry-run")
    return `${replaced}; keys that the source does not have are counted and left (sweep: dry-run).`;
  return `${replaced}; keys that the source does not have stay (sweep: off).`;
}

function judgeMemory(list: CheckList, { source, target }: FitOptions): void {
  const used = source.facts.usedBytes;
  const { usedBytes: targetUsed, limitBytes, systemBytes } = target.facts.memory;
  const limit = limitBytes === 0 ? systemBytes : limitBytes;
  if (used === undefined || limit === undefined || targetUsed === undefined) {
    return list.unknown("memory", "whether the data fits into the target's memory is unknown");
  }
  const needed = used * MEMORY_FACTOR;
  const free = Math.max(0, limit - targetUsed);
  const of = limitBytes === 0 ? "of its machine's memory, if nothing else takes it" : "below its maxmemory";
  const found = `the source's ${formatBytes(used)} may need ${formatBytes(needed)} there (× ${MEMORY_FACTOR}); the target has ${formatBytes(free)} left ${of}`;
  if (needed <= free) return list.ok("memory", found);
  const advice = "Give the target more memory: what does not fit stops the run, or is evicted.";
  if (used <= free || limitBytes === 0) list.warning("memory", found, advice);
  else list.problem("memory", found, advice);
}

/** A string is one argument of one command. */
function judgeLengths(list: CheckList, { config, source, target }: FitOptions): void {
  const largest = source.census.types.get("string")?.largestBytes ?? 0;
  const { stringBytes } = config.advanced.limits;
  const accepted = target.facts.maxBulkBytes;
  const found = `a string of ${formatBytes(largest)} was seen`;
  if (largest > stringBytes) {
    list.problem(
      "string-size",
      `${found}; at most ${formatBytes(stringBytes)} is read`,
      "Raise advanced.limits.stringBytes.",
    );
  } else if (accepted !== undefined && largest > accepted) {
    list.problem(
      "string-size",
      `${found}; the target takes at most ${formatBytes(accepted)}`,
      "Raise its proto-max-bulk-len.",
    );
  }
}

function judgeClocks(list: CheckList, { source, target }: FitOptions): void {
  if (source.clock === undefined || target.clock === undefined) {
    return list.unknown("clock", "the clocks could not be compared (TIME)");
  }
  const apartMs = target.clock.offsetMs - source.clock.offsetMs;
  const ownMs = -source.clock.offsetMs;
  if (Math.abs(apartMs) <= CLOCK_LIMIT_MS && Math.abs(ownMs) <= CLOCK_LIMIT_MS) {
    const errorMs = source.clock.errorMs + target.clock.errorMs;
    return list.ok("clock", `the clocks agree to within ${formatDuration(Math.max(1, Math.abs(apartMs) + errorMs))}`);
  }
  if (Math.abs(apartMs) > CLOCK_LIMIT_MS) {
    const effect = apartMs > 0 ? "expire that much too early" : "live that much too long";
    const found = `the target's clock is ${formatDuration(Math.abs(apartMs))} ${ahead(apartMs)} the source's`;
    list.warning(
      "clock",
      found,
      `Deadlines are carried as points in time, so keys ${effect} on the target; set the clocks (NTP).`,
    );
  }
  if (Math.abs(ownMs) > CLOCK_LIMIT_MS) {
    const found = `this machine's clock is ${formatDuration(Math.abs(ownMs))} ${ahead(ownMs)} the source's`;
    list.warning(
      "own-clock",
      found,
      "Deadlines of fields and members arrive as a time left, which is counted by this clock; set the clocks (NTP).",
    );
  }
}

function ahead(ms: number): string {
  return ms > 0 ? "ahead of" : "behind";
}
