/**
 * Commands on the groups of streams. Reading by XREADGROUP is journaled as one XCLAIM for each entry and XGROUP SETID with the new place of the group;
 * XCLAIM and XAUTOCLAIM as the client sent them.
 */
import { arg, integer, OptionReader, text, word } from "../arguments.ts";
import type { Call, EntryOf } from "../call.ts";
import { CommandFamily } from "../command.ts";
import { CommandError, syntaxError, unknownSubcommand, wrongArity } from "../command-error.ts";
import type { Shard } from "../shard.ts";
import { UNKNOWN_COUNT } from "../stream-counters.ts";
import { compareIds, idText, NO_ID, parseId } from "../stream-ids.ts";
import type { StreamConsumer, StreamGroup, StreamId, StreamValue } from "../values.ts";
import { entryOf, noGroup, noGroupOrKey, obtainConsumer } from "./stream-group-members.ts";
import { readGroup } from "./stream-read-group.ts";
import { emptyStream, replyEntries } from "./stream-replies.ts";

export const STREAM_GROUP_COMMANDS = new CommandFamily("stream")
  .write("XGROUP", -3, xgroup, [2, 2, 1])
  .write("XREADGROUP", -7, readGroup, [0, 0, 0])
  .write("XACK", -4, ack)
  .write("XCLAIM", -6, claim)
  .write("XAUTOCLAIM", -6, autoClaim)
  .read("XPENDING", -3, pending).commands;

const KEY_MISSING =
  "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.";

type Target = { readonly shard: Shard; readonly key: Buffer; readonly entry: EntryOf<"stream"> | undefined };

function xgroup(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 2);
  const shard = call.shard(key);
  const target = { shard, key, entry: call.findOf(shard, key, "stream") };
  const subcommand = word(args[1]);
  if (subcommand === "CREATE" && args.length >= 5) createGroup(call, args, target);
  else if (subcommand === "DESTROY" && args.length === 4) destroyGroup(call, args, target);
  else if (subcommand === "SETID" && args.length >= 5) setGroupId(call, args, target);
  else if (subcommand === "CREATECONSUMER" && args.length === 5) createConsumer(call, args, target);
  else if (subcommand === "DELCONSUMER" && args.length === 5) deleteConsumer(call, args, target);
  else throw unknownSubcommand(text(args[1]), "XGROUP");
}

function groupId(bytes: Buffer, stream: StreamValue | undefined): StreamId {
  return text(bytes) === "$" ? (stream?.lastId ?? NO_ID) : parseId(bytes);
}

function createGroup(call: Call, args: readonly Buffer[], { shard, key, entry }: Target): void {
  const reader = new OptionReader(args, 5);
  let make = false;
  let entriesRead = UNKNOWN_COUNT;
  while (reader.left > 0) {
    if (reader.takes("MKSTREAM")) make = true;
    else if (reader.takes("ENTRIESREAD")) entriesRead = reader.nextInteger();
    else throw syntaxError();
  }
  if (entry === undefined && !make) throw new CommandError(KEY_MISSING);
  const name = arg(args, 3);
  const lastId = groupId(arg(args, 4), entry?.value);
  if (entry?.value.groups.has(text(name)) === true)
    throw new CommandError("BUSYGROUP Consumer Group name already exists");
  const { value } = call.changeOrCreate(shard, key, { entry, empty: emptyStream });
  value.groups.set(text(name), {
    name: Buffer.from(name),
    lastId,
    entriesRead,
    pending: new Map(),
    consumers: new Map(),
  });
  call.record(shard, args);
  call.reply.ok();
}

function destroyGroup(call: Call, args: readonly Buffer[], { shard, entry }: Target): void {
  if (entry === undefined) throw new CommandError(KEY_MISSING);
  const found = entry.value.groups.has(text(args[3]));
  if (found) {
    call.change(shard, entry);
    entry.value.groups.delete(text(args[3]));
    call.record(shard, args);
  }
  call.reply.integer(found ? 1 : 0);
}

/** The group to change, announced. */
function changeGroup(call: Call, args: readonly Buffer[], { shard, key, entry }: Target): StreamGroup {
  if (entry === undefined) throw new CommandError(KEY_MISSING);
  const group = entry.value.groups.get(text(args[3]));
  if (group === undefined) throw noGroup(key, arg(args, 3));
  call.change(shard, entry);
  return group;
}

