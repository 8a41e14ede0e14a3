import { describe, expect, test } from "vitest";
import { exitCodeOf, summarize, summaryLines } from "./test-summary.ts";

type File = {
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
};

function report(passed: number, failed: number, testResults: readonly File[] = []): string {
  return JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: 1,
    numTodoTests: 0,
    testResults,
  });
}

function closing(text: string | undefined, exitCode: number): readonly [line: string | undefined, exitCode: number] {
  const summary = summarize(text, exitCode);
  return [summaryLines(summary).at(-1), exitCodeOf(summary)];
}

describe("the closing line and the exit code", () => {
  test.each([
    ["all passed", report(12, 0), 0, "12 passed, 0 failed", 0],
    ["a test failed", report(11, 1), 1, "11 passed, 1 failed", 1],
    ["no test ran", report(0, 0), 0, "0 passed, 0 failed", 1],
    ["vitest crashed before its report", undefined, 1, "0 passed, 1 failed", 1],
    ["vitest was killed while it wrote its report", '{"numPassed', 137, "0 passed, 1 failed", 1],
    ["an error outside of the tests", report(5, 0), 1, "5 passed, 1 failed", 1],
    [
      "a file that cannot be loaded",
      report(5, 0, [{ name: "a.test.ts", status: "failed", assertionResults: [] }]),
      1,
      "5 passed, 1 failed",
      1,
    ],
    [
      "a file with a failed test counts once",
      report(5, 1, [{ name: "a.test.ts", status: "failed", assertionResults: [{ status: "failed" }] }]),
      1,
      "5 passed, 1 failed",
      1,
    ],
  ])("%s", (_what, text, vitestCode, line, code) => {
    expect(closing(text, vitestCode)).toEqual([line, code]);
  });
});
