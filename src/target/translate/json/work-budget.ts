/**
 * Bounds what one command may cost: a path with several descents can visit a place once for each way to it, and a value is copied to each place that
 * matches. Pure.
 */
const MAX_JSON_WORK = 5_000_000;

export class WorkBudget {
  #left: number;

  constructor(units: number = MAX_JSON_WORK) {
    this.#left = units;
  }

  /** False once it is used up. */
  spend(units: number): boolean {
    this.#left -= units;
    return this.#left >= 0;
  }
}