function setGroupId(call: Call, args: readonly Buffer[], target: Target): void {
  const reader = new OptionReader(args, 5);
  const entriesRead = reader.takes("ENTRIESREAD") ? reader.nextInteger() : UNKNOWN_COUNT;
  reader.end();
  const lastId = groupId(arg(args, 4), target.entry?.value);
  const group = changeGroup(call, args, target);
  group.lastId = lastId;
  group.entriesRead = entriesRead;
  call.record(target.shard, args);
  call.reply.ok();
}

function createConsumer(call: Call, args: readonly Buffer[], target: Target): void {
  const { isNew } = obtainConsumer(changeGroup(call, args, target), arg(args, 4), call.nowMs);
  call.record(target.shard, args);
  call.reply.integer(isNew ? 1 : 0);
}

function deleteConsumer(call: Call, args: readonly Buffer[], target: Target): void {
  const group = changeGroup(call, args, target);
  const name = text(args[4]);
  const own = [...group.pending].filter(([, item]) => item.consumer === name);
  for (const [id] of own) group.pending.delete(id);
  group.consumers.delete(name);
  call.record(target.shard, args);
  call.reply.integer(own.length);
}

type GroupAt = { readonly shard: Shard; readonly entry: EntryOf<"stream">; readonly group: StreamGroup };

/** The group of `command key group …`, undefined when there is no such key or group. */
function findGroup(call: Call, args: readonly Buffer[]): GroupAt | undefined {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "stream");
  const group = entry?.value.groups.get(text(args[2]));
  return entry === undefined || group === undefined ? undefined : { shard, entry, group };
}

function ack(call: Call, args: readonly Buffer[]): void {
  const ids = args.slice(3).map((id) => idText(parseId(id)));
  const at = findGroup(call, args);
  let count = 0;
  if (at !== undefined) {
    call.change(at.shard, at.entry);
    for (const id of ids) if (at.group.pending.delete(id)) count += 1;
    call.record(at.shard, args);
  }
  call.reply.integer(count);
}

type ClaimOptions = {
  deliveryTimeMs: number;
  retryCount: number | undefined;
  force: boolean;
  justId: boolean;
  lastId: StreamId | undefined;
};

function readClaim(call: Call, args: readonly Buffer[]): { readonly ids: StreamId[]; readonly options: ClaimOptions } {
  const ids: StreamId[] = [];
  let at = 5;
  for (; /^\d/.test(text(args[at])); at++) ids.push(parseId(arg(args, at)));
  const options: ClaimOptions = {
    deliveryTimeMs: call.nowMs,
    retryCount: undefined,
    force: false,
    justId: false,
    lastId: undefined,
  };
  const reader = new OptionReader(args, at);
  while (reader.left > 0) {
    if (reader.takes("IDLE")) options.deliveryTimeMs = call.nowMs - reader.nextInteger();
    else if (reader.takes("TIME")) options.deliveryTimeMs = reader.nextInteger();
    else if (reader.takes("RETRYCOUNT")) options.retryCount = reader.nextInteger();
    else if (reader.takes("LASTID")) options.lastId = parseId(reader.next());
    else if (reader.takes("FORCE")) options.force = true;
    else if (reader.takes("JUSTID")) options.justId = true;
    else throw new CommandError("ERR Unknown argument given for XCLAIM command");
  }
  if (ids.length === 0) throw new CommandError(wrongArity("xclaim"));
  return { ids, options };
}

function claim(call: Call, args: readonly Buffer[]): void {
  const minIdleMs = integer(args[4]);
  const { ids, options } = readClaim(call, args);
  const at = findGroup(call, args);
  if (at === undefined) throw noGroupOrKey(arg(args, 1), arg(args, 2));
  call.change(at.shard, at.entry);
  const { group } = at;
  const { consumer } = obtainConsumer(group, arg(args, 3), call.nowMs);
  consumer.seenTimeMs = call.nowMs;
  if (options.lastId !== undefined && compareIds(options.lastId, group.lastId) > 0) group.lastId = options.lastId;
  const claimed = ids.filter((id) => claimOne(call, at, { id, consumer, minIdleMs, options }));
  call.record(at.shard, args);
  replyClaimed(call, at.entry.value, { ids: claimed, justId: options.justId });
}

