import { expect, test } from "vitest";
import { plainEndpoint } from "../../test/support/scripted-server.ts";
import { useRedis } from "../../test/support/use-redis.ts";
import { rejection } from "../../test/support/until.ts";
import { Secret } from "../config/secret.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { checkSweep } from "./check-sweep.ts";

const redis = useRedis();

async function checkAs(rules: readonly string[]): Promise<void> {
  await redis.client.call("ACL", "SETUSER", "narrow", "reset", "on", ">pw", "~*", "+@all", ...rules);
  const endpoint = { ...plainEndpoint(redis.server.port), user: "narrow", password: new Secret("pw") };
  await checkSweep({ endpoint, connectTimeoutMs: 5000, replyTimeoutMs: 5000 });
}

test("a target that allows it is left as it was", async () => {
  await redis.client.call("SET", "k", "v");
  await checkAs([]);
  expect(await redis.client.call("DBSIZE")).toBe(1);
});

test("a user for some keys only may well sweep those", async () => {
  await expect(checkAs(["resetkeys", "~mine:*"])).resolves.toBeUndefined();
});

test.each(["WATCH", "MULTI", "UNLINK"])("a user without %s is told before anything is copied", async (name) => {
  const error = await rejection<Df2RedisError>(checkAs([`-${name.toLowerCase()}`]));
  expect(error.code).toBe("AUTH_FAILED");
  expect(error.message).toContain(name);
  expect(error.message).toContain("set sweep.mode to off");
});
