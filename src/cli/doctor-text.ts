/** The doctor's report for people. Pure. Lines are not cut: it is read in logs and pasted into tickets. */
import {
  CHECK_GROUPS,
  type CheckGroup,
  type CheckLevel,
  type DoctorCheck,
  type DoctorReport,
} from "../commands/doctor/doctor-report.ts";
import { safeText } from "../observability/key-text.ts";
import { redactUrls } from "./error-text.ts";

const TITLES: Readonly<Record<CheckGroup, string>> = { source: "Source", target: "Target", fit: "Fit" };

const MARKS: Readonly<Record<CheckLevel, string>> = {
  ok: "ok",
  warning: "warning",
  problem: "PROBLEM",
  unknown: "unknown",
};

const MARK_COLUMNS = 9;

export function doctorText(report: DoctorReport): string {
  const names = Math.max(...report.checks.map(({ id }) => nameOf(id).length));
  const groups = CHECK_GROUPS.map((group) => groupLines(report, group, names)).filter((lines) => lines.length > 0);
  return `${[...groups, verdict(report)].map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function groupLines(report: DoctorReport, group: CheckGroup, names: number): string[] {
  const checks = report.checks.filter(({ id }) => id.startsWith(`${group}.`));
  if (checks.length === 0) return [];
  const title = group === "fit" ? TITLES.fit : `${TITLES[group]} ${report[group].address}`;
  return [title, ...checks.flatMap((check) => checkLines(check, names))];
}

function checkLines({ id, level, found, advice }: DoctorCheck, names: number): string[] {
  const indent = " ".repeat(2 + MARK_COLUMNS + names + 2);
  const [first = "", ...rest] = clean(found);
  const lines = [`  ${MARKS[level].padEnd(MARK_COLUMNS)}${nameOf(id).padEnd(names)}  ${first}`];
  for (const line of rest) lines.push(`${indent}${line}`);
  if (advice !== undefined) lines.push(...clean(advice).map((line) => `${indent}${line}`));
  return lines;
}

function nameOf(id: string): string {
  return id.slice(id.indexOf(".") + 1).replaceAll("-", " ");
}

function clean(text: string): string[] {
  return redactUrls(text)
    .split("\n")
    .map((line) => safeText(line));
}

function verdict({ outcome, warnings, reasons }: DoctorReport): string[] {
  const also = warnings === 0 ? "" : `, ${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
  if (outcome === "go") return [`go${also}`];
  return [
    `no-go${also}:`,
    ...reasons.map(
      (reason) =>
        `  ${clean(reason)
          .map((line) => line.trim())
          .join(" ")}`,
    ),
  ];
}
