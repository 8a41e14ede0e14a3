/** Runs a flush of the source on what belongs to the run in the target (I6), and says what that was. */
import type { Config } from "../config/load-config.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { flushTarget, type TargetFlushScope } from "../replication/target-flush.ts";
import type { KeyPlace } from "../target/key-places.ts";
import type { PreparedTarget } from "./target-preparation.ts";

export type SourceFlushOptions = {
  readonly config: Config;
  readonly target: PreparedTarget;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly signal: AbortSignal;
};

/** @param db the source's database, -1 for all @returns undefined when it was emptied under its own number */
export async function runSourceFlush(
  options: SourceFlushOptions,
  db: number,
): Promise<readonly KeyPlace[] | undefined> {
  const { config, target } = options;
  const { policy } = config.conflict;
  const places = placesOf(target, db);
  const scope: TargetFlushScope | number = places === undefined ? db : { kind: "places", places };
  // With `overwrite` the target holds nothing that the source has not put there, once it is swept.
  const spared = policy === "overwrite" ? undefined : target.owned;
  const { databases } = target.capabilities;
  await flushTarget({ ...options, endpoint: config.target, databases, spared }, scope);
  return places;
}

function placesOf({ map, capabilities }: PreparedTarget, db: number): readonly KeyPlace[] | undefined {
  const scope = map?.flushScope(db, capabilities.databases);
  if (scope === undefined || scope.kind === "places") return scope?.places;
  throw new Df2RedisError("TARGET_REJECTED", `${scope.why} and start again`, { context: { db } });
}
