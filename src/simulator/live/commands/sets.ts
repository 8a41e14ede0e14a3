/** Commands on sets. SPOP is journaled as what it took; the store forms as DEL and SADD of the result. */
import { arg, integer, OptionReader, text } from "../arguments.ts";
import type { Call, EntryOf } from "../call.ts";
import { CommandFamily } from "../command.ts";
import { CommandError, MUST_BE_POSITIVE, wrongArity } from "../command-error.ts";
import type { Shard } from "../shard.ts";
import type { SetMember, SetValue } from "../values.ts";
import { DEL, SADD, SREM } from "../words.ts";
import { memberDeadlineMs, setFieldDeadline } from "./hashes.ts";

export const SET_COMMANDS = new CommandFamily("set")
  .write("SADD", -3, sadd)
  .write("SADDEX", -4, saddEx)
  .write("SREM", -3, srem)
  .write("SPOP", -2, spop)
  .write("SMOVE", 4, smove, [1, 2, 1])
  .write("FIELDEXPIRE", -4, fieldExpire)
  .write("SDIFFSTORE", -3, (call, args) => store(call, args, difference), [1, -1, 1])
  .write("SINTERSTORE", -3, (call, args) => store(call, args, intersection), [1, -1, 1])
  .write("SUNIONSTORE", -3, (call, args) => store(call, args, union), [1, -1, 1])
  .read("SDIFF", -2, (call, args) => show(call, args, difference), [1, -1, 1])
  .read("SINTER", -2, (call, args) => show(call, args, intersection), [1, -1, 1])
  .read("SUNION", -2, (call, args) => show(call, args, union), [1, -1, 1])
  .read("SMEMBERS", 2, listMembers)
  .read("SSCAN", -3, (call, args) => {
    // All at once: a client may be given more than its COUNT.
    call.reply.arrayHead(2);
    call.reply.bulk("0");
    listMembers(call, args);
  })
  .read("SISMEMBER", 3, (call, args) =>
    call.reply.integer(look(call, args)?.value.members.has(text(args[2])) === true ? 1 : 0),
  )
  .read("SMISMEMBER", -3, areMembers)
  .read("SCARD", 2, (call, args) => call.reply.integer(look(call, args)?.value.members.size ?? 0)).commands;

function listMembers(call: Call, args: readonly Buffer[]): void {
  call.reply.bulks([...(look(call, args)?.value.members.values() ?? [])].map(({ member }) => member));
}

function look(call: Call, args: readonly Buffer[]): EntryOf<"set"> | undefined {
  const key = arg(args, 1);
  return call.lookOf(call.shard(key), key, "set");
}

function areMembers(call: Call, args: readonly Buffer[]): void {
  const members = look(call, args)?.value.members;
  call.reply.arrayHead(args.length - 2);
  for (const member of args.slice(2)) call.reply.integer(members?.has(text(member)) === true ? 1 : 0);
}

function emptySet(): SetValue {
  return { type: "set", members: new Map() };
}

function obtain(call: Call, shard: Shard, key: Buffer): SetValue {
  return call.changeOrCreate(shard, key, { entry: call.findOf(shard, key, "set"), empty: emptySet }).value;
}

function addMember(set: SetValue, member: Buffer, expireAtMs = -1): boolean {
  const name = text(member);
  if (set.members.has(name)) return false;
  if (expireAtMs >= 0) set.deadlines = true;
  set.members.set(name, { member: Buffer.from(member), expireAtMs });
  return true;
}

function sadd(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const set = obtain(call, shard, key);
  let added = 0;
  for (let i = 2; i < args.length; i++) if (addMember(set, arg(args, i))) added += 1;
  call.record(shard, args);
  call.reply.integer(added);
}

/** `SADDEX key [KEEPTTL] seconds member …`; journaled as it is. */
function saddEx(call: Call, args: readonly Buffer[]): void {
  const reader = new OptionReader(args, 2);
  const keepTtl = reader.takes("KEEPTTL");
  const expireAtMs = memberDeadlineMs(call, reader.nextInteger());
  const members = reader.rest();
  if (members.length === 0) throw new CommandError(wrongArity("saddex"));
  const key = arg(args, 1);
  const shard = call.shard(key);
  const set = obtain(call, shard, key);
  let added = 0;
  for (const member of members) {
    if (addMember(set, member, expireAtMs)) added += 1;
    else if (!keepTtl) setMemberDeadline(set, member, expireAtMs);
  }
  call.record(shard, args);
  call.reply.integer(added);
}

function setMemberDeadline(set: SetValue, member: Buffer, expireAtMs: number): boolean {
  const found = set.members.get(text(member));
  if (found === undefined) return false;
  found.expireAtMs = expireAtMs;
  set.deadlines = true;
  return true;
}

