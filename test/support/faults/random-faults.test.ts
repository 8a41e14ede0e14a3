import { expect, test } from "vitest";
import { describeRule } from "./fault-rules.ts";
import { randomFaults } from "./random-faults.ts";
import { testSeed } from "./test-seed.ts";

const schedule = (seed: number): string[] => randomFaults({ seed, count: 20 }).map(describeRule);

test("a seed gives the same schedule every time, and another seed another one", () => {
  expect(schedule(7)).toEqual(schedule(7));
  const schedules = Array.from({ length: 100 }, (_, seed) => schedule(seed).join("\n"));
  expect(new Set(schedules).size).toBe(100);
});

test("all kinds, connections and directions come up, within the bounds that were given", () => {
  const rules = randomFaults({ seed: 1, count: 500, connections: [0, 1, 2], withinBytes: 1000, withinMs: 50 });
  const texts = rules.map(describeRule);
  for (const word of ["cut how=fin", "cut how=rst", "stall", "delay", "throttle", "split", "corrupt"])
    expect(texts.some((text) => text.includes(`: ${word}`))).toBe(true);
  expect(new Set(rules.map(({ connection }) => connection))).toEqual(new Set([0, 1, 2]));
  for (const { at, action } of rules) {
    expect(at).toMatchObject({ direction: expect.stringMatching(/^to(Target|Client)$/) });
    if ("offset" in at) expect(at.offset).toBeLessThan(1000);
    if ("forMs" in action) expect(action.forMs).toBeLessThanOrEqual(50);
  }
});

test("only the kinds that were asked for", () => {
  const rules = randomFaults({ seed: 3, count: 50, kinds: ["stall"] });
  expect(new Set(rules.map(({ action }) => action.do))).toEqual(new Set(["stall"]));
});

test("the seed is the one that was given, or a new one", () => {
  expect(testSeed({ DF2REDIS_TEST_SEED: "123" })).toBe(123);
  expect(() => testSeed({ DF2REDIS_TEST_SEED: "abc" })).toThrowError("DF2REDIS_TEST_SEED");
  expect(testSeed({})).toBeGreaterThan(0);
});
