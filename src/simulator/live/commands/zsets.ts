/** Commands that change one zset or read one. Journaled as the client sent them. */
import { arg, doubleText, float, integer, OptionReader, text } from "../arguments.ts";
import type { Call, EntryOf } from "../call.ts";
import { CommandFamily } from "../command.ts";
import { CommandError, MUST_BE_POSITIVE, syntaxError } from "../command-error.ts";
import { rankRange } from "../rank-range.ts";
import type { Shard } from "../shard.ts";
import type { ZsetMember, ZsetValue } from "../values.ts";
import { ZPOPMAX, ZPOPMIN } from "../words.ts";
import { inOrder, orderChanged } from "../zset-order.ts";
import { lexAcceptor, rangeOf, type RangeOptions, readRangeOptions, scoreAcceptor } from "../zset-range.ts";
import { zadd } from "./zset-add.ts";

export const ZSET_COMMANDS = new CommandFamily("sortedset")
  .write("ZADD", -4, zadd)
  .write("ZINCRBY", 4, incrementBy)
  .write("ZREM", -3, zrem)
  .write("ZPOPMIN", -2, (call, args) => pop(call, args, "MIN"))
  .write("ZPOPMAX", -2, (call, args) => pop(call, args, "MAX"))
  .write("ZMPOP", -4, multiPop, [0, 0, 0])
  .write("BZPOPMIN", -3, (call, args) => blockingPop(call, args, "MIN"), [1, -2, 1])
  .write("BZPOPMAX", -3, (call, args) => blockingPop(call, args, "MAX"), [1, -2, 1])
  .write("ZREMRANGEBYRANK", 4, (call, args) => removeRange(call, args, byRank))
  .write("ZREMRANGEBYSCORE", 4, (call, args) => removeRange(call, args, byScore))
  .write("ZREMRANGEBYLEX", 4, (call, args) => removeRange(call, args, byLex))
  .read("ZSCORE", 3, (call, args) => call.reply.bulk(scoreText(look(call, args)?.members.get(text(args[2])))))
  .read("ZMSCORE", -3, (call, args) => scores(call, args))
  .read("ZCARD", 2, (call, args) => call.reply.integer(look(call, args)?.members.size ?? 0))
  .read("ZCOUNT", 4, (call, args) => count(call, args))
  .read("ZRANK", 3, (call, args) => rank(call, args, { reverse: false }))
  .read("ZREVRANK", 3, (call, args) => rank(call, args, { reverse: true }))
  .read("ZRANGE", -4, (call, args) => range(call, args, {}))
  .read("ZREVRANGE", -4, (call, args) => range(call, args, { reverse: true }))
  .read("ZRANGEBYSCORE", -4, (call, args) => range(call, args, { by: "score" }))
  .read("ZREVRANGEBYSCORE", -4, (call, args) => range(call, args, { by: "score", reverse: true }))
  .read("ZRANGEBYLEX", -4, (call, args) => range(call, args, { by: "lex" })).commands;

function look(call: Call, args: readonly Buffer[]): ZsetValue | undefined {
  const key = arg(args, 1);
  return call.lookOf(call.shard(key), key, "zset")?.value;
}

function scoreText(member: ZsetMember | undefined): string | undefined {
  return member === undefined ? undefined : doubleText(member.score);
}

function scores(call: Call, args: readonly Buffer[]): void {
  const members = look(call, args)?.members;
  call.reply.bulks(args.slice(2).map((member) => scoreText(members?.get(text(member)))));
}

function count(call: Call, args: readonly Buffer[]): void {
  const accept = scoreAcceptor(arg(args, 2), arg(args, 3));
  call.reply.integer([...(look(call, args)?.members.values() ?? [])].filter(accept).length);
}

function rank(call: Call, args: readonly Buffer[], { reverse }: { readonly reverse: boolean }): void {
  const zset = look(call, args);
  const members = zset === undefined ? [] : inOrder(zset);
  const at = members.findIndex(({ member }) => member.equals(arg(args, 2)));
  if (at < 0) call.reply.bulk(undefined);
  else call.reply.integer(reverse ? members.length - 1 - at : at);
}

function range(call: Call, args: readonly Buffer[], defaults: Partial<RangeOptions>): void {
  const options = readRangeOptions(new OptionReader(args, 4), defaults);
  replyMembers(call, rangeOf(look(call, args), [arg(args, 2), arg(args, 3)], options), options.withScores);
}

function replyMembers(call: Call, members: readonly ZsetMember[], withScores: boolean): void {
  if (!withScores) call.reply.bulks(members.map(({ member }) => member));
  else call.reply.bulks(members.flatMap((item) => [item.member, scoreText(item)]));
}

