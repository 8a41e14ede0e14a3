/**
 * Where one flow's decoder puts what it reads: snapshot objects and journal entries become commands in the worker's encoder, in the one order in
 * which they came (I2). It also is the flow's brake: `isFull` holds the decoder while the writer's window is full, while the flow waits at a
 * flush barrier (I6), or once it has all that a snapshot-only run wants.
 */
import { Cursor } from "../bytes/cursor.ts";
import type { DecodeLimits } from "../bytes/decode-limits.ts";
import { Slice } from "../bytes/slice.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { JournalCommand } from "../journal/journal-command.ts";
import { beginValue } from "../rdb/begin-value.ts";
import { RDB_TYPE_STREAM_LISTPACKS_2 } from "../rdb/opcodes.ts";
import type { ObjectHeader, ValueKind } from "../rdb/rdb-handler.ts";
import type { FlowHandler } from "../source/flow-decoder.ts";
import type { TargetCapabilities } from "../target/capabilities.ts";
import type { WriteMode } from "../config/schema.ts";
import type { FeaturePlan } from "../target/features.ts";
import { MemberDeadlines } from "../target/translate/member-deadlines.ts";
import type { LossRecorder } from "../target/losses.ts";
import type { TargetWriter } from "../target/target-writer.ts";
import type { DocumentEdit, ForeignDump, UnrunnableRecorder } from "../target/translate/journal-context.ts";
import { HeldDeadlines } from "../target/translate/journal-deadlines.ts";
import { JournalTranslator } from "../target/translate/journal-translator.ts";
import { SnapshotTranslator } from "../target/translate/snapshot-translator.ts";
import type { StreamedValue } from "../target/translate/streamed-value.ts";
import { DocumentEdits } from "./document-edits.ts";
import type { FlushRequest } from "./worker-messages.ts";

export type FlowSinkEvents = {
  /** FULLSYNC_END was read. */
  cut(): void;
  /** The journal starts with the entry `lsn`. */
  snapshotEnded(lsn: number): void;
  /** The flow waits until `release` is called. */
  flushReached(request: Omit<FlushRequest, "flow">): void;
  ping(): void;
  /** Something was encoded outside of a decoder's call, or must be sent so that answers come. */
  encoded(): void;
  /** The flow may go on: it waited for a document's change. */
  resumed(): void;
  failed(error: Df2RedisError): void;
};

export type FlowSinkOptions = {
  readonly flow: number;
  readonly writer: TargetWriter;
  readonly capabilities: TargetCapabilities;
  readonly limits: DecodeLimits;
  readonly losses: LossRecorder;
  readonly plan: FeaturePlan;
  readonly writeMode: WriteMode;
  readonly unrunnable: UnrunnableRecorder;
  /** The string under a key of the target, for documents that are kept as text. */
  readonly readDocument: (db: number, key: Buffer) => Promise<string | undefined>;
  readonly countKey: (typeName: string) => void;
  readonly onDragonflyVersion: (version: string) => void;
  /** Stop at the end of the snapshot. */
  readonly snapshotOnly: boolean;
  readonly events: FlowSinkEvents;
  /** Unix ms. */
  readonly clock: () => number;
};

export class FlowSink extends SnapshotTranslator implements FlowHandler<StreamedValue> {
  readonly deadlines: HeldDeadlines;
  readonly #options: FlowSinkOptions;
  readonly #journal: JournalTranslator;
  /** Active while an object comes from the journal instead of the snapshot. */
  readonly #journaled: { active: boolean };
  #inSnapshot: boolean;
  #held = false;
  readonly #edits: DocumentEdits;
  /** Entries of a snapshot's journal blob behind one whose document is being changed. */
  readonly #queue: JournalCommand[] = [];

