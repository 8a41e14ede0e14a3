/**
 * Turns the objects of a snapshot into commands for a Redis target: strings as SET, bodies that the target loads as RESTORE, everything else
 * as native commands. What the target cannot hold is reported to the loss recorder, and its key deleted, so that no stale value stays there.
 *
 * Sans-IO. Everything is copied into the encoder (or into the value's own state) before a call returns; no slice is kept.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { WriteMode } from "../../config/schema.ts";
import { RDB_TYPE_STREAM_LISTPACKS_2, RDB_TYPE_STREAM_LISTPACKS_3 } from "../../rdb/opcodes.ts";
import type { ObjectHeader, RdbHandler, StreamMeta, ValueKind } from "../../rdb/rdb-handler.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { TargetCapabilities } from "../capabilities.ts";
import type { FeaturePlan } from "../features.ts";
import type { LossKind, LossRecorder } from "../losses.ts";
import type { MemberDeadlines } from "./member-deadlines.ts";
import { NativeBatch } from "./native-batch.ts";
import { NativeWriter } from "./native-writer.ts";
import { isEmptyBody } from "./restore-empty-body.ts";
import { RestoreWriter } from "./restore-writer.ts";
import { typeNameOfKind, typeNameOfRdbType } from "./snapshot-type-names.ts";
import { StreamWriter } from "./stream-writer.ts";
import { StreamedValue } from "./streamed-value.ts";

const DEFAULT_BATCH_BYTES = 64 * 1024;
const DEFAULT_BATCH_ELEMENTS = 512;
const DEFAULT_STREAM_ID_INDEX_BYTES = 8 * 1024 * 1024;

/** Kinds that a plain Redis cannot hold. */
const LOSS_OF_KIND: Partial<Record<ValueKind, LossKind>> = {
  json: "json",
  bloom: "bloom",
  cuckoo: "cuckoo",
  cms: "cms",
  topk: "topk",
  module: "moduleData",
};

const LOSS_OF_AUX: ReadonlyMap<string, LossKind> = new Map([
  ["lua", "lua"],
  ["search-index", "search"],
  ["search-synonyms", "search"],
]);

export type SnapshotTranslatorOptions = {
  readonly encoder: CommandEncoder;
  readonly capabilities: TargetCapabilities;
  readonly losses: LossRecorder;
  readonly plan: FeaturePlan;
  readonly members: MemberDeadlines;
  /** Default `auto`. */
  readonly writeMode?: WriteMode;
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
  readonly #restorableTypes: ReadonlySet<number>;
  readonly #losses: LossRecorder;
  readonly #isFull: () => boolean;
  readonly #countKey: (typeName: string) => void;
  readonly #onAux: ((key: Slice, value: Slice) => void) | undefined;
  readonly #streamIdIndexBytes: number;
  readonly #restore: RestoreWriter;
  readonly #native: NativeWriter;
  readonly #stream: StreamWriter;

  constructor(options: SnapshotTranslatorOptions) {
    const { encoder, capabilities, losses } = options;
    this.#encoder = encoder;
    this.#restorableTypes = capabilities.restorableTypes;
    this.#losses = losses;
    this.#isFull = options.isFull;
    this.#countKey = options.countKey;
    this.#onAux = options.onAux;
    this.#streamIdIndexBytes = options.streamIdIndexBytes ?? DEFAULT_STREAM_ID_INDEX_BYTES;
    this.#restore = new RestoreWriter(encoder, capabilities.rdbVersion);
    const batch = new NativeBatch(
      options.nativeBatchBytes ?? DEFAULT_BATCH_BYTES,
      options.nativeBatchElements ?? DEFAULT_BATCH_ELEMENTS,
    );
    this.#native = new NativeWriter(encoder, batch);
    // Type 19 and the counters of streams came with the same release, 7.0.
    const hasCounters = capabilities.restorableTypes.has(RDB_TYPE_STREAM_LISTPACKS_2);
    this.#stream = new StreamWriter({ encoder, batch, native: this.#native, losses, hasCounters });
  }

  isFull(): boolean {
    return this.#isFull();
  }

  wantsBody(type: number): boolean {
    if (this.#restorableTypes.has(type)) return true;
    return type === RDB_TYPE_STREAM_LISTPACKS_3 && this.#restorableTypes.has(RDB_TYPE_STREAM_LISTPACKS_2);
  }

  aux(key: Slice, value: Slice): void {
    this.#onAux?.(key, value);
    const loss = LOSS_OF_AUX.get(key.toLatin1());
    if (loss !== undefined) this.#losses.record(loss, -1, key);
  }

  string(object: ObjectHeader, value: Slice): void {
    this.#countKey("string");
    this.#reportAttributes(object);
    this.#encoder.select(object.db);
    if (isPastForCertain(object.expireAtMs)) this.#delete(object.key);
    else this.#encoder.set(object.key, value, object.expireAtMs);
  }

  body(object: ObjectHeader, body: Slice): void {
    const { type, key, expireAtMs } = object;
    this.#countKey(typeNameOfRdbType(type));
    this.#reportAttributes(object);
    this.#encoder.select(object.db);
    if (isPastForCertain(expireAtMs) || isEmptyBody(type, body)) this.#delete(key);
    else if (this.#restorableTypes.has(type)) this.#restore.verbatim(key, expireAtMs, type, body);
    else this.#restore.streamV3AsV2(key, expireAtMs, body);
  }

  begin(object: ObjectHeader, kind: ValueKind, _count: number): StreamedValue {
    this.#countKey(typeNameOfKind(kind));
    const loss = LOSS_OF_KIND[kind];
    if (loss === undefined) this.#reportAttributes(object);
    else this.#losses.record(loss, object.db, object.key);
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
    if (expireAtMs >= 0) this.#reportMemberDeadline(value, "fieldTtl");
    this.#native.element(value, field, content);
  }

  setMemberTtl(value: StreamedValue, member: Slice, expireAtMs: number): void {
    if (expireAtMs >= 0) this.#reportMemberDeadline(value, "memberTtl");
    this.#native.element(value, member, undefined);
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

  // Documents, filters, sketches and module data are not carried: `begin` has reported them and `end` deletes the key.
  json(_value: StreamedValue, _text: Slice): void {}

  sketchParameters(_value: StreamedValue, _parameters: readonly number[]): void {}

  sketchBytes(_value: StreamedValue, _filter: number, _total: number, _piece: Slice): void {}

  sketchItem(_value: StreamedValue, _item: Slice, _count: number): void {}

  pieceEnd(value: StreamedValue): void {
    if (value.stream === undefined) this.#native.flush(value);
    else this.#stream.flush(value);
  }

  end(value: StreamedValue): void {
    if (value.stream === undefined) this.#native.flush(value);
    else this.#stream.end(value);
    this.#native.end(value);
  }

  #delete(key: Slice): void {
    this.#encoder.begin(2);
    this.#encoder.argText("DEL");
    this.#encoder.arg(key);
  }

  #reportAttributes(object: ObjectHeader): void {
    if (object.sticky) this.#losses.record("sticky", object.db, object.key);
    if (object.mcFlags > 0) this.#losses.record("memcacheFlags", object.db, object.key);
  }

  #reportMemberDeadline(value: StreamedValue, kind: LossKind): void {
    if (value.memberDeadlineLost) return;
    value.memberDeadlineLost = true;
    this.#losses.record(kind, value.db, value.key);
  }
}

/** At or before 1970: SET and RESTORE refuse such a deadline instead of dropping the key. */
function isPastForCertain(expireAtMs: number): boolean {
  return expireAtMs <= 0 && expireAtMs !== -1;
}
