import { expect, test } from "vitest";
import { parseServerList, parseServerVersion } from "./test-servers.ts";

test("a list of servers", () => {
  expect(parseServerList(" redis-7.4=/opt/a=b/redis-server, valkey-9=/v ,")).toEqual([
    { name: "redis-7.4", path: "/opt/a=b/redis-server" },
    { name: "valkey-9", path: "/v" },
  ]);
});

test.each(["redis-server", "=/path", "name=", "a=/x,a=/y"])(
  "the list %j is refused, by the variable's name",
  (list) => {
    expect(() => parseServerList(list)).toThrow("DF2REDIS_TEST_SERVERS");
  },
);

test.each([
  ["Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=d9b9", "redis", "7.0.15"],
  ["Valkey server v=9.1.2 sha=00000000:0", "valkey", "9.1.2"],
  ["KeyDB server v=6.3.4 sha=0", "keydb", "6.3.4"],
])("%s", (text, product, version) => {
  expect(parseServerVersion(`${text}\n`)).toEqual({ product, version });
});

test("anything else is no server", () => {
  expect(parseServerVersion("dragonfly v1.40.1")).toBeUndefined();
});
