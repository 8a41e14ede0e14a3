/** Commands on hashes. Journal forms are those of the recordings: mostly as the client sent them, also when nothing changed. */
import {
  arg,
  bytesOf,
  doubleText,
  fitsInt64,
  float,
  integer,
  OptionReader,
  parseDouble,
  parseInt64,
  text,
  word,
} from "../arguments.ts";
import type { Call, EntryOf } from "../call.ts";
import { CommandFamily } from "../command.ts";
import {
  CommandError,
  INCREMENT_NOT_FINITE,
  INCREMENT_OVERFLOW,
  NOT_AN_INTEGER,
  wrongArity,
} from "../command-error.ts";
import type { Shard } from "../shard.ts";
import type { HashField, HashValue } from "../values.ts";

export const HASH_COMMANDS = new CommandFamily("hash")
  .write("HSET", -4, (call, args) => call.reply.integer(setFields(call, args)))
  .write("HMSET", -4, hmset)
  .write("HSETNX", 4, setNx)
  .write("HSETEX", -5, setEx)
  .write("HEXPIRE", -6, hExpire)
  .write("HDEL", -3, hdel)
  .write("HINCRBY", 4, incrementBy)
  .write("HINCRBYFLOAT", 4, incrementByFloat)
  .read("HGET", 3, (call, args) => call.reply.bulk(look(call, args)?.value.fields.get(text(args[2]))?.content))
  .read("HMGET", -3, hmget)
  .read("HGETALL", 2, (call, args) => list(call, args, ({ field, content }) => [field, content]))
  .read("HKEYS", 2, (call, args) => list(call, args, ({ field }) => [field]))
  .read("HSCAN", -3, (call, args) => {
    // All at once: a client may be given more than its COUNT.
    call.reply.arrayHead(2);
    call.reply.bulk("0");
    list(call, args, ({ field, content }) => [field, content]);
  })
  .read("HVALS", 2, (call, args) => list(call, args, ({ content }) => [content]))
  .read("HLEN", 2, (call, args) => call.reply.integer(look(call, args)?.value.fields.size ?? 0))
  .read("HEXISTS", 3, (call, args) =>
    call.reply.integer(look(call, args)?.value.fields.has(text(args[2])) === true ? 1 : 0),
  )
  .read("HSTRLEN", 3, (call, args) =>
    call.reply.integer(look(call, args)?.value.fields.get(text(args[2]))?.content.length ?? 0),
  ).commands;

const NOT_AN_INTEGER_VALUE = "ERR hash value is not an integer";
const NOT_A_FLOAT_VALUE = "ERR hash value is not a float";
/** docs/protocol.md §4: member deadlines are seconds in 32 bits. */
const MAX_TTL_S = 268_435_455;

function look(call: Call, args: readonly Buffer[]): EntryOf<"hash"> | undefined {
  const key = arg(args, 1);
  return call.lookOf(call.shard(key), key, "hash");
}

function list(call: Call, args: readonly Buffer[], show: (field: HashField) => Buffer[]): void {
  const fields = [...(look(call, args)?.value.fields.values() ?? [])];
  call.reply.bulks(fields.flatMap(show));
}

function hmget(call: Call, args: readonly Buffer[]): void {
  const fields = look(call, args)?.value.fields;
  call.reply.bulks(args.slice(2).map((field) => fields?.get(text(field))?.content));
}

function emptyHash(): HashValue {
  return { type: "hash", fields: new Map() };
}

/** The hash to write to. */
function obtain(call: Call, shard: Shard, key: Buffer): HashValue {
  return call.changeOrCreate(shard, key, { entry: call.findOf(shard, key, "hash"), empty: emptyHash }).value;
}

function putField(
  hash: HashValue,
  field: Buffer,
  options: { readonly content: Buffer; readonly expireAtMs?: number },
): boolean {
  const { content, expireAtMs = -1 } = options;
  const name = text(field);
  const old = hash.fields.get(name);
  if (expireAtMs >= 0) hash.deadlines = true;
  if (old === undefined) {
    hash.fields.set(name, { field: Buffer.from(field), content: Buffer.from(content), expireAtMs });
    return true;
  }
  old.content = Buffer.from(content);
  old.expireAtMs = expireAtMs;
  return false;
}

function setFields(call: Call, args: readonly Buffer[]): number {
  if (args.length % 2 !== 0) throw new CommandError(wrongArity(text(args[0])));
  const key = arg(args, 1);
  const shard = call.shard(key);
  const hash = obtain(call, shard, key);
  let added = 0;
  for (let i = 2; i < args.length; i += 2) if (putField(hash, arg(args, i), { content: arg(args, i + 1) })) added += 1;
  call.record(shard, args);
  return added;
}

function hmset(call: Call, args: readonly Buffer[]): void {
  setFields(call, args);
  call.reply.ok();
}

function setNx(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const taken = call.findOf(shard, key, "hash")?.value.fields.has(text(args[2])) === true;
  if (!taken) putField(obtain(call, shard, key), arg(args, 2), { content: arg(args, 3) });
  call.record(shard, args);
  call.reply.integer(taken ? 0 : 1);
}

