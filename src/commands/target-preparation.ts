/**
 * What is done about the target before the source is asked for anything: finds out what it is and what it holds, decides what becomes of each
 * feature, and refuses what cannot end well. Only reads.
 */
import type { Config } from "../config/load-config.ts";
import type { ConflictPolicy } from "../config/schema.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { plural } from "../observability/format.ts";
import type { Logger } from "../observability/logger.ts";
import type { TargetCapabilities } from "../target/capabilities.ts";
import { checkDatabaseMap, checkSearchPlace } from "../target/check-database-map.ts";
import { checkSweep } from "../target/check-sweep.ts";
import { type DatabaseMap, databaseMap } from "../target/database-map.ts";
import { planFeatures } from "../target/feature-plan.ts";
import { FEATURE_WORDS, type FeatureChoice, type FeaturePlan, FEATURES } from "../target/features.ts";
import { findOwnedKeys } from "../target/find-owned-keys.ts";
import { type KeyPlace, wholeDatabases } from "../target/key-places.ts";
import type { OwnedKeys } from "../target/owned-keys.ts";
import { probeTarget } from "../target/probe.ts";
import { guardTarget } from "../target/target-guard.ts";
import type { RunObserver } from "./run-report.ts";

export type PreparedTarget = {
  readonly capabilities: TargetCapabilities;
  readonly plan: FeaturePlan;
  /** undefined when every database keeps its number. */
  readonly map: DatabaseMap | undefined;
  /** Where in the target the run writes. */
  readonly places: readonly KeyPlace[];
  /** The keys that the target held; undefined when it was empty, or is gone on with. */
  readonly owned: OwnedKeys | undefined;
};

export type PrepareTargetOptions = {
  readonly config: Config;
  /** The target holds what an earlier run of this task has written. */
  readonly isResume: boolean;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly observer: RunObserver;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

/** @throws RESUME_IMPOSSIBLE, TARGET_NOT_EMPTY, CONFIG_INVALID, TARGET_UNSUITABLE, LIMIT_EXCEEDED, what `checkSweep` throws, and whatever breaks a connection */
export async function prepareTarget(options: PrepareTargetOptions): Promise<PreparedTarget> {
  const { config, logger } = options;
  if (options.isResume) refuseForgotten(config.conflict.policy);
  const capabilities = await probeTarget({ ...options, endpoint: config.target, writeMode: config.writeMode });
  const { product, version, databases } = capabilities;
  logger.debug({ target: version, product, databases }, "target probed");
  const plan = planFeatures(config.unsupported, capabilities);
  const map = databaseMap(config.databases);
  checkDatabaseMap(map, { targetDatabases: databases });
  checkSearchPlace(plan, map);
  tellPlan(plan, options.observer);
  if (config.expiry.hold === "snapshot" && !capabilities.commands.has("EVAL")) {
    options.observer.warning(
      "the target does not allow EVAL, so deadlines cannot be held back: a key that passes its deadline there while its renewal is on the way is lost",
    );
  }
  const places = placesOf(map, databases);
  const owned = options.isResume ? undefined : await findOwned(options, capabilities, places);
  return { capabilities, plan, map, places, owned };
}

/** Which keys were the target's own before an earlier run is not known any more: the journal would write to them. */
function refuseForgotten(policy: ConflictPolicy | undefined): void {
  if (policy !== "skip" && policy !== "panic") return;
  throw new Df2RedisError(
    "RESUME_IMPOSSIBLE",
    `with conflict.policy ${policy} a run cannot be gone on with: which keys the target held before it is not known any more`,
  );
}

/** Everything that a FLUSHALL of the source would empty. */
function placesOf(map: DatabaseMap | undefined, databases: number): readonly KeyPlace[] {
  const scope = map?.flushScope(-1, databases);
  return scope?.kind === "places" ? scope.places : wholeDatabases(databases);
}

async function findOwned(
  { config, observer, ...options }: PrepareTargetOptions,
  capabilities: TargetCapabilities,
  places: readonly KeyPlace[],
): Promise<OwnedKeys | undefined> {
  const { policy, memoryBytes } = config.conflict;
  const scan = { ...options, endpoint: config.target, places };
  if (!(await guardTarget({ ...scan, capabilities, policy }))) return undefined;
  if (policy === "overwrite" && config.sweep.mode === "on") await checkSweep(scan);
  observer.note(`the target is not empty: looking which keys it holds (conflict.policy: ${policy})`);
  const owned = await findOwnedKeys({ ...scan, keysByDatabase: capabilities.keysByDatabase, memoryBytes });
  observer.note(`the target holds ${plural(owned.size, "key")}`);
  return owned;
}

const CHOICE_HEADS: readonly (readonly [FeatureChoice, string])[] = [
  ["native", "carried as they are"],
  ["convert", "carried in another form"],
  ["drop", "left out and counted"],
  ["fail", "stop the run at the first one"],
];

/** Says what will become of the features that not every server has, should the source use them; `doctor` says why. */
function tellPlan(plan: FeaturePlan, observer: RunObserver): void {
  const parts = CHOICE_HEADS.map(([choice, head]) => {
    const chosen = FEATURES.filter((feature) => plan[feature] === choice).map((feature) => FEATURE_WORDS[feature]);
    return chosen.length === 0 ? "" : `${head}: ${chosen.join(", ")}`;
  });
  observer.note(`what a plain Redis does not have: ${parts.filter((part) => part !== "").join("; ")}`);
}
