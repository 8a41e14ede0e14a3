/** The scripts that put true deadlines in place, on a real server. */
import { expect, test } from "vitest";
import { Slice } from "../../bytes/slice.ts";
import { CommandEncoder } from "../../resp/command-encoder.ts";
import { takeCommands } from "../../../test/support/parse-commands.ts";
import { HeldDeadlines } from "./journal-deadlines.ts";
import { useRedis } from "../../../test/support/use-redis.ts";

const redis = useRedis();

test.each([true, false])(
  "only a key that still has its stand-in gets its deadline (PEXPIRETIME known: %s)",
  async (hasPExpireTime) => {
    const start = Date.now();
    let now = start;
    const deadlines = new HeldDeadlines({ clock: () => now, marginMs: 60_000, hasPExpireTime });
    const renewed = start + 3_600_000;
    for (const key of ["held", "renewed", "persisted"]) {
      const standIn = deadlines.settle(0, Slice.from(key), start + 50_000);
      await redis.client.call("SET", key, "v", "PXAT", String(standIn));
    }
    await redis.client.call("PEXPIREAT", "renewed", String(renewed));
    await redis.client.call("PERSIST", "persisted");
    now += 51_000;
    const encoder = new CommandEncoder(4096);
    deadlines.release(encoder, "due");
    for (const command of takeCommands(encoder)) await redis.client.call(...command);
    expect(await redis.client.call("PEXPIRETIME", "held")).toBe(start + 50_000);
    expect(await redis.client.call("PEXPIRETIME", "renewed")).toBe(renewed);
    expect(await redis.client.call("PEXPIRETIME", "persisted")).toBe(-1);
    expect(deadlines.size).toBe(0);
  },
);
