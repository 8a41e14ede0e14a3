/**
 * Pending entries whose message is deleted ("tombstones"), on targets that were given the stream by commands. XCLAIM makes no pending entry for a
 * message that is not there (Redis src/t_stream.c xclaimCommand), and XADD adds no message before the last one. So, once all entries and groups are
 * in place, the entries are written again with a stand-in for each such message between them; the stand-ins are claimed like live messages, and
 * deleted. What is pending stays pending.
 *
 * The entries wait in a copy beside the key meanwhile, in the target's memory, and are moved by scripts of a bounded length each. The copy has
 * a deadline of its own, so that a run that is cut off leaves nothing behind for good.
 */
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { Slice } from "../../bytes/slice.ts";
import { beginScript } from "./journal-scripts.ts";
import { compareIds, parseStreamId } from "./stream-id.ts";

/** Messages that one script moves. */
const MESSAGES_PER_SCRIPT = 1000;
const IDS_PER_COMMAND = 500;
/** Lua's `unpack` puts no more than some 8000 values on its stack (LUAI_MAXCSTACK). */
export const MAX_SCRIPTED_FIELDS = 7000;
const ENTRIES_PREFIX = Buffer.from("df2redis:entries:");
const IDS_PREFIX = Buffer.from("df2redis:tombstones:");
const LEFT_BEHIND_MS = 24 * 3600 * 1000;

/**
 * Moves up to ARGV[1] messages from the copy KEYS[2], and stand-ins for the ids in the list KEYS[3], to the end of KEYS[1], in the order of ids.
 * An id whose message is in the copy is no tombstone after all.
 */
const MERGE = Buffer.from(
  "local n=tonumber(ARGV[1]) local top=redis.call('XREVRANGE',KEYS[1],'+','-','COUNT',1)[1] " +
    "local bottom=redis.call('XREVRANGE',KEYS[2],'+','-','COUNT',1)[1] " +
    "local from=top and '('..top[1] or '-' " +
    "while n>0 do local d=redis.call('LINDEX',KEYS[3],0) " +
    "if not d and (not bottom or top and top[1]==bottom[1]) then return 0 end " +
    "local page=redis.call('XRANGE',KEYS[2],from,d and '('..d or '+','COUNT',n) " +
    "for _,e in ipairs(page) do redis.call('XADD',KEYS[1],e[1],unpack(e[2])) from='('..e[1] top=e end " +
    "n=n-#page " +
    "if n>0 then if not d then return 0 end " +
    "redis.call('LPOP',KEYS[3]) " +
    "if #redis.call('XRANGE',KEYS[2],d,d)==0 then redis.call('XADD',KEYS[1],d,'','') n=n-1 from='('..d top={d} end end end " +
    "return 0",
);

/** Deletes the messages ARGV of KEYS[1] that are not in the copy KEYS[2]. */
const REMOVE = Buffer.from(
  "for _,id in ipairs(ARGV) do if #redis.call('XRANGE',KEYS[2],id,id)==0 then redis.call('XDEL',KEYS[1],id) end end return 0",
);

type Claims = {
  readonly group: Buffer;
  readonly consumer: Buffer;
  readonly timeMs: number;
  readonly count: number;
  readonly ids: string[];
};

/** Of one stream, until its end. */
export class StreamTombstones {
  readonly claims: Claims[] = [];

  get isEmpty(): boolean {
    return this.claims.length === 0;
  }

  add(owner: { readonly group: Buffer; readonly consumer: Buffer }, id: string, timeMs: number, count: number): void {
    const last = this.claims.at(-1);
    const { group, consumer } = owner;
    const isSame =
      last !== undefined &&
      last.group === group &&
      last.consumer === consumer &&
      last.timeMs === timeMs &&
      last.count === count &&
      last.ids.length < IDS_PER_COMMAND;
    if (isSame) last.ids.push(id);
    else this.claims.push({ group, consumer, timeMs, count, ids: [id] });
  }

  /** Each id once, ascending. */
  ids(): string[] {
    return [...new Set(this.claims.flatMap(({ ids }) => ids))]
      .map((id) => ({ id, ...parseStreamId(id) }))
      .toSorted((a, b) => compareIds(a.ms, a.seq, b.ms, b.seq))
      .map(({ id }) => id);
  }
}

export type TombstonedStream = {
  readonly key: Slice;
  readonly tombstones: StreamTombstones;
  /** Live ones. */
  readonly entries: number;
  /** Of the first live entry. */
  readonly firstId: string | undefined;
};

/** Writes all of it but the last XSETID, which is the caller's. The stream's greatest deleted id must not be set yet: XSETID refuses to go below. */
export function writeTombstones(encoder: CommandEncoder, stream: TombstonedStream): void {
  const { key, entries } = stream;
  const ids = stream.tombstones.ids();
  const keys = [key.toBuffer(), beside(ENTRIES_PREFIX, key), beside(IDS_PREFIX, key)] as const;
  setAside(encoder, keys, ids);
  for (let moved = 0; moved < entries + ids.length; moved += MESSAGES_PER_SCRIPT) {
    beginScript(encoder, MERGE, 3, 4);
    for (const name of keys) encoder.argBytes(name);
    encoder.argInt(MESSAGES_PER_SCRIPT);
  }
  for (const claims of stream.tombstones.claims) writeClaims(encoder, keys[0], claims);
  removeStandIns(encoder, keys, stream, ids);
  encoder.command("UNLINK", keys[1], keys[2]);
}

type Keys = readonly [key: Buffer, entries: Buffer, ids: Buffer];

function setAside(encoder: CommandEncoder, [key, copy, list]: Keys, ids: readonly string[]): void {
  encoder.command("UNLINK", copy, list);
  encoder.command("COPY", key, copy);
  encoder.command("PEXPIRE", copy, String(LEFT_BEHIND_MS));
  for (const some of slices(ids)) encoder.command("RPUSH", list, ...some);
  encoder.command("PEXPIRE", list, String(LEFT_BEHIND_MS));
  encoder.command("XTRIM", key, "MAXLEN", "0");
  encoder.command("XSETID", key, "0-0");
}

function writeClaims(encoder: CommandEncoder, key: Buffer, { group, consumer, timeMs, count, ids }: Claims): void {
  const how = ["TIME", String(timeMs), "RETRYCOUNT", String(count), "FORCE", "JUSTID"];
  encoder.command("XCLAIM", key, group, consumer, "0", ...ids, ...how);
}

/** Those before the first entry are trimmed away, which leaves no mark; the others were deleted one by one on the source, too. */
function removeStandIns(
  encoder: CommandEncoder,
  [key, copy]: Keys,
  { firstId }: TombstonedStream,
  ids: readonly string[],
): void {
  if (firstId === undefined) return encoder.command("XTRIM", key, "MAXLEN", "0");
  encoder.command("XTRIM", key, "MINID", firstId);
  const first = parseStreamId(firstId);
  const rest = ids.filter((id) => {
    const { ms, seq } = parseStreamId(id);
    return compareIds(ms, seq, first.ms, first.seq) > 0;
  });
  for (const some of slices(rest)) {
    beginScript(encoder, REMOVE, 2, 2 + some.length);
    encoder.argBytes(key);
    encoder.argBytes(copy);
    for (const id of some) encoder.argText(id);
  }
}

function beside(prefix: Buffer, key: Slice): Buffer {
  return Buffer.concat([prefix, key.view()]);
}

function* slices(ids: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += IDS_PER_COMMAND) yield ids.slice(at, at + IDS_PER_COMMAND);
}
