/**
 * `DFLY …` as a master answers it, with the errors of each state (docs/protocol.md §2; Dragonfly src/server/dflycmd.cc; dialogs.ndjson of the recordings).
 */
import { randomBytes } from "node:crypto";
import type { ClientConnection } from "../replication-handler.ts";
import { parseFlowRequest, type ParsedFlowRequest } from "./flow-request.ts";
import { rdbHeader } from "./rdb-header.ts";
import type { ReplicaRegistry } from "./replica-registry.ts";
import type { ReplicaSession } from "./replica-session.ts";
import type { Takeover } from "./takeover.ts";
import {
  BAD_MASTER_ID,
  BAD_SYNC_ID,
  DFLY_HELP,
  INVALID_STATE,
  NEGATIVE_TIMEOUT,
  NOT_A_FLOAT,
  NOT_AN_INTEGER,
  SYNC_ID_NOT_FOUND,
  SYNTAX_ERROR,
  TAKEOVER_FAILED,
  unsigned,
  upper,
} from "./words.ts";

const EOF_TOKEN_BYTES = 20;

export type DflyOptions = {
  readonly masterId: string;
  readonly protocolVersion: number;
  /** The master that this one was promoted from: a replica of it can resume here. */
  readonly lastMasterId: string | undefined;
  readonly scripts: () => readonly string[];
  /** Told when a connection belongs to a session as its flow. */
  readonly onFlow: (connection: ClientConnection, session: ReplicaSession) => void;
};

export class DflyCommands {
  readonly #registry: ReplicaRegistry;
  readonly #takeover: Takeover;
  readonly #options: DflyOptions;

  constructor(registry: ReplicaRegistry, takeover: Takeover, options: DflyOptions) {
    this.#registry = registry;
    this.#takeover = takeover;
    this.#options = options;
  }

  run(connection: ClientConnection, args: readonly Buffer[]): void {
    if (args.length < 2) return connection.error("ERR wrong number of arguments for 'dfly' command");
    const rest = args.slice(2);
    switch (upper(args[1])) {
      case "THREAD":
        return this.#thread(connection, rest);
      case "FLOW":
        if (rest.length >= 3 && rest.length <= this.#mostFlowArguments) return this.#flow(connection, rest);
        break;
      case "SYNC":
        if (rest.length === 1)
          return this.#withSession(connection, rest[0], (session) => this.#sync(connection, session));
        break;
      case "STARTSTABLE":
        if (rest.length === 1)
          return this.#withSession(connection, rest[0], (session) => this.#startStable(connection, session));
        break;
      case "TAKEOVER":
        if (rest.length === 2 || rest.length === 3) return this.#takeOver(connection, rest);
        break;
      case "REPLICAOFFSET":
        if (rest.length === 0) return this.#replicaOffset(connection);
        break;
      case "EXPIRE":
        return connection.simple("OK");
      case "HELP":
        connection.arrayHead(DFLY_HELP.length);
        for (const line of DFLY_HELP) connection.simple(line);
        return;
      default:
    }
    connection.error(SYNTAX_ERROR);
  }

  /** Partial syncs came with version 1, those from another master with 4. */
  get #mostFlowArguments(): number {
    const { protocolVersion } = this.#options;
    if (protocolVersion >= 4) return 5;
    return protocolVersion >= 1 ? 4 : 3;
  }

