/**
 * What the RDB decoder tells its receiver. One call per opcode, object or element; everything passed (headers, slices) belongs to the
 * decoder and is reused, so a receiver reads or copies before it returns.
 *
 * An object comes in one of three ways:
 * - `string`: a whole string (type 0);
 * - `body`: the whole body of an object, verbatim as in the stream (without type, key and checksum), when the receiver wants bodies of that
 *   type (`wantsBody`), the body stands contiguously in the stream and is no larger than the decoder's `bodyLimitBytes`;
 * - `begin`, element calls, `end`: everything else. Elements arrive as the bytes do. Between two elements of one value other objects, other
 *   values' elements and journal entries may come (tagged chunks): the receiver keeps what it needs in the `T` that `begin` returned.
 *   `pieceEnd` says that the next call may be about something else: what is buffered for the value must be written out now.
 */
import type { Slice } from "../bytes/slice.ts";

export type ValueKind =
  | "list"
  | "set"
  | "zset"
  | "hash"
  | "hashTtl"
  | "setTtl"
  | "stream"
  | "json"
  | "bloom"
  | "cms"
  | "topk"
  | "cuckoo"
  | "module";

/** What stands before a value. */
export type ObjectHeader = {
  /** RDB type byte; JSON of old masters (type 20 in streams of RDB version < 10) is given as 30. */
  readonly type: number;
  readonly db: number;
  readonly key: Slice;
  /** Unix ms, or -1. */
  readonly expireAtMs: number;
  readonly sticky: boolean;
  /** Memcache flags, or -1. */
  readonly mcFlags: number;
};

/** All ids are `ms-seq` as text; counters are decimal text, since both may need 64 bits. -1 stands for "unknown". */
export type StreamMeta = {
  readonly length: string;
  readonly lastId: string;
  /** undefined in streams of type 15. */
  readonly firstId: string | undefined;
  readonly maxDeletedId: string | undefined;
  readonly entriesAdded: string | undefined;
};

export interface RdbHandler<T> {
  /** Asked between elements: true makes the decoder stop after the current one until it is called again. */
  isFull(): boolean;
  /** Whether `body` is wanted for this RDB type (never asked for type 0). */
  wantsBody(type: number): boolean;

  aux(key: Slice, value: Slice): void;
  string(object: ObjectHeader, value: Slice): void;
  body(object: ObjectHeader, body: Slice): void;

  /** `count` is what the stream announces (elements, or nodes for encoded lists and streams), 0 where it says nothing. */
  begin(object: ObjectHeader, kind: ValueKind, count: number): T;
  listItem(value: T, item: Slice): void;
  setMember(value: T, member: Slice): void;
  /** @param score text that strtod reads back exactly (shortest form; "inf", "-inf") */
  zsetMember(value: T, member: Slice, score: Slice): void;
  hashField(value: T, field: Slice, content: Slice): void;
  /** @param expireAtMs Unix ms, or -1 */
  hashFieldTtl(value: T, field: Slice, content: Slice, expireAtMs: number): void;
  /** @param expireAtMs Unix ms, or -1 */
  setMemberTtl(value: T, member: Slice, expireAtMs: number): void;
  /** @param fields field, value, field, value, …; only the first `count` slices are of this entry */
  streamEntry(value: T, id: string, fields: readonly Slice[], count: number): void;
  /** After the last entry; groups follow. */
  streamMeta(value: T, meta: StreamMeta): void;
  streamGroup(value: T, name: Slice, lastId: string, entriesRead: string | undefined): void;
  /** A group's pending entry; its owner comes with `streamConsumerPending`. */
  streamPending(value: T, id: string, deliveryTimeMs: number, deliveryCount: number): void;
  /** @param activeTimeMs -1 when the type does not say */
  streamConsumer(value: T, name: Slice, seenTimeMs: number, activeTimeMs: number): void;
  streamConsumerPending(value: T, id: string): void;
  /** The document's text, whole. */
  json(value: T, text: Slice): void;
  /** A filter's or sketch's numbers, in the order of the stream; module data has none. */
  sketchParameters(value: T, parameters: readonly number[]): void;
  /** A piece of a filter's or sketch's bytes. `filter` counts from 0; `total` is that filter's size in bytes. */
  sketchBytes(value: T, filter: number, total: number, piece: Slice): void;
  /** An item of a top-k sketch. */
  sketchItem(value: T, item: Slice, count: number): void;
  pieceEnd(value: T): void;
  end(value: T): void;
}

/** What else the RDB stream of a flow holds: told to the flow's decoder, which knows the session. */
export interface RdbStreamEvents {
  /** A journal blob: `count` entries (SELECT not counted) for `JournalDecoder`, to be applied now, in stream order. */
  journalBlob(count: number, entries: Slice): void;
  /** The snapshot is complete; journal blobs may follow until STARTSTABLE. */
  fullSyncEnd(): void;
  /** The LSN of the first entry of the stable journal. Exact below 2^53. */
  journalOffset(lsn: number): void;
}
