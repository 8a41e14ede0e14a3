/** What the source side says of real servers that are not Dragonflies, and of a recorded master. */
import { expect, test } from "vitest";
import { startRedis } from "../../test/support/redis-server.ts";
import { plainEndpoint } from "../../test/support/scripted-server.ts";
import { rejection } from "../../test/support/until.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { SourceControl } from "./source-control.ts";

test("a plain Redis is named, and told what to do", async () => {
  await using redis = await startRedis();
  const error = await rejection<Df2RedisError>(
    SourceControl.connect({
      endpoint: plainEndpoint(redis.port),
      connectTimeoutMs: 5000,
      replyTimeoutMs: 5000,
      onClose: () => undefined,
    }),
  );
  expect(error.code).toBe("NOT_A_DRAGONFLY");
  expect(error.message).toMatch(/is Redis \d+\.\d+\.\d+, not a Dragonfly/);
});
