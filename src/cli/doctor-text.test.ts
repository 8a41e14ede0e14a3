import { describe, expect, test } from "vitest";
import type { DoctorCheck, DoctorReport, ServerSummary } from "../commands/doctor/doctor-report.ts";
import { doctorText } from "./doctor-text.ts";

const server = (address: string): ServerSummary => ({
  address,
  product: undefined,
  version: undefined,
  keysByDatabase: undefined,
  usedBytes: undefined,
});

function report(checks: readonly DoctorCheck[], parts: Partial<DoctorReport> = {}): DoctorReport {
  const servers = { source: server("a:1"), target: server("b:2") };
  return { outcome: "go", reasons: [], warnings: 0, ...servers, checks, ...parts };
}

describe("doctorText", () => {
  test("groups, marks, advice and the verdict", () => {
    const text = doctorText(
      report(
        [
          { id: "source.reachable", level: "ok", found: "a:1 answers" },
          { id: "target.argument-size", level: "warning", found: "short", advice: "Raise it." },
          { id: "fit.empty", level: "problem", found: "not empty" },
          { id: "fit.clock", level: "unknown", found: "hidden" },
        ],
        { outcome: "no-go", warnings: 1, reasons: ["fit.empty: not empty"] },
      ),
    );
    expect(text).toBe(
      [
        "Source a:1",
        "  ok       reachable      a:1 answers",
        "",
        "Target b:2",
        "  warning  argument size  short",
        "                          Raise it.",
        "",
        "Fit",
        "  PROBLEM  empty          not empty",
        "  unknown  clock          hidden",
        "",
        "no-go, 1 warning:",
        "  fit.empty: not empty",
        "",
      ].join("\n"),
    );
  });

  test("go", () => {
    const check: DoctorCheck = { id: "source.reachable", level: "ok", found: "fine" };
    expect(doctorText(report([check]))).toBe("Source a:1\n  ok       reachable  fine\n\ngo\n");
    expect(doctorText(report([check], { warnings: 2 }))).toMatch(/\ngo, 2 warnings\n$/);
  });

  test("a server's words cannot steer a terminal, nor show a password", () => {
    const found = "it said \u001b[2J redis://bob:hunter2@host\nsecond line";
    const text = doctorText(report([{ id: "source.reachable", level: "problem", found }], { reasons: [found] }));
    expect(text).not.toContain("\u001b");
    expect(text).not.toContain("hunter2");
    expect(text).toContain("\n                      second line\n");
  });
});
