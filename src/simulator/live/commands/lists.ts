/** Commands on lists. A move between lists is journaled as a pop and a push, each on its key's shard. Blocking forms answer at once. */
import { arg, integer, OptionReader, word } from "../arguments.ts";
import type { Call, EntryOf } from "../call.ts";
import { CommandFamily } from "../command.ts";
import { CommandError, INDEX_OUT_OF_RANGE, MUST_BE_POSITIVE, NO_SUCH_KEY, syntaxError } from "../command-error.ts";
import { recorder } from "../key-groups.ts";
import { rankRange } from "../rank-range.ts";
import type { Shard } from "../shard.ts";
import type { ListValue } from "../values.ts";
import { LPOP, LPUSH, RPOP, RPUSH } from "../words.ts";

type End = "LEFT" | "RIGHT";

export const LIST_COMMANDS = new CommandFamily("list")
  .write("LPUSH", -3, (call, args) => push(call, args, { end: "LEFT", create: true }))
  .write("RPUSH", -3, (call, args) => push(call, args, { end: "RIGHT", create: true }))
  .write("LPUSHX", -3, (call, args) => push(call, args, { end: "LEFT", create: false }))
  .write("RPUSHX", -3, (call, args) => push(call, args, { end: "RIGHT", create: false }))
  .write("LPOP", -2, (call, args) => pop(call, args, "LEFT"))
  .write("RPOP", -2, (call, args) => pop(call, args, "RIGHT"))
  .write("LMPOP", -4, multiPop, [0, 0, 0])
  .write("BLPOP", -3, (call, args) => blockingPop(call, args, "LEFT"), [1, -2, 1])
  .write("BRPOP", -3, (call, args) => blockingPop(call, args, "RIGHT"), [1, -2, 1])
  .write("LMOVE", 5, (call, args) => move(call, args, { from: end(args[3]), to: end(args[4]) }), [1, 2, 1])
  .write(
    "BLMOVE",
    6,
    (call, args) => move(call, args, { from: end(args[3]), to: end(args[4]), blocking: true }),
    [1, 2, 1],
  )
  .write("RPOPLPUSH", 3, (call, args) => move(call, args, { from: "RIGHT", to: "LEFT" }), [1, 2, 1])
  .write("LSET", 4, setAt)
  .write("LREM", 4, removeEqual)
  .write("LTRIM", 4, trim)
  .write("LINSERT", 5, insert)
  .read("LLEN", 2, (call, args) => call.reply.integer(look(call, args).length))
  .read("LINDEX", 3, (call, args) => call.reply.bulk(look(call, args).at(integer(args[2]))))
  .read("LRANGE", 4, range).commands;

function look(call: Call, args: readonly Buffer[]): readonly Buffer[] {
  const key = arg(args, 1);
  return call.lookOf(call.shard(key), key, "list")?.value.items ?? [];
}

function range(call: Call, args: readonly Buffer[]): void {
  const items = look(call, args);
  const [start, stop] = rankRange(integer(args[2]), integer(args[3]), items.length);
  call.reply.bulks(items.slice(start, stop));
}

function end(bytes: Buffer | undefined): End {
  const name = word(bytes);
  if (name === "LEFT" || name === "RIGHT") return name;
  throw syntaxError();
}

function emptyList(): ListValue {
  return { type: "list", items: [] };
}

function pushItem(list: ListValue, item: Buffer, to: End): void {
  if (to === "LEFT") list.items.unshift(Buffer.from(item));
  else list.items.push(Buffer.from(item));
}

/** On a missing key LPUSHX and RPUSHX do nothing, and are journaled all the same (recording `types`). */
function push(call: Call, args: readonly Buffer[], options: { readonly end: End; readonly create: boolean }): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "list");
  let length = 0;
  if (entry !== undefined || options.create) {
    const { value } = call.changeOrCreate(shard, key, { entry, empty: emptyList });
    for (const item of args.slice(2)) pushItem(value, item, options.end);
    length = value.items.length;
  }
  call.record(shard, args);
  call.reply.integer(length);
}

/** The caller has announced the change. */
function popItems(
  call: Call,
  { shard, entry }: { readonly shard: Shard; readonly entry: EntryOf<"list"> },
  options: { readonly from: End; readonly count: number },
): Buffer[] {
  const { items } = entry.value;
  const count = Math.min(options.count, items.length);
  const popped =
    options.from === "LEFT" ? items.splice(0, count) : items.splice(items.length - count, count).toReversed();
  if (items.length === 0) call.remove(shard, entry);
  return popped;
}

function pop(call: Call, args: readonly Buffer[], from: End): void {
  const key = arg(args, 1);
  const count = args.length > 2 ? integer(args[2], MUST_BE_POSITIVE) : undefined;
  if (count !== undefined && count < 0) throw new CommandError(MUST_BE_POSITIVE);
  if (args.length > 3) throw syntaxError();
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "list");
  if (entry === undefined) {
    if (count === undefined) call.reply.bulk(undefined);
    else call.reply.nullArray();
    return;
  }
  call.change(shard, entry);
  const popped = popItems(call, { shard, entry }, { from, count: count ?? 1 });
  call.record(shard, args);
  if (count === undefined) call.reply.bulk(popped[0]);
  else call.reply.bulks(popped);
}

