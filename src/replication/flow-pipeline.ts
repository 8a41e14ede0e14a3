/**
 * One flow from its socket to the target's encoder: takes bytes, decodes as far as the sink allows, pauses the socket when it does not, and keeps
 * the two LSNs apart: decoded, and applied (every reply up to it has arrived), which alone is acknowledged (I3).
 *
 * Lives in a worker and is driven by its host: `pump` when there is room again, `tick` once a second.
 */
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { asDf2RedisError } from "../errors/df2redis-error.ts";
import type { FlowConnection } from "../source/flow-connection.ts";
import { FlowDecoder } from "../source/flow-decoder.ts";
import type { KeyPlace } from "../target/key-places.ts";
import type { TargetWriter } from "../target/target-writer.ts";
import type { CommandEncoder } from "../resp/command-encoder.ts";
import type { MemberDeadline } from "../target/translate/member-deadlines.ts";
import type { StreamedValue } from "../target/translate/streamed-value.ts";
import type { FlowCounters } from "./flow-counters.ts";
import { EncodedTime } from "./encoded-time.ts";
import { FlowSink, type FlowSinkOptions } from "./flow-sink.ts";
import { type FlowEvent, type FlowState, nextFlowState } from "./session-state.ts";
import { type FlowMemberDeadline, withBuffers } from "./member-deadlines-file.ts";
import type { FlushRequest } from "./worker-messages.ts";

/** Between the source's clock and ours, and for what is on its way: deadlines are acted upon this much later. */
const DEADLINE_MARGIN_MS = 1000;
/** The reference replica acknowledges after as many entries (docs/protocol.md §2). */
const ACK_ENTRIES = 1024;

export type FlowPipelineEvents = {
  cut(): void;
  snapshotApplied(): void;
  flushReached(request: Omit<FlushRequest, "flow">): void;
  /** Something was encoded that may wait in the writer. */
  encoded(): void;
  /** There is more to decode, though nothing arrived and the writer's window did not move. */
  resumed(): void;
  failed(error: Df2RedisError): void;
};

export type FlowPipelineOptions = Omit<FlowSinkOptions, "events" | "flow"> & {
  readonly connection: FlowConnection;
  /** Where a partial sync starts. */
  readonly startLsn: number | undefined;
  readonly bodyLimitBytes: number;
  readonly counters: FlowCounters;
  readonly events: FlowPipelineEvents;
};

export class FlowPipeline {
  readonly flow: number;
  readonly #options: FlowPipelineOptions;
  readonly #connection: FlowConnection;
  readonly #writer: TargetWriter;
  readonly #sink: FlowSink;
  readonly #decoder: FlowDecoder<StreamedValue>;
  #state: FlowState = "connecting";
  /** Snapshot objects so far. */
  #keys = 0;
  /** The highest LSN that a mark in the writer waits for. */
  #markedLsn = -1;
  #appliedLsn = -1;
  #ackedLsn = -1;
  /** An acknowledgement was asked for up to this LSN. */
  #pingLsn = -1;
  #flush: Omit<FlushRequest, "flow"> | undefined;
  #isDraining = false;
  /** False for a partial sync until the stable sync has begun: its first acknowledgement says where it starts. */
  #mayAcknowledge: boolean;
  readonly #encoded = new EncodedTime();
  /** Unix ms: everything has to be encoded up to then before deadlines are acted upon. The end of the snapshot, or of a partial sync the start. */
  #actFromMs = Number.POSITIVE_INFINITY;

