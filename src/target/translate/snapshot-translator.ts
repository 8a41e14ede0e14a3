/**
 * Turns the objects of a snapshot into commands for a Redis target: strings as SET, bodies that the target loads as RESTORE, everything else
 * as native commands. What the target cannot hold is reported to the loss recorder, and its key deleted, so that no stale value stays there.
 *
 * Sans-IO. Everything is copied into the encoder (or into the value's own state) before a call returns; no slice is kept.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { WriteMode } from "../../config/schema.ts";
import { RDB_TYPE_STRING } from "../../rdb/opcodes.ts";
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import type { ObjectHeader, RdbHandler, StreamMeta, ValueKind } from "../../rdb/rdb-handler.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { TargetCapabilities } from "../capabilities.ts";
import type { FeaturePlan } from "../features.ts";
import type { LossRecorder } from "../losses.ts";
import type { MemberDeadlines } from "./member-deadlines.ts";
import { NativeBatch } from "./native-batch.ts";
import { NativeWriter } from "./native-writer.ts";
import { isEmptyBody } from "./restore-empty-body.ts";
import { RestoreWriter } from "./restore-writer.ts";
import { olderStreamType } from "./stream-body-rewriter.ts";
import { canScriptStreams, hasStreamCounters } from "./stream-counters.ts";
import { typeNameOfKind, typeNameOfRdbType } from "./snapshot-type-names.ts";
import { SnapshotFeatures } from "./snapshot-features.ts";
import { SnapshotMembers } from "./snapshot-members.ts";
import { StreamWriter } from "./stream-writer.ts";
import { StreamedValue } from "./streamed-value.ts";
import { capabilitiesFor, checkBulk } from "./write-mode.ts";

const DEFAULT_BATCH_BYTES = 64 * 1024;
const DEFAULT_BATCH_ELEMENTS = 512;
const DEFAULT_STREAM_ID_INDEX_BYTES = 8 * 1024 * 1024;

export type SnapshotTranslatorOptions = {
  readonly encoder: CommandEncoder;
  readonly capabilities: TargetCapabilities;
  readonly losses: LossRecorder;
  readonly plan: FeaturePlan;
  readonly members: MemberDeadlines;
  /** Default `auto`. */
  readonly writeMode?: WriteMode;
  /** Whether this flow stands for what every flow carries alike (search indices): true, unless said otherwise. */
  readonly carriesGlobals?: boolean;
  /** Whether the writer wants no more for now. */
  readonly isFull: () => boolean;
  /** Once per object: string list set zset hash stream json bloom cuckoo cms topk module. */
  readonly countKey: (typeName: string) => void;
  /** Sees every AUX field, losses included. */
  readonly onAux?: (key: Slice, value: Slice) => void;
  readonly nativeBatchBytes?: number;
  readonly nativeBatchElements?: number;
  /** Memory per streamed stream for telling deleted pending entries from live ones; about 3 bytes an entry. */
  readonly streamIdIndexBytes?: number;
};

export class SnapshotTranslator implements RdbHandler<StreamedValue> {
  readonly #encoder: CommandEncoder;
  readonly #maxBulkBytes: number;
  readonly #restoresStrings: boolean;
  readonly #restorableTypes: ReadonlySet<number>;
  readonly #isFull: () => boolean;
  readonly #countKey: (typeName: string) => void;
  readonly #onAux: ((key: Slice, value: Slice) => void) | undefined;
  readonly #streamIdIndexBytes: number;
  readonly #restore: RestoreWriter;
  readonly #native: NativeWriter;
  readonly #memberDeadlines: SnapshotMembers;
  readonly #features: SnapshotFeatures;
  readonly #stream: StreamWriter;

