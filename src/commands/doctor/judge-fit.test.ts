import { describe, expect, test } from "vitest";
import { found, GIB, raised, sourceLook, targetLook } from "../../../test/support/doctor-looks.ts";
import { loadConfig } from "../../config/load-config.ts";
import type { FoundFeature } from "../../source/census.ts";
import type { DoctorCheck } from "./doctor-report.ts";
import { judgeFit } from "./judge-fit.ts";

type Looks = {
  readonly source?: Parameters<typeof sourceLook>[0];
  readonly target?: Parameters<typeof targetLook>[0];
};

function judge({ source, target }: Looks = {}, flags: Record<string, string> = {}): DoctorCheck[] {
  const addresses = { source: "127.0.0.1:1", target: "127.0.0.1:2" };
  const config = loadConfig({ env: {}, flags: { ...addresses, ...flags }, readFile: () => "" });
  return judgeFit({ config, source: sourceLook(source), target: targetLook(target) });
}

function withFeatures(...names: FoundFeature[]): Looks {
  return { source: { census: { features: new Map(names.map((name) => [name, 3])) } } };
}

describe("judgeFit", () => {
  test("two servers that fit raise nothing", () => {
    expect(raised(judge())).toEqual({});
  });

  test("memory: the factor, the rest, and what is only a guess", () => {
    const memory = { usedBytes: GIB, systemBytes: 64 * GIB, policy: "noeviction" };
    const target = (limitBytes: number | undefined): Looks => ({
      target: { facts: { memory: { ...memory, limitBytes } } },
    });
    expect(raised(judge(target(2.4 * GIB)))).toEqual({});
    expect(raised(judge(target(2.2 * GIB)))).toEqual({ "fit.memory": "warning" });
    expect(raised(judge(target(1.9 * GIB)))).toEqual({ "fit.memory": "problem" });
    expect(raised(judge(target(undefined)))).toEqual({ "fit.memory": "unknown" });
    expect(raised(judge(target(0)))).toEqual({});
    const small = { target: { facts: { memory: { ...memory, limitBytes: 0, systemBytes: 1.5 * GIB } } } };
    expect(raised(judge(small))).toEqual({ "fit.memory": "warning" });
    expect(found(judge(target(2.4 * GIB)), "fit.memory")).toBe(
      "the source's 1.1 GB may need 1.4 GB there (× 1.3); the target has 1.5 GB left below its maxmemory",
    );
  });

  test("a target with keys needs a policy", () => {
    const full: Looks = { target: { facts: { keysByDatabase: new Map([[2, 5]]) } } };
    expect(raised(judge(full))).toEqual({ "fit.empty": "problem" });
    expect(found(judge(full), "fit.empty")).toBe("the target is not empty (5 keys in database 2)");
    expect(raised(judge(full, { "conflict-policy": "overwrite" }))).toEqual({ "fit.empty": "warning" });
    expect(raised(judge(full, { "conflict-policy": "skip" }))).toEqual({});
    expect(raised(judge(full, { "conflict-policy": "panic" }))).toEqual({});
    expect(raised(judge({ target: { facts: { keysByDatabase: undefined } } }))).toEqual({ "fit.empty": "unknown" });
  });

  test("databases that the target does not have", () => {
    const source = { facts: { keysByDatabase: new Map([[20, 1]]) } };
    expect(raised(judge({ source }))).toEqual({ "fit.databases": "problem" });
    expect(raised(judge({ source }, { databases: "20=1" }))).toEqual({});
    expect(raised(judge({}, { databases: "0=16" }))).toEqual({ "fit.databases": "problem" });
    expect(raised(judge({ source: { facts: { keysByDatabase: undefined } } }))).toEqual({ "fit.databases": "unknown" });
  });

  test.each([
    [0, 999, {}],
    [0, 1500, { "fit.clock": "warning" }],
    [0, -1500, { "fit.clock": "warning" }],
    [5000, 5000, { "fit.own-clock": "warning" }],
    [-5000, 0, { "fit.clock": "warning", "fit.own-clock": "warning" }],
  ])("clocks %d ms and %d ms from ours", (sourceMs, targetMs, expected) => {
    const checks = judge({
      source: { clock: { offsetMs: sourceMs, errorMs: 1 } },
      target: { clock: { offsetMs: targetMs, errorMs: 1 } },
    });
    expect(raised(checks)).toEqual(expected);
  });

  test("the effect of a clock is said the right way round", () => {
    const ahead = judge({ target: { clock: { offsetMs: 2000, errorMs: 1 } } }).find(({ id }) => id === "fit.clock");
    expect(ahead?.found).toBe("the target's clock is 2.0 s ahead of the source's");
    expect(ahead?.advice).toContain("too early");
    const behind = judge({ target: { clock: { offsetMs: -2000, errorMs: 1 } } }).find(({ id }) => id === "fit.clock");
    expect(behind?.advice).toContain("too long");
    expect(raised(judge({ source: { clock: undefined } }))).toEqual({ "fit.clock": "unknown" });
  });

  test("a string that is too long for either side", () => {
    const types = new Map([["string", { keys: 1, bytes: 1, measured: 1, largestBytes: 2_000_000 }]]);
    const source = { census: { types } };
    expect(raised(judge({ source, target: { facts: { maxBulkBytes: 1_000_000 } } }))).toEqual({
      "fit.string-size": "problem",
    });
    expect(raised(judge({ source }))).toEqual({});
  });

  test("features that were found follow the plan", () => {
    expect(raised(judge(withFeatures("bloom")))).toEqual({ "fit.feature-bloom": "problem" });
    expect(raised(judge(withFeatures("bloom"), { "unsupported-bloom": "drop" }))).toEqual({
      "fit.feature-bloom": "warning",
    });
    expect(raised(judge(withFeatures("json", "fieldTtl", "memberTtl")))).toEqual({});
    expect(found(judge(withFeatures("json")), "fit.feature-json")).toContain("3 of 100 keys looked at");
    expect(raised(judge({}, { "unsupported-json": "native" }))).toEqual({ "fit.features": "problem" });
    const refusals = new Map([["FIELDTTL", "ERR unknown command"]]);
    expect(raised(judge({ source: { census: { refusals } } }))).toEqual({ "fit.feature-members": "unknown" });
  });

  test("what cannot be looked for is said, and is unknown where it would stop the run", () => {
    expect(found(judge(), "fit.feature-sticky")).toMatch(/^cannot be looked for\. Sticky keys: /);
    expect(raised(judge({}, { "unsupported-sticky": "fail" }))).toEqual({ "fit.feature-sticky": "unknown" });
    expect(found(judge(), "fit.feature-search")).toBe("");
    expect(found(judge({ source: { facts: { searchIndexes: undefined } } }), "fit.feature-search")).toMatch(/^cannot/);
    expect(found(judge({ source: { facts: { searchIndexes: 2 } } }), "fit.feature-search")).toMatch(/; 2 indexes$/);
  });

  test("what was not seen in a sample may still be there", () => {
    expect(found(judge(), "fit.features-unseen")).toContain("Bloom filters");
    expect(found(judge({ source: { census: { isComplete: true } } }), "fit.features-unseen")).toBe("");
  });
});
