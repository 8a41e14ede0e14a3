/** Commands on strings. Journal forms: docs/protocol.md §5 and the recordings `types`. */
import { arg, bytesOf, doubleText, fitsInt64, float, integer, parseDouble, parseInt64 } from "../arguments.ts";
import type { Call, EntryOf } from "../call.ts";
import { CommandFamily } from "../command.ts";
import {
  CommandError,
  INCREMENT_NOT_FINITE,
  INCREMENT_OVERFLOW,
  NOT_A_FLOAT,
  NOT_AN_INTEGER,
  syntaxError,
  wrongArity,
} from "../command-error.ts";
import { groupByShard, recorder } from "../key-groups.ts";
import type { Shard } from "../shard.ts";
import { MSET } from "../words.ts";
import { getEx, putString, set, setEx, setNx } from "./string-set.ts";

const MAX_STRING_BYTES = 256 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);

const PLAIN = { expireAtMs: -1, stick: false };

export const STRING_COMMANDS = new CommandFamily("string")
  .write("SET", -3, set)
  .write("SETEX", 4, (call, args) => setEx(call, args, "EX"))
  .write("PSETEX", 4, (call, args) => setEx(call, args, "PX"))
  .write("SETNX", 3, setNx)
  .write("GETEX", -2, getEx)
  .read("GET", 2, get)
  .read("MGET", -2, mget, [1, -1, 1])
  .read("STRLEN", 2, strlen)
  .read("GETRANGE", 4, getRange)
  .read("SUBSTR", 4, getRange)
  .write("GETSET", 3, getSet)
  .write("GETDEL", 2, getDel)
  .write("APPEND", 3, (call, args) => extend(call, args, "end"))
  .write("PREPEND", 3, (call, args) => extend(call, args, "start"))
  .write("SETRANGE", 4, setRange)
  .write("INCR", 2, (call, args) => increment(call, args, 1n))
  .write("DECR", 2, (call, args) => increment(call, args, -1n))
  .write("INCRBY", 3, (call, args) => increment(call, args, amount(args)))
  .write("DECRBY", 3, (call, args) => increment(call, args, -amount(args)))
  .write("INCRBYFLOAT", 3, incrementFloat)
  .write("MSET", -3, mset, [1, -1, 2])
  .write("MSETNX", -3, msetNx, [1, -1, 2]).commands;

function get(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  call.reply.bulk(call.lookOf(call.shard(key), key, "string")?.value.bytes);
}

function mget(call: Call, args: readonly Buffer[]): void {
  call.reply.arrayHead(args.length - 1);
  for (const key of args.slice(1)) {
    const value = call.look(call.shard(key), key)?.value;
    call.reply.bulk(value?.type === "string" ? value.bytes : undefined);
  }
}

function strlen(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  call.reply.integer(call.lookOf(call.shard(key), key, "string")?.value.bytes.length ?? 0);
}

function getRange(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const start = integer(args[2]);
  const end = integer(args[3]);
  const bytes = call.lookOf(call.shard(key), key, "string")?.value.bytes ?? NOTHING;
  const from = Math.max(0, start < 0 ? bytes.length + start : start);
  const to = Math.min(bytes.length - 1, end < 0 ? bytes.length + end : end);
  call.reply.bulk(from > to ? NOTHING : bytes.subarray(from, to + 1));
}

function getSet(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "string");
  const old = entry?.value.bytes;
  putString(call, { shard, key, value: arg(args, 2), entry }, PLAIN);
  call.record(shard, args);
  call.reply.bulk(old);
}

function getDel(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "string");
  if (entry !== undefined) {
    call.remove(shard, entry);
    call.record(shard, args);
  }
  call.reply.bulk(entry?.value.bytes);
}

/** Puts other bytes in place of a string's, keeping its deadline; creates a missing key. */
function replaceBytes(
  call: Call,
  target: { readonly shard: Shard; readonly key: Buffer; readonly entry: EntryOf<"string"> | undefined },
  bytes: Buffer,
): void {
  const { shard, key, entry } = target;
  if (entry === undefined) {
    call.create(shard, key, { type: "string", bytes });
    return;
  }
  call.change(shard, entry);
  entry.value.bytes = bytes;
}

