/** Promises that resolve when a condition comes true, for those who watch a simulator. */
type Waiter = {
  readonly condition: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
};

const POLL_MS = 5;

export class Waiters {
  #waiting: Waiter[] = [];
  #failure: Error | undefined;

  /** Resolves once `condition` holds. It is looked at now and whenever `check` is called. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ condition, resolve, reject });
    });
  }

  /** The same for a condition whose change nobody tells. */
  async untilPolled(condition: () => boolean): Promise<void> {
    const timer = setInterval(() => this.check(), POLL_MS);
    await this.until(condition).finally(() => clearInterval(timer));
  }

  check(): void {
    const due = this.#waiting.filter((waiter) => waiter.condition());
    this.#waiting = this.#waiting.filter((waiter) => !due.includes(waiter));
    for (const waiter of due) waiter.resolve();
  }

  /** Ends all waiting, now and later: the conditions cannot come true any more. */
  fail(error: Error): void {
    this.#failure = error;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error);
  }
}
