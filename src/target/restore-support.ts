/**
 * Which RDB version to stamp on a RESTORE payload for a server, and which object types it loads from one.
 *
 * A server refuses a payload of a higher RDB version than its own (Redis src/cluster.c verifyDumpPayload), and never minds a lower one: the
 * version does not change how a type is read. So the version stamped is the lowest in which all types of interest exist:
 * 9 = Redis 5.0 to 6.2 and KeyDB (KeyDB src/rdb.h), 10 = 7.0, 11 = 7.2. Newer Redis (12 and up) and all Valkeys load 11; Valkey takes
 * 12 to 79 for foreign formats and refuses them (valkey src/rdb.h RDB_FOREIGN_VERSION_MIN).
 * Types by version: Redis and valkey src/rdb.h, RDB_TYPE_*.
 */
import type { ServerIdentity } from "../net/server-identity.ts";

export type RestoreSupport = {
  readonly rdbVersion: number;
  readonly restorableTypes: ReadonlySet<number>;
};

/** Strings, plain and ziplist-era collections, streams v1. Not 6 and 7: modules. */
const RDB_9 = [0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15] as const;
/** Listpack hashes, zsets and quicklists, streams v2. */
const RDB_10 = [...RDB_9, 16, 17, 18, 19] as const;
/** Listpack sets, streams v3. */
const RDB_11 = [...RDB_10, 20, 21] as const;

/** The oldest Redis whose commands we use: SET … PXAT came with it. */
export const MIN_REDIS_VERSION = "6.2";

const SUPPORT: readonly RestoreSupport[] = [
  { rdbVersion: 11, restorableTypes: new Set(RDB_11) },
  { rdbVersion: 10, restorableTypes: new Set(RDB_10) },
  { rdbVersion: 9, restorableTypes: new Set(RDB_9) },
];

/** Types that are written by commands. */
const NONE: RestoreSupport = { rdbVersion: 9, restorableTypes: new Set() };

/**
 * undefined when the server is too old to be written to at all.
 * @param takenVersions the RDB versions that its RESTORE was seen to take; undefined when it did not tell
 */
export function restoreSupport(
  identity: ServerIdentity,
  takenVersions?: readonly number[],
): RestoreSupport | undefined {
  // Its RESTORE takes RDB 9, but not every type of it: native commands are safe there.
  if (identity.product === "dragonfly" || identity.product === "unknown") return NONE;
  const newest = newestRdbVersion(identity);
  if (newest === undefined) return undefined;
  return (
    SUPPORT.find(
      ({ rdbVersion }) => rdbVersion <= newest && (takenVersions === undefined || takenVersions.includes(rdbVersion)),
    ) ?? NONE
  );
}

/** Of those above that a release loads; undefined for those before 6.2. */
function newestRdbVersion(identity: ServerIdentity): number | undefined {
  const version = versionNumber(identity.product === "valkey" ? identity.version : identity.redisVersion);
  if (version < 602) return undefined;
  if (identity.product === "keydb" || version < 700) return 9;
  return version < 702 ? 10 : 11;
}

/** "7.2.4" → 702 */
function versionNumber(text: string): number {
  const [major = "0", minor = "0"] = text.split(".");
  return 100 * Number.parseInt(major, 10) + Number.parseInt(minor, 10);
}