  constructor(options: SnapshotTranslatorOptions) {
    const { encoder, losses, writeMode = "auto" } = options;
    const capabilities = capabilitiesFor(writeMode, options.capabilities);
    this.#encoder = encoder;
    this.#maxBulkBytes = capabilities.maxBulkBytes;
    this.#restoresStrings = writeMode === "restore" && capabilities.restorableTypes.has(RDB_TYPE_STRING);
    this.#restorableTypes = capabilities.restorableTypes;
    this.#isFull = options.isFull;
    this.#countKey = options.countKey;
    this.#onAux = options.onAux;
    this.#streamIdIndexBytes = options.streamIdIndexBytes ?? DEFAULT_STREAM_ID_INDEX_BYTES;
    this.#restore = new RestoreWriter(encoder, capabilities);
    const batch = new NativeBatch(
      options.nativeBatchBytes ?? DEFAULT_BATCH_BYTES,
      options.nativeBatchElements ?? DEFAULT_BATCH_ELEMENTS,
    );
    this.#native = new NativeWriter(encoder, batch, capabilities.maxBulkBytes);
    this.#memberDeadlines = new SnapshotMembers({ ...options, native: this.#native });
    this.#features = new SnapshotFeatures({
      ...options,
      native: this.#native,
      carriesGlobals: options.carriesGlobals ?? true,
    });
    const hasCounters = hasStreamCounters(capabilities);
    const hasScripts = canScriptStreams(capabilities);
    const { maxBulkBytes } = capabilities;
    this.#stream = new StreamWriter({
      encoder,
      batch,
      native: this.#native,
      losses,
      hasCounters,
      hasScripts,
      maxBulkBytes,
    });
  }

  isFull(): boolean {
    return this.#isFull();
  }

  wantsBody(type: number): boolean {
    if (this.#restorableTypes.has(type)) return true;
    return olderStreamType(type, this.#restorableTypes) !== undefined;
  }

  aux(key: Slice, value: Slice): void {
    this.#onAux?.(key, value);
    this.#features.aux(key.toLatin1(), value, key);
  }

  string(object: ObjectHeader, value: Slice): void {
    this.#countKey("string");
    this.#memberDeadlines.replaced(object);
    this.#features.attributes(object);
    this.#encoder.select(object.db);
    if (isPastForCertain(object.expireAtMs)) this.#delete(object.key);
    else if (this.#restoresStrings && this.#restore.fitsString(value.length))
      this.#restore.string(object.key, object.expireAtMs, value);
    else this.#set(object, value);
  }

  body(object: ObjectHeader, body: Slice): void {
    const { type, key, expireAtMs } = object;
    this.#countKey(typeNameOfRdbType(type));
    this.#memberDeadlines.replaced(object);
    this.#features.attributes(object);
    this.#encoder.select(object.db);
    if (isPastForCertain(expireAtMs) || isEmptyBody(type, body)) this.#delete(key);
    else this.#restoreBody(object, body);
  }

  begin(object: ObjectHeader, kind: ValueKind, _count: number): StreamedValue {
    this.#countKey(typeNameOfKind(kind));
    this.#memberDeadlines.replaced(object);
    this.#features.value(object, kind);
    return new StreamedValue(object, kind, this.#streamIdIndexBytes);
  }

  listItem(value: StreamedValue, item: Slice): void {
    this.#native.element(value, item, undefined);
  }

  setMember(value: StreamedValue, member: Slice): void {
    this.#native.element(value, member, undefined);
  }

  zsetMember(value: StreamedValue, member: Slice, score: Slice): void {
    this.#native.element(value, score, member);
  }

  hashField(value: StreamedValue, field: Slice, content: Slice): void {
    this.#native.element(value, field, content);
  }

  hashFieldTtl(value: StreamedValue, field: Slice, content: Slice, expireAtMs: number): void {
    this.#memberDeadlines.field(value, field, content, expireAtMs);
  }

  setMemberTtl(value: StreamedValue, member: Slice, expireAtMs: number): void {
    this.#memberDeadlines.member(value, member, expireAtMs);
  }

  streamEntry(value: StreamedValue, id: string, fields: readonly Slice[], count: number): void {
    this.#stream.entry(value, id, fields, count);
  }

  streamMeta(value: StreamedValue, meta: StreamMeta): void {
    this.#stream.meta(value, meta);
  }

  streamGroup(value: StreamedValue, name: Slice, lastId: string, entriesRead: string | undefined): void {
    this.#stream.group(value, name, lastId, entriesRead);
  }

  streamPending(value: StreamedValue, id: string, deliveryTimeMs: number, deliveryCount: number): void {
    this.#stream.pending(value, id, deliveryTimeMs, deliveryCount);
  }

  streamConsumer(value: StreamedValue, name: Slice, _seenTimeMs: number, _activeTimeMs: number): void {
    this.#stream.consumer(value, name);
  }

  streamConsumerPending(value: StreamedValue, id: string): void {
    this.#stream.consumerPending(value, id);
  }

  json(value: StreamedValue, text: Slice): void {
    this.#features.document(value, text);
  }

  // Filters, sketches and module data are not carried: `begin` has reported them and `end` deletes the key.

  sketchParameters(_value: StreamedValue, _parameters: readonly number[]): void {}

  sketchBytes(_value: StreamedValue, _filter: number, _total: number, _piece: Slice): void {}

  sketchItem(_value: StreamedValue, _item: Slice, _count: number): void {}

  pieceEnd(value: StreamedValue): void {
    if (value.stream === undefined) this.#flushNative(value);
    else this.#stream.flush(value);
  }

  end(value: StreamedValue): void {
    if (value.stream === undefined) this.#flushNative(value);
    else this.#stream.end(value);
    this.#native.end(value);
  }

  #set(object: ObjectHeader, value: Slice): void {
    if (value.length > this.#maxBulkBytes) checkBulk(value.length, this.#maxBulkBytes, object);
    this.#encoder.set(object.key, value, object.expireAtMs);
  }

  #restoreBody(object: ObjectHeader, body: Slice): void {
    const { type, key, expireAtMs } = object;
    if (!this.#restore.fits(body.length)) checkBulk(body.length, this.#maxBulkBytes, object);
    const to = this.#restorableTypes.has(type) ? type : olderStreamType(type, this.#restorableTypes);
    if (to === undefined) throw new Df2RedisError("INTERNAL", `a body of type ${type} came unasked`);
    if (to === type) this.#restore.verbatim(key, expireAtMs, type, body);
    else this.#restore.streamAs(key, expireAtMs, { from: type, to }, body);
  }

  #delete(key: Slice): void {
    this.#encoder.begin(2);
    this.#encoder.argText("DEL");
    this.#encoder.arg(key);
  }

  #flushNative(value: StreamedValue): void {
    this.#native.flush(value);
    this.#memberDeadlines.flush(value);
  }
}

/** At or before 1970: SET and RESTORE refuse such a deadline instead of dropping the key. */
function isPastForCertain(expireAtMs: number): boolean {
  return expireAtMs <= 0 && expireAtMs !== -1;
}
