/**
 * The values that the live simulator holds. Sets, hashes and zsets are keyed by the latin1 text of the member, so that any bytes work;
 * insertion order is kept. Member deadlines are Unix ms, -1 for none; `deadlines` says that some member may have one. Buffers are never written
 * to: a change puts another Buffer in place.
 */
export type StringValue = { readonly type: "string"; bytes: Buffer };
export type ListValue = { readonly type: "list"; items: Buffer[] };
export type SetMember = { readonly member: Buffer; expireAtMs: number };
export type SetValue = { readonly type: "set"; readonly members: Map<string, SetMember>; deadlines?: boolean };
export type HashField = { readonly field: Buffer; content: Buffer; expireAtMs: number };
export type HashValue = { readonly type: "hash"; readonly fields: Map<string, HashField>; deadlines?: boolean };
export type ZsetMember = { readonly member: Buffer; score: number };
export type ZsetValue = { readonly type: "zset"; readonly members: Map<string, ZsetMember> };
export type StreamId = { readonly ms: number; readonly seq: number };
export type StreamEntry = { readonly id: StreamId; readonly fields: readonly Buffer[] };
export type PendingEntry = { readonly id: StreamId; consumer: string; deliveryTimeMs: number; deliveryCount: number };
export type StreamConsumer = { readonly name: Buffer; seenTimeMs: number; activeTimeMs: number };
export type StreamGroup = {
  readonly name: Buffer;
  lastId: StreamId;
  /** -1 when unknown. */
  entriesRead: number;
  /** By `ms-seq`, in id order when serialized. */
  readonly pending: Map<string, PendingEntry>;
  /** By latin1 name. */
  readonly consumers: Map<string, StreamConsumer>;
};
export type StreamValue = {
  readonly type: "stream";
  /** In id order. */
  entries: StreamEntry[];
  lastId: StreamId;
  maxDeletedId: StreamId;
  entriesAdded: number;
  /** By latin1 name. */
  readonly groups: Map<string, StreamGroup>;
};
export type JsonValue = { readonly type: "json"; document: unknown };
/** The bytes of filters and sketches are the exception: they are written in place, so a copy of the value copies them. */
export type BloomValue = {
  readonly type: "bloom";
  readonly growth: number;
  /** Of the last filter, as the two sizes that follow: elements in it, and those that it is made for. */
  errorRate: number;
  size: number;
  capacity: number;
  /** Elements that the filters before the last one were made for. */
  previousCapacity: number;
  readonly filters: { readonly hashCount: number; readonly bits: Buffer }[];
};
export type CountMinValue = {
  readonly type: "cms";
  readonly width: number;
  readonly depth: number;
  total: bigint;
  /** 64 bits each, little-endian, row by row. */
  readonly counters: Buffer;
};
export type TopKItem = { readonly item: Buffer; count: number };
export type TopKValue = {
  readonly type: "topk";
  readonly k: number;
  readonly width: number;
  readonly depth: number;
  readonly decay: number;
  readonly items: TopKItem[];
  /** 32 bits each, little-endian, row by row. */
  readonly counters: Buffer;
};
export type CuckooValue = {
  readonly type: "cuckoo";
  readonly slotsPerBucket: number;
  readonly maxIterations: number;
  readonly expansion: number;
  /** Of the first filter; a power of two. */
  readonly buckets: number;
  items: number;
  deletes: number;
  /** A fingerprint per slot, 0 for none. */
  readonly filters: Buffer[];
};

export type Value =
  | StringValue
  | ListValue
  | SetValue
  | HashValue
  | ZsetValue
  | StreamValue
  | JsonValue
  | BloomValue
  | CountMinValue
  | TopKValue
  | CuckooValue;

export type KeyEntry = {
  readonly key: Buffer;
  value: Value;
  /** Unix ms, -1 for none. */
  expireAtMs: number;
  sticky: boolean;
  /** Memcache flags (SET … _MCFLAGS), when it has some. */
  readonly mcFlags?: number;
};
