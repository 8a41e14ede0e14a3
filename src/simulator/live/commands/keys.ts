/** Commands on keys of any type: existence, deadlines, types, SCAN. */
import { arg, bytesOf, integer, OptionReader, text, word } from "../arguments.ts";
import type { Call } from "../call.ts";
import { CommandFamily } from "../command.ts";
import { CommandError, MUST_BE_POSITIVE, NOT_AN_INTEGER, syntaxError, WRONG_TYPE } from "../command-error.ts";
import { deadlineMs, type TimeUnit } from "../deadlines.ts";
import { globMatcher } from "../glob.ts";
import { groupByShard, recorder } from "../key-groups.ts";
import type { KeyEntry, Value } from "../values.ts";
import { DEL, PEXPIREAT } from "../words.ts";

export const KEY_COMMANDS = new CommandFamily("keyspace")
  .write("DEL", -2, del, [1, -1, 1])
  .write("UNLINK", -2, del, [1, -1, 1])
  .write("DELEX", 2, delEx)
  .read("EXISTS", -2, exists, [1, -1, 1])
  .read("TOUCH", -2, exists, [1, -1, 1])
  .read("TYPE", 2, type)
  .read("TTL", 2, (call, args) => timeLeft(call, args, (entry) => Math.round((entry.expireAtMs - call.nowMs) / 1000)))
  .read("PTTL", 2, (call, args) => timeLeft(call, args, (entry) => entry.expireAtMs - call.nowMs))
  .read("EXPIRETIME", 2, (call, args) => timeLeft(call, args, (entry) => Math.round(entry.expireAtMs / 1000)))
  .read("PEXPIRETIME", 2, (call, args) => timeLeft(call, args, (entry) => entry.expireAtMs))
  .read("FIELDTTL", 3, fieldTtl)
  .write("EXPIRE", -3, (call, args) => expire(call, args, "EX"))
  .write("PEXPIRE", -3, (call, args) => expire(call, args, "PX"))
  .write("EXPIREAT", -3, (call, args) => expire(call, args, "EXAT"))
  .write("PEXPIREAT", -3, (call, args) => expire(call, args, "PXAT"))
  .write("PERSIST", 2, persist)
  .write("STICK", -2, stick, [1, -1, 1])
  .read("DUMP", 2, dump)
  .read("KEYS", 2, keys, [0, 0, 0])
  .read("SCAN", -2, scan, [0, 0, 0])
  .read("DBSIZE", 1, (call) => call.reply.integer(call.keyspace.size(call.db)), [0, 0, 0]).commands;

const TYPE_NAMES: Readonly<Record<Value["type"], string>> = {
  string: "string",
  list: "list",
  set: "set",
  hash: "hash",
  zset: "zset",
  stream: "stream",
  json: "ReJSON-RL",
  bloom: "MBbloom--",
  cms: "CMSk-TYPE",
  topk: "TopK-TYPE",
  cuckoo: "MBbloomCF",
};

/** Journaled as DEL of the keys that existed, a shard at a time. */
function del(call: Call, args: readonly Buffer[]): void {
  const groups = groupByShard(call, args.slice(1));
  const record = recorder(call, groups.length);
  let count = 0;
  for (const group of groups) {
    const gone = group.keys.filter((key) => removeKey(call, key));
    if (gone.length > 0) record(group.shard, [DEL, ...gone]);
    count += gone.length;
  }
  call.reply.integer(count);
}

function removeKey(call: Call, key: Buffer): boolean {
  const shard = call.shard(key);
  const entry = call.find(shard, key);
  if (entry !== undefined) call.remove(shard, entry);
  return entry !== undefined;
}

/** The form without a condition. The real master journals both what it did and what it was asked for. */
function delEx(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const gone = removeKey(call, key);
  if (gone) {
    call.record(call.shard(key), [DEL, key]);
    call.record(call.shard(key), args);
  }
  call.reply.integer(gone ? 1 : 0);
}

function exists(call: Call, args: readonly Buffer[]): void {
  call.reply.integer(args.slice(1).filter((key) => call.look(call.shard(key), key) !== undefined).length);
}

function type(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const entry = call.look(call.shard(key), key);
  call.reply.simple(entry === undefined ? "none" : TYPE_NAMES[entry.value.type]);
}

function timeLeft(call: Call, args: readonly Buffer[], time: (entry: KeyEntry) => number): void {
  const key = arg(args, 1);
  const entry = call.look(call.shard(key), key);
  if (entry === undefined) call.reply.integer(-2);
  else call.reply.integer(entry.expireAtMs < 0 ? -1 : time(entry));
}

/** Seconds that a member of a set or a field of a hash has left: -1 without a deadline, -3 without the member, -2 without the key. */
function fieldTtl(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const value = call.look(call.shard(key), key)?.value;
  if (value !== undefined && value.type !== "set" && value.type !== "hash") throw new CommandError(WRONG_TYPE);
  const members = value?.type === "set" ? value.members : value?.fields;
  const member = members?.get(text(args[2]));
  if (value === undefined) call.reply.integer(-2);
  else if (member === undefined) call.reply.integer(-3);
  else call.reply.integer(member.expireAtMs < 0 ? -1 : Math.ceil((member.expireAtMs - call.nowMs) / 1000));
}

