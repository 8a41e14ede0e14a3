/**
 * One replica's session, from `REPLCONF capa dragonfly` until any of its connections closes (docs/protocol.md §2). States and what is allowed in them are
 * those of Dragonfly src/server/dflycmd.cc. Owns its flows: closing it closes all of them, and for good.
 */
import type { ReplicaFlow } from "./replica-flow.ts";

export type SessionState = "preparation" | "full_sync" | "stable" | "cancelled";

export type SessionOptions = {
  readonly syncId: number;
  readonly address: string;
  readonly listeningPort: number;
  readonly flowCount: number;
  readonly onCancelled: (session: ReplicaSession) => void;
};

export class ReplicaSession {
  readonly syncId: number;
  readonly address: string;
  readonly listeningPort: number;
  clientId = "";
  clientVersion: number | undefined;
  readonly #flows: (ReplicaFlow | undefined)[];
  readonly #onCancelled: (session: ReplicaSession) => void;
  #state: SessionState = "preparation";
  #walks: Promise<unknown> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.syncId = options.syncId;
    this.address = options.address;
    this.listeningPort = options.listeningPort;
    this.#flows = Array.from({ length: options.flowCount }, () => undefined);
    this.#onCancelled = options.onCancelled;
  }

  get state(): SessionState {
    return this.#state;
  }

  get flows(): readonly (ReplicaFlow | undefined)[] {
    return this.#flows;
  }

  /** Of the flow that is furthest behind; 0 before the stable phase. */
  get lag(): number {
    return this.#state === "stable" ? Math.max(...this.#connected().map((flow) => flow.lag)) : 0;
  }

  get isCaughtUp(): boolean {
    return this.#state === "stable" && this.#connected().every((flow) => flow.lag <= 0);
  }

  get areFlowsConnected(): boolean {
    return this.#flows.every((flow) => flow !== undefined);
  }

  /** True when STARTSTABLE need not wait for a snapshot's walk. */
  get isWalked(): boolean {
    return this.#connected().every((flow) => !flow.isWalking);
  }

  setFlow(index: number, flow: ReplicaFlow): void {
    this.#flows[index] = flow;
  }

  /** DFLY SYNC: takes the snapshot's moment on all flows at once. False in a wrong state. */
  sync(start: (flow: ReplicaFlow, index: number) => void): boolean {
    const flows = this.#connected();
    if (this.#state !== "preparation" || !this.areFlowsConnected || flows.some((flow) => flow.partialLsn !== undefined))
      return false;
    for (const [index, flow] of flows.entries()) start(flow, index);
    this.#state = "full_sync";
    this.#walks = Promise.all(flows.map((flow) => flow.walk()));
    return true;
  }

  /** DFLY STARTSTABLE, once `whenWalked` has come true. False in a wrong state. */
  startStable(): boolean {
    if (!this.canStartStable) return false;
    this.#state = "stable";
    const started = this.#connected().map((flow) => flow.startStable());
    if (started.every(Boolean)) return true;
    this.cancel();
    return false;
  }

  get canStartStable(): boolean {
    if (!this.areFlowsConnected) return false;
    const isPartial = this.#connected().every((flow) => flow.partialLsn !== undefined);
    return this.#state === "full_sync" || (this.#state === "preparation" && isPartial);
  }

  async whenWalked(): Promise<void> {
    await this.#walks;
  }

  cancel(): void {
    if (this.#state === "cancelled") return;
    this.#state = "cancelled";
    for (const flow of this.#connected()) flow.close();
    this.#onCancelled(this);
  }

  #connected(): ReplicaFlow[] {
    return this.#flows.filter((flow) => flow !== undefined);
  }
}
