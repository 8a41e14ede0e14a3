/**
 * One client's connection to the simulated master: authentication, then requests. It is a control connection once `REPLCONF capa dragonfly` came,
 * a flow once `DFLY FLOW` was granted. On a flow nothing but the recorded bytes is written. Owns its socket's reading side.
 */
import type { Socket } from "node:net";
import { HandshakeOrder, type HandshakeStep } from "./handshake-order.ts";
import { INVALID_STATE, type MasterSession, OK } from "./master-session.ts";
import { type Request, RequestParser } from "./request-parser.ts";

const SYNTAX_ERROR = "-ERR syntax error\r\n";
const NOT_AN_INTEGER = "-ERR value is not an integer or out of range\r\n";

/** What a connection needs of the master. */
export type MasterContext = {
  readonly user: string;
  /** undefined: no password wanted. */
  readonly password: string | undefined;
  readonly masterId: string;
  breach(what: string): void;
  /** Starts a session with this connection as its control connection. */
  createSession(): MasterSession;
  /** A session by its sync id, dead or unknown ones undefined. */
  session(syncId: string): MasterSession | undefined;
  /** The recorded reply to `capa dragonfly`, with the session's sync id in it. */
  greeting(session: MasterSession): Buffer;
  info(): string;
  replicaOffset(): string;
};

export class MasterConnection {
  readonly #socket: Socket;
  readonly #master: MasterContext;
  readonly #parser = new RequestParser();
  readonly #order = new HandshakeOrder();
  #authenticated: boolean;
  /** The session that this connection belongs to, as control or as a flow. */
  #session: MasterSession | undefined;
  #flow: number | undefined;

  constructor(socket: Socket, master: MasterContext) {
    this.#socket = socket;
    this.#master = master;
    this.#authenticated = master.password === undefined;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    // A reset is a way to close.
    socket.on("error", () => {});
    socket.on("close", () => this.#session?.close());
  }

  #receive(chunk: Buffer): void {
    try {
      for (const request of this.#parser.push(chunk)) this.#handle(request);
    } catch (error) {
      this.#master.breach(error instanceof Error ? error.message : String(error));
      this.#socket.end("-ERR Protocol error\r\n");
    }
  }

  #handle(request: Request): void {
    const name = word(request[0]);
    if (this.#flow !== undefined) return this.#onFlow(this.#flow, name, request);
    const reply = this.#authenticated || name === "AUTH" ? this.#answer(name, request) : this.#notAuthenticated(name);
    if (reply !== undefined) this.#socket.write(reply);
  }

  #onFlow(flow: number, name: string, request: Request): void {
    if (name === "REPLCONF" && word(request[1]) === "ACK" && request.length === 3)
      this.#session?.ack(flow, request[2] ?? "");
    else this.#master.breach(`flow ${flow}: ${show(request)}`);
  }

