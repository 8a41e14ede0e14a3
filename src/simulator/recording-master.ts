/**
 * A Dragonfly master that plays a recording on a port: for tests and the demo. It answers the handshake with the recorded replies, honours the
 * recording's gates, closes every flow when one connection of a session closes, and collects what a client did out of order in `errors`.
 * Every session plays the recording from its start. Never part of the product's data path.
 */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { MasterConnection, type MasterContext } from "./master-connection.ts";
import { MasterSession } from "./master-session.ts";
import type { RecordedFlow, RecordedPart, Recording } from "./recording.ts";
import { Waiters } from "./waiters.ts";

export type RecordingMasterOptions = {
  readonly recording: Recording;
  /** Play the second part: the connections after the link was cut, which resume by LSN. */
  readonly second?: boolean;
  /** Send in pieces of that size. A network may join them: for exact pieces the receiver has to cut. */
  readonly chunkBytes?: number;
  readonly user?: string;
  readonly password?: string;
  /** 0 or undefined: a free one. */
  readonly port?: number;
  /** PEM. With `ca`, clients must show a certificate that it signed. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string };
  /** Called as STARTSTABLE is granted, before any byte behind it is sent. */
  readonly onStable?: () => void;
};

const HOST = "127.0.0.1";

export async function startRecordingMaster(options: RecordingMasterOptions): Promise<RecordingMaster> {
  const master = new RecordingMaster(options);
  await master.listen(options.port ?? 0);
  return master;
}

export class RecordingMaster implements AsyncDisposable {
  /** Requests that were illegal, in words, in the order they came. */
  readonly errors: string[] = [];
  readonly #part: RecordedPart;
  readonly #options: RecordingMasterOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #sessions: MasterSession[] = [];
  readonly #holds = new Map<number, number>();
  readonly #waiters = new Waiters();