/** LMPOP n key … LEFT|RIGHT [COUNT n]: 1.40 journals one pop of one item, however many were taken. */
function multiPop(call: Call, args: readonly Buffer[]): void {
  const keyCount = integer(args[1]);
  const keys = args.slice(2, 2 + keyCount);
  if (keyCount < 1 || keys.length < keyCount) throw syntaxError();
  const reader = new OptionReader(args, 2 + keyCount);
  const from = end(reader.next());
  const count = reader.takes("COUNT") ? reader.nextInteger() : 1;
  reader.end();
  for (const key of keys) {
    const shard = call.shard(key);
    const entry = call.findOf(shard, key, "list");
    if (entry === undefined) continue;
    call.change(shard, entry);
    const popped = popItems(call, { shard, entry }, { from, count });
    call.recordPart(shard, [popName(from), key]);
    call.reply.arrayHead(2);
    call.reply.bulk(key);
    call.reply.bulks(popped);
    return;
  }
  call.reply.nullArray();
}

function blockingPop(call: Call, args: readonly Buffer[], from: End): void {
  for (const key of args.slice(1, -1)) {
    const shard = call.shard(key);
    const entry = call.findOf(shard, key, "list");
    if (entry === undefined) continue;
    call.change(shard, entry);
    const [item] = popItems(call, { shard, entry }, { from, count: 1 });
    call.record(shard, [popName(from), key]);
    call.reply.bulks([key, item]);
    return;
  }
  call.reply.nullArray();
}

/** A blocking form always has a transaction's number. */
function move(
  call: Call,
  args: readonly Buffer[],
  options: { readonly from: End; readonly to: End; readonly blocking?: boolean },
): void {
  const [from, to] = [arg(args, 1), arg(args, 2)];
  const [fromShard, toShard] = [call.shard(from), call.shard(to)];
  const source = call.findOf(fromShard, from, "list");
  if (source === undefined) {
    call.reply.bulk(undefined);
    return;
  }
  call.findOf(toShard, to, "list");
  call.change(fromShard, source);
  const [item] = popItems(call, { shard: fromShard, entry: source }, { from: options.from, count: 1 });
  if (item === undefined) return;
  // The list may have been moved within itself and be gone by now.
  const target = call.changeOrCreate(toShard, to, { entry: call.findOf(toShard, to, "list"), empty: emptyList });
  pushItem(target.value, item, options.to);
  const record = recorder(call, fromShard === toShard && options.blocking !== true ? 1 : 2);
  record(fromShard, [popName(options.from), from]);
  record(toShard, [options.to === "LEFT" ? LPUSH : RPUSH, to, item]);
  call.reply.bulk(item);
}

function popName(from: End): Buffer {
  return from === "LEFT" ? LPOP : RPOP;
}

function setAt(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const index = integer(args[2]);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "list");
  if (entry === undefined) throw new CommandError(NO_SUCH_KEY);
  const { items } = entry.value;
  const at = index < 0 ? items.length + index : index;
  if (at < 0 || at >= items.length) throw new CommandError(INDEX_OUT_OF_RANGE);
  call.change(shard, entry);
  items[at] = Buffer.from(arg(args, 3));
  call.record(shard, args);
  call.reply.ok();
}

function removeEqual(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const count = integer(args[2]);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "list");
  if (entry === undefined) {
    call.reply.integer(0);
    return;
  }
  call.change(shard, entry);
  const before = entry.value.items.length;
  entry.value.items = without(entry.value.items, arg(args, 3), count);
  const { length } = entry.value.items;
  if (length === 0) call.remove(shard, entry);
  call.record(shard, args);
  call.reply.integer(before - length);
}

/** @param count how many at most; from the end when negative; 0 for all */
function without(items: readonly Buffer[], item: Buffer, count: number): Buffer[] {
  let left = count === 0 ? Infinity : Math.abs(count);
  const keep = (other: Buffer): boolean => left === 0 || !other.equals(item) || --left < 0;
  return count < 0 ? items.toReversed().filter(keep).toReversed() : items.filter(keep);
}

function trim(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const [first, last] = [integer(args[2]), integer(args[3])];
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "list");
  if (entry !== undefined) {
    const [start, stop] = rankRange(first, last, entry.value.items.length);
    call.change(shard, entry);
    entry.value.items = entry.value.items.slice(start, stop);
    if (entry.value.items.length === 0) call.remove(shard, entry);
    call.record(shard, args);
  }
  call.reply.ok();
}

function insert(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const where = word(args[2]);
  if (where !== "BEFORE" && where !== "AFTER") throw syntaxError();
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "list");
  if (entry === undefined) {
    call.reply.integer(0);
    return;
  }
  const { items } = entry.value;
  const at = items.findIndex((item) => item.equals(arg(args, 3)));
  if (at >= 0) {
    call.change(shard, entry);
    items.splice(where === "BEFORE" ? at : at + 1, 0, Buffer.from(arg(args, 4)));
  }
  call.record(shard, args);
  call.reply.integer(at < 0 ? -1 : items.length);
}
