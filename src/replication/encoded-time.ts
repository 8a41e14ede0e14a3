/**
 * Up to which moment everything that the source had sent is encoded. What is due by then may be deleted or armed: whatever the source had
 * sent to renew it stands before it in the target's stream. Pure; times are those of the caller's clock, in ms.
 *
 * A decoder that ran out of bytes has not seen what still waits in the buffers of both systems: while we did not read, the source could not send. So
 * for every moment without room what comes next may be as much older, until we have been reading for a while.
 */
export type DecodeOutcome = {
  readonly nowMs: number;
  /** The decoder stopped for lack of bytes, not for lack of room. */
  readonly needsMore: boolean;
  /** Of the first byte that is not decoded yet. */
  readonly offset: number;
  readonly pendingBytes: number;
};

/** A master gives up a replica that takes nothing for so long (Dragonfly's flag replication_timeout), so nothing waits for longer. */
const MOST_LAG_MS = 30_000;
/** Reading empties full buffers at least this much faster than they fill. */
const RECOVERY = 10;

export class EncodedTime {
  #upToMs = Number.NEGATIVE_INFINITY;
  /** Nothing waits, so it goes on with the clock. */
  #isIdle = false;
  #offset = -1;
  /** How old what comes next may be, as of `#lagAtMs`. */
  #lagMs = 0;
  #lagAtMs = Number.NEGATIVE_INFINITY;
  #hadRoom = true;

  decoded({ nowMs, needsMore, offset, pendingBytes }: DecodeOutcome): void {
    this.#lagMs = this.#lagOf(nowMs);
    this.#lagAtMs = nowMs;
    this.#hadRoom = needsMore;
    this.#isIdle = needsMore && pendingBytes === 0;
    // An entry that has begun to arrive may be old: it counts from when its first bytes came.
    if (this.#isIdle || (needsMore && offset !== this.#offset)) this.#upToMs = this.upTo(nowMs, true);
    if (needsMore) this.#offset = offset;
  }

  upTo(nowMs: number, goesOn = this.#isIdle): number {
    return goesOn ? Math.max(this.#upToMs, nowMs - this.#lagOf(nowMs)) : this.#upToMs;
  }

  #lagOf(nowMs: number): number {
    const passedMs = nowMs - this.#lagAtMs;
    if (!Number.isFinite(passedMs)) return 0;
    return this.#hadRoom
      ? Math.max(0, this.#lagMs - RECOVERY * passedMs)
      : Math.min(MOST_LAG_MS, this.#lagMs + passedMs);
  }
}
