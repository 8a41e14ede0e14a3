/** The probe against scripted servers, for products that are not at hand. A real Redis is in `probe.it.test.ts`. */
import { describe, expect, test } from "vitest";
import { type Answer, scriptedServer } from "../../test/support/scripted-server.ts";
import { rejection } from "../../test/support/until.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import type { TargetCapabilities } from "./capabilities.ts";
import { probeTarget } from "./probe.ts";

const bulk = (...lines: string[]): string => {
  const text = ["# Server", ...lines, ""].join("\r\n");
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
};
const REDIS = ["redis_version:7.2.4", "redis_mode:standalone", "role:master", "loading:0", "cluster_enabled:0"];

async function probe(table: Record<string, Answer>): Promise<TargetCapabilities> {
  const answers: Record<string, Answer> = {
    INFO: bulk(...REDIS),
    CONFIG: "*2\r\n$9\r\ndatabases\r\n$2\r\n16\r\n",
    SELECT: "+OK\r\n",
    RESTORE: "-ERR Bad data format\r\n",
    ...table,
  };
  await using server = await scriptedServer({
    answer: (words) => answers[words.join(" ")] ?? answers[words[0] ?? ""] ?? "-ERR unknown command\r\n",
  });
  return await probeTarget({ endpoint: server.endpoint, connectTimeoutMs: 2000, replyTimeoutMs: 2000 });
}

describe("probeTarget", () => {
  test("says what it found", async () => {
    const found = await probe({ CONFIG: "*2\r\n$9\r\ndatabases\r\n$2\r\n64\r\n" });
    expect(found).toMatchObject({ product: "redis", version: "7.2.4", rdbVersion: 11, databases: 64 });
    expect(found.restorableTypes.has(21)).toBe(true);
  });

  test.each([
    ["-ERR unknown command 'CONFIG'\r\n"],
    ["-NOPERM this user has no permissions to run the 'config|get' command\r\n"],
    ["*0\r\n"],
  ])("tries up to 16 databases where CONFIG is hidden: %j", async (answer) => {
    const SELECT = "+OK\r\n";
    const outOfRange = "-ERR DB index is out of range\r\n";
    expect((await probe({ CONFIG: answer, SELECT })).databases).toBe(16);
    expect((await probe({ CONFIG: answer, SELECT, "SELECT 4": outOfRange })).databases).toBe(4);
    expect((await probe({ CONFIG: answer, SELECT: outOfRange })).databases).toBe(1);
    expect((await probe({ CONFIG: answer, SELECT: "-NOPERM no permissions to run 'select'\r\n" })).databases).toBe(1);
  });

  test.each([
    [
      ["redis_version:7.2.4", "valkey_version:8.0.1", "server_name:valkey"],
      { product: "valkey", version: "8.0.1", rdbVersion: 11 },
    ],
    [["redis_version:6.3.4", "executable:/opt/keydb-server"], { product: "keydb", version: "6.3.4", rdbVersion: 9 }],
    [["redis_version:7.4.0", "dragonfly_version:df-v1.40.1"], { product: "dragonfly", version: "1.40.1" }],
  ])("recognises %j", async (lines, expected) => {
    expect(await probe({ INFO: bulk(...lines) })).toMatchObject(expected);
  });

  test("falls back on HELLO for a user who may not run INFO", async () => {
    const hello =
      "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:3\r\n$4\r\nmode\r\n";
    const rest = "$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
    const found = await probe({
      INFO: "-NOPERM this user has no permissions to run the 'info' command\r\n",
      HELLO: hello + rest,
    });
    expect(found).toMatchObject({ product: "redis", version: "7.0.15", rdbVersion: 10 });
  });

  test("trusts what RESTORE takes more than the version that the server claims", async () => {
    const refused = "-ERR DUMP payload version or checksum are wrong\r\n";
    const none = await probe({ RESTORE: refused });
    expect(none.restorableTypes.size).toBe(0);
    expect(none.commands.has("RESTORE")).toBe(true);
    // It says nothing of the payload, so the version decides.
    expect((await probe({ RESTORE: "-OOM command not allowed\r\n" })).restorableTypes.size).toBe(19);
    expect((await probe({ RESTORE: "-ERR unknown command 'RESTORE'\r\n" })).restorableTypes.size).toBe(0);
  });

  test.each([
    [["redis_version:6.0.9"], "TARGET_UNSUITABLE", "at least 6.2 is needed"],
    [
      [...REDIS, "role:slave", "master_host:10.0.0.1", "master_port:6379"],
      "TARGET_UNSUITABLE",
      "is a replica of 10.0.0.1:6379",
    ],
    [[...REDIS, "cluster_enabled:1"], "TARGET_UNSUITABLE", "comes with a later version"],
    [["redis_version:7.0.0", "redis_mode:sentinel"], "TARGET_UNSUITABLE", "is a Sentinel"],
    [[...REDIS, "loading:1"], "TARGET_NOT_READY", "still loading"],
  ])("refuses %j", async (lines, code, words) => {
    const error = await rejection<Df2RedisError>(probe({ INFO: bulk(...lines) }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.context).toMatchObject({ role: "target" });
  });

  test.each([
    ["-NOAUTH Authentication required.\r\n", "AUTH_FAILED"],
    ["-NOPERM no\r\n", "AUTH_FAILED"],
    ["-LOADING Redis is loading the dataset in memory\r\n", "TARGET_NOT_READY"],
    ["-ERR brand new\r\n", "TARGET_UNSUITABLE"],
    ["+OK\r\n", "PROTOCOL_VIOLATION"],
    ["HTTP/1.1 400\r\n", "PROTOCOL_VIOLATION"],
  ])("INFO answered by %j", async (answer, code) => {
    expect((await rejection<Df2RedisError>(probe({ INFO: answer }))).code).toBe(code);
  });
});
