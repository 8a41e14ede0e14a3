/** SIGINT and SIGTERM for one run: the first asks it to drain and end, the second does not wait for that. */
import type { SignalSource, StopSignal } from "./cli-deps.ts";

const SIGNALS: readonly StopSignal[] = ["SIGINT", "SIGTERM"];

export class StopSignals {
  readonly #source: SignalSource;
  readonly #onSignal: (signal: StopSignal, isSecond: boolean) => void;
  readonly #stop = new AbortController();
  readonly #force = new AbortController();
  readonly #listeners: readonly (readonly [StopSignal, () => void])[];

  constructor(source: SignalSource, onSignal: (signal: StopSignal, isSecond: boolean) => void) {
    this.#source = source;
    this.#onSignal = onSignal;
    this.#listeners = SIGNALS.map((signal) => [signal, () => this.#receive(signal)] as const);
    for (const [signal, listener] of this.#listeners) source.on(signal, listener);
  }

  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  get force(): AbortSignal {
    return this.#force.signal;
  }

  /** Resolves at the second signal; never, when there is none. */
  forced(): Promise<"forced"> {
    return new Promise((resolve) => {
      this.#force.signal.addEventListener("abort", () => resolve("forced"), { once: true });
    });
  }

  close(): void {
    for (const [signal, listener] of this.#listeners) this.#source.off(signal, listener);
  }

  #receive(signal: StopSignal): void {
    const isSecond = this.#stop.signal.aborted;
    if (this.#force.signal.aborted) return;
    this.#onSignal(signal, isSecond);
    (isSecond ? this.#force : this.#stop).abort();
  }
}