function incrementBy(call: Call, args: readonly Buffer[]): void {
  const by = float(args[2]);
  const key = arg(args, 1);
  const member = arg(args, 3);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "zset");
  const old = entry?.value.members.get(text(member));
  const score = (old?.score ?? 0) + by;
  if (Number.isNaN(score)) throw new CommandError("ERR resulting score is not a number (NaN)");
  const { value } = call.changeOrCreate(shard, key, {
    entry,
    empty: () => ({ type: "zset" as const, members: new Map() }),
  });
  value.members.set(text(member), { member: old?.member ?? Buffer.from(member), score });
  orderChanged(value);
  call.record(shard, args);
  call.reply.bulk(doubleText(score));
}

/** The caller has announced the change. */
function removeMembers(
  call: Call,
  { shard, entry }: { readonly shard: Shard; readonly entry: EntryOf<"zset"> },
  members: readonly ZsetMember[],
): void {
  for (const { member } of members) entry.value.members.delete(text(member));
  orderChanged(entry.value);
  if (entry.value.members.size === 0) call.remove(shard, entry);
}

function zrem(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "zset");
  if (entry === undefined) {
    call.reply.integer(0);
    return;
  }
  const names = new Set(args.slice(2).map((member) => text(member)));
  const gone = [...names].flatMap((name) => entry.value.members.get(name) ?? []);
  call.change(shard, entry);
  removeMembers(call, { shard, entry }, gone);
  call.record(shard, args);
  call.reply.integer(gone.length);
}

type Side = "MIN" | "MAX";

function popMembers(
  call: Call,
  target: { readonly shard: Shard; readonly entry: EntryOf<"zset"> },
  options: { readonly side: Side; readonly count: number },
): readonly ZsetMember[] {
  const all = inOrder(target.entry.value);
  const ordered = options.side === "MIN" ? all : all.toReversed();
  const popped = ordered.slice(0, options.count);
  call.change(target.shard, target.entry);
  removeMembers(call, target, popped);
  return popped;
}

function pop(call: Call, args: readonly Buffer[], side: Side): void {
  const wanted = args.length > 2 ? integer(args[2], MUST_BE_POSITIVE) : 1;
  if (wanted < 0) throw new CommandError(MUST_BE_POSITIVE);
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "zset");
  const popped = entry === undefined ? [] : popMembers(call, { shard, entry }, { side, count: wanted });
  if (entry !== undefined) call.record(shard, args);
  replyMembers(call, popped, true);
}

/** ZMPOP n key … MIN|MAX [COUNT n]. */
function multiPop(call: Call, args: readonly Buffer[]): void {
  const keyCount = integer(args[1]);
  const keys = args.slice(2, 2 + keyCount);
  if (keyCount < 1 || keys.length < keyCount) throw syntaxError();
  const reader = new OptionReader(args, 2 + keyCount);
  const side = reader.nextWord();
  if (side !== "MIN" && side !== "MAX") throw syntaxError();
  const wanted = reader.takes("COUNT") ? reader.nextInteger() : 1;
  reader.end();
  for (const key of keys) {
    const shard = call.shard(key);
    const entry = call.findOf(shard, key, "zset");
    if (entry === undefined) continue;
    const popped = popMembers(call, { shard, entry }, { side, count: wanted });
    call.recordPart(shard, [popName(side), key, Buffer.from(String(popped.length))]);
    call.reply.arrayHead(2);
    call.reply.bulk(key);
    call.reply.arrayHead(popped.length);
    for (const item of popped) call.reply.bulks([item.member, scoreText(item)]);
    return;
  }
  call.reply.nullArray();
}

function blockingPop(call: Call, args: readonly Buffer[], side: Side): void {
  for (const key of args.slice(1, -1)) {
    const shard = call.shard(key);
    const entry = call.findOf(shard, key, "zset");
    if (entry === undefined) continue;
    const [item] = popMembers(call, { shard, entry }, { side, count: 1 });
    call.record(shard, [popName(side), key]);
    call.reply.bulks([key, item?.member, scoreText(item)]);
    return;
  }
  call.reply.nullArray();
}

function popName(side: Side): Buffer {
  return side === "MIN" ? ZPOPMIN : ZPOPMAX;
}

type RangePicker = (bounds: readonly [Buffer, Buffer]) => (zset: ZsetValue) => readonly ZsetMember[];

const byRank: RangePicker = (bounds) => {
  const [first, last] = [integer(bounds[0]), integer(bounds[1])];
  return (zset) => {
    const [start, stop] = rankRange(first, last, zset.members.size);
    return inOrder(zset).slice(start, stop);
  };
};

const byScore: RangePicker = (bounds) => {
  const accept = scoreAcceptor(...bounds);
  return (zset) => inOrder(zset).filter(accept);
};

const byLex: RangePicker = (bounds) => {
  const accept = lexAcceptor(...bounds);
  return (zset) => inOrder(zset).filter(accept);
};

function removeRange(call: Call, args: readonly Buffer[], picker: RangePicker): void {
  const pick = picker([arg(args, 2), arg(args, 3)]);
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "zset");
  const gone = entry === undefined ? [] : pick(entry.value);
  if (entry !== undefined) {
    call.change(shard, entry);
    removeMembers(call, { shard, entry }, gone);
    call.record(shard, args);
  }
  call.reply.integer(gone.length);
}
