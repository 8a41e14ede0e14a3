import { describe, expect, test } from "vitest";
import type { ServerIdentity, ServerProduct } from "../net/server-identity.ts";
import { restoreSupport } from "./restore-support.ts";

function support(
  product: ServerProduct,
  version: string,
  redisVersion = version,
): readonly [number, number] | undefined {
  const identity: ServerIdentity = { product, version, redisVersion };
  const found = restoreSupport(identity);
  return found && [found.rdbVersion, Math.max(-1, ...found.restorableTypes)];
}

describe("restoreSupport", () => {
  test.each<[ServerProduct, string, string, readonly [number, number] | undefined]>([
    ["redis", "6.0.20", "6.0.20", undefined],
    ["redis", "6.2.14", "6.2.14", [9, 15]],
    ["redis", "7.0.15", "7.0.15", [10, 19]],
    ["redis", "7.2.4", "7.2.4", [11, 21]],
    ["redis", "7.4.0", "7.4.0", [11, 21]],
    ["redis", "8.2.1", "8.2.1", [11, 21]],
    ["redis", "10.0.0", "10.0.0", [11, 21]],
    ["valkey", "7.2.9", "7.2.4", [11, 21]],
    ["valkey", "9.0.0", "7.2.4", [11, 21]],
    ["keydb", "6.3.4", "6.3.4", [9, 15]],
    ["keydb", "7.2.0", "7.2.0", [9, 15]],
    ["dragonfly", "1.40.1", "7.4.0", [9, -1]],
    ["unknown", "unknown", "unknown", [9, -1]],
  ])("%s %s", (product, version, redisVersion, expected) => {
    expect(support(product, version, redisVersion)).toEqual(expected);
  });

  test.each([
    ["7.2.4", [9, 10, 11], 11],
    ["7.2.4", [9, 10], 10],
    ["7.2.4", [9], 9],
    // What a release says that it reads is the upper bound: types may be missing in a fork that takes any version.
    ["7.0.15", [9, 10, 11], 10],
    ["6.2.14", [9, 10, 11], 9],
  ])("Redis %s whose RESTORE takes %j", (version, taken, expected) => {
    const found = restoreSupport({ product: "redis", version, redisVersion: version }, taken);
    expect(found?.rdbVersion).toBe(expected);
    expect(found?.restorableTypes.size).toBeGreaterThan(0);
  });

  test("a RESTORE that takes none of the versions is not used", () => {
    const found = restoreSupport({ product: "redis", version: "7.4.0", redisVersion: "7.4.0" }, []);
    expect(found?.restorableTypes.size).toBe(0);
  });

  test("module types are never restored", () => {
    const found = restoreSupport({ product: "redis", version: "8.0.0", redisVersion: "8.0.0" });
    for (const type of [6, 7, 8, 22, 30]) expect(found?.restorableTypes.has(type)).toBe(false);
  });
});
