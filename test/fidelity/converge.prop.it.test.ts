/**
 * Whatever is written to a master, the target holds the same in the end: random commands of every kind that the simulator knows, before, during and
 * after a full sync by the real product. DF2REDIS_TEST_CONVERGE_RUNS says how many seeds are run, DF2REDIS_TEST_CONVERGE_SEED with which to begin.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KeyEntry } from "../../src/simulator/live/values.ts";
import { compareValues } from "../support/compare-values.ts";
import { RedisPool } from "../support/redis-pool.ts";
import type { RespClient } from "../support/resp-client.ts";
import { type KeyState, keyName, readServerState, sameDeadline } from "../support/server-state.ts";
import { streamState } from "../support/stream-state.ts";
import { testServers } from "../support/test-servers.ts";
import { convergeRun } from "./converge-run.ts";
import { expectedEntry, inOrder, readDetails, streamDetails, withoutCounters, asJournaled } from "./expected-entry.ts";

const { DF2REDIS_TEST_CONVERGE_RUNS = "10", DF2REDIS_TEST_CONVERGE_SEED = "1" } = process.env;
const SEEDS = Array.from(
  { length: Number(DF2REDIS_TEST_CONVERGE_RUNS) },
  (_, i) => Number(DF2REDIS_TEST_CONVERGE_SEED) + i,
);

describe.each(testServers())("$name", ({ path }) => {
  const pool = new RedisPool(1, { program: path });
  beforeAll(async () => await pool.start());
  afterAll(async () => await pool.stop());

  test.each(SEEDS)("seed %d", async (seed) => {
    await using target = await pool.take();
    const { report, held, errors, commands, setup } = await convergeRun(seed, target.port);
    const state = await readServerState(target.client);
    expect({ seed, setup, differences: differences(held, state) }).toEqual({ seed, setup, differences: [] });
    for (const [db, entry] of held) await expectSameStream(target.client, db, entry);
    expect(report.rejected).toEqual([]);
    // Commands that fail change nothing: most have to do something.
    expect(errors).toBeLessThan(commands / 2);
    expect(report.keysByType["string"]).toBeGreaterThan(0);
    expect(report.journalEntries).toBeGreaterThan(0);
  });
});

/** Consumers and counters of a stream, which a comparison of values does not look at. */
async function expectSameStream(client: RespClient, db: number, { key, value }: KeyEntry): Promise<void> {
  if (value.type !== "stream") return;
  await client.call("SELECT", db);
  const state = await streamState(client, key);
  const [expected, held] = [asJournaled(streamDetails(value)), asJournaled(readDetails(state))];
  const hasCounters = "entries-added" in state;
  expect(hasCounters ? held : withoutCounters(held)).toEqual(hasCounters ? expected : withoutCounters(expected));
}

function differences(held: readonly (readonly [number, KeyEntry])[], state: ReadonlyMap<string, KeyState>): string[] {
  const extra = new Map(state);
  const found = held.map(([db, entry]) => {
    const expected = expectedEntry(db, entry);
    const name = keyName(db, expected.key);
    extra.delete(name);
    const difference = differenceOf(entry, expected, state.get(name));
    return difference === undefined ? [] : [`${name}: ${difference}`];
  });
  return [...found.flat(), ...[...extra].map(([name, { value }]) => `${name}: a ${value.type} too many`)];
}

function differenceOf({ value }: KeyEntry, expected: KeyState, held: KeyState | undefined): string | undefined {
  if (held === undefined) return `the ${value.type} is missing`;
  if (!sameDeadline(expected, held)) return `deadline ${expected.expireAt}, on the target ${held.expireAt}`;
  if (value.type === "json") return documentDifference(value.document, held);
  const difference = compareValues(expected.value, inOrder(held.value), new Map());
  return difference && `${value.type}, ${difference.where}: ${difference.expected}, on the target ${difference.actual}`;
}

/** A plain Redis holds a document as its text. */
function documentDifference(document: unknown, { value }: KeyState): string | undefined {
  const text = value.type === "string" ? Buffer.from(value.text, "latin1").toString() : `no string but a ${value.type}`;
  const same = JSON.stringify(document) === text || sameDocument(document, text);
  return same ? undefined : `document ${JSON.stringify(document)}, on the target ${text}`;
}

function sameDocument(document: unknown, text: string): boolean {
  try {
    expect(JSON.parse(text)).toEqual(document);
    return true;
  } catch {
    return false;
  }
}
