/**
 * `DFLY TAKEOVER`: the master refuses its clients, asks every flow for an acknowledgement by a PING entry, waits until the replica has confirmed all,
 * and shuts down; or goes on serving when time runs out (Dragonfly src/server/dflycmd.cc TakeOver; the recording `takeover`).
 */
import type { ReplicaRegistry } from "./replica-registry.ts";
import type { ReplicaSession } from "./replica-session.ts";

export class Takeover {
  readonly #registry: ReplicaRegistry;
  #isActive = false;

  constructor(registry: ReplicaRegistry) {
    this.#registry = registry;
  }

  /** True while the master refuses its clients; for good once a takeover has succeeded. */
  get isActive(): boolean {
    return this.#isActive;
  }

  /** False: the replica did not confirm in time, or another takeover is under way. */
  async run(session: ReplicaSession, timeoutMs: number): Promise<boolean> {
    if (this.#isActive) return false;
    this.#isActive = true;
    for (const journal of this.#registry.journals) journal.ping();
    const deadlineMs = this.#registry.core.nowMs() + timeoutMs;
    const isOver = (): boolean => session.state !== "stable" || this.#registry.core.nowMs() > deadlineMs;
    await this.#registry.until(() => session.isCaughtUp || isOver());
    this.#isActive = session.isCaughtUp;
    return this.#isActive;
  }

  /** After the reply: waits for the other replicas as long as there is time, without a PING, then shuts down. */
  async shutDown(session: ReplicaSession, deadlineMs: number): Promise<void> {
    const others = this.#registry.sessions.filter((other) => other !== session && other.state === "stable");
    await this.#registry.until(
      () =>
        this.#registry.core.nowMs() > deadlineMs ||
        others.every((other) => other.state !== "stable" || other.isCaughtUp),
    );
    this.#registry.core.shutdown();
  }
}
