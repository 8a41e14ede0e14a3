/**
 * Up to which moment everything that arrived from the source is encoded. What is due by then may be deleted or armed: whatever the source had
 * sent to renew it stands before it in the target's stream. Pure; times are those of the caller's clock, in ms.
 */
export type DecodeOutcome = {
  readonly nowMs: number;
  /** The decoder stopped for lack of bytes, not for lack of room. */
  readonly needsMore: boolean;
  /** Of the first byte that is not decoded yet. */
  readonly offset: number;
  readonly pendingBytes: number;
};

export class EncodedTime {
  #upToMs = Number.NEGATIVE_INFINITY;
  /** Nothing waits, so it goes on with the clock. */
  #isIdle = false;
  #offset = -1;

  decoded({ nowMs, needsMore, offset, pendingBytes }: DecodeOutcome): void {
    this.#isIdle = needsMore && pendingBytes === 0;
    // An entry that has begun to arrive may be old: it counts from when its first bytes came.
    if (this.#isIdle || (needsMore && offset !== this.#offset)) this.#upToMs = nowMs;
    if (needsMore) this.#offset = offset;
  }

  upTo(nowMs: number): number {
    return this.#isIdle ? nowMs : this.#upToMs;
  }
}
