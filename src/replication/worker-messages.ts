/**
 * What the main thread and a worker say to each other: control only, a few messages per second at most. Plain data, so that it crosses a thread.
 */
import type { PlainError } from "../errors/df2redis-error.ts";
import type { RejectedBytes, RejectedEntry } from "./rejected-entry.ts";
import type { FlowMemberDeadline } from "./member-deadlines-file.ts";
import type { KeyPlace } from "../target/key-places.ts";
import type { LossKind, LossReport } from "../target/losses.ts";

export type FlowRequest = {
  readonly flow: number;
  /** LSN of the next entry wanted; undefined for a full sync. */
  readonly lsn: number | undefined;
};

export type WorkerCommand =
  | {
      readonly type: "openFlows";
      readonly masterId: string;
      readonly syncId: string;
      readonly flows: readonly FlowRequest[];
    }
  /** STARTSTABLE was accepted: flows of a partial sync acknowledge where they start. */
  | { readonly type: "stableStarted" }
  /** The flush has run: the flows that wait for it go on. `places` are what was emptied of the target; undefined: `db` under its own number. @see FlushRequest.db */
  | { readonly type: "releaseFlush"; readonly db: number; readonly places: readonly KeyPlace[] | undefined }
  /** The oldest entry told by `rejected` and not answered yet is on disk. Only with a dead-letter file; nothing is acknowledged before it. */
  | { readonly type: "rejectedStored" }
  /** The scan that arms held deadlines begins. No answer. */
  | { readonly type: "beginArming" }
  /** Apply all that was decoded and acknowledge it. Answered by `drained`. */
  | { readonly type: "drain" }
  /**
   * Close what `drain` left open. Only once every worker has drained: a master closes all flows of a session with the first one (docs/protocol.md
   * §2), and the acknowledgements of the others would be lost. No answer.
   */
  | { readonly type: "close" }
  /** Close at once. No answer. */
  | { readonly type: "abort" };

/** A FLUSHALL or FLUSHDB that a flow has reached; everything before it has been applied. */
export type FlushRequest = {
  readonly flow: number;
  readonly txid: number;
  readonly lsn: number;
  /** The source's database to empty, -1 for all. */
  readonly db: number;
};

export type WorkerReport = {
  /** What remains of the deadlines of members that df2redis keeps. */
  readonly memberDeadlines: readonly FlowMemberDeadline[];
  readonly losses: readonly LossReport[];
  readonly keysByType: Readonly<Record<string, number>>;
};

export type WorkerEvent =
  /** Connected to the target. */
  | { readonly type: "ready" }
  | { readonly type: "flowOpened"; readonly flow: number; readonly kind: "full" | "partial" }
  | { readonly type: "flowCut"; readonly flow: number }
  /** Everything up to the end of the flow's snapshot has been applied. */
  | { readonly type: "snapshotApplied"; readonly flow: number }
  | { readonly type: "flushReached"; readonly request: FlushRequest }
  | { readonly type: "dragonflyVersion"; readonly version: string }
  /** The first loss of its kind in this worker. */
  | { readonly type: "loss"; readonly kind: LossKind; readonly db: number; readonly key: string }
  /** A write was left out. `bytes` are for the dead-letter file, and there only when there is one: then it is answered by `rejectedStored`. */
  | { readonly type: "rejected"; readonly entry: RejectedEntry; readonly bytes?: RejectedBytes }
  /** The target takes no writes now: so many wait to be sent again. Told again when the number or the words change. */
  | { readonly type: "targetWaiting"; readonly words: string; readonly commands: number; readonly sinceMs: number }
  /** What waited has been dealt with, and the flows go on. */
  | { readonly type: "targetResumed"; readonly waitedMs: number }
  | { readonly type: "drained"; readonly report: WorkerReport }
  /** The worker does nothing any more. Its flows stay open until `abort`. */
  | { readonly type: "failed"; readonly error: PlainError };
