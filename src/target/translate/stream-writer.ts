/**
 * Writes streamed streams as native commands: XADD per entry, XSETID, groups, consumers, and XCLAIM for pending entries. Used for streams that
 * are too large for RESTORE, come in pieces, or are of a type that the target does not load.
 *
 * Exact but for what no command can set: when a consumer was last seen or active. Pending entries whose message is deleted take a detour
 * (stream-tombstones.ts) that needs scripts; where the target allows none, they are reported as lost.
 */
import type { Slice } from "../../bytes/slice.ts";
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import type { StreamMeta } from "../../rdb/rdb-handler.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { LossRecorder } from "../losses.ts";
import type { NativeBatch } from "./native-batch.ts";
import type { NativeWriter } from "./native-writer.ts";
import { compareIds, parseStreamId } from "./stream-id.ts";
import { StreamGroupProgress, type StreamProgress } from "./stream-progress.ts";
import { MAX_SCRIPTED_FIELDS, writeTombstones } from "./stream-tombstones.ts";
import type { StreamedValue } from "./streamed-value.ts";
import { checkBulk } from "./write-mode.ts";

/** A group that makes a stream without entries exist, and is destroyed at once. */
const PLACEHOLDER_GROUP = "df2redis";
/** "Unknown", as a signed and as an unsigned 64-bit integer. */
const UNKNOWN_COUNTERS = new Set(["-1", "18446744073709551615"]);

export type StreamWriterOptions = {
  readonly encoder: CommandEncoder;
  readonly batch: NativeBatch;
  readonly native: NativeWriter;
  readonly losses: LossRecorder;
  /** Redis 7.0 and later: entries added and read, greatest deleted id. */
  readonly hasCounters: boolean;
  /** Tombstones can be written (`canScriptStreams`). */
  readonly hasScripts: boolean;
  readonly maxBulkBytes: number;
};

export class StreamWriter {
  readonly #encoder: CommandEncoder;
  readonly #batch: NativeBatch;
  readonly #native: NativeWriter;
  readonly #losses: LossRecorder;
  readonly #hasCounters: boolean;
  readonly #hasScripts: boolean;
  readonly #maxBulkBytes: number;

  constructor(options: StreamWriterOptions) {
    this.#encoder = options.encoder;
    this.#batch = options.batch;
    this.#native = options.native;
    this.#losses = options.losses;
    this.#hasCounters = options.hasCounters;
    this.#hasScripts = options.hasScripts;
    this.#maxBulkBytes = options.maxBulkBytes;
  }