  #thread(connection: ClientConnection, rest: readonly Buffer[]): void {
    const threads = this.#registry.core.shards.length;
    if (rest.length === 0) {
      connection.arrayHead(2);
      connection.integer(0);
      connection.integer(threads);
      return;
    }
    const thread = unsigned(rest[0]);
    if (thread === undefined) connection.error(SYNTAX_ERROR);
    else if (thread >= threads) connection.error(NOT_AN_INTEGER);
    else connection.simple("OK");
  }

  #replicaOffset(connection: ClientConnection): void {
    const { journals } = this.#registry;
    connection.arrayHead(journals.length);
    for (const journal of journals) connection.integer(journal.isActive ? journal.lsn : 0);
  }

  #flow(connection: ClientConnection, args: readonly Buffer[]): void {
    const request = parseFlowRequest(args);
    if (typeof request === "string") return connection.error(request);
    if (request.masterId !== this.#options.masterId) return connection.error(BAD_MASTER_ID);
    const { flow } = request;
    if (flow === undefined || flow >= this.#registry.journals.length) return connection.error(NOT_AN_INTEGER);
    this.#withSession(connection, request.syncId, (session) => this.#openFlow(connection, { session, request, flow }));
  }

  #openFlow(
    connection: ClientConnection,
    {
      session,
      request,
      flow,
    }: { readonly session: ReplicaSession; readonly request: ParsedFlowRequest; readonly flow: number },
  ): void {
    if (session.state !== "preparation") return connection.error(INVALID_STATE);
    const journal = this.#registry.journals[flow];
    journal?.start();
    const wanted = this.#wantedLsn(request, flow);
    if (wanted === "unequal") return connection.error(SYNTAX_ERROR);
    const partialLsn = wanted !== undefined && journal?.canServe(wanted) === true ? wanted : undefined;
    const eofToken = randomBytes(EOF_TOKEN_BYTES).toString("hex");
    connection.attributes.set("name", `repl_flow_${session.syncId}`);
    connection.arrayHead(2);
    connection.simple(partialLsn === undefined ? "FULL" : "PARTIAL");
    connection.simple(eofToken);
    const onRequest = (args: readonly Buffer[]): void => this.#onFlowRequest(session, flow, args);
    this.#registry.openFlow({ session, flow, partialLsn, eofToken, connection, onRequest });
    this.#options.onFlow(connection, session);
  }

  /** The LSN that decides about a partial sync; `unequal`: a vector for another number of shards. */
  #wantedLsn({ lsn, lastMaster }: ParsedFlowRequest, flow: number): number | undefined | "unequal" {
    if (lastMaster === undefined) return lsn;
    if (lastMaster.id !== this.#options.lastMasterId) return undefined;
    return lastMaster.lsns.length === this.#registry.journals.length ? lastMaster.lsns[flow] : "unequal";
  }

  /** On a flow only acknowledgements mean something, and nothing is answered. */
  #onFlowRequest(session: ReplicaSession, flow: number, args: readonly Buffer[]): void {
    const lsn = unsigned(args[2]);
    if (upper(args[0]) !== "REPLCONF" || upper(args[1]) !== "ACK" || args.length !== 3 || lsn === undefined) return;
    this.#registry.acknowledge(session, flow, lsn);
  }

  #sync(connection: ClientConnection, session: ReplicaSession): void {
    const { core, settings } = this.#registry;
    const { format } = settings;
    const { heapUsed } = process.memoryUsage();
    const started = session.sync((flow, index) => {
      const header = rdbHeader({
        dragonflyVersion: core.dragonflyVersion,
        flow: index,
        shardCount: core.shards.length,
        nowMs: core.nowMs(),
        usedBytes: heapUsed,
        tableBytes: 512 * 1024 * core.shards.length,
        scripts: this.#options.scripts(),
      });
      flow.startSnapshot(format, header);
    });
    if (started) connection.simple("OK");
    else connection.error(INVALID_STATE);
  }

  /** The real master, too, answers only when every snapshot has been written to its end. */
  #startStable(connection: ClientConnection, session: ReplicaSession): void {
    const answer = (): void => {
      if (session.startStable()) connection.simple("OK");
      else connection.error(INVALID_STATE);
    };
    if (!session.canStartStable || session.isWalked) return answer();
    const goOn = connection.suspend();
    void session.whenWalked().then(() => {
      answer();
      goOn();
    });
  }

  #takeOver(connection: ClientConnection, rest: readonly Buffer[]): void {
    const seconds = Math.ceil(Number(rest[0]?.toString("latin1") || Number.NaN));
    if (Number.isNaN(seconds)) return connection.error(NOT_A_FLOAT);
    if (seconds < 0) return connection.error(NEGATIVE_TIMEOUT);
    if (rest.length === 3 && upper(rest[1]) !== "SAVE") return connection.error(SYNTAX_ERROR);
    this.#withSession(connection, rest.at(-1), (session) => {
      if (session.state !== "stable") return connection.error(INVALID_STATE);
      const goOn = connection.suspend();
      void this.#runTakeover(connection, session, seconds * 1000).then(goOn);
    });
  }

  async #runTakeover(connection: ClientConnection, session: ReplicaSession, timeoutMs: number): Promise<void> {
    const deadlineMs = this.#registry.core.nowMs() + timeoutMs;
    if (!(await this.#takeover.run(session, timeoutMs))) {
      connection.error(TAKEOVER_FAILED);
      return;
    }
    connection.simple("OK");
    void this.#takeover.shutDown(session, deadlineMs);
  }

  #withSession(
    connection: ClientConnection,
    syncId: Buffer | string | undefined,
    use: (session: ReplicaSession) => void,
  ): void {
    const [, digits] = /^SYNC(\d{1,10})$/.exec(syncId?.toString("latin1") ?? "") ?? [];
    if (digits === undefined) return connection.error(BAD_SYNC_ID);
    const session = this.#registry.session(Number(digits));
    if (session === undefined) connection.error(SYNC_ID_NOT_FOUND);
    else use(session);
  }
}