/** `FIELDEXPIRE key seconds member …`, for sets and hashes: 1 for each that is there, -2 for others. */
function fieldExpire(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const expireAtMs = memberDeadlineMs(call, integer(args[2]));
  const shard = call.shard(key);
  const entry = call.find(shard, key);
  const members = args.slice(3);
  const value = entry?.value;
  const usable = value?.type === "set" || value?.type === "hash" ? value : undefined;
  if (entry !== undefined && usable !== undefined) call.change(shard, entry);
  call.reply.arrayHead(members.length);
  for (const member of members)
    call.reply.integer(usable !== undefined && expireMember(usable, member, expireAtMs) ? 1 : -2);
  call.record(shard, args);
}

function expireMember(
  value: SetValue | Parameters<typeof setFieldDeadline>[0],
  member: Buffer,
  expireAtMs: number,
): boolean {
  return value.type === "set"
    ? setMemberDeadline(value, member, expireAtMs)
    : setFieldDeadline(value, member, expireAtMs);
}

/** Journaled as it is, also when no member was there; not when there was no key. */
function srem(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "set");
  let count = 0;
  if (entry !== undefined) {
    call.change(shard, entry);
    for (let i = 2; i < args.length; i++) if (entry.value.members.delete(text(args[i]))) count += 1;
    if (entry.value.members.size === 0) call.remove(shard, entry);
    call.record(shard, args);
  }
  call.reply.integer(count);
}

function spop(call: Call, args: readonly Buffer[]): void {
  const count = args.length > 2 ? integer(args[2], MUST_BE_POSITIVE) : undefined;
  if (count !== undefined && count < 0) throw new CommandError(MUST_BE_POSITIVE);
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "set");
  const taken = entry === undefined || count === 0 ? [] : takeRandom(call, { shard, entry }, count ?? 1);
  if (count === undefined) call.reply.bulk(taken[0]);
  else call.reply.bulks(taken);
}

function takeRandom(
  call: Call,
  { shard, entry }: { readonly shard: Shard; readonly entry: EntryOf<"set"> },
  count: number,
): Buffer[] {
  const { members } = entry.value;
  const all = [...members.values()];
  const taken: Buffer[] = [];
  while (taken.length < count && all.length > 0) {
    const [{ member }] = all.splice(Math.floor(Math.random() * all.length), 1) as [SetMember];
    taken.push(member);
  }
  if (all.length === 0) {
    call.remove(shard, entry);
    call.record(shard, [DEL, entry.key]);
    return taken;
  }
  call.change(shard, entry);
  for (const member of taken) members.delete(text(member));
  call.record(shard, [SREM, entry.key, ...taken]);
  return taken;
}

function smove(call: Call, args: readonly Buffer[]): void {
  const [from, to, member] = [arg(args, 1), arg(args, 2), arg(args, 3)];
  const [fromShard, toShard] = [call.shard(from), call.shard(to)];
  const source = call.findOf(fromShard, from, "set");
  call.findOf(toShard, to, "set");
  const found = source?.value.members.has(text(member)) === true;
  if (source !== undefined && found && !from.equals(to)) {
    call.change(fromShard, source);
    source.value.members.delete(text(member));
    if (source.value.members.size === 0) call.remove(fromShard, source);
    call.recordPart(fromShard, [SREM, from, member]);
    addMember(obtain(call, toShard, to), member);
    call.recordPart(toShard, [SADD, to, member]);
  }
  call.reply.integer(found ? 1 : 0);
}

type Members = ReadonlyMap<string, SetMember>;
type Operation = (sets: readonly Members[]) => Buffer[];

const NO_MEMBERS: Members = new Map();

function operands(call: Call, keys: readonly Buffer[]): Members[] {
  return keys.map((key) => call.findOf(call.shard(key), key, "set")?.value.members ?? NO_MEMBERS);
}

function union(sets: readonly Members[]): Buffer[] {
  const all = new Map(sets.flatMap((members) => [...members]));
  return [...all.values()].map(({ member }) => member);
}

function difference([first = NO_MEMBERS, ...others]: readonly Members[]): Buffer[] {
  return [...first].filter(([name]) => !others.some((other) => other.has(name))).map(([, { member }]) => member);
}

function intersection([first = NO_MEMBERS, ...others]: readonly Members[]): Buffer[] {
  return [...first].filter(([name]) => others.every((other) => other.has(name))).map(([, { member }]) => member);
}

function show(call: Call, args: readonly Buffer[], operation: Operation): void {
  call.reply.bulks(operation(operands(call, args.slice(1))));
}

function store(call: Call, args: readonly Buffer[], operation: Operation): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const result = operation(operands(call, args.slice(2)));
  const old = call.find(shard, key);
  if (result.length > 0) {
    const members = new Map(result.map((member) => [text(member), { member, expireAtMs: -1 }]));
    call.create(shard, key, { type: "set", members });
  } else if (old !== undefined) call.remove(shard, old);
  if (result.length > 0 || old !== undefined) call.recordPart(shard, [DEL, key]);
  if (result.length > 0) call.recordPart(shard, [SADD, key, ...result]);
  call.reply.integer(result.length);
}
