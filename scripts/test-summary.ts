/**
 * The closing line of a test run, from vitest's JSON report: `N passed, N failed`. Never says that all is well when it is not:
 * a file that could not be loaded, a report that is missing, an error outside of the tests and a run without tests all count.
 */
export type TestSummary = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly remarks: readonly string[];
};

/** The fields of vitest's JSON report that are used here. */
type TestReport = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
};

/**
 * @param reportText vitest's JSON report; undefined when it wrote none
 * @param exitCode vitest's own
 */
export function summarize(reportText: string | undefined, exitCode: number): TestSummary {
  const report = parseReport(reportText);
  if (report === undefined) {
    return { passed: 0, failed: 1, skipped: 0, remarks: [`vitest ended with code ${exitCode} and left no report.`] };
  }
  const remarks = brokenFiles(report).map((name) => `${name} failed outside of its tests.`);
  let failed = report.numFailedTests + remarks.length;
  if (failed === 0 && exitCode !== 0) {
    failed = 1;
    remarks.push(`vitest ended with code ${exitCode} although no test failed: see above.`);
  }
  if (failed === 0 && report.numPassedTests === 0) remarks.push("No test ran.");
  return { passed: report.numPassedTests, failed, skipped: report.numPendingTests + report.numTodoTests, remarks };
}

export function exitCodeOf(summary: TestSummary): number {
  return summary.failed === 0 && summary.passed > 0 ? 0 : 1;
}

/** The lines to print; the last one is the closing line. */
export function summaryLines(summary: TestSummary): string[] {
  const skipped = summary.skipped === 0 ? [] : [`${summary.skipped} skipped`];
  return ["", ...summary.remarks, ...skipped, `${summary.passed} passed, ${summary.failed} failed`];
}

function parseReport(text: string | undefined): TestReport | undefined {
  if (text === undefined) return undefined;
  try {
    const report: unknown = JSON.parse(text);
    return isReport(report) ? report : undefined;
  } catch {
    return undefined;
  }
}

function isReport(value: unknown): value is TestReport {
  return (
    typeof value === "object" &&
    value !== null &&
    "numPassedTests" in value &&
    "testResults" in value &&
    Array.isArray(value.testResults)
  );
}

/** Files that failed although none of their tests did: they could not be loaded, or a hook threw. */
function brokenFiles(report: TestReport): string[] {
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  return broken.map((file) => file.name);
}
