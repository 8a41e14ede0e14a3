import { describe, expect, test } from "vitest";
import { parseInfo } from "./info.ts";
import { identifyServer, identityName } from "./server-identity.ts";

const info = (...lines: string[]): ReadonlyMap<string, string> =>
  parseInfo({ type: "bulk", bytes: Buffer.from(["# Server", ...lines, ""].join("\r\n")) });

describe("parseInfo", () => {
  test("takes fields, leaves titles, keeps colons of values", () => {
    expect([...info("a:1", "executable:C:\\redis", "", "# Title:x", "empty:")]).toEqual([
      ["a", "1"],
      ["executable", "C:\\redis"],
      ["empty", ""],
    ]);
    expect(parseInfo({ type: "null" }).size).toBe(0);
  });
});

describe("identifyServer", () => {
  test.each([
    ["Redis 7.0.15", info("redis_version:7.0.15", "executable:/usr/bin/redis-server")],
    ["Valkey 8.1.1", info("redis_version:7.2.4", "server_name:valkey", "valkey_version:8.1.1")],
    ["KeyDB 6.3.4", info("redis_version:6.3.4", "executable:/usr/bin/keydb-server")],
    ["Dragonfly 1.40.1", info("redis_version:7.4.0", "dragonfly_version:df-v1.40.1")],
    ["a server of unknown kind", info("something:else")],
  ])("%s", (name, fields) => {
    expect(identityName(identifyServer(fields))).toBe(name);
  });
});
