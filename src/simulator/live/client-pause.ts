/** CLIENT PAUSE: for a while clients wait, those that write or all. Nothing expires meanwhile, as on the real master. */
export type PauseMode = "WRITE" | "ALL";

export class ClientPause {
  #mode: PauseMode | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];
  readonly #onChange: (paused: boolean) => void;

  constructor(onChange: (paused: boolean) => void) {
    this.#onChange = onChange;
  }

  get active(): boolean {
    return this.#mode !== undefined;
  }

  start(mode: PauseMode, forMs: number): void {
    clearTimeout(this.#timer);
    this.#mode = mode;
    this.#timer = setTimeout(() => this.end(), forMs);
    this.#timer.unref();
    this.#onChange(true);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#mode = undefined;
    this.#onChange(false);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  /** @param writes whether the request may change keys */
  blocks(writes: boolean): boolean {
    return this.#mode === "ALL" || (this.#mode === "WRITE" && writes);
  }

  /** `resume` is called once at the end of the pause. */
  whenOver(resume: () => void): void {
    this.#waiting.push(resume);
  }
}
