/** What the target can do, as far as the writers need to know. Found out once per run by the probe. */
export type TargetProduct = "redis" | "valkey" | "keydb" | "dragonfly" | "unknown";

export type TargetCapabilities = {
  readonly product: TargetProduct;
  /** As the server says it, e.g. "7.0.15". */
  readonly version: string;
  /** RDB version to stamp on RESTORE payloads, and the highest that the server loads. */
  readonly rdbVersion: number;
  /** RDB types that RESTORE loads verbatim. */
  readonly restorableTypes: ReadonlySet<number>;
  /** Number of databases. */
  readonly databases: number;
  /** Keys that the target held when it was probed, in all databases; 0 when it does not tell. */
  readonly keys: number;
};
