/** What the target can do, as far as the writers need to know. Found out once per run by the probe. */
export type TargetProduct = "redis" | "valkey" | "keydb" | "dragonfly" | "unknown";

/**
 * Commands that not every target has or allows; the probe finds out which are there. `RESTORE` and `EVAL` may be forbidden to our user,
 * the others came with a version or a module.
 */
export const OPTIONAL_COMMANDS = [
  "RESTORE",
  "EVAL",
  "SCRIPT",
  "LMPOP",
  "PEXPIRETIME",
  "HPEXPIREAT",
  "JSON.SET",
  "FT.CREATE",
] as const;

export type OptionalCommand = (typeof OPTIONAL_COMMANDS)[number];

export type TargetCapabilities = {
  readonly product: TargetProduct;
  /** As the server says it, e.g. "7.0.15". */
  readonly version: string;
  /** RDB version to stamp on RESTORE payloads, and the highest that the server loads. */
  readonly rdbVersion: number;
  /** RDB types that RESTORE loads verbatim; none where RESTORE is not allowed. */
  readonly restorableTypes: ReadonlySet<number>;
  /** Number of databases. */
  readonly databases: number;
  /** Keys that the target held when it was probed, in all databases; 0 when it does not tell. */
  readonly keys: number;
  /** The same by database; empty when it does not tell. */
  readonly keysByDatabase: ReadonlyMap<number, number>;
  /** Whether it tells how many keys it has: then `keys` is what there is. */
  readonly tellsKeys: boolean;
  readonly commands: ReadonlySet<OptionalCommand>;
  /** Longest argument that it takes (`proto-max-bulk-len`); 512 MiB when it does not tell. */
  readonly maxBulkBytes: number;
};
