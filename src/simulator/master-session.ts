/**
 * One sync session of the simulated master: which flows are connected, in which state it is, what each replica flow has acknowledged. Answers as a
 * real master does (the errors are those of test/fixtures/recordings/<version>/dialogs.ndjson) and tells breaches of docs/protocol.md §2.
 * Owns its flow players; closing it closes every flow, and for good.
 */
import type { Socket } from "node:net";
import { FlowPlayer } from "./flow-player.ts";
import { lsnAt } from "./journal-index.ts";
import type { RecordedFlow, RecordedPart } from "./recording.ts";

export const OK = "+OK\r\n";
export const INVALID_STATE = "-ERR invalid state\r\n";

export type SessionState = "preparation" | "full_sync" | "stable" | "closed";

export type SessionEvents = {
  breach(what: string): void;
  stable(): void;
  acked(flow: number, lsn: number): void;
  closed(): void;
};

export type FlowRequest = { readonly flow: number; readonly lsn: number | undefined; readonly socket: Socket };

export class MasterSession {
  readonly syncId: string;
  readonly #part: RecordedPart;
  readonly #events: SessionEvents;
  readonly #pieceBytes: number | undefined;
  readonly #holds: ReadonlyMap<number, number>;
  readonly #players: (FlowPlayer | undefined)[];
  readonly #acks: number[][];
  #state: SessionState = "preparation";

  constructor(options: {
    readonly syncId: string;
    readonly part: RecordedPart;
    readonly events: SessionEvents;
    readonly pieceBytes: number | undefined;
    /** Holds for flows that are not open yet: flow → offset. */
    readonly holds: ReadonlyMap<number, number>;
  }) {
    this.syncId = options.syncId;
    this.#part = options.part;
    this.#events = options.events;
    this.#pieceBytes = options.pieceBytes;
    this.#holds = options.holds;
    this.#players = options.part.flows.map(() => undefined);
    this.#acks = options.part.flows.map(() => []);
  }

  get state(): SessionState {
    return this.#state;
  }

  acks(flow: number): readonly number[] {
    return this.#acks[flow] ?? [];
  }

  sentBytes(flow: number): number {
    return this.#players[flow]?.flushedBytes ?? 0;
  }

  /** Highest LSN that the replica can know of; 0 while no journal is active. */
  sentLsn(flow: number): number {
    const recorded = this.#part.flows[flow];
    if (recorded === undefined || this.#state !== "stable") return 0;
    return lsnAt(recorded.journal, this.sentBytes(flow));
  }

  holdFlowAt(flow: number, offset: number): void {
    this.#players[flow]?.holdAt(offset);
  }

  /** An error reply, or undefined when the flow was opened and its recorded reply is on the way. */
  openFlow({ flow, lsn, socket }: FlowRequest): string | undefined {
    const recorded = this.#part.flows[flow];
    if (recorded === undefined)
      return this.#refuse(`DFLY FLOW for flow ${flow}`, "-ERR value is not an integer or out of range\r\n");
    if (this.#state !== "preparation") return this.#refuse(`DFLY FLOW in state ${this.#state}`, INVALID_STATE);
    if (this.#players[flow] !== undefined) this.#events.breach(`flow ${flow} was opened twice`);
    const wanted = recorded.fullSyncEnd === undefined ? recorded.journal.startLsn : undefined;
    if (wanted !== undefined && lsn !== wanted)
      this.#events.breach(`flow ${flow} asks for LSN ${lsn ?? "none"}, the recording starts at ${wanted}`);
    const player = new FlowPlayer({ bytes: recorded.master, socket, pieceBytes: this.#pieceBytes });
    player.holdAt(this.#holds.get(flow) ?? Infinity);
    player.release(recorded.replyEnd);
    this.#players[flow] = player;
    return undefined;
  }

  sync(): string {
    if (this.#state !== "preparation") return this.#refuse(`DFLY SYNC in state ${this.#state}`, INVALID_STATE);
    const missing = this.#missingFlow();
    if (missing !== undefined) return this.#refuse(`DFLY SYNC before flow ${missing} was opened`, INVALID_STATE);
    if (this.#part.partial) return this.#refuse("DFLY SYNC after the flows were answered PARTIAL", INVALID_STATE);
    this.#state = "full_sync";
    this.#eachFlow((player, recorded) => player.release(recorded.syncEnd));
    return OK;
  }

  startStable(): string {
    const ready = this.#state === (this.#part.partial ? "preparation" : "full_sync");
    if (!ready) return this.#refuse(`DFLY STARTSTABLE in state ${this.#state}`, INVALID_STATE);
    const missing = this.#missingFlow();
    if (missing !== undefined) return this.#refuse(`DFLY STARTSTABLE before flow ${missing} was opened`, INVALID_STATE);
    this.#eachFlow((player, recorded) => this.#checkCut(player, recorded));
    this.#state = "stable";
    this.#events.stable();
    this.#eachFlow((player, recorded) => player.release(recorded.master.length));
    return OK;
  }

  /** `REPLCONF ACK` on a flow; a real master answers nothing, right or wrong. */
  ack(flow: number, text: string): void {
    const lsn = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    const wrong = this.#wrongAck(flow, lsn);
    if (wrong !== undefined) this.#events.breach(`flow ${flow}: REPLCONF ACK ${text} ${wrong}`);
    this.#acks[flow]?.push(lsn);
    this.#events.acked(flow, lsn);
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const player of this.#players) player?.close();
    this.#events.closed();
  }

  /** Invariant I1 as far as a socket shows it: FULLSYNC_END cannot have arrived before the kernel took it. */
  #checkCut(player: FlowPlayer, recorded: RecordedFlow): void {
    const needed = recorded.fullSyncEnd ?? 0;
    if (player.flushedBytes >= needed) return;
    const sent = `${player.flushedBytes} of ${needed} bytes`;
    this.#events.breach(`DFLY STARTSTABLE before flow ${recorded.flow} was sent its FULLSYNC_END (${sent})`);
  }

  #wrongAck(flow: number, lsn: number): string | undefined {
    const recorded = this.#part.flows[flow];
    if (recorded === undefined || Number.isNaN(lsn)) return "is not a number";
    if (this.#state !== "stable" || this.sentBytes(flow) < recorded.stableStart)
      return "came before the stable journal";
    if (lsn < recorded.journal.startLsn) return `is below the first LSN, ${recorded.journal.startLsn}`;
    const last = this.acks(flow).at(-1);
    if (last !== undefined && lsn < last) return `came after ${last}`;
    if (lsn > recorded.finalLsn) return `is beyond the recording's end, ${recorded.finalLsn}`;
    const sent = this.sentLsn(flow);
    return lsn > sent ? `is beyond what was sent, ${sent}` : undefined;
  }

  #missingFlow(): number | undefined {
    const missing = this.#players.indexOf(undefined);
    return missing < 0 ? undefined : missing;
  }

  #eachFlow(visit: (player: FlowPlayer, recorded: RecordedFlow) => void): void {
    for (const [i, recorded] of this.#part.flows.entries()) {
      const player = this.#players[i];
      if (player !== undefined) visit(player, recorded);
    }
  }

  #refuse(what: string, reply: string): string {
    this.#events.breach(what);
    return reply;
  }
}
