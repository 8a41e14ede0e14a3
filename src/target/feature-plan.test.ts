import { describe, expect, test } from "vitest";
import { REDIS_62, REDIS_70, REDIS_74 } from "../../test/support/capabilities.ts";
import type { UnsupportedConfig } from "../config/schema.ts";
import type { OptionalCommand, TargetCapabilities } from "./capabilities.ts";
import { describePlan, planFeatures, possibleChoices } from "./feature-plan.ts";
import { FEATURE_CHOICES, FEATURES } from "./features.ts";

const AUTO = Object.fromEntries(FEATURES.map((feature) => [feature, "auto"])) as UnsupportedConfig;
const MODULES = having("JSON.SET", "FT.CREATE", "HPEXPIREAT", "SCRIPT");
const NOTHING: TargetCapabilities = { ...REDIS_70, commands: new Set() };

function having(...commands: readonly OptionalCommand[]): TargetCapabilities {
  return { ...REDIS_70, commands: new Set(commands) };
}

const BY_DEFAULT = {
  json: "convert",
  bloom: "fail",
  cuckoo: "fail",
  cms: "fail",
  topk: "fail",
  fieldTtl: "convert",
  memberTtl: "convert",
  sticky: "drop",
  search: "drop",
  lua: "native",
};

describe("auto", () => {
  test.each([
    ["Redis 6.2", REDIS_62, {}],
    ["Redis 7.0", REDIS_70, {}],
    ["Redis 7.4", REDIS_74, { fieldTtl: "native" }],
    ["a target with modules", MODULES, { json: "native", fieldTtl: "native" }],
    ["a target that allows no optional command", NOTHING, { lua: "drop" }],
  ] as const)("on %s", (_, capabilities, differs) => {
    expect(planFeatures(AUTO, capabilities)).toEqual({ ...BY_DEFAULT, ...differs });
  });

  test("drops nothing that holds data, on any target", () => {
    for (const capabilities of [REDIS_62, REDIS_70, REDIS_74, MODULES, NOTHING]) {
      const plan = planFeatures(AUTO, capabilities);
      for (const feature of ["json", "bloom", "cuckoo", "cms", "topk", "fieldTtl", "memberTtl"] as const)
        expect(plan[feature]).not.toBe("drop");
    }
  });

  test("resolves to what is possible", () => {
    for (const capabilities of [REDIS_62, REDIS_70, REDIS_74, MODULES, NOTHING]) {
      const plan = planFeatures(AUTO, capabilities);
      for (const feature of FEATURES) expect(possibleChoices(feature, capabilities)).toContain(plan[feature]);
    }
  });
});

describe("choices that were asked for", () => {
  const everyChoice = FEATURES.flatMap((feature) =>
    FEATURE_CHOICES[feature].map((choice) => [feature, choice] as const),
  );

  test.each(everyChoice)("%s: %s holds on a target that has everything", (feature, choice) => {
    expect(planFeatures({ ...AUTO, [feature]: choice }, MODULES)[feature]).toBe(choice);
  });

  test.each([
    ["json", "native", "the target has no JSON module", "auto, convert, drop, fail"],
    ["fieldTtl", "native", "HPEXPIREAT", "auto, convert, drop, fail"],
    ["search", "native", "the target has no search module", "auto, drop, fail"],
    ["lua", "native", "the target does not allow SCRIPT", "auto, drop, fail"],
    ["search", "convert", "", "auto, drop, fail"],
    ["lua", "convert", "", "auto, drop, fail"],
    ["bloom", "native", "hash with XXH3", "auto, drop, fail"],
    ["bloom", "convert", "hash with XXH3", "auto, drop, fail"],
    ["cuckoo", "convert", "hash with XXH3", "auto, drop, fail"],
    ["cms", "native", "hash with XXH3", "auto, drop, fail"],
    ["topk", "convert", "hash with XXH3", "auto, drop, fail"],
    ["memberTtl", "native", "no other server has deadlines of set members", "auto, convert, drop, fail"],
    ["sticky", "convert", "no other server has sticky keys", "auto, drop, fail"],
  ] as const)("%s: %s is refused where it cannot be", (feature, choice, why, possible) => {
    const refused = (): unknown => planFeatures({ ...AUTO, [feature]: choice }, NOTHING);
    expect(refused).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(refused).toThrow(`unsupported.${feature}: ${choice} is not possible`);
    expect(refused).toThrow(why);
    expect(refused).toThrow(`Possible: ${possible}.`);
  });

  test("all mistakes are listed at once", () => {
    expect(() => planFeatures({ ...AUTO, json: "native", bloom: "convert", sticky: "native" }, REDIS_70)).toThrow(
      /unsupported\.json.*\n.*unsupported\.bloom.*\n.*unsupported\.sticky/,
    );
  });
});

describe("what the plan says", () => {
  test("of a plain Redis", () => {
    const lines = describePlan(planFeatures(AUTO, REDIS_70), REDIS_70).map(({ text }) => text);
    expect(lines).toEqual([
      "JSON documents: as strings with the document's text (the target has no JSON module)",
      "Bloom filters: the first one stops the run (unsupported.bloom: fail)",
      "Cuckoo filters: the first one stops the run (unsupported.cuckoo: fail)",
      "Count-min sketches: the first one stops the run (unsupported.cms: fail)",
      "Top-k sketches: the first one stops the run (unsupported.topk: fail)",
      "Deadlines of hash fields: kept by df2redis, which deletes the fields when they are due, while it runs " +
        "(the target has no HPEXPIREAT, which came with Redis 7.4 and Valkey 9)",
      "Deadlines of set members: kept by df2redis, which deletes the members when they are due, while it runs " +
        "(no other server has deadlines of set members)",
      "Sticky keys: carried as usual keys, which the target may evict (no other server has sticky keys)",
      "Search indices: their definitions are left out, counted and listed; the documents are carried (the target has no search module)",
      "Lua scripts in the source's cache: loaded into the target's script cache",
    ]);
  });

  test("of a target with modules", () => {
    const asked = { ...AUTO, search: "native", bloom: "drop" } as const;
    const lines = describePlan(planFeatures(asked, MODULES), MODULES);
    expect(lines[0]).toEqual({ feature: "json", choice: "native", text: "JSON documents: as JSON documents" });
    expect(lines[1]?.text).toContain("left out, counted and listed");
    expect(lines[8]?.text).toBe("Search indices: created on the target");
  });

  test("does not blame a target that could do it", () => {
    const plan = planFeatures({ ...AUTO, json: "convert" }, MODULES);
    expect(describePlan(plan, MODULES)[0]?.text).toBe("JSON documents: as strings with the document's text");
  });
});