type ExpireCondition = "NX" | "XX" | "GT" | "LT";

/** A deadline that is past deletes the key. */
function expire(call: Call, args: readonly Buffer[], unit: TimeUnit): void {
  const key = arg(args, 1);
  const deadline = deadlineMs(unit, integer(args[2]), call.nowMs);
  const conditions = args.slice(3).map((option) => expireCondition(word(option)));
  const shard = call.shard(key);
  const entry = call.find(shard, key);
  const done = entry !== undefined && conditions.every((condition) => holds(condition, entry.expireAtMs, deadline));
  if (done && deadline <= call.nowMs) {
    call.remove(shard, entry);
    call.record(shard, [DEL, key]);
  } else if (done) {
    call.change(shard, entry);
    call.keyspace.setDeadline(shard, call.db, entry, deadline);
    call.record(shard, [PEXPIREAT, key, bytesOf(deadline)]);
  }
  call.reply.integer(done ? 1 : 0);
}

function expireCondition(option: string): ExpireCondition {
  if (option === "NX" || option === "XX" || option === "GT" || option === "LT") return option;
  throw new CommandError(`ERR Unsupported option: ${option}`);
}

/** No deadline counts as the latest. */
function holds(condition: ExpireCondition, oldMs: number, newMs: number): boolean {
  switch (condition) {
    case "NX":
      return oldMs < 0;
    case "XX":
      return oldMs >= 0;
    case "GT":
      return oldMs >= 0 && newMs > oldMs;
    case "LT":
      return oldMs < 0 || newMs < oldMs;
  }
}

function persist(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.find(shard, key);
  const done = entry !== undefined && entry.expireAtMs >= 0;
  if (done) {
    call.change(shard, entry);
    call.keyspace.setDeadline(shard, call.db, entry, -1);
    call.record(shard, args);
  }
  call.reply.integer(done ? 1 : 0);
}

/** Journaled on every shard that it touches, with that shard's keys, whether they were sticky before or not. */
function stick(call: Call, args: readonly Buffer[]): void {
  const groups = groupByShard(call, args.slice(1));
  const record = recorder(call, groups.length);
  let count = 0;
  for (const { shard, keys: shardKeys } of groups) {
    for (const key of shardKeys) {
      const entry = call.find(shard, key);
      if (entry === undefined || entry.sticky) continue;
      call.change(shard, entry);
      entry.sticky = true;
      count += 1;
    }
    record(shard, [arg(args, 0), ...shardKeys]);
  }
  call.reply.integer(count);
}

function dump(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const entry = call.look(call.shard(key), key);
  call.reply.bulk(entry === undefined ? undefined : call.keyspace.dump(entry.value));
}

function keys(call: Call, args: readonly Buffer[]): void {
  const matches = globMatcher(text(args[1]));
  const found: Buffer[] = [];
  for (const shard of call.keyspace.shards) {
    for (const [name, { key }] of shard.databases[call.db] ?? []) {
      if (matches(name) && call.find(shard, key) !== undefined) found.push(key);
    }
  }
  call.reply.bulks(found);
}

type ScanFilter = {
  readonly matches: (name: string) => boolean;
  readonly type: string | undefined;
  readonly count: number;
};

function scan(call: Call, args: readonly Buffer[]): void {
  const cursor = integer(args[1], "ERR invalid cursor");
  const { matches, type: wanted, count } = scanFilter(new OptionReader(args, 2));
  const found: Buffer[] = [];
  const next = call.keyspace.scans.scan(cursor, {
    db: call.db,
    count,
    visit: ({ key, value }) => {
      if (wanted !== undefined && TYPE_NAMES[value.type].toLowerCase() !== wanted) return;
      if (matches(key.toString("latin1")) && call.find(call.shard(key), key) !== undefined) found.push(key);
    },
  });
  call.reply.arrayHead(2);
  call.reply.bulk(String(next));
  call.reply.bulks(found);
}

function scanFilter(reader: OptionReader): ScanFilter {
  const filter: { matches: ScanFilter["matches"]; type: string | undefined; count: number } = {
    matches: () => true,
    type: undefined,
    count: 10,
  };
  for (let option = reader.nextWord(); option !== undefined; option = reader.nextWord()) {
    if (option === "COUNT") filter.count = scanCount(reader.nextInteger());
    else if (option === "MATCH") filter.matches = globMatcher(text(reader.next()));
    else if (option === "TYPE") filter.type = text(reader.next()).toLowerCase();
    else throw syntaxError();
  }
  return filter;
}

function scanCount(count: number): number {
  if (!Number.isSafeInteger(count)) throw new CommandError(NOT_AN_INTEGER);
  if (count <= 0) throw new CommandError(MUST_BE_POSITIVE);
  return count;
}
