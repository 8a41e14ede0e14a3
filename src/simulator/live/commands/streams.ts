/** Commands on streams without their groups. XADD is journaled with its final id, trimming as MINID. */
import { arg, bytesOf, integer, OptionReader, text } from "../arguments.ts";
import type { Call, EntryOf } from "../call.ts";
import { CommandFamily } from "../command.ts";
import { CommandError, NO_SUCH_KEY, syntaxError, wrongArity } from "../command-error.ts";
import { compareIds, idText, isZero, NO_ID, parseId, parseRangeBound } from "../stream-ids.ts";
import { isRewritten, readTrim, type Trim, trimStream, trimWords } from "../stream-trim.ts";
import type { StreamId, StreamValue } from "../values.ts";
import { streamInfo } from "./stream-info.ts";
import { emptyStream, replyEntries, replyStreams, splitStreams } from "./stream-replies.ts";

const XTRIM = Buffer.from("XTRIM");
const NOMKSTREAM = Buffer.from("NOMKSTREAM");

export const STREAM_COMMANDS = new CommandFamily("stream")
  .write("XADD", -5, xadd)
  .write("XTRIM", -4, xtrim)
  .write("XDEL", -3, xdel)
  .write("XSETID", -3, setId)
  .read("XLEN", 2, (call, args) => call.reply.integer(look(call, args)?.value.entries.length ?? 0))
  .read("XRANGE", -4, (call, args) => range(call, args, { reverse: false }))
  .read("XREVRANGE", -4, (call, args) => range(call, args, { reverse: true }))
  .read("XREAD", -4, read, [0, 0, 0])
  .read("XINFO", -3, streamInfo, [2, 2, 1]).commands;

function look(call: Call, args: readonly Buffer[]): EntryOf<"stream"> | undefined {
  const key = arg(args, 1);
  return call.lookOf(call.shard(key), key, "stream");
}

type AddRequest = { readonly create: boolean; readonly trim: Trim | undefined; readonly idAt: number };

function readAdd(args: readonly Buffer[]): AddRequest {
  const reader = new OptionReader(args, 2);
  let create = true;
  let trim: Trim | undefined;
  for (;;) {
    if (reader.takes("NOMKSTREAM")) create = false;
    else if (reader.takes("MAXLEN")) trim = readTrim("MAXLEN", reader);
    else if (reader.takes("MINID")) trim = readTrim("MINID", reader);
    else break;
  }
  const fields = reader.left - 1;
  if (fields < 2 || fields % 2 !== 0) throw new CommandError(wrongArity("xadd"));
  return { create, trim, idAt: reader.position };
}

function xadd(call: Call, args: readonly Buffer[]): void {
  const { create, trim, idAt } = readAdd(args);
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "stream");
  if (entry === undefined && !create) {
    call.reply.bulk(undefined);
    return;
  }
  const id = newId(arg(args, idAt), entry?.value.lastId ?? NO_ID, call.nowMs);
  const { value: stream } = call.changeOrCreate(shard, key, { entry, empty: emptyStream });
  const fields = args.slice(idAt + 1);
  stream.entries.push({ id, fields: fields.map((field) => Buffer.from(field)) });
  stream.lastId = id;
  stream.entriesAdded += 1;
  if (trim !== undefined) trimStream(stream, trim);
  call.record(shard, addRecord(args, { stream, id, request: { create, trim, idAt } }));
  call.reply.bulk(idText(id));
}

function addRecord(
  args: readonly Buffer[],
  { stream, id, request }: { readonly stream: StreamValue; readonly id: StreamId; readonly request: AddRequest },
): Buffer[] {
  const { create, trim, idAt } = request;
  const tail = [bytesOf(idText(id)), ...args.slice(idAt + 1)];
  if (trim === undefined || !(isRewritten(trim) || stream.entries.length === 0))
    return [...args.slice(0, idAt), ...tail];
  return [arg(args, 0), arg(args, 1), ...trimWords(stream), ...(create ? [] : [NOMKSTREAM]), ...tail];
}

function newId(wanted: Buffer, last: StreamId, nowMs: number): StreamId {
  const pattern = text(wanted);
  if (pattern === "*") return nowMs > last.ms ? { ms: nowMs, seq: 0 } : { ms: last.ms, seq: last.seq + 1 };
  if (pattern.endsWith("-*")) return nextInMs(parseId(wanted.subarray(0, -2)).ms, last);
  const id = parseId(wanted);
  if (isZero(id)) throw new CommandError("ERR The ID specified in XADD must be greater than 0-0");
  if (compareIds(id, last) <= 0) throw tooSmall();
  return id;
}

