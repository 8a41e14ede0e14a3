/** SET with all its options and its relatives. What is journaled is what was done: conditions and GET are gone, times are absolute. */
import { arg, bytesOf, integer, OptionReader } from "../arguments.ts";
import type { Call } from "../call.ts";
import { syntaxError } from "../command-error.ts";
import { isTimeUnit, positiveDeadlineMs, type TimeUnit } from "../deadlines.ts";
import type { Shard } from "../shard.ts";
import type { KeyEntry } from "../values.ts";
import { DEL, KEEPTTL, PERSIST, PEXPIREAT, PXAT, SET, STICK } from "../words.ts";

type SetOptions = {
  /** -1 for none. */
  deadlineMs: number;
  keepTtl: boolean;
  onlyNew: boolean;
  onlyExisting: boolean;
  get: boolean;
  stick: boolean;
};

export function set(call: Call, args: readonly Buffer[]): void {
  const options = readOptions(call, args);
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = options.get ? call.findOf(shard, key, "string") : call.find(shard, key);
  const old = entry?.value.type === "string" ? entry.value.bytes : undefined;
  const refused = (options.onlyNew && entry !== undefined) || (options.onlyExisting && entry === undefined);
  if (!refused) store(call, { shard, key, value: arg(args, 2), entry }, options);
  if (options.get) call.reply.bulk(old);
  else if (refused) call.reply.bulk(undefined);
  else call.reply.ok();
}

function readOptions(call: Call, args: readonly Buffer[]): SetOptions {
  const options: SetOptions = {
    deadlineMs: -1,
    keepTtl: false,
    onlyNew: false,
    onlyExisting: false,
    get: false,
    stick: false,
  };
  const reader = new OptionReader(args, 3);
  for (let word = reader.nextWord(); word !== undefined; word = reader.nextWord())
    readOption(word, { call, reader, options });
  if (options.onlyNew && options.onlyExisting) throw syntaxError();
  if (options.keepTtl && options.deadlineMs >= 0) throw syntaxError();
  return options;
}

function readOption(
  word: string,
  { call, reader, options }: { readonly call: Call; readonly reader: OptionReader; readonly options: SetOptions },
): void {
  if (isTimeUnit(word)) {
    if (options.deadlineMs >= 0) throw syntaxError();
    options.deadlineMs = positiveDeadlineMs(word, reader.nextInteger(), { nowMs: call.nowMs, command: "set" });
  } else if (word === "KEEPTTL") options.keepTtl = true;
  else if (word === "NX") options.onlyNew = true;
  else if (word === "XX") options.onlyExisting = true;
  else if (word === "GET") options.get = true;
  else if (word === "STICK") options.stick = true;
  else throw syntaxError();
}

type Target = {
  readonly shard: Shard;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly entry: KeyEntry | undefined;
};

function store(call: Call, target: Target, options: SetOptions): void {
  const { shard, key, value, entry } = target;
  if (options.deadlineMs >= 0 && options.deadlineMs <= call.nowMs) {
    if (entry !== undefined) removeAsExpired(call, shard, entry);
    return;
  }
  const kept = options.keepTtl && entry !== undefined ? entry.expireAtMs : options.deadlineMs;
  putString(call, target, { expireAtMs: kept, stick: options.stick });
  const record: Buffer[] = [SET, key, value];
  if (options.deadlineMs >= 0) record.push(PXAT, bytesOf(options.deadlineMs));
  else if (options.keepTtl) record.push(KEEPTTL);
  if (options.stick) record.push(STICK);
  call.record(shard, record);
}

/** A string in place of whatever the key holds; stickiness stays. Journals nothing. */
export function putString(
  call: Call,
  target: Target,
  options: { readonly expireAtMs: number; readonly stick: boolean },
): void {
  const { shard, key, value, entry } = target;
  call.keyspace.put(shard, call.db, {
    key: entry?.key ?? Buffer.from(key),
    value: { type: "string", bytes: Buffer.from(value) },
    expireAtMs: options.expireAtMs,
    sticky: options.stick || entry?.sticky === true,
  });
}

function removeAsExpired(call: Call, shard: Shard, entry: KeyEntry): void {
  call.remove(shard, entry);
  call.record(shard, [DEL, entry.key]);
}

export function setEx(call: Call, args: readonly Buffer[], unit: TimeUnit): void {
  const key = arg(args, 1);
  const command = unit === "PX" ? "psetex" : "setex";
  const deadlineMs = positiveDeadlineMs(unit, integer(args[2]), { nowMs: call.nowMs, command });
  const shard = call.shard(key);
  const entry = call.find(shard, key);
  putString(call, { shard, key, value: arg(args, 3), entry }, { expireAtMs: deadlineMs, stick: false });
  call.record(shard, [SET, key, arg(args, 3), PXAT, bytesOf(deadlineMs)]);
  call.reply.ok();
}

export function setNx(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.find(shard, key);
  if (entry === undefined) {
    putString(call, { shard, key, value: arg(args, 2), entry }, { expireAtMs: -1, stick: false });
    call.record(shard, args);
  }
  call.reply.integer(entry === undefined ? 1 : 0);
}

export function getEx(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const reader = new OptionReader(args, 2);
  const option = reader.nextWord();
  let deadlineMs: number | undefined;
  if (option === "PERSIST") deadlineMs = -1;
  else if (option !== undefined) {
    if (!isTimeUnit(option)) throw syntaxError();
    deadlineMs = positiveDeadlineMs(option, reader.nextInteger(), { nowMs: call.nowMs, command: "getex" });
  }
  reader.end();
  const shard = call.shard(key);
  const entry = call.lookOf(shard, key, "string");
  if (entry !== undefined && deadlineMs !== undefined) applyDeadline(call, { shard, entry }, deadlineMs);
  call.reply.bulk(entry?.value.bytes);
}

function applyDeadline(
  call: Call,
  { shard, entry }: { readonly shard: Shard; readonly entry: KeyEntry },
  deadlineMs: number,
): void {
  if (deadlineMs >= 0 && deadlineMs <= call.nowMs) {
    removeAsExpired(call, shard, entry);
    return;
  }
  call.change(shard, entry);
  call.keyspace.setDeadline(shard, call.db, entry, deadlineMs);
  call.record(shard, deadlineMs < 0 ? [PERSIST, entry.key] : [PEXPIREAT, entry.key, bytesOf(deadlineMs)]);
}
