/**
 * What a run of `replicate` or `migrate` tells while it goes and when it ends. Plain data: the CLI renders it for people or as JSON lines.
 */
import type { RejectedEntry } from "../replication/rejected-entry.ts";
import type { SessionState } from "../replication/session-state.ts";
import type { ConflictPolicy } from "../config/schema.ts";
import type { FeaturePlan } from "../target/features.ts";
import type { SweepResult } from "../target/sweep.ts";
import type { LossReport } from "../target/losses.ts";

export type { RejectedEntry } from "../replication/rejected-entry.ts";

export type RunMode = "replicate" | "migrate";

export type RunPhase = SessionState;

/** A snapshot of the counters, given about twice a second. */
export type RunProgress = {
  readonly phase: RunPhase;
  readonly elapsedMs: number;
  readonly flows: number;
  /** Flows whose snapshot has been read to its end. */
  readonly flowsCut: number;
  readonly keys: number;
  readonly journalEntries: number;
  /** From the source, as on the wire. */
  readonly receivedBytes: number;
  /** Written to the target. */
  readonly commands: number;
  /** Entries received from the journal and not yet confirmed by the target; undefined before the stable phase. */
  readonly lagEntries: number | undefined;
  readonly losses: number;
  readonly rejected: number;
};

export type SweepReport = SweepResult & { readonly mode: "on" | "dry-run" };

/** Deadlines of members that df2redis has kept and that are still ahead: nobody deletes these members any more. */
export type KeptMembersReport = {
  readonly count: number;
  /** Holds all of them. */
  readonly file: string;
  /** The first ones to be due. */
  readonly samples: readonly {
    readonly db: number;
    readonly key: string;
    readonly member: string;
    readonly deadlineMs: number;
  }[];
};

export type RunReport = {
  readonly mode: RunMode;
  /** `interrupted`: stopped by the operator, everything received was applied, which is how `replicate` ends well. */
  readonly outcome: "done" | "interrupted";
  readonly elapsedMs: number;
  readonly source: {
    readonly address: string;
    readonly version: string;
    readonly masterId: string;
    readonly flows: number;
  };
  readonly target: { readonly address: string; readonly product: string; readonly version: string };
  readonly workers: number;
  readonly plan: FeaturePlan;
  /** undefined: the target was empty. */
  readonly conflictPolicy: ConflictPolicy | undefined;
  /** undefined: there was nothing to sweep, or it was not wanted. */
  readonly sweep: SweepReport | undefined;
  readonly keptMembers: KeptMembersReport | undefined;
  /** undefined: every write was taken. */
  readonly deadLetterFile: string | undefined;
  readonly snapshotMs: number | undefined;
  /** Snapshot objects by type name (string, list, set, zset, hash, stream, json, …). */
  readonly keysByType: Readonly<Record<string, number>>;
  readonly journalEntries: number;
  readonly receivedBytes: number;
  readonly commands: number;
  /** Per flow: the LSN of the next entry wanted, all before it applied; undefined when the flow never got that far. */
  readonly appliedLsns: readonly (number | undefined)[];
  readonly losses: readonly LossReport[];
  readonly rejectedCount: number;
  /** The first ones, up to 100. */
  readonly rejected: readonly RejectedEntry[];
};

export type RunObserver = {
  phase(phase: RunPhase, detail: string): void;
  progress(progress: RunProgress): void;
  /** What is being done beside the phases, and with what result. */
  note(message: string): void;
  /** Something an operator should know and that does not end the run. */
  warning(message: string, context?: Readonly<Record<string, string | number>>): void;
};
