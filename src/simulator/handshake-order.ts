/**
 * The order of a replica's requests on the control connection (docs/protocol.md §1), as strict as the page. A real master is more patient; the
 * simulator answers as it would and tells the breach. Pure.
 */
const STEPS = [
  "AUTH",
  "PING",
  "listening-port",
  "ip-address",
  "capa psync2",
  "capa dragonfly",
  "CLIENT-ID",
  "CLIENT-VERSION",
] as const;

export type HandshakeStep = (typeof STEPS)[number];

/** What every replica must send; the rest is optional. */
const REQUIRED: readonly HandshakeStep[] = ["PING", "listening-port", "capa psync2"];

export class HandshakeOrder {
  readonly #done: HandshakeStep[] = [];

  /** What is wrong with `step` coming now, or undefined. The step counts as done either way. */
  check(step: HandshakeStep): string | undefined {
    const breach = this.#breach(step);
    this.#done.push(step);
    return breach;
  }

  #breach(step: HandshakeStep): string | undefined {
    // A PING is a sign of life at any later time too.
    if (step === "PING" && this.#done.includes("PING")) return undefined;
    if (this.#done.includes(step)) return `${step} was sent twice`;
    const later = this.#done.find((done) => STEPS.indexOf(done) > STEPS.indexOf(step));
    if (later !== undefined) return `${step} was sent after ${later}`;
    const forgotten = REQUIRED.find(
      (required) => STEPS.indexOf(required) < STEPS.indexOf(step) && !this.#done.includes(required),
    );
    return forgotten === undefined ? undefined : `${step} was sent before ${forgotten}`;
  }
}
