/** Time as the fault proxy sees it: the machine's, or one that a test turns by hand. */
export type FaultClock = {
  /** Milliseconds since any fixed moment. */
  now(): number;
  /** Runs `callback` after `ms`. @returns what cancels it */
  after(ms: number, callback: () => void): () => void;
};

export const realClock: FaultClock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

type Alarm = { readonly atMs: number; readonly callback: () => void };

/** Stands still until `advance` is called. */
export class ManualClock implements FaultClock {
  #nowMs = 0;
  #alarms: Alarm[] = [];

  /** Alarms that are set. */
  get waiting(): number {
    return this.#alarms.length;
  }

  now(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const alarm = { atMs: this.#nowMs + ms, callback };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  /** Lets `ms` pass: the alarms that fall due are run in their order, each at its own time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#alarms = this.#alarms.filter((alarm) => alarm !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
    this.#nowMs = endMs;
  }

  #next(endMs: number): Alarm | undefined {
    return this.#alarms.filter((alarm) => alarm.atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)[0];
  }
}
