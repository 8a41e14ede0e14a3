/**
 * What differs between Dragonfly releases in the bytes that they send (docs/protocol.md §2 and §4; the recordings of 1.27.4 and 1.40.1). Pure.
 */
export type Release = { readonly major: number; readonly minor: number };

export type RdbProfile = {
  /** Small hashes and zsets as ziplists (types 13, 12), large zsets from the highest score down; else listpacks (16, 17), from the lowest up. */
  readonly ziplists: boolean;
  /** A hash of one field stays packed whatever its value's size. */
  readonly packsSingleField: boolean;
  /** Journal entries tell on how many shards their transaction ran; else 1. */
  readonly tellsShardCount: boolean;
  /** Expired keys are journaled by an op of their own. */
  readonly hasExpiredOp: boolean;
  /** AUX fields `shard-count`, `table-mem` and `shard-id`. */
  readonly shardAux: boolean;
  /** A blob ends with the object that makes it this large. */
  readonly minBlobBytes: number;
  /** Tagged chunks exist. */
  readonly canTag: boolean;
  /** The bytes of Bloom filters in chunks (type 34), else as strings (33). */
  readonly chunkedFilters: boolean;
  /** Longest member of a zset that is kept as one packed body. */
  readonly zsetPackedMemberBytes: number;
  /** Most members of such a zset. */
  readonly zsetPackedMembers: number;
};

const NEW: RdbProfile = {
  ziplists: false,
  packsSingleField: true,
  tellsShardCount: false,
  hasExpiredOp: false,
  shardAux: true,
  minBlobBytes: 8 * 1024,
  canTag: true,
  chunkedFilters: true,
  zsetPackedMemberBytes: 64,
  zsetPackedMembers: Infinity,
};

const OLD: RdbProfile = {
  ziplists: true,
  packsSingleField: false,
  tellsShardCount: true,
  hasExpiredOp: true,
  shardAux: false,
  minBlobBytes: 32 * 1024,
  canTag: false,
  chunkedFilters: false,
  zsetPackedMemberBytes: 32,
  zsetPackedMembers: 128,
};

/** Between the two releases that were recorded the change is taken to be at once. */
const FIRST_NEW_MINOR = 30;

/** @param version as in INFO SERVER: "df-v1.40.1" */
export function parseRelease(version: string): Release {
  const [, major = "1", minor = "40"] = /v?(\d+)\.(\d+)/.exec(version) ?? [];
  return { major: Number(major), minor: Number(minor) };
}

export function rdbProfile(version: string): RdbProfile {
  const { major, minor } = parseRelease(version);
  return major > 1 || minor >= FIRST_NEW_MINOR ? NEW : OLD;
}

/** The protocol version that a release announces: first minor release of 1.x → version. */
const PROTOCOL_VERSIONS: readonly (readonly [minor: number, version: number])[] = [
  [37, 5],
  [30, 4],
  [20, 3],
  [15, 2],
  [11, 1],
];

export function protocolVersion(version: string): number {
  const { major, minor } = parseRelease(version);
  if (major > 1) return 5;
  return PROTOCOL_VERSIONS.find(([first]) => minor >= first)?.[1] ?? 0;
}
