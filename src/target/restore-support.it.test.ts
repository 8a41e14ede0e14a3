/** What the probe says of RESTORE, against what each server really does, type by type. */
import { describe, expect, test } from "vitest";
import { dumpPayload } from "../../test/support/dump-to-rdb.ts";
import { wire } from "../../test/support/rdb-builder.ts";
import { body } from "../../test/support/rdb-values.ts";
import { SAMPLES } from "../../test/support/rdb-samples.ts";
import { startRedis } from "../../test/support/redis-server.ts";
import type { RespClient } from "../../test/support/resp-client.ts";
import { plainEndpoint } from "../../test/support/scripted-server.ts";
import { testServers } from "../../test/support/test-servers.ts";
import { probeTarget } from "./probe.ts";

const HIGHEST_TYPE = 21;
/** Modules, and the type that was never used. */
const NEVER = new Set([6, 7, 8]);

describe.each(testServers())("$name", ({ path }) => {
  test("loads the types that the probe says, and no others, with the version that it says", async () => {
    await using server = await startRedis({ program: path });
    await using client = await server.client();
    const found = await probeTarget({
      endpoint: plainEndpoint(server.port),
      connectTimeoutMs: 5000,
      replyTimeoutMs: 5000,
    });
    const loads = [];
    for (let type = 0; type <= HIGHEST_TYPE; type++)
      if (!NEVER.has(type) && (await loadsType(client, type, found.rdbVersion))) loads.push(type);
    expect(loads).toEqual([...found.restorableTypes].toSorted((a, b) => a - b));
    expect(await client.call("DBSIZE")).toBe(0);
  });

  test("the probe leaves nothing behind", async () => {
    await using server = await startRedis({ program: path });
    await using client = await server.client();
    await client.call("SET", "df2redis:probe", "mine");
    await probeTarget({ endpoint: plainEndpoint(server.port), connectTimeoutMs: 5000, replyTimeoutMs: 5000 });
    expect(String(await client.call("GET", "df2redis:probe"))).toBe("mine");
    expect(await client.call("DBSIZE")).toBe(1);
    expect(await client.call("PTTL", "df2redis:probe")).toBe(-1);
    expect(String(await client.call("INFO", "memory"))).toMatch(/number_of_cached_scripts:[01]\r/);
  });
});

/** Whether one of our values of that type is taken. */
async function loadsType(client: RespClient, type: number, rdbVersion: number): Promise<boolean> {
  let isTaken = false;
  const bodies =
    type === 0
      ? [wire("text").wire]
      : SAMPLES.filter(({ value }) => value.type === type).map(({ value }) => body(value));
  for (const one of bodies) {
    const taken = await client
      .call("RESTORE", "k", 0, dumpPayload(type, one, rdbVersion))
      .catch((error: Error) => error);
    if (!(taken instanceof Error)) {
      isTaken = true;
      await client.call("DEL", "k");
    }
  }
  return isTaken;
}
