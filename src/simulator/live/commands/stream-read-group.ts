/** XREADGROUP GROUP group consumer [COUNT n] [BLOCK ms] [NOACK] STREAMS key … id …; it never waits. */
import { arg, bytesOf, integer, OptionReader, text, word } from "../arguments.ts";
import type { Call, EntryOf } from "../call.ts";
import { CommandError, syntaxError } from "../command-error.ts";
import { recorder } from "../key-groups.ts";
import type { Shard } from "../shard.ts";
import { advanceGroup } from "../stream-counters.ts";
import { compareIds, idText, parseId } from "../stream-ids.ts";
import type { StreamConsumer, StreamEntry, StreamGroup } from "../values.ts";
import { entryOf, noGroupOrKey, obtainConsumer } from "./stream-group-members.ts";
import { replyStreams, splitStreams } from "./stream-replies.ts";

const XGROUP = Buffer.from("XGROUP");
const XCLAIM = Buffer.from("XCLAIM");
const CREATECONSUMER = Buffer.from("CREATECONSUMER");
const SETID = Buffer.from("SETID");
const ENTRIESREAD = Buffer.from("ENTRIESREAD");
const TIME = Buffer.from("TIME");
const RETRYCOUNT = Buffer.from("RETRYCOUNT");
const FORCE = Buffer.from("FORCE");
const JUSTID = Buffer.from("JUSTID");
const LASTID = Buffer.from("LASTID");
const ZERO = Buffer.from("0");
const ONE = Buffer.from("1");

type ReadOptions = { readonly group: Buffer; readonly consumer: Buffer; count: number; noAck: boolean };
type Source = {
  readonly shard: Shard;
  readonly key: Buffer;
  readonly from: Buffer;
  readonly entry: EntryOf<"stream">;
  readonly group: StreamGroup;
};
type Record = (shard: Shard, args: readonly Buffer[]) => void;

export function readGroup(call: Call, args: readonly Buffer[]): void {
  const { options, streams } = readOptions(args);
  const sources = streams.map(({ key, from }) => findSource(call, { key, from, group: options.group }));
  const record = recorder(call, new Set(sources.map(({ shard }) => shard)).size);
  const found = sources.map((source) => {
    call.change(source.shard, source.entry);
    const { consumer, isNew } = obtainConsumer(source.group, options.consumer, call.nowMs);
    consumer.seenTimeMs = call.nowMs;
    if (isNew) record(source.shard, [XGROUP, CREATECONSUMER, source.key, options.group, options.consumer]);
    const isHistory = text(source.from) !== ">";
    const entries = isHistory
      ? history(source, consumer, options)
      : deliver(call, source, { consumer, options, record });
    return { key: source.key, entries, isHistory };
  });
  replyStreams(
    call,
    found.filter(({ entries, isHistory }) => isHistory || entries.length > 0),
  );
}

function readOptions(args: readonly Buffer[]): {
  readonly options: ReadOptions;
  readonly streams: ReturnType<typeof splitStreams>;
} {
  if (word(args[1]) !== "GROUP") throw syntaxError();
  const options: ReadOptions = { group: arg(args, 2), consumer: arg(args, 3), count: Infinity, noAck: false };
  const reader = new OptionReader(args, 4);
  while (!reader.takes("STREAMS")) {
    if (reader.takes("COUNT")) options.count = reader.nextInteger();
    else if (reader.takes("BLOCK")) integer(reader.next());
    else if (reader.takes("NOACK")) options.noAck = true;
    else throw syntaxError();
  }
  const streams = splitStreams(reader.rest());
  for (const { from } of streams) {
    if (text(from) === "$") throw new CommandError("ERR The $ can be specified only when calling XREAD.");
    if (text(from) !== ">") parseId(from);
  }
  return { options, streams };
}

function findSource(
  call: Call,
  { key, from, group: name }: { readonly key: Buffer; readonly from: Buffer; readonly group: Buffer },
): Source {
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "stream");
  const group = entry?.value.groups.get(text(name));
  if (entry === undefined || group === undefined) throw noGroupOrKey(key, name, " in XREADGROUP with GROUP option");
  return { shard, key, from, entry, group };
}

/** What the consumer has been given before and has not acknowledged. */
function history({ entry, group, from }: Source, consumer: StreamConsumer, { count }: ReadOptions): StreamEntry[] {
  const after = parseId(from);
  const own = [...group.pending.values()].filter(
    (item) => item.consumer === text(consumer.name) && compareIds(item.id, after) > 0,
  );
  const ids = own.map(({ id }) => id).toSorted(compareIds);
  return ids.slice(0, count).map((id) => entryOf(entry.value, id) ?? { id, fields: [] });
}

function deliver(
  call: Call,
  { shard, key, entry, group }: Source,
  {
    consumer,
    options,
    record,
  }: { readonly consumer: StreamConsumer; readonly options: ReadOptions; readonly record: Record },
): StreamEntry[] {
  const { value: stream } = entry;
  const fresh = stream.entries.filter(({ id }) => compareIds(id, group.lastId) > 0).slice(0, options.count);
  for (const { id } of fresh) {
    advanceGroup(stream, group, id);
    if (options.noAck) continue;
    group.pending.set(idText(id), { id, consumer: text(consumer.name), deliveryTimeMs: call.nowMs, deliveryCount: 1 });
    const [name, time] = [bytesOf(idText(id)), bytesOf(call.nowMs)];
    record(shard, [
      XCLAIM,
      key,
      options.group,
      consumer.name,
      ZERO,
      name,
      TIME,
      time,
      RETRYCOUNT,
      ONE,
      FORCE,
      JUSTID,
      LASTID,
      name,
    ]);
  }
  if (fresh.length > 0) {
    consumer.activeTimeMs = call.nowMs;
    record(shard, [
      XGROUP,
      SETID,
      key,
      options.group,
      bytesOf(idText(group.lastId)),
      ENTRIESREAD,
      bytesOf(group.entriesRead),
    ]);
  }
  return fresh;
}