  entry(value: StreamedValue, id: string, fields: readonly Slice[], count: number): void {
    const progress = progressOf(value);
    this.#begin(value, 3 + count, "XADD", value.key);
    this.#encoder.argText(id);
    for (let i = 0; i < count; i++) {
      const field = at(fields, i);
      if (field.length > this.#maxBulkBytes) checkBulk(field.length, this.#maxBulkBytes, value);
      this.#encoder.arg(field);
    }
    progress.entries++;
    progress.firstId ??= id;
    progress.mostFields = Math.max(progress.mostFields, count);
    progress.liveIds.add(id);
  }

  meta(value: StreamedValue, meta: StreamMeta): void {
    const progress = progressOf(value);
    progress.meta = meta;
    if (progress.entries === 0) this.#createEmpty(value);
    this.#setId(value, meta, false);
  }

  group(value: StreamedValue, name: Slice, lastId: string, entriesRead: string | undefined): void {
    this.#endGroup(value);
    progressOf(value).group = new StreamGroupProgress(name.toBuffer());
    const counted = this.#hasCounters && entriesRead !== undefined && !UNKNOWN_COUNTERS.has(entriesRead);
    this.#begin(value, counted ? 7 : 5, "XGROUP");
    this.#encoder.argText("CREATE");
    this.#encoder.arg(value.key);
    this.#encoder.arg(name);
    this.#encoder.argText(lastId);
    if (!counted) return;
    this.#encoder.argText("ENTRIESREAD");
    this.#encoder.argText(entriesRead);
  }

  pending(value: StreamedValue, id: string, deliveryTimeMs: number, deliveryCount: number): void {
    groupOf(value).pending.add(id, deliveryTimeMs, deliveryCount);
  }

  consumer(value: StreamedValue, name: Slice): void {
    this.flush(value);
    const group = groupOf(value);
    if (!group.checked) this.#checkPending(value, group);
    group.consumer = name.toBuffer();
    this.#begin(value, 5, "XGROUP");
    this.#encoder.argText("CREATECONSUMER");
    this.#encoder.arg(value.key);
    this.#encoder.argBytes(group.name);
    this.#encoder.arg(name);
  }

  consumerPending(value: StreamedValue, id: string): void {
    const group = groupOf(value);
    const i = group.pending.own(id);
    const timeMs = group.pending.timeMs(i);
    const count = group.pending.count(i);
    if (group.pending.isDeleted(i)) {
      if (group.consumer !== undefined && this.#canBury(progressOf(value), id))
        progressOf(value).tombstones.add({ group: group.name, consumer: group.consumer }, id, timeMs, count);
      return;
    }
    if (timeMs !== group.claimTimeMs || count !== group.claimCount) this.flush(value);
    group.claimTimeMs = timeMs;
    group.claimCount = count;
    this.#batch.text(id);
    if (this.#batch.isFull) this.flush(value);
  }

  /** Writes the buffered claims. */
  flush(value: StreamedValue): void {
    this.#native.open(value);
    const group = progressOf(value).group;
    const ids = this.#batch.argc;
    if (group?.consumer === undefined || ids === 0) return;
    this.#begin(value, 11 + ids, "XCLAIM", value.key);
    const encoder = this.#encoder;
    encoder.argBytes(group.name);
    encoder.argBytes(group.consumer);
    encoder.argText("0");
    this.#batch.moveTo(encoder);
    encoder.argText("TIME");
    encoder.argInt(group.claimTimeMs);
    encoder.argText("RETRYCOUNT");
    encoder.argInt(group.claimCount);
    encoder.argText("FORCE");
    encoder.argText("JUSTID");
  }

  end(value: StreamedValue): void {
    this.#endGroup(value);
    const { meta, entries, firstId, tombstones } = progressOf(value);
    if (meta === undefined) return;
    if (!tombstones.isEmpty) {
      writeTombstones(this.#encoder, { key: value.key, tombstones, entries, firstId });
      this.#setId(value, meta, true);
    } else if (this.#hasCounters && meta.maxDeletedId !== undefined && meta.maxDeletedId !== "0-0")
      this.#setId(value, meta, true);
  }

  #begin(value: StreamedValue, argc: number, name: string, key?: Slice): void {
    this.#native.open(value);
    value.written = true;
    this.#encoder.begin(argc);
    this.#encoder.argText(name);
    if (key !== undefined) this.#encoder.arg(key);
  }

  /**
   * Last id and entries added; the greatest deleted id at the end only, since newer servers let no last id be set below it (Redis 7.2
   * src/t_stream.c xsetidCommand), and tombstones begin with that. Servers keep what they have when the id given is 0-0.
   */
  #setId(value: StreamedValue, meta: StreamMeta, atEnd: boolean): void {
    const { entries, tombstones } = progressOf(value);
    const isCounted = meta.entriesAdded !== undefined;
    // Writing entries again has counted them again.
    const added = this.#hasCounters && (isCounted || (atEnd && !tombstones.isEmpty));
    const maxDeleted = notBeyond(meta.maxDeletedId, meta.lastId);
    const deleted = added && isCounted && atEnd && maxDeleted !== "0-0";
    this.#begin(value, 3 + (added ? 2 : 0) + (deleted ? 2 : 0), "XSETID", value.key);
    this.#encoder.argText(meta.lastId);
    if (added) {
      this.#encoder.argText("ENTRIESADDED");
      this.#encoder.argText(atLeast(meta.entriesAdded, entries));
    }
    if (deleted) {
      this.#encoder.argText("MAXDELETEDID");
      this.#encoder.argText(maxDeleted);
    }
  }

  /** XADD and XDEL would leave their marks in the counters; a group leaves none. */
  #createEmpty(value: StreamedValue): void {
    this.#begin(value, 6, "XGROUP");
    this.#encoder.argText("CREATE");
    this.#encoder.arg(value.key);
    this.#encoder.argText(PLACEHOLDER_GROUP);
    this.#encoder.argText("0");
    this.#encoder.argText("MKSTREAM");
    this.#begin(value, 4, "XGROUP");
    this.#encoder.argText("DESTROY");
    this.#encoder.arg(value.key);
    this.#encoder.argText(PLACEHOLDER_GROUP);
  }

  #endGroup(value: StreamedValue): void {
    this.flush(value);
    const progress = progressOf(value);
    const ownerless = progress.group?.pending.ownerless ?? 0;
    if (ownerless > 0)
      throw new Df2RedisError("STREAM_CORRUPT", `${ownerless} pending entries of a stream's group have no consumer`);
    progress.group = undefined;
  }

  /** Marks the entries whose message is deleted, and reports those that cannot be carried. */
  #checkPending(value: StreamedValue, group: StreamGroupProgress): void {
    group.checked = true;
    const progress = progressOf(value);
    const reader = progress.liveIds.reader();
    const pending = group.pending;
    for (let i = 0; i < pending.size; i++) {
      const ms = pending.ms(i);
      const seq = pending.seq(i);
      const isUnknown = !progress.liveIds.complete && progress.liveIds.isBeyond(ms, seq);
      if (isUnknown ? !mayBeDeleted(progress, ms, seq) : reader.has(ms, seq)) continue;
      const canBury = this.#canBury(progress, `${ms}-${seq}`);
      // One in doubt is a tombstone if it can be; the scripts find out. Else it is claimed as if it were alive.
      if (isUnknown && !canBury) this.#reportDoubt(value, progress);
      else pending.markDeleted(i);
      if (!isUnknown && !canBury) this.#losses.record("pendingOfDeleted", value.db, value.key);
    }
  }

