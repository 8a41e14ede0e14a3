/** Whether the target has the databases that the source's are to go to. Pure; asked once, before anything is written. */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { DatabaseMap } from "./database-map.ts";
import type { FeaturePlan } from "./features.ts";

export type DatabaseCheck = {
  /** The source's databases that hold keys now; those of which nothing is known when they start to are found by the encoder. */
  readonly sourceDatabases?: Iterable<number> | undefined;
  /** How many the target has. */
  readonly targetDatabases: number;
};

/** @param map undefined when every database keeps its number @throws TARGET_UNSUITABLE */
export function checkDatabaseMap(map: DatabaseMap | undefined, check: DatabaseCheck): void {
  const { targetDatabases } = check;
  for (const source of map?.named ?? []) refuseMissing(source, map, targetDatabases);
  for (const source of check.sourceDatabases ?? []) refuseMissing(source, map, targetDatabases);
  if (map?.firstOfRest !== undefined) refuseMissing(map.firstOfRest, map, targetDatabases);
}

function refuseMissing(source: number, map: DatabaseMap | undefined, targetDatabases: number): void {
  const db = map === undefined ? source : map.place(source).db;
  if (db < targetDatabases) return;
  const has = `the target has only ${targetDatabases} databases (0 to ${targetDatabases - 1})`;
  const text =
    map === undefined || db === source
      ? `database ${source} of the source keeps its number`
      : `\`databases\` sends database ${source} of the source to ${db}`;
  throw new Df2RedisError(
    "TARGET_UNSUITABLE",
    `${text}, but ${has}: say with \`databases\` where it is to go, or raise \`databases\` of the target`,
    {
      context: { sourceDb: source, db },
    },
  );
}

/** An index of the source covers database 0 and names its keys as they are there; moved or renamed, it would find nothing. @throws CONFIG_INVALID */
export function checkSearchPlace(plan: Pick<FeaturePlan, "search">, map: DatabaseMap | undefined): void {
  const place = map?.place(0);
  if (plan.search !== "native" || place === undefined || (place.db === 0 && place.prefix.length === 0)) return;
  throw new Df2RedisError(
    "CONFIG_INVALID",
    "`databases` moves or renames the keys of database 0, but search indices cover that database under its own names: set `unsupported.search` to drop or fail",
  );
}
