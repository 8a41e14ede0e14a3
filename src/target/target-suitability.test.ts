import { describe, expect, test } from "vitest";
import { TARGET_FACTS } from "../../test/support/doctor-looks.ts";
import { plainEndpoint } from "../../test/support/scripted-server.ts";
import type { CommandRight, TargetFacts } from "./target-facts.ts";
import { targetMisfit } from "./target-suitability.ts";

const PEER = { endpoint: plainEndpoint(6379), role: "target" } as const;

function restoring(right: CommandRight, changes: Partial<TargetFacts> = {}): string | undefined {
  const facts = { ...TARGET_FACTS, ...changes, rights: new Map([["RESTORE", right]] as const) };
  const misfit = targetMisfit(PEER, facts, "restore");
  expect(misfit?.code ?? "TARGET_UNSUITABLE").toBe("TARGET_UNSUITABLE");
  expect(targetMisfit(PEER, facts)).toBeUndefined();
  expect(targetMisfit(PEER, facts, "commands")).toBeUndefined();
  return misfit?.message;
}

describe("write mode restore", () => {
  test("is refused where RESTORE cannot be used, and only then", () => {
    expect(restoring("allowed")).toBeUndefined();
    expect(restoring("forbidden")).toContain("does not let our user run RESTORE");
    expect(restoring("absent")).toContain("has no RESTORE");
    expect(restoring("unknown")).toContain("does not say whether it has RESTORE");
    expect(restoring("allowed", { restoreVersions: [] })).toContain("no stored form");
    expect(restoring("allowed", { restoreVersions: undefined })).toBeUndefined();
  });
});

test("what a target is comes before whether it is ready", () => {
  expect(targetMisfit(PEER, { ...TARGET_FACTS, isLoading: true })?.code).toBe("TARGET_NOT_READY");
  expect(targetMisfit(PEER, { ...TARGET_FACTS, isLoading: true, isReplica: true })?.code).toBe("TARGET_UNSUITABLE");
});
