/**
 * What all replicas of one master share: the shards' journals, the sessions by sync id, who waits because a flow is over its output limit, and the clock
 * that cancels flows which are stuck. Time is injected; `tick` is public so that a test can be the clock.
 */
import type { ClientConnection, MasterCore } from "../replication-handler.ts";
import { ReplicaFlow } from "./replica-flow.ts";
import { ReplicaSession } from "./replica-session.ts";
import type { ReplicationSettings } from "./replication-settings.ts";
import { ShardJournal } from "./shard-journal.ts";

export type FlowRequest = {
  readonly session: ReplicaSession;
  readonly flow: number;
  readonly partialLsn: number | undefined;
  readonly eofToken: string;
  readonly connection: ClientConnection;
  readonly onRequest: (args: readonly Buffer[]) => void;
};

export class ReplicaRegistry {
  readonly core: MasterCore;
  readonly settings: ReplicationSettings;
  readonly journals: readonly ShardJournal[];
  readonly #sessions = new Map<number, ReplicaSession>();
  #nextSyncId = 1;
  #blocked: (() => void)[] = [];
  /** Told whenever an acknowledgement came, a session ended or time went on. */
  readonly #watchers = new Set<() => void>();

  constructor(core: MasterCore, settings: ReplicationSettings, firstLsns: readonly number[] = []) {
    this.core = core;
    this.settings = settings;
    this.journals = core.shards.map((_, i) => {
      const firstLsn = firstLsns[i];
      const { backlogEntries, format } = settings;
      return new ShardJournal({
        backlogEntries,
        form: format.profile,
        ...(firstLsn === undefined ? {} : { firstLsn }),
      });
    });
    for (const [i, shard] of core.shards.entries()) shard.onRecord = (record) => this.journals[i]?.record(record);
  }

  /** In the order they joined. */
  get sessions(): readonly ReplicaSession[] {
    return [...this.#sessions.values()];
  }

  session(syncId: number): ReplicaSession | undefined {
    return this.#sessions.get(syncId);
  }

  createSession(replica: { readonly address: string; readonly listeningPort: number }): ReplicaSession {
    const session = new ReplicaSession({
      ...replica,
      syncId: this.#nextSyncId++,
      flowCount: this.core.shards.length,
      onCancelled: () => this.#forget(session),
    });
    this.#sessions.set(session.syncId, session);
    return session;
  }

  /** Makes a connection a flow. What was replied on it has been sent before. */
  openFlow({ session, flow, partialLsn, eofToken, connection, onRequest }: FlowRequest): void {
    const shard = this.core.shards[flow];
    const journal = this.journals[flow];
    if (shard === undefined || journal === undefined) return;
    const socket = connection.takeOver(onRequest);
    const { nowMs } = this.core;
    const onProgress = (): void => this.#release();
    session.setFlow(flow, new ReplicaFlow({ shard, journal, socket, eofToken, partialLsn, nowMs, onProgress }));
  }

  acknowledge(session: ReplicaSession, flow: number, lsn: number): void {
    const replicaFlow = session.flows[flow];
    if (replicaFlow !== undefined) replicaFlow.ackedLsn = lsn;
    this.#notify();
  }

  /** True while a flow has more waiting than the output limit: the master's writing clients wait. */
  get isBlocked(): boolean {
    const { outputLimitBytes } = this.settings;
    for (const session of this.#sessions.values()) {
      if (session.flows.some((flow) => flow !== undefined && flow.pendingBytes >= outputLimitBytes)) return true;
    }
    return false;
  }

  whenUnblocked(resume: () => void): void {
    this.#blocked.push(resume);
    this.#release();
  }

  /** Resolves once `condition` holds. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const watch = (): void => {
        if (!condition()) return;
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
    });
  }

  /** Looks at the clock: cancels replicas that are stuck, and lets those look who wait until some time. */
  tick(): void {
    const nowMs = this.core.nowMs();
    const limits = { nowMs, timeoutMs: this.settings.timeoutMs, limitBytes: this.settings.outputLimitBytes };
    for (const session of this.sessions) {
      if (session.flows.some((flow) => flow?.isStalled(limits))) session.cancel();
    }
    this.#notify();
  }

  close(): void {
    for (const session of this.sessions) session.cancel();
  }

  #forget(session: ReplicaSession): void {
    this.#sessions.delete(session.syncId);
    this.#release();
    this.#notify();
  }

  #release(): void {
    if (this.#blocked.length === 0 || this.isBlocked) return;
    for (const resume of this.#blocked.splice(0)) resume();
  }

  #notify(): void {
    for (const watch of this.#watchers) watch();
  }
}
