/**
 * A replica for tests: does the handshake by hand over raw connections, decodes each flow with the product's decoder into a `ReplicaModel`, and
 * acknowledges only when it is told to.
 */
import { DEFAULT_DECODE_LIMITS } from "../../src/bytes/decode-limits.ts";
import { FlowDecoder } from "../../src/source/flow-decoder.ts";
import { RawConnection } from "./raw-connection.ts";
import { ReplicaModel } from "./replica-model.ts";

export type TestFlow = {
  readonly connection: RawConnection;
  readonly model: ReplicaModel;
  readonly kind: string;
  readonly decoder: FlowDecoder<unknown>;
};

export class TestReplica {
  readonly control: RawConnection;
  readonly masterId: string;
  readonly syncId: string;
  readonly flowCount: number;
  readonly flows: TestFlow[] = [];
  readonly #port: number;
  readonly #decoded: number[] = [];

  private constructor(control: RawConnection, port: number, greeting: string) {
    const [, masterId = "", syncId = "", flowCount = ""] = greeting.split("\r\n");
    this.control = control;
    this.#port = port;
    this.masterId = masterId.slice(1);
    this.syncId = syncId.slice(1);
    this.flowCount = Number(flowCount.slice(1));
  }

  static async greet(port: number, greetingLines = 6): Promise<TestReplica> {
    const control = await RawConnection.open(port);
    await control.ask("REPLCONF listening-port 6666");
    await control.ask("REPLCONF capa eof capa psync2");
    return new TestReplica(control, port, await control.ask("REPLCONF capa dragonfly", greetingLines));
  }

  /** Greets, opens every flow, and goes through the full sync to the stable phase. */
  static async join(port: number): Promise<TestReplica> {
    const replica = await TestReplica.greet(port);
    await replica.openFlows(() => "");
    await replica.sync();
    await replica.startStable();
    return replica;
  }

  /** @param tail what each request says behind the flow's number */
  async openFlows(tail: (flow: number) => string): Promise<void> {
    for (let flow = 0; flow < this.flowCount; flow++) this.flows.push(await this.openFlow(flow, tail(flow)));
  }

  async openFlow(flow: number, tail: string): Promise<TestFlow> {
    const connection = await RawConnection.open(this.#port);
    const reply = await connection.ask(`DFLY FLOW ${this.masterId} ${this.syncId} ${flow} ${tail}`, 3);
    const [, kind = "", token = ""] = reply.split("\r\n");
    const model = new ReplicaModel();
    const lsn = Number(tail.split(/[ -]/).at(tail.includes("-") ? flow + 1 : 0));
    const start =
      kind === "+FULL" ? ({ kind: "full", eofToken: token.slice(1) } as const) : ({ kind: "partial", lsn } as const);
    this.#decoded[flow] = reply.length;
    return {
      connection,
      model,
      kind: kind.slice(1),
      decoder: new FlowDecoder({ flow, start, handler: model, limits: DEFAULT_DECODE_LIMITS, bodyLimitBytes: 0 }),
    };
  }

  /** DFLY SYNC, and waits for every FULLSYNC_END. */
  async sync(): Promise<void> {
    const reply = await this.control.ask(`DFLY SYNC ${this.syncId}`);
    if (reply !== "+OK\r\n") throw new Error(`DFLY SYNC: ${reply}`);
    await this.until(() => this.flows.every(({ model }) => model.isFullSyncEnded));
  }

  async startStable(): Promise<void> {
    const reply = await this.control.ask(`DFLY STARTSTABLE ${this.syncId}`);
    if (reply !== "+OK\r\n") throw new Error(`DFLY STARTSTABLE: ${reply}`);
    await this.until(() => this.flows.every(({ decoder }) => decoder.lsn >= 0));
  }

  /** LSN of the next entry, per flow. */
  get lsns(): number[] {
    return this.flows.map(({ decoder }) => decoder.lsn);
  }

  ack(flow: number, lsn = this.lsns[flow] ?? 0): void {
    this.flows[flow]?.connection.send(`REPLCONF ACK ${lsn}\r\n`);
  }

  ackAll(): void {
    for (const flow of this.flows.keys()) this.ack(flow);
  }

  /** Waits until all of the master's entries have come. */
  async catchUp(lsns: readonly number[]): Promise<void> {
    await this.until(() => this.lsns.every((lsn, i) => lsn >= (lsns[i] ?? 0)));
  }

  /** Decodes what comes on every flow until `condition` holds. */
  async until(condition: () => boolean): Promise<void> {
    const isMet = (): boolean => {
      for (const [i, flow] of this.flows.entries()) this.#decode(i, flow);
      return condition();
    };
    await Promise.race(this.flows.map(({ connection }) => connection.until(isMet)));
    while (!isMet()) {
      if (this.flows.some(({ connection }) => connection.closed)) throw new Error("a flow has closed");
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
  }

  close(): void {
    this.control.close();
    for (const { connection } of this.flows) connection.close();
  }

  #decode(i: number, { connection, decoder }: TestFlow): void {
    const from = this.#decoded[i] ?? 0;
    if (connection.size === from) return;
    decoder.push(connection.bytes().subarray(from));
    this.#decoded[i] = connection.size;
    decoder.decode();
  }
}
