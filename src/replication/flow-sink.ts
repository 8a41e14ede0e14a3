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
import type { ObjectHeader, ValueKind } from "../rdb/rdb-handler.ts";
import type { FlowHandler } from "../source/flow-decoder.ts";
import type { TargetCapabilities } from "../target/capabilities.ts";
import type { ExpiryConfig, WriteMode } from "../config/schema.ts";
import type { FeaturePlan } from "../target/features.ts";
import { MemberDeadlines } from "../target/translate/member-deadlines.ts";
import type { LossRecorder } from "../target/losses.ts";
import { type KeyPlace, placeFilters } from "../target/key-places.ts";
import type { KeyMapper } from "../target/key-mapper.ts";
import type { TargetWriter } from "../target/target-writer.ts";
import type { DocumentEdit, ForeignDump, UnrunnableRecorder } from "../target/translate/journal-context.ts";
import { HeldDeadlines } from "../target/translate/journal-deadlines.ts";
import { JournalTranslator } from "../target/translate/journal-translator.ts";
import { encodeMovedKey, type MovedKey } from "../target/translate/move-key.ts";
import { SkippableTranslator } from "../target/translate/skippable-translator.ts";
import { StreamedValue } from "../target/translate/streamed-value.ts";
import type { ConflictGate } from "./conflict-gate.ts";
import { DocumentEdits } from "./document-edits.ts";
import type { FlushRequest } from "./worker-messages.ts";

const HOUR_MS = 3_600_000;

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
  /** Puts everything into the target's terms; undefined when databases and names stay as they are. */
  readonly mapper: KeyMapper | undefined;
  /** What the target's own keys are dealt with by; undefined when it was empty. */
  readonly gate: ConflictGate | undefined;
  readonly expiry: ExpiryConfig;
  /** Deadlines of members that this flow keeps at most. */
  readonly memberLimit: number;
  /** As the source told it before this flow could. */
  readonly sourceVersion: () => string | undefined;
  /** Stop at the end of the snapshot. */
  readonly snapshotOnly: boolean;
  readonly events: FlowSinkEvents;
  /** Unix ms. */
  readonly clock: () => number;
};

export class FlowSink extends SkippableTranslator implements FlowHandler<StreamedValue> {
  readonly deadlines: HeldDeadlines;
  readonly members: MemberDeadlines;
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
    const { writer, capabilities, losses, clock, plan, writeMode, expiry } = options;
    const { encoder } = writer;
    const carriesGlobals = options.flow === 0;
    const deadlines = new HeldDeadlines({
      clock,
      commands: capabilities.commands,
      hold: expiry.hold,
      withinMs: expiry.withinHours * HOUR_MS,
    });
    const journaled = { active: false };
    const members = new MemberDeadlines({
      plan,
      limit: options.memberLimit,
      isNear: (deadlineMs) => deadlines.isNear(deadlineMs),
    });
    super({
      encoder,
      capabilities,
      losses,
      plan,
      members,
      writeMode,
      carriesGlobals,
      isFull: () => writer.isFull(),
      countKey: (typeName) => {
        if (!journaled.active) options.countKey(typeName);
      },
      onAux: (key, value) => {
        if (key.equalsIgnoreCase("DF-VER")) options.onDragonflyVersion(value.toText());
      },
    });
    this.deadlines = deadlines;
    this.members = members;
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
      carriesGlobals,
      sourceVersion: options.sourceVersion,
      editDocument: (edit) => this.#edits.add(edit),
    });
    this.#edits = new DocumentEdits({
      flow: options.flow,
      writer,
      maxBulkBytes: capabilities.maxBulkBytes,
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
    const admitted = this.#admit(object);
    if (admitted !== undefined) super.string(admitted, value);
  }

  override body(object: ObjectHeader, body: Slice): void {
    const admitted = this.#admit(object);
    if (admitted !== undefined) super.body(admitted, body);
  }

  override begin(object: ObjectHeader, kind: ValueKind, count: number): StreamedValue {
    const admitted = this.#admit(object);
    if (admitted !== undefined) return super.begin(admitted, kind, count);
    const value = new StreamedValue(object, kind, 0);
    value.skipped = true;
    return value;
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
    const { writer, gate } = this.#options;
    writer.encoder.lsn = command.lsn;
    const mapped = this.#mapped(command);
    const admitted = gate === undefined || mapped === undefined ? mapped : gate.command(mapped);
    if (admitted === undefined) return;
    if (this.#journal.translate(admitted) === "flush") this.#reachFlush(command);
  }

  /** The entry in the target's terms; undefined when there is nothing left to translate. */
  #mapped(command: JournalCommand): JournalCommand | undefined {
    const { mapper } = this.#options;
    if (mapper === undefined) return command;
    switch (mapper.map(command)) {
      case "run":
        return mapper.command;
      case "move":
        this.#moveKey(mapper.moved, command);
        return undefined;
      case "unrunnable":
        this.#options.unrunnable(command, mapper.why);
        return undefined;
      case "nothing":
        return undefined;
    }
  }

  #moveKey(moved: MovedKey, command: JournalCommand): void {
    const { writer, gate } = this.#options;
    if (gate?.moved(moved, command) === "skip") return;
    encodeMovedKey({ encoder: writer.encoder, deadlines: this.deadlines, members: this.members }, moved);
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
  release(sourceDb: number, places: readonly KeyPlace[] | undefined): void {
    if (places === undefined) this.#emptied(sourceDb);
    else for (const place of placeFilters(places)) this.#emptied(place.db, (key) => place.holds(key));
    this.#options.mapper?.flushed(sourceDb);
    this.#held = false;
  }

  /** @param db -1 for all @param holds whether a key was in what was emptied; all of `db` were when not given */
  #emptied(db: number, holds?: (key: Buffer) => boolean): void {
    this.deadlines.flushed(db, holds);
    this.members.flushed(db, holds);
  }

  /** An object as it is to be written, in the target's terms; undefined when it is left out. */
  #admit(object: ObjectHeader): ObjectHeader | undefined {
    // What a journaled RESTORE brings has been through all this with its entry.
    if (this.#journaled.active) return object;
    const { mapper, gate } = this.#options;
    const placed = mapper === undefined ? object : mapper.header(object);
    return gate?.object(placed) === "skip" ? undefined : this.#settled(placed);
  }

  /** A deadline that may be past before the journal renews it is held back. */
  #settled(object: ObjectHeader): ObjectHeader {
    const { type, db, key, expireAtMs, sticky, mcFlags } = object;
    // What may be held for the key is left to its release: a name for each key would cost more.
    if (expireAtMs === -1) return object;
    const settled = this.deadlines.settle(db, key, expireAtMs);
    return settled === expireAtMs ? object : { type, db, key, expireAtMs: settled, sticky, mcFlags };
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

/** For a report. */
function entryOf({ db, key, lsn, words: [name = "", , ...others] }: DocumentEdit): JournalCommand {
  const entry = new JournalCommand();
  entry.db = db;
  entry.lsn = lsn;
  entry.args.push(Slice.from(name), Slice.from(key), ...others.map((word) => Slice.from(word)));
  entry.argc = entry.args.length;
  return entry;
}