function nextInMs(ms: number, last: StreamId): StreamId {
  if (ms < last.ms) throw tooSmall();
  if (ms === last.ms) return { ms, seq: last.seq + 1 };
  return { ms, seq: 0 };
}

function tooSmall(): CommandError {
  return new CommandError("ERR The ID specified in XADD is equal or smaller than the target stream top item");
}

function xtrim(call: Call, args: readonly Buffer[]): void {
  const reader = new OptionReader(args, 2);
  const by = reader.nextWord();
  if (by !== "MAXLEN" && by !== "MINID") throw syntaxError();
  const trim = readTrim(by, reader);
  reader.end();
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "stream");
  if (entry === undefined) {
    call.reply.integer(0);
    return;
  }
  call.change(shard, entry);
  const count = trimStream(entry.value, trim);
  call.record(shard, isRewritten(trim) ? [XTRIM, key, ...trimWords(entry.value)] : args);
  call.reply.integer(count);
}

function xdel(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const ids = args.slice(2).map((id) => parseId(id));
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "stream");
  let count = 0;
  if (entry !== undefined) {
    const { value: stream } = entry;
    call.change(shard, entry);
    const gone = new Set(ids.map((id) => idText(id)));
    const deleted = stream.entries.filter(({ id }) => gone.has(idText(id)));
    count = deleted.length;
    if (count > 0) stream.entries = stream.entries.filter(({ id }) => !gone.has(idText(id)));
    for (const { id } of deleted) if (compareIds(id, stream.maxDeletedId) > 0) stream.maxDeletedId = id;
    call.record(shard, args);
  }
  call.reply.integer(count);
}

/** XSETID key id [ENTRIESADDED n] [MAXDELETEDID id]. */
function setId(call: Call, args: readonly Buffer[]): void {
  const id = parseId(arg(args, 2));
  const reader = new OptionReader(args, 3);
  let entriesAdded: number | undefined;
  let maxDeletedId: StreamId | undefined;
  while (reader.left > 0) {
    if (reader.takes("ENTRIESADDED")) entriesAdded = reader.nextInteger();
    else if (reader.takes("MAXDELETEDID")) maxDeletedId = parseId(reader.next());
    else throw syntaxError();
  }
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "stream");
  if (entry === undefined) throw new CommandError(NO_SUCH_KEY);
  const { value: stream } = entry;
  const top = stream.entries.at(-1);
  if (top !== undefined && compareIds(id, top.id) < 0) throw tooSmallForSetId();
  call.change(shard, entry);
  stream.lastId = id;
  if (entriesAdded !== undefined) stream.entriesAdded = entriesAdded;
  if (maxDeletedId !== undefined) stream.maxDeletedId = maxDeletedId;
  call.record(shard, args);
  call.reply.ok();
}

function tooSmallForSetId(): CommandError {
  return new CommandError("ERR The ID specified in XSETID is smaller than the target stream top item");
}

function range(call: Call, args: readonly Buffer[], { reverse }: { readonly reverse: boolean }): void {
  const [first, last] = reverse ? [arg(args, 3), arg(args, 2)] : [arg(args, 2), arg(args, 3)];
  const start = parseRangeBound(first, "start");
  const end = parseRangeBound(last, "end");
  const reader = new OptionReader(args, 4);
  const count = reader.takes("COUNT") ? reader.nextInteger() : Infinity;
  reader.end();
  const entries =
    look(call, args)?.value.entries.filter(({ id }) => compareIds(id, start) >= 0 && compareIds(id, end) <= 0) ?? [];
  replyEntries(call, (reverse ? entries.toReversed() : entries).slice(0, Math.max(0, count)));
}

/** XREAD [COUNT n] [BLOCK ms] STREAMS key … id …; it never waits. */
function read(call: Call, args: readonly Buffer[]): void {
  const reader = new OptionReader(args, 1);
  let count = Infinity;
  while (!reader.takes("STREAMS")) {
    if (reader.takes("COUNT")) count = reader.nextInteger();
    else if (reader.takes("BLOCK")) integer(reader.next());
    else throw syntaxError();
  }
  const streams = splitStreams(reader.rest());
  const found = streams.flatMap(({ key, from }) => {
    const stream = call.lookOf(call.shard(key), key, "stream")?.value;
    if (stream === undefined) return [];
    const after = text(from) === "$" ? stream.lastId : parseId(from);
    const entries = stream.entries.filter(({ id }) => compareIds(id, after) > 0).slice(0, count);
    return entries.length > 0 ? [{ key, entries }] : [];
  });
  replyStreams(call, found);
}
