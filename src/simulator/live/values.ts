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

export type Value = StringValue | ListValue | SetValue | HashValue | ZsetValue | StreamValue | JsonValue;

export type KeyEntry = {
  readonly key: Buffer;
  value: Value;
  /** Unix ms, -1 for none. */
  expireAtMs: number;
  sticky: boolean;
  /** Memcache flags (SET … _MCFLAGS), when it has some. */
  readonly mcFlags?: number;
};
