/** The exit codes, and which end of a run gets which. Part of the interface: scripts rely on them. */
import type { RunReport } from "../commands/run-report.ts";
import type { ErrorCode } from "../errors/codes.ts";

export const EXIT_CODES = {
  done: {
    code: 0,
    meaning:
      "Done. `replicate` is done when Ctrl-C or SIGTERM stops it after its snapshot and everything received was applied.",
  },
  failed: {
    code: 1,
    meaning: "Failed. The error on standard error says what happened and what to do. Of `doctor`: no-go.",
  },
  usage: { code: 2, meaning: "The command line or the configuration is not right. Nothing was started." },
  differences: { code: 3, meaning: "Differences were found. Reserved for commands that compare." },
  interrupted: {
    code: 130,
    meaning: "Interrupted before the snapshot was complete, or a second signal forced the end.",
  },
} as const;

export function exitCodeOfReport(report: Pick<RunReport, "mode" | "outcome">): number {
  // Following a journal has no other end than the operator's; a snapshot that was cut short is not a copy.
  if (report.outcome === "interrupted" && report.mode === "migrate") return EXIT_CODES.interrupted.code;
  return EXIT_CODES.done.code;
}

export function exitCodeOfError(code: ErrorCode): number {
  if (code === "USAGE" || code === "CONFIG_INVALID" || code === "CONFIG_UNREADABLE") return EXIT_CODES.usage.code;
  if (code === "INTERRUPTED") return EXIT_CODES.interrupted.code;
  return EXIT_CODES.failed.code;
}
