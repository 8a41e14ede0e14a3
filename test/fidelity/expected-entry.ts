/** What a Redis is to hold of a key of the simulator, in the terms of the tests' readers. */
import type { KeyEntry, StreamGroup, StreamId, StreamValue, Value } from "../../src/simulator/live/values.ts";
import { type KeyState, sortGroups, type Value as ServerValue } from "../support/server-state.ts";

export function expectedEntry(db: number, { key, value, expireAtMs }: KeyEntry): KeyState {
  const expireAt = expireAtMs < 0 ? null : expireAtMs;
  return { db, key: latin1(key), expireAt, value: inOrder(expectedValue(value)) };
}

function expectedValue(value: Value): ServerValue {
  switch (value.type) {
    case "string":
      return { type: "string", text: latin1(value.bytes) };
    case "list":
      return { type: "list", items: value.items.map(latin1) };
    case "set":
      return { type: "set", members: new Set(value.members.keys()) };
    case "hash":
      return { type: "hash", fields: new Map([...value.fields].map(([name, field]) => [name, latin1(field.content)])) };
    case "zset":
      return { type: "zset", members: [...value.members].map(([name, { score }]) => [name, score]) };
    case "stream":
      return expectedStream(value);
    default:
      return { type: "other", name: value.type };
  }
}

/** By score and member. Which zero a score is depends on how it came: ZADD stores -0 as 0 in the small form of Redis 7.0 and later. */
export function inOrder(value: ServerValue): ServerValue {
  if (value.type !== "zset") return value;
  const members = value.members.map(([member, score]) => [member, score + 0] as const);
  return {
    type: "zset",
    members: members.toSorted(([a, x], [b, y]) => (x === y ? (a < b ? -1 : 1) : x - y)),
  };
}

function expectedStream({ entries, lastId, groups }: StreamValue): ServerValue {
  return {
    type: "stream",
    entries: entries.map(({ id, fields }) => ({ id: idText(id), fields: fields.map(latin1) })),
    lastId: idText(lastId),
    groups: sortGroups(
      [...groups.values()].map((group) => ({
        name: latin1(group.name),
        lastId: idText(group.lastId),
        pending: inIdOrder(group).map(
          ({ id, consumer, deliveryCount }) => `${idText(id)} ${consumer} ${deliveryCount}`,
        ),
      })),
    ),
  };
}

/** What XINFO STREAM FULL tells beyond that: counters, delivery times, consumers without pending entries. */
export type StreamDetails = {
  readonly added: number;
  readonly maxDeletedId: string;
  readonly groups: readonly GroupDetails[];
};

type GroupDetails = {
  readonly name: string;
  /** null when it is not known. */
  readonly read: number | null;
  readonly consumers: readonly ConsumerDetails[];
};

type ConsumerDetails = readonly [name: string, pending: readonly (readonly unknown[])[]];

export function streamDetails({ entriesAdded, maxDeletedId, groups }: StreamValue): StreamDetails {
  return {
    added: entriesAdded,
    maxDeletedId: idText(maxDeletedId),
    groups: [...groups.values()]
      .map((group) => ({
        name: latin1(group.name),
        read: group.entriesRead < 0 ? null : group.entriesRead,
        consumers: [...group.consumers.keys()].toSorted().map((consumer): ConsumerDetails => [
          consumer,
          inIdOrder(group)
            .filter((pending) => pending.consumer === consumer)
            .map(({ id, deliveryTimeMs, deliveryCount }) => [idText(id), deliveryTimeMs, deliveryCount]),
        ]),
      }))
      .toSorted(byName),
  };
}

type ReadGroup = {
  readonly name: string;
  readonly "entries-read"?: number | null;
  readonly consumers: readonly { readonly name: string; readonly pending: readonly (readonly unknown[])[] }[];
};

/** The same of what `streamState` has read. */
export function readDetails(state: unknown): StreamDetails {
  const read = state as Record<string, unknown> & { readonly groups: readonly ReadGroup[] };
  return {
    added: Number(read["entries-added"]),
    maxDeletedId: String(read["max-deleted-entry-id"]),
    groups: read.groups
      .map((group) => ({
        name: group.name,
        read: group["entries-read"] ?? null,
        consumers: group.consumers.map(({ name, pending }): ConsumerDetails => [name, pending]).toSorted(byFirst),
      }))
      .toSorted(byName),
  };
}

/** For servers before 7.0, which know no counters. */
export function withoutCounters({ groups }: StreamDetails): StreamDetails {
  const known = groups.map((group) => ({ ...group, read: null }));
  return { added: 0, maxDeletedId: "", groups: known };
}

/**
 * For what has gone through a master's journal: a claim sets the time at which it runs, on each server its own, and a consumer that a read made
 * without getting anything is not journaled.
 */
export function asJournaled({ groups, ...counters }: StreamDetails): StreamDetails {
  return { ...counters, groups: groups.map((group) => ({ ...group, consumers: withPending(group) })) };
}

function withPending({ consumers }: GroupDetails): GroupDetails["consumers"] {
  return consumers
    .filter(([, pending]) => pending.length > 0)
    .map(([name, pending]) => [name, pending.map(([id, , count]) => [id, count])]);
}

function inIdOrder({ pending }: StreamGroup): StreamGroup["pending"] extends Map<string, infer P> ? P[] : never {
  return [...pending.values()].toSorted((a, b) => a.id.ms - b.id.ms || a.id.seq - b.id.seq);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function byFirst([a]: ConsumerDetails, [b]: ConsumerDetails): number {
  return a < b ? -1 : 1;
}

function idText({ ms, seq }: StreamId): string {
  return `${ms}-${seq}`;
}

function latin1(bytes: Buffer): string {
  return bytes.toString("latin1");
}
