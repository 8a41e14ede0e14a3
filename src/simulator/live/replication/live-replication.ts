/**
 * The master's side of Dragonfly's replication protocol for the live simulator (docs/protocol.md): handshake, flows, snapshots, journal, partial syncs,
 * timeouts, the output limit that makes writing clients wait, takeover. It holds no keys; it hooks itself into the shards of the `MasterCore`.
 *
 * A test tool: written to send what the recordings show, never part of the product's data path.
 */
import { randomBytes } from "node:crypto";
import type {
  ClientConnection,
  MasterCore,
  ReplicaStatus,
  ReplicationFactory,
  ReplicationHandler,
} from "../replication-handler.ts";
import { DflyCommands } from "./dfly-commands.ts";
import { parseRelease, protocolVersion } from "./rdb-profile.ts";
import { ReplconfCommands } from "./replconf-commands.ts";
import { ReplicaRegistry } from "./replica-registry.ts";
import type { ReplicaSession } from "./replica-session.ts";
import { type ReplicationFlags, ReplicationSettings } from "./replication-settings.ts";
import { Takeover } from "./takeover.ts";
import { upper } from "./words.ts";

export type LiveReplicationOptions = {
  /** 40 hex digits; default: random. */
  readonly masterId?: string;
  /** As on the wire, 0 to 5; default: that of the master's release. */
  readonly protocolVersion?: number;
  /** Elements of the reply to `REPLCONF capa dragonfly`; default: 3 for version 0, 5 from version 5 on, else 4. */
  readonly greetingElements?: 3 | 4 | 5;
  /** For a master that was promoted from a replica: its former master and where that one's journals stood. */
  readonly promotedFrom?: { readonly masterId: string; readonly lsns: readonly number[] };
  /** Flags that win over the master's configuration. */
  readonly flags?: ReplicationFlags;
  /** Bodies of loaded scripts. */
  readonly scripts?: () => readonly string[];
  /** How often the clock is looked at; 0: never, the caller calls `tick`. */
  readonly tickMs?: number;
};

const MASTER_ID_BYTES = 20;
const TICK_MS = 50;
/** What is still answered while a takeover is under way: the names of administration commands. */
const ADMIN_COMMANDS = new Set([
  "PING",
  "REPLCONF",
  "DFLY",
  "CONFIG",
  "DEBUG",
  "ACL",
  "SHUTDOWN",
  "REPLICAOF",
  "SLAVEOF",
  "DFLYCLUSTER",
]);
const LOADING = "LOADING Dragonfly is loading the dataset in memory";
/** Older releases name the state. */
const FIRST_LOADING_MINOR = 30;

export function liveReplication(options: LiveReplicationOptions = {}): ReplicationFactory {
  return (core) => new LiveReplication(core, options);
}

export class LiveReplication implements ReplicationHandler {
  readonly masterId: string;
  readonly #core: MasterCore;
  readonly #registry: ReplicaRegistry;
  readonly #settings: ReplicationSettings;
  readonly #takeover: Takeover;
  readonly #dfly: DflyCommands;
  readonly #replconf: ReplconfCommands;
  readonly #sessions = new WeakMap<ClientConnection, ReplicaSession>();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(core: MasterCore, options: LiveReplicationOptions = {}) {
    const { promotedFrom, tickMs = TICK_MS } = options;
    const version = options.protocolVersion ?? protocolVersion(core.dragonflyVersion);
    this.masterId = options.masterId ?? randomBytes(MASTER_ID_BYTES).toString("hex");
    this.#core = core;
    this.#settings = new ReplicationSettings(core, options.flags);
    this.#registry = new ReplicaRegistry(core, this.#settings, promotedFrom?.lsns);
    this.#takeover = new Takeover(this.#registry);
    const join = (connection: ClientConnection, session: ReplicaSession): void => this.#join(connection, session);
    const { masterId } = this;
    this.#dfly = new DflyCommands(this.#registry, this.#takeover, {
      masterId,
      protocolVersion: version,
      lastMasterId: promotedFrom?.masterId,
      scripts: options.scripts ?? (() => []),
      onFlow: join,
    });
    this.#replconf = new ReplconfCommands(this.#registry, {
      masterId,
      protocolVersion: version,
      greetingElements: options.greetingElements ?? greetingElements(version),
      lineageId: promotedFrom?.masterId ?? masterId,
      onSession: join,
    });
    this.#timer = tickMs > 0 ? setInterval(() => this.tick(), tickMs).unref() : undefined;
  }

  /** LSN of the next journal entry per shard. */
  get lsns(): readonly number[] {
    return this.#registry.journals.map((journal) => journal.lsn);
  }

  handle(connection: ClientConnection, args: readonly Buffer[]): boolean {
    const name = upper(args[0]);
    if (name === "REPLCONF") this.#replconf.run(connection, args);
    else if (name === "DFLY") this.#dfly.run(connection, args);
    else return false;
    return true;
  }

  replicas(): readonly ReplicaStatus[] {
    return this.#registry.sessions.map((session) => ({
      address: session.address,
      listeningPort: session.listeningPort,
      state: this.#stateName(session),
      lag: session.lag,
    }));
  }

  infoReplication(): string {
    const replicas = this.replicas();
    const lines = replicas.map(
      ({ address, listeningPort, state, lag }, i) =>
        `slave${i}:ip=${address},port=${listeningPort},state=${state},lag=${lag}`,
    );
    return ["role:master", `connected_slaves:${replicas.length}`, ...lines, `master_replid:${this.masterId}`, ""].join(
      "\r\n",
    );
  }

  onConnectionClosed(connection: ClientConnection): void {
    this.#sessions.get(connection)?.cancel();
  }

  writesBlocked(): boolean {
    return this.#registry.isBlocked;
  }

  whenWritable(resume: () => void): void {
    this.#registry.whenUnblocked(resume);
  }

  refusal(args: readonly Buffer[]): string | undefined {
    if (!this.#takeover.isActive || ADMIN_COMMANDS.has(upper(args[0]))) return undefined;
    const { major, minor } = parseRelease(this.#core.dragonflyVersion);
    return major > 1 || minor >= FIRST_LOADING_MINOR ? LOADING : "ERR Can not execute during TAKEN OVER";
  }

  /** Looks at the clock: timeouts of flows and of a takeover. */
  tick(): void {
    this.#registry.tick();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#registry.close();
  }

  /** All connections of a session live and die together. */
  #join(connection: ClientConnection, session: ReplicaSession): void {
    this.#sessions.get(connection)?.cancel();
    this.#sessions.set(connection, session);
  }

  #stateName({ state }: ReplicaSession): string {
    return state === "stable" ? this.#settings.stableState : state;
  }
}

function greetingElements(version: number): number {
  if (version >= 5) return 5;
  return version >= 1 ? 4 : 3;
}
