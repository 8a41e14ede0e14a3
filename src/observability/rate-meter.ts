/** The rate of a growing counter over the last few seconds. Has no clock: the caller gives the time of each reading. */
import { perSecond } from "./format.ts";

type Reading = { readonly atMs: number; readonly total: number };

export class RateMeter {
  readonly #windowMs: number;
  #readings: Reading[] = [];

  constructor(windowMs = 5000) {
    this.#windowMs = windowMs;
  }

  /** Notes a reading and gives the rate per second since the oldest one inside the window; 0 before there are two. */
  add(atMs: number, total: number): number {
    this.#readings.push({ atMs, total });
    // One reading at or before the window's edge stays: the window is then covered whole.
    while (this.#readings.length > 2 && (this.#readings[1]?.atMs ?? 0) <= atMs - this.#windowMs) this.#readings.shift();
    const oldest = this.#readings[0];
    if (oldest === undefined) return 0;
    return Math.max(0, perSecond(total - oldest.total, atMs - oldest.atMs));
  }
}