function claimOne(
  call: Call,
  { entry, group }: GroupAt,
  {
    id,
    consumer,
    minIdleMs,
    options,
  }: {
    readonly id: StreamId;
    readonly consumer: StreamConsumer;
    readonly minIdleMs: number;
    readonly options: ClaimOptions;
  },
): boolean {
  const name = idText(id);
  const old = group.pending.get(name);
  if (old === undefined && !options.force) return false;
  if (entryOf(entry.value, id) === undefined) {
    group.pending.delete(name);
    return false;
  }
  if (old !== undefined && call.nowMs - old.deliveryTimeMs < minIdleMs) return false;
  const deliveryCount =
    options.retryCount ?? (old?.deliveryCount ?? (options.justId ? 1 : 0)) + (options.justId ? 0 : 1);
  group.pending.set(name, { id, consumer: text(consumer.name), deliveryTimeMs: options.deliveryTimeMs, deliveryCount });
  consumer.activeTimeMs = call.nowMs;
  return true;
}

function replyClaimed(
  call: Call,
  stream: StreamValue,
  { ids, justId }: { readonly ids: readonly StreamId[]; readonly justId: boolean },
): void {
  if (justId) call.reply.bulks(ids.map((id) => idText(id)));
  else
    replyEntries(
      call,
      ids.flatMap((id) => entryOf(stream, id) ?? []),
    );
}

const AUTOCLAIM_COUNT = 100;

/** XAUTOCLAIM key group consumer min-idle start [COUNT n] [JUSTID]. */
function autoClaim(call: Call, args: readonly Buffer[]): void {
  const minIdleMs = integer(args[4]);
  const start = parseId(arg(args, 5));
  const reader = new OptionReader(args, 6);
  let count = AUTOCLAIM_COUNT;
  let justId = false;
  while (reader.left > 0) {
    if (reader.takes("COUNT")) count = reader.nextInteger();
    else if (reader.takes("JUSTID")) justId = true;
    else throw new CommandError("ERR Unknown argument given for XAUTOCLAIM command");
  }
  const at = findGroup(call, args);
  if (at === undefined) throw noGroupOrKey(arg(args, 1), arg(args, 2));
  call.change(at.shard, at.entry);
  const { consumer } = obtainConsumer(at.group, arg(args, 3), call.nowMs);
  consumer.seenTimeMs = call.nowMs;
  const options: ClaimOptions = {
    deliveryTimeMs: call.nowMs,
    retryCount: undefined,
    force: false,
    justId,
    lastId: undefined,
  };
  const due = pendingFrom(at.group, start);
  const tried = due.slice(0, count);
  const deleted = tried.filter((id) => entryOf(at.entry.value, id) === undefined);
  const claimed = tried.filter((id) => claimOne(call, at, { id, consumer, minIdleMs, options }));
  call.record(at.shard, args);
  call.reply.arrayHead(3);
  call.reply.bulk(idText(due[count] ?? NO_ID));
  replyClaimed(call, at.entry.value, { ids: claimed, justId });
  call.reply.bulks(deleted.map((id) => idText(id)));
}

function pendingFrom(group: StreamGroup, start: StreamId): StreamId[] {
  const ids = [...group.pending.values()].map(({ id }) => id);
  return ids.filter((id) => compareIds(id, start) >= 0).toSorted(compareIds);
}

/** XPENDING key group: how many, from where to where, and how many each consumer has; with `start end count [consumer]` one by one. */
function pending(call: Call, args: readonly Buffer[]): void {
  const at = findGroup(call, args);
  if (at === undefined) throw noGroupOrKey(arg(args, 1), arg(args, 2));
  const { reply } = call;
  const items = pendingFrom(at.group, NO_ID).flatMap((id) => at.group.pending.get(idText(id)) ?? []);
  if (args.length > 3) {
    const shown = items.slice(0, integer(args[5]));
    reply.arrayHead(shown.length);
    for (const { id, consumer, deliveryTimeMs, deliveryCount } of shown) {
      reply.arrayHead(4);
      reply.bulk(idText(id));
      reply.bulk(consumer);
      reply.integer(Math.max(0, call.nowMs - deliveryTimeMs));
      reply.integer(deliveryCount);
    }
    return;
  }
  const owners = Map.groupBy(items, ({ consumer }) => consumer);
  const [first, last] = [items[0], items.at(-1)];
  reply.arrayHead(4);
  reply.integer(items.length);
  reply.bulk(first === undefined ? undefined : idText(first.id));
  reply.bulk(last === undefined ? undefined : idText(last.id));
  if (owners.size === 0) reply.nullArray();
  else reply.arrayHead(owners.size);
  for (const [name, own] of owners) reply.bulks([name, String(own.length)]);
}
