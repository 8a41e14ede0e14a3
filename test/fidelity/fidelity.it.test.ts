/**
 * Every type and encoding, and every command of the journal, on every server that is there: what the table in docs/reference/fidelity.md says of them
 * is what happens. With DF2REDIS_TEST_UPDATE_FIDELITY=1 the table is written instead of compared.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { planFeatures } from "../../src/target/feature-plan.ts";
import { probeTarget } from "../../src/target/probe.ts";
import { JOURNAL_COMMANDS } from "../../src/target/translate/journal-command-table.ts";
import { dumpPayload, splitDump } from "../support/dump-to-rdb.ts";
import { FUTURE_MS, type JournalScenario } from "../support/journal-effects.ts";
import { COLLECTION_SCENARIOS } from "../support/journal-scenarios-collections.ts";
import { KEY_SCENARIOS } from "../support/journal-scenarios-keys.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { type TestServer, testServers } from "../support/test-servers.ts";
import { FEATURE_ENTRIES } from "./feature-entries.ts";
import { readTable, UPDATE_VARIABLE, withCells, writeTable } from "./fidelity-table.ts";
import { observeCommand, observePolicy } from "./observe-command.ts";
import { observeType, type Target } from "./observe-type.ts";
import { TYPE_ROWS } from "./type-rows.ts";

const isUpdate = (process.env[UPDATE_VARIABLE] ?? "") !== "";
const SCENARIOS = { ...KEY_SCENARIOS, ...COLLECTION_SCENARIOS };
const TIMEOUTS = { connectTimeoutMs: 5000, replyTimeoutMs: 5000 };
/** Of a run that was told nothing. */
const { unsupported: DEFAULTS } = loadConfig({ env: {}, flags: { source: "s:1", target: "t:1" }, readFile: () => "" });

/** `redis-7.0` of 7.0.15: cells hold for a release line. */
function columnOf({ product, version }: TestServer): string {
  return `${product}-${version.split(".").slice(0, 2).join(".")}`;
}

describe.each(testServers().map((server) => [columnOf(server), server] as const))("%s", (column, server) => {
  let redis: RedisServer;
  let target: Target;

  beforeAll(async () => {
    redis = await startRedis({ program: server.path });
    const endpoint = { host: "127.0.0.1", port: redis.port, user: undefined, password: undefined, tls: undefined };
    const capabilities = await probeTarget({ endpoint, ...TIMEOUTS });
    target = { client: await redis.client(), capabilities, plan: planFeatures(DEFAULTS, capabilities) };
  });
  afterAll(async () => {
    target.client.close();
    await redis.stop();
  });
  beforeEach(async () => {
    await target.client.call("SELECT", 0);
    await target.client.call("FLUSHALL");
  });

  describe("types and encodings", () => {
    const seen: Record<string, string> = {};

    test.each(TYPE_ROWS.map((row) => [row.name, row] as const))("%s", async (name, row) => {
      const cell = await observeType(row, target);
      seen[name] = cell;
      expect(isUpdate ? cell : readTable().types[name]?.[column]).toBe(cell);
    });

    afterAll(() => {
      if (isUpdate) writeTable(withCells(readTable(), "types", column, seen));
    });
  });

  describe("commands of the journal", () => {
    const seen: Record<string, string> = {};

    test.each(JOURNAL_COMMANDS.map(([name]) => name))("%s", async (name) => {
      const cell = await observe(name, target);
      if (cell !== undefined) seen[name] = cell;
      expect(isUpdate ? cell : readTable().commands[name]?.[column]).toBe(cell);
    });

    afterAll(() => {
      if (isUpdate) writeTable(withCells(readTable(), "commands", column, seen));
    });
  });
});

async function observe(name: string, target: Target): Promise<string | undefined> {
  if (name.startsWith("FLUSH")) return "exact (once, behind a barrier of all flows)";
  if (name === "DFLYCLUSTER") return "refused";
  const entry = FEATURE_ENTRIES[name];
  if (entry !== undefined) return observePolicy(entry.split(" "), target);
  const scenario = name === "RESTORE" ? await restoreScenario(target) : SCENARIOS[name];
  if (scenario === undefined) throw new Error(`there is no scenario for ${name}`);
  return await observeCommand(scenario, target);
}

/** The dump of a string, under the RDB version that a Dragonfly writes. */
async function restoreScenario({ client }: Target): Promise<JournalScenario> {
  await client.call("SET", "dumped", "hello");
  const { type, body } = splitDump((await client.call("DUMP", "dumped")) as Buffer);
  return {
    entries: [["RESTORE", "k", FUTURE_MS, dumpPayload(type, body, 9), "REPLACE", "ABSTTL", "STICK"]],
    after: [["GET k", "hello"]],
  };
}
