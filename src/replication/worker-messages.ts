/**
 * What the main thread and a worker say to each other: control only, a few messages per second at most. Plain data, so that it crosses a thread.
 */
import type { PlainError } from "../errors/df2redis-error.ts";
import type { RejectedEntry } from "./rejected-entry.ts";
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
  /** The flush has run: the flows that wait for it go on. @see FlushRequest.db */
  | { readonly type: "releaseFlush"; readonly db: number }
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
  /** The database to empty, -1 for all. */
  readonly db: number;
};

export type WorkerReport = {
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
  | { readonly type: "rejected"; readonly entry: RejectedEntry }
  | { readonly type: "drained"; readonly report: WorkerReport }
  /** The worker does nothing any more. Its flows stay open until `abort`. */
  | { readonly type: "failed"; readonly error: PlainError };
