/** One step that runs beside a session: started once, its failure ends the session, and the end of the run waits for it. */
import { asDf2RedisError, type Df2RedisError } from "../errors/df2redis-error.ts";

export class BackgroundStep {
  readonly #onFailure: (error: Df2RedisError) => void;
  #running: Promise<void> | undefined;
  #failure: Df2RedisError | undefined;

  constructor(onFailure: (error: Df2RedisError) => void) {
    this.#onFailure = onFailure;
  }

  startOnce(step: () => Promise<void>): void {
    this.#running ??= step().catch((thrown: unknown) => {
      const error = asDf2RedisError(thrown);
      // The end of the run is why: nothing has failed.
      if (error.code === "INTERRUPTED") return;
      this.#failure = error;
      this.#onFailure(error);
    });
  }

  /** @throws what it failed with, which a session that had ended already did not take */
  async ended(): Promise<void> {
    await this.settled();
    if (this.#failure !== undefined) throw this.#failure;
  }

  async settled(): Promise<void> {
    await this.#running;
  }
}