  #notAuthenticated(name: string): string {
    this.#master.breach(`${name} before AUTH`);
    return "-NOAUTH Authentication required.\r\n";
  }

  #answer(name: string, request: Request): string | Buffer | undefined {
    switch (name) {
      case "AUTH":
        return this.#auth(request);
      case "PING":
        return this.#step("PING", "+PONG\r\n");
      case "REPLCONF":
        return this.#replconf(request);
      case "DFLY":
        return this.#dfly(request);
      case "INFO":
        return bulk(this.#master.info());
      case "ROLE":
        return "*2\r\n$6\r\nmaster\r\n*0\r\n";
      case "CLIENT":
        return OK;
      default:
        this.#master.breach(`unknown command ${show(request)}`);
        return `-ERR unknown command \`${name}\`\r\n`;
    }
  }

  #auth(request: Request): string {
    const breach = this.#order.check("AUTH");
    if (breach !== undefined) this.#master.breach(breach);
    const user = request.length > 2 ? request[1] : "default";
    const { password } = this.#master;
    // A master without a password takes any, since its default user has none.
    if (password === undefined) return OK;
    if (user === this.#master.user && request.at(-1) === password) {
      this.#authenticated = true;
      return OK;
    }
    this.#master.breach("AUTH with a wrong user or password");
    return "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
  }

  #step(step: HandshakeStep, reply: string): string {
    const breach = this.#order.check(step);
    if (breach !== undefined) this.#master.breach(breach);
    return reply;
  }

  #replconf(request: Request): string | Buffer | undefined {
    const what = word(request[1]);
    const value = request[2] ?? "";
    const capabilities = request.slice(1).join(" ").toLowerCase();
    if (what === "ACK") return this.#lostAck(request);
    if (what === "LISTENING-PORT") return this.#step("listening-port", /^\d+$/.test(value) ? OK : NOT_AN_INTEGER);
    if (what === "IP-ADDRESS") return this.#step("ip-address", OK);
    if (capabilities === "capa eof capa psync2") return this.#step("capa psync2", OK);
    if (capabilities === "capa dragonfly") return this.#greet();
    if (what === "CLIENT-ID") return this.#step("CLIENT-ID", OK);
    if (what === "CLIENT-VERSION") return this.#step("CLIENT-VERSION", /^\d+$/.test(value) ? OK : NOT_AN_INTEGER);
    this.#master.breach(`unknown request ${show(request)}`);
    return SYNTAX_ERROR;
  }

  #lostAck(request: Request): undefined {
    this.#master.breach(`${show(request)} on a connection that is no flow`);
  }

  #greet(): Buffer {
    this.#step("capa dragonfly", OK);
    this.#session?.close();
    this.#session = this.#master.createSession();
    return this.#master.greeting(this.#session);
  }

  #dfly(request: Request): string | undefined {
    const what = word(request[1]);
    if (what === "REPLICAOFFSET") return this.#master.replicaOffset();
    if (what === "FLOW") return this.#openFlow(request);
    const session = what === "SYNC" || what === "STARTSTABLE" ? this.#find(request[2] ?? "") : unknown(request);
    if (typeof session === "string") {
      this.#master.breach(`${show(request)}: ${session.slice(1).trim()}`);
      return session;
    }
    if (session !== this.#session)
      this.#master.breach(`${show(request)} on a connection that is not its session's control connection`);
    return what === "SYNC" ? session.sync() : session.startStable();
  }

  #openFlow(request: Request): string | undefined {
    const refusal = this.#checkFlow(request);
    if (refusal === undefined) return undefined;
    this.#master.breach(`${show(request)}: ${refusal.slice(1).trim()}`);
    return refusal;
  }

  /** An error reply, or undefined when this connection has become a flow. */
  #checkFlow(request: Request): string | undefined {
    const [, , masterId, syncId = "", number = ""] = request;
    if (masterId !== this.#master.masterId) return "-ERR bad master id\r\n";
    const lsn = wantedLsn(request);
    if (!/^\d+$/.test(number) || lsn === "invalid") return NOT_AN_INTEGER;
    const session = this.#find(syncId);
    if (typeof session === "string") return session;
    if (this.#session !== undefined) return INVALID_STATE;
    const flow = Number(number);
    // Said before the reply goes out: an acknowledgement may follow at once.
    this.#flow = flow;
    this.#session = session;
    const refusal = session.openFlow({ flow, lsn, socket: this.#socket });
    if (refusal === undefined) return undefined;
    this.#flow = undefined;
    this.#session = undefined;
    return refusal;
  }

  #find(syncId: string): MasterSession | string {
    if (!/^SYNC\d+$/.test(syncId)) return "-ERR bad sync id\r\n";
    return this.#master.session(syncId) ?? "-ERR syncid not found\r\n";
  }
}

/** The LSN of `DFLY FLOW … lsn` or, of the lineage form `… last_master_id lsn0-lsn1-…`, this flow's. */
function wantedLsn(request: Request): number | undefined | "invalid" {
  const text = request.length > 6 ? request[6]?.split("-")[Number(request[4])] : request[5];
  if (request.length <= 5) return undefined;
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : "invalid";
}

function unknown(request: Request): string {
  return `-ERR Unknown subcommand or wrong number of arguments for '${request[1] ?? ""}'. Try DFLY HELP.\r\n`;
}

function word(argument: string | undefined): string {
  return (argument ?? "").toUpperCase();
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** A request as a message shows it; passwords never come here. */
function show(request: Request): string {
  return request.join(" ").slice(0, 120);
}