function extend(call: Call, args: readonly Buffer[], where: "start" | "end"): void {
  const key = arg(args, 1);
  const piece = arg(args, 2);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "string");
  const old = entry?.value.bytes ?? NOTHING;
  const bytes = Buffer.concat(where === "end" ? [old, piece] : [piece, old]);
  replaceBytes(call, { shard, key, entry }, bytes);
  call.record(shard, args);
  call.reply.integer(bytes.length);
}

function setRange(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const start = integer(args[2]);
  const piece = arg(args, 3);
  if (start < 0) throw new CommandError("ERR offset is out of range");
  if (start + piece.length > MAX_STRING_BYTES) throw new CommandError("ERR string exceeds maximum allowed size");
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "string");
  const old = entry?.value.bytes ?? NOTHING;
  if (piece.length === 0) {
    call.reply.integer(old.length);
    return;
  }
  const bytes = Buffer.alloc(Math.max(old.length, start + piece.length));
  old.copy(bytes);
  piece.copy(bytes, start);
  replaceBytes(call, { shard, key, entry }, bytes);
  call.record(shard, args);
  call.reply.integer(bytes.length);
}

function amount(args: readonly Buffer[]): bigint {
  const value = parseInt64(arg(args, 2));
  if (value === undefined) throw new CommandError(NOT_AN_INTEGER);
  return value;
}

function increment(call: Call, args: readonly Buffer[], by: bigint): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "string");
  const old = entry === undefined ? 0n : storedInteger(entry.value.bytes);
  if (old === undefined) throw new CommandError(NOT_AN_INTEGER);
  const value = old + by;
  if (!fitsInt64(value)) throw new CommandError(INCREMENT_OVERFLOW);
  replaceBytes(call, { shard, key, entry }, bytesOf(value));
  call.record(shard, args);
  call.reply.integer(value);
}

/** Only what is stored as an integer (Dragonfly src/core/compact_object.cc TryGetInt): "007" is none. */
function storedInteger(bytes: Buffer): bigint | undefined {
  const value = parseInt64(bytes);
  return String(value) === bytes.toString("latin1") ? value : undefined;
}

function incrementFloat(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const by = float(args[2]);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "string");
  const old = entry === undefined ? 0 : parseDouble(entry.value.bytes.toString("latin1"));
  if (old === undefined) throw new CommandError(NOT_A_FLOAT);
  const value = old + by;
  if (!Number.isFinite(value)) throw new CommandError(INCREMENT_NOT_FINITE);
  const bytes = bytesOf(doubleText(value));
  replaceBytes(call, { shard, key, entry }, bytes);
  call.record(shard, args);
  call.reply.bulk(bytes);
}

function pairs(args: readonly Buffer[], name: string): ReadonlyMap<Buffer, Buffer> {
  if (args.length % 2 === 0) throw new CommandError(wrongArity(name));
  const values = new Map<Buffer, Buffer>();
  for (let i = 1; i < args.length; i += 2) values.set(arg(args, i), arg(args, i + 1));
  return values;
}

function mset(call: Call, args: readonly Buffer[]): void {
  setAll(call, pairs(args, "mset"));
  call.reply.ok();
}

function msetNx(call: Call, args: readonly Buffer[]): void {
  const values = pairs(args, "msetnx");
  const taken = [...values.keys()].some((key) => call.find(call.shard(key), key) !== undefined);
  if (!taken) setAll(call, values);
  call.reply.integer(taken ? 0 : 1);
}

/** Journaled as one MSET a shard, with that shard's pairs. */
function setAll(call: Call, values: ReadonlyMap<Buffer, Buffer>): void {
  if (values.size === 0) throw syntaxError();
  const groups = groupByShard(call, [...values.keys()]);
  const record = recorder(call, groups.length);
  for (const { shard, keys } of groups) {
    const entry: Buffer[] = [MSET];
    for (const key of keys) {
      const value = values.get(key) ?? NOTHING;
      putString(call, { shard, key, value, entry: call.find(shard, key) }, PLAIN);
      entry.push(key, value);
    }
    record(shard, entry);
  }
}