  constructor(options: FlowPipelineOptions) {
    const { connection, startLsn, limits, bodyLimitBytes } = options;
    this.#options = options;
    this.#connection = connection;
    this.flow = connection.flow;
    this.#writer = options.writer;
    const isFull = connection.kind === "full";
    const events = {
      cut: () => this.#onCut(),
      snapshotEnded: (lsn: number) => this.#onSnapshotEnded(lsn),
      flushReached: (request: Omit<FlushRequest, "flow">) => this.#onFlushReached(request),
      ping: () => {
        this.#pingLsn = this.#decoder.lsn;
      },
      encoded: () => options.events.encoded(),
      resumed: () => options.events.resumed(),
      failed: (error: Df2RedisError) => {
        this.halt();
        options.events.failed(error.withContext({ flow: this.flow }));
      },
    };
    const countKey = (typeName: string): void => {
      this.#keys++;
      options.countKey(typeName);
    };
    this.#sink = new FlowSink({ ...options, flow: this.flow, countKey, events }, isFull);
    this.#decoder = new FlowDecoder({
      flow: this.flow,
      start: isFull ? { kind: "full", eofToken: connection.eofToken } : { kind: "partial", lsn: startLsn ?? 0 },
      handler: this.#sink,
      limits,
      bodyLimitBytes,
    });
    this.#advance(isFull ? "openedFull" : "openedPartial");
    this.#mayAcknowledge = isFull;
    if (!isFull) this.#startAt(startLsn ?? 0);
  }

  /** A partial sync: everything before `lsn` was applied by an earlier session. */
  #startAt(lsn: number): void {
    this.#markedLsn = lsn;
    this.#appliedLsn = lsn;
    this.#options.counters.set(this.flow, "lsn", lsn);
    this.#options.counters.set(this.flow, "appliedLsn", lsn);
  }

  get state(): FlowState {
    return this.#state;
  }

  /** Starts reading. */
  attach(): void {
    this.#connection.attach({
      onData: (chunk) => this.#onData(chunk),
      onClose: (error) => {
        if (this.#state === "closed") return;
        this.#advance("close");
        if (error !== undefined)
          this.#options.events.failed(error.withContext({ flow: this.flow, lsn: this.#decoder.lsn }));
      },
    });
  }

  /** Decodes what has arrived, as far as there is room. True when it stopped for lack of bytes, so that nothing decodable is left. */
  pump(): boolean {
    if (this.#state === "closed") return true;
    const { encoder } = this.#writer;
    encoder.flow = this.flow;
    encoder.lsn = -1;
    let status: "needsMore" | "full";
    try {
      status = this.#decoder.decode();
    } catch (thrown) {
      this.halt();
      this.#options.events.failed(asDf2RedisError(thrown));
      return true;
    }
    const { offset, pendingBytes } = this.#decoder;
    const needsMore = status === "needsMore" && !this.#sink.isEditing;
    this.#encoded.decoded({ nowMs: this.#options.clock(), needsMore, offset, pendingBytes });
    this.#count();
    this.#markApplied();
    this.#options.events.encoded();
    if (status === "full" || this.#isDraining) this.#connection.pause();
    else this.#connection.resume();
    return needsMore || this.#sink.isHeld;
  }

  /** Lets the flow go on behind its flush, which has run. */
  releaseFlush(db: number, places: readonly KeyPlace[] | undefined): void {
    if (this.#state !== "barrier") return;
    this.#sink.release(db, places);
    this.#flush = undefined;
    this.#advance("flushReleased");
    this.pump();
  }

  /** STARTSTABLE was accepted: a partial sync acknowledges where it starts. What it has missed comes now, if there is anything. */
  onStableStarted(): void {
    const { startLsn } = this.#options;
    if (this.#connection.kind !== "partial" || this.#state === "closed") return;
    this.#actFromMs = this.#options.clock() + DEADLINE_MARGIN_MS;
    // Entries may have come, and been applied, before this was heard of in a thread of its own.
    this.#connection.sendAck(startLsn ?? 0);
    this.#mayAcknowledge = true;
    if (this.#appliedLsn > (startLsn ?? 0)) this.#acknowledge();
    this.pump();
  }

  /** Once a second: acknowledges, and acts upon deadlines that no entry under way can renew any more. */
  tick(): void {
    if (this.#state !== "stable" && this.#state !== "barrier") return;
    this.#acknowledge();
    if (!this.#sink.isEditing) this.#keepDeadlines();
  }

  /** Reads no more. What has arrived is decoded by `pump`. */
  beginDrain(): void {
    this.#isDraining = true;
    this.#connection.pause();
  }

  /** The scan that arms held deadlines begins: what overflows from here on waits for another one. */
  beginArming(): void {
    this.#sink.deadlines.overflowed = false;
    this.#options.counters.set(this.flow, "overflowed", 0);
  }

  /** Takes over those of this flow from an earlier run. */
  keepMembers(deadlines: readonly FlowMemberDeadline[]): void {
    this.#sink.members.load(deadlines.filter(({ flow }) => flow === this.flow).map(withBuffers));
  }

  /** Deadlines of members that df2redis keeps, as they stand. */
  get memberDeadlines(): IterableIterator<MemberDeadline> {
    return this.#sink.members.entries();
  }

  /** Everything decoded is encoded: puts the held deadlines in place and, once all is applied, acknowledges. */
  endDrain(): void {
    const { deadlines, members } = this.#sink;
    const encoder = this.#deadlineEncoder();
    deadlines.release(encoder, "all");
    members.release(encoder, this.#encoded.upTo(this.#options.clock()) - DEADLINE_MARGIN_MS);
    members.armFields(encoder, "all");
    this.#options.counters.set(this.flow, "overflowed", deadlines.overflowed ? 1 : 0);
    this.#options.events.encoded();
    this.#writer.afterApplied(() => this.#acknowledge());
  }

  /** Closes behind the last acknowledgement. */
  close(): void {
    if (this.#state !== "closed") this.#advance("close");
    this.#connection.end();
  }

  /**
   * Reads, applies and acknowledges nothing any more, but leaves the connection open: a master closes all flows of a session with the first one, and
   * what other workers would say of that must not come before the true reason.
   */
  halt(): void {
    if (this.#state !== "closed") this.#advance("close");
    this.#connection.pause();
  }

  destroy(): void {
    if (this.#state !== "closed") this.#advance("close");
    this.#connection.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#decoder.push(chunk);
    this.pump();
  }

  #onCut(): void {
    this.#advance("cut");
    this.#options.events.cut();
  }

  #onSnapshotEnded(lsn: number): void {
    this.#advance("snapshotEnded");
    this.#actFromMs = this.#options.clock();
    this.#markedLsn = lsn;
    // Before anyone can see that it is applied.
    this.#options.counters.set(this.flow, "lsn", lsn);
    this.#writer.afterApplied(() => {
      this.#applied(lsn);
      this.#acknowledge();
      this.#options.events.snapshotApplied();
    });
  }

  #onFlushReached(request: Omit<FlushRequest, "flow">): void {
    this.#advance("flushReached");
    this.#flush = request;
    this.#writer.afterApplied(() => this.#options.events.flushReached(request));
  }

  #markApplied(): void {
    const lsn = this.#flush?.lsn ?? this.#sink.encodedLsn ?? this.#decoder.lsn;
    if (lsn <= this.#markedLsn) return;
    this.#markedLsn = lsn;
    this.#writer.afterApplied(() => this.#applied(lsn));
  }

  #applied(lsn: number): void {
    this.#appliedLsn = lsn;
    this.#options.counters.set(this.flow, "appliedLsn", lsn);
    const isAsked = this.#pingLsn >= 0 && lsn >= this.#pingLsn;
    if (isAsked || lsn - this.#ackedLsn >= ACK_ENTRIES) this.#acknowledge();
  }

  #acknowledge(): void {
    if (this.#appliedLsn < 0 || this.#state === "closed" || !this.#mayAcknowledge) return;
    this.#connection.sendAck(this.#appliedLsn);
    this.#ackedLsn = this.#appliedLsn;
    if (this.#appliedLsn >= this.#pingLsn) this.#pingLsn = -1;
  }

  #keepDeadlines(): void {
    const { counters, clock, events } = this.#options;
    const { deadlines, members } = this.#sink;
    const nowMs = clock();
    const upToMs = this.#encoded.upTo(nowMs);
    // Not before all that the snapshot's time had in store is behind us.
    if (upToMs < this.#actFromMs) return;
    const encoder = this.#deadlineEncoder();
    // A flow that lags sees renewals later.
    deadlines.marginMs = DEADLINE_MARGIN_MS + Math.max(0, nowMs - upToMs);
    const settledMs = upToMs - DEADLINE_MARGIN_MS;
    if (deadlines.isStable) deadlines.release(encoder, settledMs);
    else {
      deadlines.beginStable();
      // Those in between may have a renewal under way.
      deadlines.release(encoder, settledMs, nowMs + deadlines.marginMs);
    }
    members.release(encoder, settledMs);
    members.armFields(encoder, "settled");
    counters.set(this.flow, "caughtUp", 1);
    counters.set(this.flow, "overflowed", deadlines.overflowed ? 1 : 0);
    counters.set(this.flow, "encodedMs", upToMs);
    events.encoded();
  }

  #deadlineEncoder(): CommandEncoder {
    const { encoder } = this.#writer;
    encoder.flow = this.flow;
    encoder.lsn = -1;
    return encoder;
  }

  #count(): void {
    const { counters } = this.#options;
    counters.set(this.flow, "keys", this.#keys);
    counters.set(this.flow, "journalEntries", this.#decoder.journalEntries);
    counters.set(this.flow, "receivedBytes", this.#connection.bytesRead);
    counters.set(this.flow, "lsn", this.#decoder.lsn);
  }

  #advance(event: FlowEvent): void {
    this.#state = nextFlowState(this.#state, event);
  }
}
