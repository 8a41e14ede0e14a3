/**
 * The barrier of FLUSHALL and FLUSHDB (I6): every flow gets the same one, in its own place, and waits there until all have come and it has run
 * once. One instance per session, in the main thread.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { FlushRequest } from "./worker-messages.ts";

export class FlushBarrier {
  readonly #flows: number;
  #waiting = new Map<number, FlushRequest>();

  constructor(flows: number) {
    this.#flows = flows;
  }

  /** How many flows wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * A flow has reached a flush, with everything before it applied. Returns the flush once all flows have: run it, then `reset`, then let them go on.
   * @throws PROTOCOL_VIOLATION when the flows wait for different ones, which would be forever
   */
  reach(request: FlushRequest): FlushRequest | undefined {
    const [first] = this.#waiting.values();
    if (first !== undefined && (first.txid !== request.txid || first.db !== request.db)) throw mismatch(first, request);
    this.#waiting.set(request.flow, request);
    return this.#waiting.size === this.#flows ? request : undefined;
  }

  reset(): void {
    this.#waiting = new Map();
  }
}

function mismatch(first: FlushRequest, other: FlushRequest): Df2RedisError {
  return new Df2RedisError(
    "PROTOCOL_VIOLATION",
    `flow ${first.flow} waits at the flush of transaction ${first.txid} and flow ${other.flow} at that of transaction ${other.txid}: flows run transactions in one order`,
    { context: { flow: other.flow, lsn: other.lsn, txid: other.txid, otherFlow: first.flow, otherTxid: first.txid } },
  );
}
