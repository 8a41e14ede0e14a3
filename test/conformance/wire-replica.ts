/**
 * A replica in a test's hands: it does each step of the protocol when it is told to, right or wrong, acknowledges what it is told to, and counts the
 * journal's entries with a walk that shares no code with the product.
 */
import { indexJournal } from "../../src/simulator/journal-index.ts";
import { RawConnection } from "../support/raw-connection.ts";
import type { Reply, RespClient } from "../support/resp-client.ts";
import type { TestSource } from "../support/test-source.ts";

const FULLSYNC_END = Buffer.from([200, 0, 0, 0, 0, 0, 0, 0, 0]);

export type Greeting = {
  readonly masterId: string;
  readonly syncId: string;
  readonly flowCount: number;
  readonly version: number;
  /** The reply as it came. */
  readonly reply: readonly Reply[];
};

export class WireFlow {
  /** Where the stable journal begins in the bytes received; undefined before. */
  journalStart: number | undefined;
  readonly connection: RawConnection;
  readonly kind: string;
  readonly token: string;
  readonly #replyEnd: number;

  constructor(connection: RawConnection, reply: string, replyEnd: number) {
    const [, kind = "", token = ""] = reply.split("\r\n");
    this.connection = connection;
    this.kind = kind.slice(1);
    this.token = token.slice(1);
    this.#replyEnd = replyEnd;
    if (this.kind === "PARTIAL") this.journalStart = replyEnd;
  }

  async untilFullSyncEnd(): Promise<void> {
    await this.connection.until(() => this.connection.bytes().lastIndexOf(FULLSYNC_END) >= this.#replyEnd);
    if (this.connection.closed) throw new Error("the flow was closed in its snapshot");
  }

  async untilStable(): Promise<void> {
    const find = (): number => this.connection.bytes().indexOf(this.token, this.#replyEnd, "latin1");
    await this.connection.until(() => find() >= 0);
    this.journalStart = find() + this.token.length;
  }

  /** Journal entries of the stable phase so far. */
  entries(): number {
    if (this.journalStart === undefined) return 0;
    const bytes = this.connection.bytes();
    return indexJournal(bytes, { start: this.journalStart, end: bytes.length, startLsn: 0 }).ends.length;
  }

  async untilEntries(count: number): Promise<void> {
    // What has arrived may end within an entry.
    const have = (): number => {
      try {
        return this.entries();
      } catch {
        return -1;
      }
    };
    await this.connection.until(() => have() >= count);
  }

  ack(lsn: number): void {
    this.connection.send(`*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$${String(lsn).length}\r\n${lsn}\r\n`);
  }
}

export class WireReplica implements AsyncDisposable {
  readonly control: RespClient;
  readonly greeting: Greeting;
  readonly flows: WireFlow[] = [];
  /** What its next connections ask for, too, so that they are closed with it. */
  readonly #others: RawConnection[] = [];
  readonly #source: TestSource;

  private constructor(source: TestSource, control: RespClient, greeting: Greeting) {
    this.#source = source;
    this.control = control;
    this.greeting = greeting;
  }

  /** The handshake up to CLIENT-VERSION. */
  static async join(source: TestSource, clientVersion = 5): Promise<WireReplica> {
    const control = await source.client();
    await control.call("REPLCONF", "listening-port", 6666);
    await control.call("REPLCONF", "ip-address", "127.0.0.1");
    await control.call("REPLCONF", "capa", "eof", "capa", "psync2");
    const reply = await control.call("REPLCONF", "capa", "dragonfly");
    if (!Array.isArray(reply)) throw new Error(`no greeting: ${String(reply)}`);
    const [masterId, syncId, flowCount, version] = reply as readonly Reply[];
    await control.call("REPLCONF", "CLIENT-ID", "df2redis-conformance");
    await control.call("REPLCONF", "CLIENT-VERSION", clientVersion);
    return new WireReplica(source, control, {
      masterId: String(masterId),
      syncId: String(syncId),
      flowCount: Number(flowCount),
      // The oldest masters do not tell it.
      version: Number(version ?? 0),
      reply: reply as readonly Reply[],
    });
  }

  /** A raw connection, authenticated. */
  async open(): Promise<RawConnection> {
    const { host, port, user = "default", password } = this.#source.endpoint;
    const connection = await RawConnection.open(port, undefined, host);
    this.#others.push(connection);
    if (password !== undefined) await connection.ask(`AUTH ${user} ${password}`);
    return connection;
  }

  /** DFLY FLOW; throws when it is refused. */
  async openFlow(index: number, lsn?: number): Promise<WireFlow> {
    const { masterId, syncId } = this.greeting;
    const connection = await this.open();
    const before = connection.size;
    connection.send(`DFLY FLOW ${masterId} ${syncId} ${index}${lsn === undefined ? "" : ` ${lsn}`}\r\n`);
    const text = (): string => connection.bytes().toString("latin1", before);
    await connection.until(() => /^(-[^\r]*\r\n|\*2\r\n[^\r]*\r\n[^\r]*\r\n)/.test(text()));
    if (!text().startsWith("*2")) throw new Error(`DFLY FLOW was refused: ${text()}`);
    const [reply = ""] = /^\*2\r\n[^\r]*\r\n[^\r]*\r\n/.exec(text()) ?? [];
    const flow = new WireFlow(connection, reply, before + reply.length);
    this.flows[index] = flow;
    return flow;
  }

  async openFlows(lsns?: readonly number[]): Promise<void> {
    for (let i = 0; i < this.greeting.flowCount; i++) await this.openFlow(i, lsns?.[i]);
  }

  async startStable(): Promise<void> {
    await this.control.call("DFLY", "STARTSTABLE", this.greeting.syncId);
  }

  /** All steps of a full sync, up to the stable phase. Gives the LSN at which each flow's journal starts; nobody may write meanwhile. */
  async syncFully(): Promise<number[]> {
    await this.openFlows();
    await this.control.call("DFLY", "SYNC", this.greeting.syncId);
    for (const flow of this.flows) await flow.untilFullSyncEnd();
    await this.startStable();
    for (const flow of this.flows) await flow.untilStable();
    const lsns = await this.control.call("DFLY", "REPLICAOFFSET");
    return Array.isArray(lsns) ? lsns.map(Number) : [];
  }

  /** Closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#others) connection.close();
    this.control.close();
  }
}