  constructor(options: FlowSinkOptions, inSnapshot: boolean) {
    const { writer, capabilities, losses, clock, plan, writeMode } = options;
    const { encoder } = writer;
    const deadlines = new HeldDeadlines({ clock, hasPExpireTime: hasPExpireTime(capabilities) });
    const journaled = { active: false };
    const members = new MemberDeadlines();
    super({
      encoder,
      capabilities,
      losses,
      plan,
      members,
      writeMode,
      isFull: () => writer.isFull(),
      countKey: (typeName) => {
        if (!journaled.active) options.countKey(typeName);
      },
      onAux: (key, value) => {
        if (key.equalsIgnoreCase("DF-VER")) options.onDragonflyVersion(value.toText());
      },
    });
    this.deadlines = deadlines;
    this.#journaled = journaled;
    this.#options = options;
    this.#inSnapshot = inSnapshot;
    this.#journal = new JournalTranslator({
      encoder,
      capabilities,
      losses,
      clock,
      deadlines,
      restoreForeign: (dump) => this.#restoreForeign(dump),
      unrunnable: options.unrunnable,
      plan,
      members,
      editDocument: (edit) => this.#edits.add(edit),
    });
    this.#edits = new DocumentEdits({
      flow: options.flow,
      writer,
      read: options.readDocument,
      unrunnable: (edit, why) => options.unrunnable(entryOf(edit), why),
      encoded: () => options.events.encoded(),
      done: () => this.#goOn(),
      failed: (error) => options.events.failed(error),
    });
  }

  /** True while the flow waits for `release`, or is done. */
  get isHeld(): boolean {
    return this.#held;
  }

  /** True while a document is being changed: the flow goes on by itself. */
  get isEditing(): boolean {
    return this.#edits.isEditing;
  }

  /** The LSN before which all entries that were decoded are encoded; undefined: all of them. */
  get encodedLsn(): number | undefined {
    return this.#edits.lsn;
  }

  override isFull(): boolean {
    const { writer } = this.#options;
    writer.flush();
    return this.#held || this.#edits.isEditing || writer.isFull();
  }

  override string(object: ObjectHeader, value: Slice): void {
    super.string(this.#settled(object), value);
  }

  override body(object: ObjectHeader, body: Slice): void {
    super.body(this.#settled(object), body);
  }

  override begin(object: ObjectHeader, kind: ValueKind, count: number): StreamedValue {
    return super.begin(this.#settled(object), kind, count);
  }

  command(command: JournalCommand): void {
    // A blob of a snapshot is decoded in one go.
    if (this.#edits.isEditing) this.#queue.push(command.copy());
    else this.#translate(command);
  }

  #goOn(): void {
    while (!this.#edits.isEditing) {
      const next = this.#queue.shift();
      if (next === undefined) {
        this.#options.events.encoded();
        this.#options.events.resumed();
        return;
      }
      this.#options.writer.encoder.flow = this.#options.flow;
      this.#translate(next);
    }
  }

  #translate(command: JournalCommand): void {
    this.#options.writer.encoder.lsn = command.lsn;
    if (this.#journal.translate(command) === "flush") this.#reachFlush(command);
  }

  ping(): void {
    this.#options.events.ping();
  }

  fullSyncEnd(): void {
    this.#options.events.cut();
  }

  snapshotEnd(lsn: number): void {
    this.#inSnapshot = false;
    this.#held = this.#options.snapshotOnly;
    this.#options.events.snapshotEnded(lsn);
  }

  /** Lets the flow go on behind its flush barrier. */
  release(db: number): void {
    this.deadlines.flushed(db);
    this.#held = false;
  }

  /** A deadline that may be past before the journal renews it is held back. */
  #settled(object: ObjectHeader): ObjectHeader {
    const { db, key, expireAtMs } = object;
    if (expireAtMs === -1) {
      this.deadlines.forget(db, key);
      return object;
    }
    const settled = this.deadlines.settle(db, key, expireAtMs);
    if (settled === expireAtMs) return object;
    const { type, sticky, mcFlags } = object;
    return { type, db, key, expireAtMs: settled, sticky, mcFlags };
  }

  #reachFlush(command: JournalCommand): void {
    const name = command.arg(0).toLatin1().toUpperCase();
    if (this.#inSnapshot) {
      throw new Df2RedisError(
        "FLUSH_IN_SNAPSHOT",
        `the source ran ${name} while its snapshot was being sent: the snapshot is void, start the sync again`,
        {
          context: { command: name, db: command.db },
        },
      );
    }
    this.#held = true;
    this.#options.events.flushReached({
      txid: command.txid,
      lsn: command.lsn,
      db: name === "FLUSHALL" ? -1 : command.db,
    });
  }

  /** A journaled RESTORE of a dump that the target cannot load as it is: it goes the way of a snapshot object, without counting as one. */
  #restoreForeign(dump: ForeignDump): void {
    this.#journaled.active = true;
    try {
      this.#writeForeign(dump);
    } finally {
      this.#journaled.active = false;
    }
  }

  #writeForeign({ db, key, type, body, expireAtMs }: ForeignDump): void {
    // Its deadline is settled and its stickiness reported already.
    const header = { type, db, key, expireAtMs, sticky: false, mcFlags: -1 };
    if (this.wantsBody(type)) {
      super.body(header, body);
      return;
    }
    const cursor = new Cursor().resetTo(body.buf, body.start, body.end);
    const { reader, value } = beginValue(
      cursor,
      { ...header, expireAtMs: -1 },
      { handler: this, limits: this.#options.limits },
    );
    value.expireAtMs = expireAtMs;
    while (!reader.isDone) reader.next(cursor, this, value);
    this.end(value);
    if (cursor.pos !== body.end) cursor.corrupt("a dump in the journal has bytes behind its value");
  }
}

/** For a report: its words are gone. */
function entryOf({ db, key, command, lsn }: DocumentEdit): JournalCommand {
  const entry = new JournalCommand();
  entry.db = db;
  entry.lsn = lsn;
  entry.argc = 2;
  entry.args.push(Slice.from(command), Slice.from(key));
  return entry;
}

/** PEXPIRETIME came with 7.0, as type 19 did (Redis src/commands/pexpiretime.json). */
function hasPExpireTime(capabilities: TargetCapabilities): boolean {
  return capabilities.restorableTypes.has(RDB_TYPE_STREAM_LISTPACKS_2);
}
