/** A target that is not empty is refused unless a policy says what is to become of its keys. */
import { expect, test } from "vitest";
import { rejection } from "../../test/support/until.ts";
import { useRedis } from "../../test/support/use-redis.ts";
import { CONFLICT_POLICIES } from "../config/schema.ts";
import { Secret } from "../config/secret.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { type KeyPlace, wholeDatabases } from "./key-places.ts";
import { guardTarget, type GuardTargetOptions } from "./target-guard.ts";

const redis = useRedis();

async function guard(
  places: readonly KeyPlace[],
  more: Partial<GuardTargetOptions> & { user?: string } = {},
): Promise<boolean> {
  const { host, port } = redis.server;
  const password = more.user === undefined ? undefined : new Secret("pw");
  return await guardTarget({
    endpoint: { host, port, user: more.user, password, tls: undefined },
    connectTimeoutMs: 5000,
    replyTimeoutMs: 5000,
    places,
    capabilities: { keys: 0, keysByDatabase: new Map(), tellsKeys: false },
    policy: undefined,
    ...more,
  });
}

async function fill(db: number, ...keys: readonly string[]): Promise<void> {
  await redis.client.call("SELECT", db);
  for (const key of keys) await redis.client.call("SET", key, "v");
}

const counted = (...pairs: (readonly [number, number])[]): GuardTargetOptions["capabilities"] => ({
  keys: pairs.reduce((sum, [, keys]) => sum + keys, 0),
  keysByDatabase: new Map(pairs),
  tellsKeys: true,
});

test("an empty target will do, also one that holds our own keys only", async () => {
  expect(await guard(wholeDatabases(16))).toBe(false);
  await fill(2, "df2redis:task:position");
  expect(await guard(wholeDatabases(16), { capabilities: counted([2, 1]) })).toBe(false);
});

test("keys without a policy are refused, with the numbers and the ways out", async () => {
  await fill(0, "a", "b");
  await fill(3, "c");
  const error = await rejection<Df2RedisError>(guard(wholeDatabases(16), { capabilities: counted([3, 1], [0, 2]) }));
  expect(error).toMatchObject({
    code: "TARGET_NOT_EMPTY",
    context: { keys: 3 },
    message:
      "the target holds 3 keys (database 0: 2, database 3: 1), and conflict.policy does not say what is to become of them: use an empty target, or choose overwrite, skip or panic",
  });
});

test("any policy will do", async () => {
  await fill(0, "a");
  for (const policy of CONFLICT_POLICIES) expect(await guard(wholeDatabases(16), { policy })).toBe(true);
});

test("what the run does not write to is none of its business", async () => {
  await fill(0, "a");
  const capabilities = counted([0, 1]);
  expect(await guard([{ db: 1, prefix: "" }], { capabilities })).toBe(false);
  expect(await guard([{ db: 0, prefix: "p:" }], { capabilities })).toBe(false);
  await fill(1, "b");
  const error = await rejection<Df2RedisError>(
    guard([{ db: 1, prefix: "" }], { capabilities: counted([0, 1], [1, 1]) }),
  );
  expect(error.message).toMatch(/^the target holds 1 key \(database 1: 1\), and/);
});

test("keys are found on a target that hides their number; then the message has none", async () => {
  await fill(5, "a");
  const error = await rejection<Df2RedisError>(guard(wholeDatabases(16)));
  expect(error.message).toMatch(/^the target holds keys, and/);
});

test("many databases are not all named", async () => {
  await fill(0, "a");
  const capabilities = counted(...Array.from({ length: 16 }, (_, db) => [db, 1] as const));
  const error = await rejection<Df2RedisError>(guard(wholeDatabases(16), { capabilities }));
  expect(error.message).toContain("database 7: 1, 8 more databases)");
});

test("where our user may not SCAN, the counts of the probe decide; any other refusal is an error", async () => {
  await redis.client.call("ACL", "SETUSER", "app", "reset", "on", ">pw", "~*", "+@all", "-scan");
  expect(await guard(wholeDatabases(1), { user: "app" })).toBe(false);
  const occupied = guard(wholeDatabases(1), { user: "app", capabilities: counted([0, 4]) });
  expect(await rejection<Df2RedisError>(occupied)).toMatchObject({ code: "TARGET_NOT_EMPTY" });
  await redis.client.call("ACL", "SETUSER", "app", "-select", "+scan");
  expect(await rejection<Df2RedisError>(guard(wholeDatabases(1), { user: "app" }))).toMatchObject({
    code: "AUTH_FAILED",
    context: { request: "SELECT" },
  });
});