  /** The id of a tombstone must be one that XADD takes, and XSETID goes back from. */
  #canBury(progress: StreamProgress, id: string): boolean {
    if (!this.#hasScripts || progress.mostFields > MAX_SCRIPTED_FIELDS || id === "0-0") return false;
    return notBeyond(id, progress.meta?.lastId ?? "0-0") === id;
  }

  #reportDoubt(value: StreamedValue, progress: StreamProgress): void {
    if (progress.doubtReported) return;
    progress.doubtReported = true;
    this.#losses.record("pendingOfDeleted", value.db, value.key);
  }
}

function progressOf(value: StreamedValue): StreamProgress {
  if (value.stream === undefined) throw new Df2RedisError("INTERNAL", `a ${value.kind} was treated as a stream`);
  return value.stream;
}

/** Of a message that is not in the index of live ids. Those that a trim takes away lie before all live ones, the others leave their mark. */
function mayBeDeleted({ meta }: StreamProgress, ms: bigint, seq: bigint): boolean {
  if (meta?.maxDeletedId === undefined) return true;
  const maxDeleted = parseStreamId(meta.maxDeletedId);
  return compareIds(ms, seq, maxDeleted.ms, maxDeleted.seq) <= 0;
}

function groupOf(value: StreamedValue): StreamGroupProgress {
  const group = progressOf(value).group;
  if (group === undefined) throw new Df2RedisError("INTERNAL", "a consumer came before its group");
  return group;
}

function at(fields: readonly Slice[], i: number): Slice {
  const field = fields[i];
  if (field === undefined) throw new Df2RedisError("INTERNAL", `a stream entry has no field ${i}`);
  return field;
}

/** XSETID refuses fewer entries added than there are, which RESTORE would take. */
function atLeast(counter: string | undefined, least: number): string {
  return counter === undefined || BigInt(counter) < BigInt(least) ? String(least) : counter;
}

/** XSETID refuses a greatest deleted id beyond the last id. */
function notBeyond(id: string | undefined, lastId: string): string {
  if (id === undefined) return "0-0";
  const a = parseStreamId(id);
  const b = parseStreamId(lastId);
  return compareIds(a.ms, a.seq, b.ms, b.seq) > 0 ? lastId : id;
}