  constructor(options: RecordingMasterOptions) {
    const part = options.second ? options.recording.second : options.recording.first;
    if (part === undefined)
      throw new Df2RedisError("USAGE", `The recording ${options.recording.name} has no second part.`);
    this.#part = part;
    this.#options = options;
    this.#server = options.tls
      ? tlsServer(options.tls, (socket) => this.#accept(socket))
      : createServer((socket) => this.#accept(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `host:port` */
  get address(): string {
    return `${HOST}:${this.port}`;
  }

  get masterId(): string {
    return this.#part.masterId;
  }

  get flowCount(): number {
    return this.#part.flows.length;
  }

  /** Sessions so far, dead ones included. */
  get sessionCount(): number {
    return this.#sessions.length;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, HOST, resolve);
    });
  }

  /** The LSN that the journal of `flow` starts at: what the first acknowledgement says. */
  startLsn(flow: number): number {
    return this.#flow(flow).journal.startLsn;
  }

  /** What the real replica acknowledged last on `flow`. */
  finalLsn(flow: number): number {
    return this.#flow(flow).finalLsn;
  }

  /** What the latest session's `flow` has acknowledged, in order. */
  acks(flow: number): readonly number[] {
    return this.#session?.acks(flow) ?? [];
  }

  /** Bytes of the latest session's `flow` that the kernel has taken, the reply to DFLY FLOW included. */
  sentBytes(flow: number): number {
    return this.#session?.sentBytes(flow) ?? 0;
  }

  /** When STARTSTABLE has been granted. */
  whenStable(): Promise<void> {
    return this.#waiters.until(() => this.#session?.state === "stable");
  }

  /** When `flow` has acknowledged `lsn` or more. */
  whenAcked(flow: number, lsn: number): Promise<void> {
    return this.#waiters.until(() => this.acks(flow).some((acked) => acked >= lsn));
  }

  /** When every flow has acknowledged its final LSN. */
  async whenAllAcked(): Promise<void> {
    await Promise.all(this.#part.flows.map(({ flow, finalLsn }) => this.whenAcked(flow, finalLsn)));
  }

  /** When the latest session is over. */
  whenClosed(): Promise<void> {
    return this.#waiters.until(() => this.#session?.state === "closed");
  }

  /** When `bytes` of `flow` are with the kernel, which is when a held flow has nothing more to send. */
  whenSent(flow: number, bytes: number): Promise<void> {
    return this.#waiters.untilPolled(() => this.sentBytes(flow) >= bytes);
  }

  /** Keeps `flow` from sending bytes at or beyond `offset`, in this session and later ones, until `releaseFlow`. */
  holdFlowAt(flow: number, offset: number): void {
    this.#holds.set(flow, offset);
    this.#session?.holdFlowAt(flow, offset);
  }

  releaseFlow(flow: number): void {
    this.#holds.delete(flow);
    this.#session?.holdFlowAt(flow, Infinity);
  }

  /** Breaks the link as a fault between the two would: every flow of the session closes, the control connection stays. */
  cutFlows(): void {
    this.#session?.close();
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const session of this.#sessions) session.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#waiters.fail(new Df2RedisError("CONNECTION_LOST", "The simulated master was stopped."));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #session(): MasterSession | undefined {
    return this.#sessions.at(-1);
  }

  #flow(flow: number): RecordedFlow {
    const recorded = this.#part.flows[flow];
    if (recorded === undefined) throw new Df2RedisError("USAGE", `The recording has no flow ${flow}.`);
    return recorded;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    new MasterConnection(socket, this.#context());
  }

  #context(): MasterContext {
    return {
      user: this.#options.user ?? "default",
      password: this.#options.password,
      masterId: this.#part.masterId,
      breach: (what) => this.errors.push(what),
      createSession: () => this.#createSession(),
      session: (syncId) => this.#sessions.find((session) => session.syncId === syncId && session.state !== "closed"),
      greeting: (session) => this.#greeting(session),
      info: () => this.#info(),
      replicaOffset: () => this.#replicaOffset(),
    };
  }

  #createSession(): MasterSession {
    const first = Number(this.#part.syncId.slice("SYNC".length));
    const session = new MasterSession({
      syncId: `SYNC${first + this.#sessions.length}`,
      part: this.#part,
      pieceBytes: this.#options.chunkBytes,
      holds: this.#holds,
      events: {
        breach: (what) => this.errors.push(what),
        stable: () => {
          this.#options.onStable?.();
          queueMicrotask(() => this.#waiters.check());
        },
        acked: () => this.#waiters.check(),
        closed: () => this.#waiters.check(),
      },
    });
    this.#sessions.push(session);
    return session;
  }

  /** As recorded; only the sync id counts up with the sessions, as a real master's does. */
  #greeting(session: MasterSession): Buffer {
    const recorded = this.#part.control.find(
      ({ request }) => request.join(" ").toLowerCase() === "replconf capa dragonfly",
    );
    const reply = recorded?.reply.toString("latin1") ?? "";
    return Buffer.from(reply.replace(`+${this.#part.syncId}\r\n`, `+${session.syncId}\r\n`), "latin1");
  }

  #info(): string {
    const { dragonfly } = this.#options.recording.manifest;
    const server = `# Server\r\nredis_version:7.4.0\r\ndragonfly_version:${dragonfly}\r\nredis_mode:standalone\r\n`;
    return `${server}\r\n# Replication\r\nrole:master\r\nmaster_replid:${this.#part.masterId}\r\n`;
  }

  #replicaOffset(): string {
    const lsns = this.#part.flows.map(({ flow }) => this.#session?.sentLsn(flow) ?? 0);
    return `*${lsns.length}\r\n${lsns.map((lsn) => `:${lsn}\r\n`).join("")}`;
  }
}

function tlsServer(tls: NonNullable<RecordingMasterOptions["tls"]>, accept: (socket: Socket) => void): Server {
  return createTlsServer(
    { key: tls.key, cert: tls.cert, ca: tls.ca, requestCert: tls.ca !== undefined, rejectUnauthorized: true },
    accept,
  );
}
