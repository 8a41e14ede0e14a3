/** `REPLCONF …` on a control connection (docs/protocol.md §1; Dragonfly src/server/server_family.cc ReplConf; dialogs.ndjson of the recordings). */
import type { ClientConnection } from "../replication-handler.ts";
import type { ReplicaRegistry } from "./replica-registry.ts";
import type { ReplicaSession } from "./replica-session.ts";
import { NOT_AN_INTEGER, SYNTAX_ERROR, unsigned, upper } from "./words.ts";

export type ReplconfOptions = {
  readonly masterId: string;
  readonly protocolVersion: number;
  /** Elements of the greeting: 3, 4 or 5. */
  readonly greetingElements: number;
  readonly lineageId: string;
  readonly onSession: (connection: ClientConnection, session: ReplicaSession) => void;
};

/** What a connection has told about its replica. */
type Introduction = { address: string; listeningPort: number; session: ReplicaSession | undefined };

export class ReplconfCommands {
  readonly #registry: ReplicaRegistry;
  readonly #options: ReplconfOptions;
  readonly #introductions = new WeakMap<ClientConnection, Introduction>();

  constructor(registry: ReplicaRegistry, options: ReplconfOptions) {
    this.#registry = registry;
    this.#options = options;
  }

  run(connection: ClientConnection, args: readonly Buffer[]): void {
    const pairs = args.slice(1);
    if (pairs.length % 2 === 1) return connection.error(SYNTAX_ERROR);
    // On a connection that is no flow an acknowledgement means nothing, and is not answered.
    if (pairs.length === 2 && upper(pairs[0]) === "ACK") return;
    if (pairs.length === 2 && upper(pairs[0]) === "CAPA" && pairs[1]?.toString() === "dragonfly")
      return this.#greet(connection);
    for (let i = 0; i < pairs.length; i += 2) {
      const error = this.#set(connection, { name: upper(pairs[i]), value: pairs[i + 1], isAlone: pairs.length === 2 });
      if (error !== undefined) return connection.error(error);
    }
    connection.simple("OK");
  }

  /** An error text, or undefined. */
  #set(
    connection: ClientConnection,
    option: { readonly name: string; readonly value: Buffer | undefined; readonly isAlone: boolean },
  ): string | undefined {
    const introduction = this.#introductionOf(connection);
    const { name, value, isAlone } = option;
    const number = unsigned(value);
    if (name === "CAPA") return undefined;
    if (name === "IP-ADDRESS") introduction.address = value?.toString() ?? "";
    else if (name === "LISTENING-PORT") {
      if (number === undefined) return NOT_AN_INTEGER;
      introduction.listeningPort = number;
    } else if (name === "CLIENT-ID" && isAlone) {
      if (introduction.session !== undefined) introduction.session.clientId = value?.toString() ?? "";
    } else if (name === "CLIENT-VERSION" && isAlone) {
      if (number === undefined) return NOT_AN_INTEGER;
      if (introduction.session !== undefined) introduction.session.clientVersion = number;
    } else return SYNTAX_ERROR;
    return undefined;
  }

  #greet(connection: ClientConnection): void {
    const { masterId, protocolVersion, greetingElements, lineageId } = this.#options;
    const introduction = this.#introductionOf(connection);
    const session = this.#registry.createSession(introduction);
    introduction.session = session;
    connection.attributes.set("name", `repl_ctrl_${session.syncId}`);
    this.#options.onSession(connection, session);
    connection.arrayHead(greetingElements);
    connection.simple(masterId);
    connection.simple(`SYNC${session.syncId}`);
    connection.integer(this.#registry.journals.length);
    if (greetingElements > 3) connection.integer(protocolVersion);
    if (greetingElements > 4) connection.simple(lineageId);
  }

  #introductionOf(connection: ClientConnection): Introduction {
    const known = this.#introductions.get(connection);
    if (known !== undefined) return known;
    const introduction = { address: connection.remoteAddress, listeningPort: 0, session: undefined };
    this.#introductions.set(connection, introduction);
    return introduction;
  }
}
