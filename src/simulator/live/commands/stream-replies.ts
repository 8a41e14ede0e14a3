/** What the commands on streams have in common: empty streams, lists of keys and ids, and replies with entries. */
import { arg } from "../arguments.ts";
import type { Call } from "../call.ts";
import { CommandError } from "../command-error.ts";
import { idText, NO_ID } from "../stream-ids.ts";
import type { StreamEntry, StreamValue } from "../values.ts";

export function emptyStream(): StreamValue {
  return { type: "stream", entries: [], lastId: NO_ID, maxDeletedId: NO_ID, entriesAdded: 0, groups: new Map() };
}

export function replyEntry(call: Call, entry: StreamEntry): void {
  call.reply.arrayHead(2);
  call.reply.bulk(idText(entry.id));
  call.reply.bulks(entry.fields);
}

export function replyEntries(call: Call, entries: readonly StreamEntry[]): void {
  call.reply.arrayHead(entries.length);
  for (const entry of entries) replyEntry(call, entry);
}

export function splitStreams(rest: readonly Buffer[]): { readonly key: Buffer; readonly from: Buffer }[] {
  if (rest.length === 0 || rest.length % 2 !== 0) {
    throw new CommandError("ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.");
  }
  const half = rest.length / 2;
  return rest.slice(0, half).map((key, i) => ({ key, from: arg(rest, half + i) }));
}

export function replyStreams(
  call: Call,
  found: readonly { readonly key: Buffer; readonly entries: readonly StreamEntry[] }[],
): void {
  if (found.length === 0) {
    call.reply.nullArray();
    return;
  }
  call.reply.arrayHead(found.length);
  for (const { key, entries } of found) {
    call.reply.arrayHead(2);
    call.reply.bulk(key);
    replyEntries(call, entries);
  }
}
