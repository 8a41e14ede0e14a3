import { describe, expect, test } from "vitest";
import { plainEndpoint } from "../../test/support/scripted-server.ts";
import { useRedis } from "../../test/support/use-redis.ts";
import { armHeldDeadlines, type ArmDeadlinesOptions, type ArmProgress } from "./arm-deadlines.ts";
import { STAND_IN_OFFSET_MS } from "./translate/deadline-scripts.ts";

const redis = useRedis();
const HOUR_MS = 3_600_000;

function arm(options: Partial<ArmDeadlinesOptions> = {}): Promise<number> {
  return armHeldDeadlines({
    endpoint: plainEndpoint(redis.server.port),
    connectTimeoutMs: 5000,
    replyTimeoutMs: 5000,
    databases: [0],
    beforeMs: 0,
    afterMs: 0,
    hasPExpireTime: true,
    ...options,
  });
}

async function hold(key: string, deadlineMs: number): Promise<void> {
  await redis.client.call("SET", key, "v", "PXAT", String(deadlineMs + STAND_IN_OFFSET_MS));
}

describe("arming by a scan", () => {
  test.each([true, false])("every stand-in, and nothing else (PEXPIRETIME known: %s)", async (hasPExpireTime) => {
    const now = Date.now();
    await hold("ahead", now + HOUR_MS);
    await hold("past", now - HOUR_MS);
    await redis.client.call("SET", "true", "v", "PXAT", String(now + HOUR_MS));
    await redis.client.call("SET", "none", "v");
    expect(await arm({ hasPExpireTime })).toBe(2);
    expect(await redis.client.call("PEXPIRETIME", "ahead")).toBe(now + HOUR_MS);
    expect(await redis.client.call("EXISTS", "past")).toBe(0);
    expect(await redis.client.call("PEXPIRETIME", "true")).toBe(now + HOUR_MS);
    expect(await redis.client.call("PEXPIRETIME", "none")).toBe(-1);
    expect(await arm({ hasPExpireTime })).toBe(0);
  });

  test("the time that the flows hold at that moment is left to them", async () => {
    const now = Date.now();
    await hold("long past", now - 5000);
    await hold("just past", now - 500);
    await hold("near", now + 500);
    await hold("ahead", now + HOUR_MS);
    expect(await arm({ beforeMs: now - 5000, afterMs: now + 1000 })).toBe(2);
    expect(await redis.client.call("EXISTS", "long past", "just past", "near", "ahead")).toBe(3);
    expect(await redis.client.call("PEXPIRETIME", "near")).toBe(now + 500 + STAND_IN_OFFSET_MS);
    expect(await redis.client.call("PEXPIRETIME", "ahead")).toBe(now + HOUR_MS);
  });

  test.each([60, 120])("a key that somebody else gave %d years to live is left alone", async (years) => {
    await redis.client.call("SET", "own", "v", "EX", String(years * 365 * 86_400));
    const before = await redis.client.call("PEXPIRETIME", "own");
    const now = Date.now();
    expect(await arm({ beforeMs: now, afterMs: now })).toBe(0);
    expect(await redis.client.call("PEXPIRETIME", "own")).toBe(before);
  });

  test("all databases that are asked for, key by key, no faster than asked", async () => {
    const now = Date.now();
    for (const db of [0, 1, 2]) {
      await redis.client.call("SELECT", db);
      for (let i = 0; i < 700; i++) await hold(`k${i}`, now + HOUR_MS);
    }
    const steps: ArmProgress[] = [];
    const started = performance.now();
    expect(await arm({ databases: [0, 2], keysPerSecond: 7000, onProgress: (step) => void steps.push(step) })).toBe(
      1400,
    );
    expect(performance.now() - started).toBeGreaterThan(150);
    expect(new Set(steps.map(({ db }) => db))).toEqual(new Set([0, 2]));
    expect(steps.at(-1)?.keysArmed).toBe(1400);
    await redis.client.call("SELECT", 1);
    expect(await redis.client.call("PEXPIRETIME", "k0")).toBe(now + HOUR_MS + STAND_IN_OFFSET_MS);
  });

  test("a database that is not there, and a signal, end it", async () => {
    await expect(arm({ databases: [99] })).rejects.toMatchObject({ code: "TARGET_REJECTED" });
    await hold("k", Date.now());
    const stop = new AbortController();
    const stopped = arm({ signal: stop.signal, keysPerSecond: 1, onProgress: () => stop.abort(new Error("enough")) });
    await expect(stopped).rejects.toThrow(/enough|aborted/);
  });
});
