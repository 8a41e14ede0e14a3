/** XINFO STREAM [FULL], XINFO GROUPS, XINFO CONSUMERS; as Redis 7 words them. */
import { arg, OptionReader, text, word } from "../arguments.ts";
import type { Call } from "../call.ts";
import { CommandError, NO_SUCH_KEY, unknownSubcommand } from "../command-error.ts";
import { groupLag, UNKNOWN_COUNT } from "../stream-counters.ts";
import { compareIds, idText, NO_ID } from "../stream-ids.ts";
import type { PendingEntry, StreamConsumer, StreamGroup, StreamValue } from "../values.ts";
import { noGroup } from "./stream-group-members.ts";
import { replyEntries, replyEntry } from "./stream-replies.ts";

const NODE_ENTRIES = 100;
const DEFAULT_COUNT = 10;

export function streamInfo(call: Call, args: readonly Buffer[]): void {
  const subcommand = word(args[1]);
  const key = arg(args, 2);
  if (!/^(STREAM|GROUPS|CONSUMERS)$/.test(subcommand)) throw unknownSubcommand(text(args[1]), "XINFO");
  const stream = call.lookOf(call.shard(key), key, "stream")?.value;
  if (stream === undefined) throw new CommandError(NO_SUCH_KEY);
  if (subcommand === "GROUPS") groups(call, stream);
  else if (subcommand === "CONSUMERS") consumers(call, stream, { key, name: arg(args, 3) });
  else if (word(args[3]) === "FULL") full(call, stream, fullCount(new OptionReader(args, 4)));
  else summary(call, stream);
}

function fullCount(reader: OptionReader): number {
  const count = reader.takes("COUNT") ? reader.nextInteger() : DEFAULT_COUNT;
  return count === 0 ? Infinity : count;
}

function counters(call: Call, stream: StreamValue): void {
  const { reply } = call;
  const nodes = Math.ceil(stream.entries.length / NODE_ENTRIES);
  const field = (name: string, value: number | string): void => {
    reply.bulk(name);
    if (typeof value === "number") reply.integer(value);
    else reply.bulk(value);
  };
  field("length", stream.entries.length);
  field("radix-tree-keys", nodes);
  field("radix-tree-nodes", nodes + 1);
  field("last-generated-id", idText(stream.lastId));
  field("max-deleted-entry-id", idText(stream.maxDeletedId));
  field("entries-added", stream.entriesAdded);
  field("recorded-first-entry-id", idText(stream.entries[0]?.id ?? NO_ID));
}

function summary(call: Call, stream: StreamValue): void {
  const { reply } = call;
  reply.arrayHead(20);
  counters(call, stream);
  reply.bulk("groups");
  reply.integer(stream.groups.size);
  const ends = [
    ["first-entry", stream.entries[0]],
    ["last-entry", stream.entries.at(-1)],
  ] as const;
  for (const [name, entry] of ends) {
    reply.bulk(name);
    if (entry === undefined) reply.nullArray();
    else replyEntry(call, entry);
  }
}

function full(call: Call, stream: StreamValue, count: number): void {
  const { reply } = call;
  reply.arrayHead(18);
  counters(call, stream);
  reply.bulk("entries");
  replyEntries(call, stream.entries.slice(0, count));
  reply.bulk("groups");
  reply.arrayHead(stream.groups.size);
  for (const group of sorted(stream.groups)) fullGroup(call, stream, { group, count });
}

function sorted<T>(map: ReadonlyMap<string, T>): T[] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}

function pendingOf(group: StreamGroup): PendingEntry[] {
  return [...group.pending.values()].toSorted((a, b) => compareIds(a.id, b.id));
}

function fullGroup(
  call: Call,
  stream: StreamValue,
  { group, count }: { readonly group: StreamGroup; readonly count: number },
): void {
  const { reply } = call;
  const pending = pendingOf(group);
  reply.arrayHead(14);
  reply.bulk("name");
  reply.bulk(group.name);
  groupCounters(call, stream, group);
  reply.bulk("pel-count");
  reply.integer(pending.length);
  reply.bulk("pending");
  const shown = pending.slice(0, count);
  reply.arrayHead(shown.length);
  for (const item of shown) replyPending(call, item, { withConsumer: true });
  reply.bulk("consumers");
  reply.arrayHead(group.consumers.size);
  for (const consumer of sorted(group.consumers)) fullConsumer(call, { consumer, pending, count });
}

function groupCounters(call: Call, stream: StreamValue, group: StreamGroup): void {
  const { reply } = call;
  const lag = groupLag(stream, group);
  reply.bulk("last-delivered-id");
  reply.bulk(idText(group.lastId));
  reply.bulk("entries-read");
  if (group.entriesRead === UNKNOWN_COUNT) reply.bulk(undefined);
  else reply.integer(group.entriesRead);
  reply.bulk("lag");
  if (lag === undefined) reply.bulk(undefined);
  else reply.integer(lag);
}

function replyPending(call: Call, item: PendingEntry, { withConsumer }: { readonly withConsumer: boolean }): void {
  call.reply.arrayHead(withConsumer ? 4 : 3);
  call.reply.bulk(idText(item.id));
  if (withConsumer) call.reply.bulk(item.consumer);
  call.reply.integer(item.deliveryTimeMs);
  call.reply.integer(item.deliveryCount);
}

function fullConsumer(
  call: Call,
  {
    consumer,
    pending,
    count,
  }: { readonly consumer: StreamConsumer; readonly pending: readonly PendingEntry[]; readonly count: number },
): void {
  const { reply } = call;
  const own = pending.filter((item) => item.consumer === consumer.name.toString("latin1"));
  reply.arrayHead(10);
  reply.bulk("name");
  reply.bulk(consumer.name);
  for (const [name, value] of [
    ["seen-time", consumer.seenTimeMs],
    ["active-time", consumer.activeTimeMs],
    ["pel-count", own.length],
  ] as const) {
    reply.bulk(name);
    reply.integer(value);
  }
  reply.bulk("pending");
  const shown = own.slice(0, count);
  reply.arrayHead(shown.length);
  for (const item of shown) replyPending(call, item, { withConsumer: false });
}

function groups(call: Call, stream: StreamValue): void {
  const { reply } = call;
  reply.arrayHead(stream.groups.size);
  for (const group of sorted(stream.groups)) {
    reply.arrayHead(12);
    reply.bulk("name");
    reply.bulk(group.name);
    reply.bulk("consumers");
    reply.integer(group.consumers.size);
    reply.bulk("pending");
    reply.integer(group.pending.size);
    groupCounters(call, stream, group);
  }
}

function consumers(
  call: Call,
  stream: StreamValue,
  { key, name }: { readonly key: Buffer; readonly name: Buffer },
): void {
  const group = stream.groups.get(text(name));
  if (group === undefined) throw noGroup(key, name);
  const { reply } = call;
  const pending = pendingOf(group);
  reply.arrayHead(group.consumers.size);
  for (const consumer of sorted(group.consumers)) {
    reply.arrayHead(8);
    reply.bulk("name");
    reply.bulk(consumer.name);
    reply.bulk("pending");
    reply.integer(pending.filter((item) => item.consumer === consumer.name.toString("latin1")).length);
    reply.bulk("idle");
    reply.integer(Math.max(0, call.nowMs - consumer.seenTimeMs));
    reply.bulk("inactive");
    reply.integer(consumer.activeTimeMs < 0 ? -1 : Math.max(0, call.nowMs - consumer.activeTimeMs));
  }
}
