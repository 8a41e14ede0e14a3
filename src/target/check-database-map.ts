/** Whether the target has the databases that the source's are to go to. Pure; asked once, before anything is written. */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { DatabaseMap } from "./database-map.ts";

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
