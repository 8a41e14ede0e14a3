/**
 * What is done once a full copy has been applied, beside the journal: arms the deadlines that were held back and that the flows' lists had no room
 * for, and sweeps the keys that the source does not have (I8). Each has connections of its own and may run while the flows go on.
 */
import type { Config } from "../config/load-config.ts";
import { plural } from "../observability/format.ts";
import type { FlowCounters } from "../replication/flow-counters.ts";
import { armHeldDeadlines } from "../target/arm-deadlines.ts";
import { sweepTarget } from "../target/sweep.ts";
import type { RunObserver, SweepReport } from "./run-report.ts";
import type { PreparedTarget } from "./target-preparation.ts";

export type AfterCopyOptions = {
  readonly config: Config;
  readonly target: PreparedTarget;
  readonly counters: FlowCounters;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly observer: RunObserver;
  /** Aborted: the flows are to end, and what runs beside them ends with them. */
  readonly signal: AbortSignal;
  /** Aborted: the run is to end at once, whatever is left to be done. */
  readonly force: AbortSignal;
  /** The flows note from here on what the next scan has to arm. */
  readonly beginArming: () => void;
};

/** Between the clocks of source, target and ours. */
const MARGIN_MS = 1000;
/** Deadlines nearer than this may be held by the flows at this moment. */
const NEAR_MS = 60_000;

export class AfterCopy {
  readonly #options: AfterCopyOptions;
  #sweep: SweepReport | undefined;
  /** A scan leaves what is near at its time, may be cut short, and the flows hear of it a little late. */
  #hasScanned = false;

  constructor(options: AfterCopyOptions) {
    this.#options = options;
  }

  get sweep(): SweepReport | undefined {
    return this.#sweep;
  }

  /** Every flow has caught up with the end of its snapshot. */
  get isDue(): boolean {
    const { counters } = this.#options;
    return counters.sum("caughtUp") === counters.flows;
  }

  /** While the flows go on. @throws what breaks a connection, or the signal's reason */
  async run(): Promise<void> {
    const { counters } = this.#options;
    if (counters.sum("overflowed") > 0) {
      const encodedMs = Math.min(
        ...Array.from({ length: counters.flows }, (_, flow) => counters.get(flow, "encodedMs")),
      );
      const nowMs = Date.now();
      this.#hasScanned = true;
      this.#options.beginArming();
      // A flow that lags holds more.
      await this.#arm(encodedMs - MARGIN_MS, nowMs + NEAR_MS + (nowMs - encodedMs), this.#options.signal);
    }
    await this.sweepOnce();
  }

  /** At the end of the run, when nothing is under way any more: arms what is left. Being stopped is what brings it about, so only `force` ends it. */
  async finish(): Promise<void> {
    const { counters, force } = this.#options;
    const nowMs = Date.now();
    if (this.#hasScanned || counters.sum("overflowed") > 0) await this.#arm(nowMs, nowMs, force);
  }

  async #arm(beforeMs: number, afterMs: number, signal: AbortSignal): Promise<void> {
    const { config, target, observer } = this.#options;
    observer.note("putting the deadlines in place that were held back during the copy: scanning the target");
    const keys = await armHeldDeadlines({
      ...this.#options,
      signal,
      endpoint: config.target,
      databases: [...new Set(target.places.map(({ db }) => db))],
      beforeMs,
      afterMs,
      hasPExpireTime: target.capabilities.commands.has("PEXPIRETIME"),
    });
    observer.note(`deadlines put in place: ${plural(keys, "key")}`);
  }

  /** The run failed: what is held back stays so. */
  tellHeld(): void {
    const { config, target, counters, observer } = this.#options;
    if (config.expiry.hold === "never" || !target.capabilities.commands.has("EVAL")) return;
    if (this.isDue && !this.#hasScanned && counters.sum("overflowed") === 0) return;
    observer.warning(
      "deadlines of keys were held back and are not in place: such keys have one about 137 years ahead. Another full copy replaces them; docs/deadlines.md says how to mend them without one",
    );
  }

  /** At the end of the run: a sweep that was wanted and is not done must not go unsaid. */
  tellUnswept(): void {
    if (!this.#isUnswept) return;
    this.#options.observer.warning(
      "the run ended before the sweep was done: the target may still hold keys that the source does not have",
    );
  }

  get #isUnswept(): boolean {
    const { config, target } = this.#options;
    const isWanted =
      target.owned !== undefined && config.conflict.policy === "overwrite" && config.sweep.mode !== "off";
    return isWanted && this.#sweep === undefined;
  }

  /** Only after a full copy into a target that was not empty, and only with `overwrite`. */
  async sweepOnce(): Promise<void> {
    const { config, target, observer } = this.#options;
    const { mode, keysPerSecond } = config.sweep;
    const { owned, places } = target;
    if (owned === undefined || mode === "off" || !this.#isUnswept) return;
    observer.note(
      mode === "on"
        ? "sweeping: deleting keys of the target that the source does not have"
        : "sweep, dry run: counting keys of the target that the source does not have",
    );
    const result = await sweepTarget({ ...this.#options, endpoint: config.target, places, owned, mode, keysPerSecond });
    this.#sweep = { mode, ...result };
    if (mode === "on" && result.kept === 0) owned.retire();
    observer.note(
      mode === "on"
        ? `sweep done: ${plural(result.deleted, "key")} deleted, ${result.kept} kept because other clients wrote to them`
        : `sweep, dry run: ${plural(result.found, "key")} would be deleted`,
    );
  }
}
