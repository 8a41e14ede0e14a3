/**
 * A deadline for something that comes over the network. It looks twice: when this whole process was frozen or starved for longer than the deadline, what
 * came meanwhile is there, but timers run before it is read. Only what is missing at the second look, a little later, is late.
 */
const MIN_GRACE_MS = 5;
const MAX_GRACE_MS = 1000;

export class Deadline {
  #timer: NodeJS.Timeout;

  constructor(timeoutMs: number, onMissed: () => void) {
    const graceMs = Math.max(MIN_GRACE_MS, Math.min(MAX_GRACE_MS, timeoutMs / 4));
    this.#timer = setTimeout(() => {
      this.#timer = setTimeout(onMissed, graceMs);
    }, timeoutMs);
  }

  /** It came. */
  met(): void {
    clearTimeout(this.#timer);
  }
}
