/** What a session tells, as phases and warnings for the observer of a run, and what of it the final report needs. */
import type { Logger } from "../observability/logger.ts";
import type { RejectedEntry } from "../replication/rejected-entry.ts";
import type { SessionObserver, TargetWait } from "../replication/replication-session.ts";
import type { SessionState } from "../replication/session-state.ts";
import { LOSS_KINDS, type LossKind, outcomeOf } from "../target/losses.ts";
import type { RunObserver } from "./run-report.ts";

const KEPT_REJECTIONS = 100;

export class SessionEvents {
  /** The first ones. */
  readonly rejected: RejectedEntry[] = [];
  readonly #observer: RunObserver;
  readonly #logger: Logger;
  readonly #toldLosses = new Set<LossKind>();
  #snapshotStartedMs: number | undefined;
  #snapshotMs: number | undefined;
  #isWaiting = false;

  constructor(observer: RunObserver, logger: Logger) {
    this.#observer = observer;
    this.#logger = logger;
  }

  get hasCopyBegun(): boolean {
    return this.#snapshotStartedMs !== undefined;
  }

  /** How long the snapshot took; undefined while it is not complete. */
  get snapshotMs(): number | undefined {
    return this.#snapshotMs;
  }

  observer(flows: number): SessionObserver {
    return {
      state: (state) => this.#onState(state, flows),
      loss: (kind, db, key) => this.#onLoss(kind, db, key),
      rejected: (entry) => this.#onRejected(entry),
      waiting: (wait) => this.#onWaiting(wait),
    };
  }

  #onState(state: SessionState, flows: number): void {
    if (state === "full_sync") this.#snapshotStartedMs = performance.now();
    // `migrate` may stop without catching up.
    if ((state === "catching_up" || state === "stopping") && this.#snapshotStartedMs !== undefined)
      this.#snapshotMs ??= performance.now() - this.#snapshotStartedMs;
    this.#logger.debug({ state, flows }, "session state");
    if (state === "failed" || state === "connecting") return;
    this.#observer.phase(state, phaseDetail(state, flows));
  }

  /** Every worker tells its first one. */
  #onLoss(kind: LossKind, db: number, key: string): void {
    if (this.#toldLosses.has(kind)) return;
    this.#toldLosses.add(kind);
    const words = { lost: "not carried over", converted: "carried over in another form", skipped: "left out" };
    this.#observer.warning(`${words[outcomeOf(kind)]}: ${LOSS_KINDS[kind]}`, db < 0 ? {} : { db, key });
  }

  #onRejected(entry: RejectedEntry): void {
    if (this.rejected.length < KEPT_REJECTIONS) this.rejected.push(entry);
    const what = entry.class === "unrunnable" ? "a journal entry that no server can run" : "a write";
    this.#observer.warning(`left out, and noted in the dead-letter file: ${what}: ${entry.error}`, {
      flow: entry.flow,
      lsn: entry.lsn,
      db: entry.db,
      command: entry.command,
      key: entry.key,
    });
  }

  #onWaiting(wait: TargetWait | undefined): void {
    if (wait === undefined) this.#observer.note("the target takes writes again");
    else if (!this.#isWaiting) {
      this.#observer.warning(`the target takes no writes now, waiting and trying again: ${wait.words}`, {
        commands: wait.commands,
      });
    }
    this.#isWaiting = wait !== undefined;
  }
}

function phaseDetail(state: SessionState, flows: number): string {
  switch (state) {
    case "handshake":
      return `the source accepted us as a replica; opening ${flows} flows`;
    case "full_sync":
      return `copying the snapshot on ${flows} flows`;
    case "catching_up":
      return "applying what was written meanwhile";
    case "stable":
      return "the target has all that the source sent; following its journal";
    case "stopping":
      return "applying and acknowledging what has arrived";
    default:
      return "all that arrived has been applied and acknowledged";
  }
}
