/** What `doctor` found. Plain data: the CLI shows it to people, or as JSON. The ids are part of the interface. */

/**
 * - `ok`: nothing to do;
 * - `warning`: a run can start, and there is something to know or to decide first;
 * - `problem`: a run would not start, or would fail;
 * - `unknown`: the server does not tell.
 */
export type CheckLevel = "ok" | "warning" | "problem" | "unknown";

export const CHECK_GROUPS = ["source", "target", "fit"] as const;

export type CheckGroup = (typeof CHECK_GROUPS)[number];

export type DoctorCheck = {
  /** Stable, e.g. "target.restore"; begins with the group. */
  readonly id: `${CheckGroup}.${string}`;
  readonly level: CheckLevel;
  /** What was found. */
  readonly found: string;
  /** What to do about it, or what it means for a run. */
  readonly advice?: string | undefined;
};

export type ServerSummary = {
  readonly address: string;
  /** undefined when it could not be reached. */
  readonly product: string | undefined;
  readonly version: string | undefined;
  /** By number of database; databases without keys are left out. undefined when it does not tell. */
  readonly keysByDatabase: Readonly<Record<string, number>> | undefined;
  readonly usedBytes: number | undefined;
};

export type DoctorReport = {
  readonly outcome: "go" | "no-go";
  /** Why not: what was found by the checks that are problems. */
  readonly reasons: readonly string[];
  readonly warnings: number;
  readonly source: ServerSummary;
  readonly target: ServerSummary;
  /** In the order in which they are to be read. */
  readonly checks: readonly DoctorCheck[];
};
