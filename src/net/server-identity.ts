/** Which product answers, from the fields of `INFO server`. */
export type ServerProduct = "redis" | "valkey" | "keydb" | "dragonfly" | "unknown";

export type ServerIdentity = {
  readonly product: ServerProduct;
  /** The product's own version, e.g. "7.0.15"; "unknown" when INFO is not allowed. */
  readonly version: string;
  /** The Redis version that it claims to be compatible with; the same as `version` for a Redis. */
  readonly redisVersion: string;
};

const PRODUCT_NAMES: Record<ServerProduct, string> = {
  redis: "Redis",
  valkey: "Valkey",
  keydb: "KeyDB",
  dragonfly: "Dragonfly",
  unknown: "a server of unknown kind",
};

/** @param info fields of `INFO server` */
export function identifyServer(info: ReadonlyMap<string, string>): ServerIdentity {
  const redisVersion = info.get("redis_version") ?? "unknown";
  const dragonfly = info.get("dragonfly_version");
  if (dragonfly !== undefined) return { product: "dragonfly", version: dragonfly.replace(/^df-v?/, ""), redisVersion };
  // Valkey shows a Redis version first and its own after it (valkey src/server.c genValkeyInfoString).
  const valkey = info.get("valkey_version");
  if (valkey !== undefined) return { product: "valkey", version: valkey, redisVersion };
  if (/keydb/i.test(`${info.get("executable") ?? ""} ${info.get("server_name") ?? ""}`)) {
    return { product: "keydb", version: redisVersion, redisVersion };
  }
  return { product: redisVersion === "unknown" ? "unknown" : "redis", version: redisVersion, redisVersion };
}

/** "Redis 7.0.15" */
export function identityName(identity: ServerIdentity): string {
  const name = PRODUCT_NAMES[identity.product];
  return identity.version === "unknown" ? name : `${name} ${identity.version}`;
}
