/** Deadlines that are held back and armed, on a real server. */
import { describe, expect, test } from "vitest";
import { Slice } from "../../bytes/slice.ts";
import { CommandEncoder } from "../../resp/command-encoder.ts";
import { REDIS_62, REDIS_70 } from "../../../test/support/capabilities.ts";
import { JournalEffects } from "../../../test/support/journal-effects.ts";
import { JournalTranslation } from "../../../test/support/journal-translation.ts";
import { takeCommands } from "../../../test/support/parse-commands.ts";
import { useRedis } from "../../../test/support/use-redis.ts";
import { HeldDeadlines } from "./journal-deadlines.ts";

const redis = useRedis();

async function send(encoder: CommandEncoder): Promise<void> {
  for (const command of takeCommands(encoder)) await redis.client.call(...command);
}

describe.each([
  ["with PEXPIRETIME", REDIS_70],
  ["without PEXPIRETIME", REDIS_62],
])("%s", (_name, capabilities) => {
  test("only a key that still has its stand-in gets its deadline", async () => {
    const start = Date.now();
    let now = start;
    const deadlines = new HeldDeadlines({ clock: () => now, commands: capabilities.commands });
    const renewed = start + 3_600_000;
    for (const key of ["held", "renewed", "persisted", "later"]) {
      const at = deadlines.settle(0, Slice.from(key), start + (key === "later" ? 900_000 : 50_000));
      await redis.client.call("SET", key, "v", "PXAT", String(at));
    }
    await redis.client.call("PEXPIREAT", "renewed", String(renewed));
    await redis.client.call("PERSIST", "persisted");
    now += 51_000;
    const encoder = new CommandEncoder(4096);
    deadlines.release(encoder, "due");
    await send(encoder);
    expect(await redis.client.call("PEXPIRETIME", "held")).toBe(start + 50_000);
    expect(await redis.client.call("PEXPIRETIME", "renewed")).toBe(renewed);
    expect(await redis.client.call("PEXPIRETIME", "persisted")).toBe(-1);
    expect(deadlines.size).toBe(1);
    deadlines.release(encoder, "all");
    await send(encoder);
    expect(await redis.client.call("PEXPIRETIME", "later")).toBe(start + 900_000);
  });

  test.each([
    ["NX", 3_600_000, 100_000],
    ["XX", 3_600_000, 3_600_000],
    ["GT", 50_000, 100_000],
    ["GT", 200_000, 200_000],
    ["LT", 50_000, 50_000],
    ["LT", 200_000, 100_000],
  ])("PEXPIREAT %s by %i on a held deadline leaves %i", async (condition, byMs, expectedMs) => {
    const now = Date.now();
    const effects = new JournalEffects(redis.client);
    effects.translation = new JournalTranslation({ now, capabilities, isCatchingUp: true });
    await effects.run({
      entries: [
        ["SET", "k", "v", "PXAT", now + 100_000],
        ["PEXPIREAT", "k", now + byMs, condition],
      ],
      after: [],
    });
    await effects.release();
    expect(await redis.client.call("PEXPIRETIME", "k")).toBe(now + expectedMs);
  });
});

test("a key that passes its deadline on the target before its renewal arrives is not lost", async () => {
  const now = Date.now();
  const effects = new JournalEffects(redis.client);
  effects.translation = new JournalTranslation({ now, isCatchingUp: true });
  await effects.run({ entries: [["SET", "k", "v", "PXAT", now - 5000]], after: [] });
  expect(await redis.client.call("GET", "k")).toEqual(Buffer.from("v"));
  await effects.run({ entries: [["PEXPIREAT", "k", now + 60_000]], after: [] }, { release: true });
  expect(await redis.client.call("GET", "k")).toEqual(Buffer.from("v"));
  expect(await redis.client.call("PEXPIRETIME", "k")).toBe(now + 60_000);
});

test("a key whose deadline is past when it is armed is gone", async () => {
  const now = Date.now();
  const effects = new JournalEffects(redis.client);
  effects.translation = new JournalTranslation({ now, isCatchingUp: true });
  await effects.run({ entries: [["SET", "k", "v", "PXAT", now - 5000]], after: [] }, { release: true });
  expect(await redis.client.call("EXISTS", "k")).toBe(0);
});