/** `HSETEX key [NX] [KEEPTTL] seconds field value …`; journaled as it is, so replicas count from their own clock. */
function setEx(call: Call, args: readonly Buffer[]): void {
  const reader = new OptionReader(args, 2);
  const onlyNew = reader.takes("NX");
  const keepTtl = reader.takes("KEEPTTL");
  const expireAtMs = memberDeadlineMs(call, reader.nextInteger());
  const fields = reader.rest();
  if (fields.length === 0 || fields.length % 2 !== 0) throw new CommandError(wrongArity("hsetex"));
  const key = arg(args, 1);
  const shard = call.shard(key);
  const hash = obtain(call, shard, key);
  let added = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const field = arg(fields, i);
    const old = hash.fields.get(text(field));
    if (onlyNew && old !== undefined) continue;
    const deadline = keepTtl && old !== undefined && old.expireAtMs >= 0 ? old.expireAtMs : expireAtMs;
    if (putField(hash, field, { content: arg(fields, i + 1), expireAtMs: deadline })) added += 1;
  }
  call.record(shard, args);
  call.reply.integer(added);
}

export function memberDeadlineMs(call: Call, seconds: number): number {
  if (seconds < 1 || seconds > MAX_TTL_S) throw new CommandError(NOT_AN_INTEGER);
  // Whole seconds, counted as the master counts them.
  return Math.floor(call.nowMs / 1000) * 1000 + seconds * 1000;
}

/** `HEXPIRE key seconds FIELDS n field …`: 1 for each field that is there, -2 for others. */
function hExpire(call: Call, args: readonly Buffer[]): void {
  const expireAtMs = memberDeadlineMs(call, integer(args[2]));
  const fields = args.slice(5);
  if (word(args[3]) !== "FIELDS" || integer(args[4]) !== fields.length)
    throw new CommandError("ERR The `numfields` parameter must match the number of arguments");
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "hash");
  if (entry !== undefined) call.change(shard, entry);
  call.reply.arrayHead(fields.length);
  for (const field of fields)
    call.reply.integer(entry !== undefined && setFieldDeadline(entry.value, field, expireAtMs) ? 1 : -2);
  if (entry !== undefined) call.record(shard, args);
}

export function setFieldDeadline(hash: HashValue, field: Buffer, expireAtMs: number): boolean {
  const found = hash.fields.get(text(field));
  if (found === undefined) return false;
  found.expireAtMs = expireAtMs;
  hash.deadlines = true;
  return true;
}

/** Journaled as it is, also when no field was there; not when there was no key. */
function hdel(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "hash");
  let count = 0;
  if (entry !== undefined) {
    call.change(shard, entry);
    for (const field of args.slice(2)) if (entry.value.fields.delete(text(field))) count += 1;
    if (entry.value.fields.size === 0) call.remove(shard, entry);
    call.record(shard, args);
  }
  call.reply.integer(count);
}

type Incremented<T> = { readonly shard: Shard; readonly key: Buffer; readonly old: T };

/** Keeps the field's deadline. */
function putNumber(
  call: Call,
  args: readonly Buffer[],
  { shard, key, bytes }: { readonly shard: Shard; readonly key: Buffer; readonly bytes: Buffer },
): void {
  const hash = obtain(call, shard, key);
  const expireAtMs = hash.fields.get(text(args[2]))?.expireAtMs ?? -1;
  putField(hash, arg(args, 2), { content: bytes, expireAtMs });
  call.record(shard, args);
}

function oldNumber<T>(
  call: Call,
  args: readonly Buffer[],
  {
    parse,
    zero,
    error,
  }: { readonly parse: (bytes: Buffer) => T | undefined; readonly zero: T; readonly error: string },
): Incremented<T> {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const content = call.findOf(shard, key, "hash")?.value.fields.get(text(args[2]))?.content;
  const old = content === undefined ? zero : parse(content);
  if (old === undefined) throw new CommandError(error);
  return { shard, key, old };
}

function incrementBy(call: Call, args: readonly Buffer[]): void {
  const by = parseInt64(arg(args, 3));
  if (by === undefined) throw new CommandError(NOT_AN_INTEGER);
  const { shard, key, old } = oldNumber(call, args, { parse: parseInt64, zero: 0n, error: NOT_AN_INTEGER_VALUE });
  const value = old + by;
  if (!fitsInt64(value)) throw new CommandError(INCREMENT_OVERFLOW);
  putNumber(call, args, { shard, key, bytes: bytesOf(value) });
  call.reply.integer(value);
}

function incrementByFloat(call: Call, args: readonly Buffer[]): void {
  const by = float(args[3]);
  const parse = (bytes: Buffer): number | undefined => parseDouble(bytes.toString("latin1"));
  const { shard, key, old } = oldNumber(call, args, { parse, zero: 0, error: NOT_A_FLOAT_VALUE });
  const value = old + by;
  if (!Number.isFinite(value)) throw new CommandError(INCREMENT_NOT_FINITE);
  const bytes = bytesOf(doubleText(value));
  putNumber(call, args, { shard, key, bytes });
  call.reply.bulk(bytes);
}
