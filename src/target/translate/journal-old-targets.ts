/**
 * Commands that a target before 7.0 lacks, or that do something else there: LMPOP and ZMPOP, counters of streams, and claims
 * of deleted messages. On a newer target they pass as they are. What has no counterpart is a script of commands that 6.2 has.
 */
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { JournalContext, Rewrite } from "./journal-context.ts";
import { beginScript } from "./journal-scripts.ts";
import { copyArgs, parseDecimal, passEntry } from "./journal-words.ts";
import { hasStreamCounters } from "./stream-counters.ts";

/** The first of the keys that holds something; ARGV is the side and how many. */
const LMPOP = Buffer.from(
  "local pop=string.upper(ARGV[1])=='LEFT' and 'LPOP' or 'RPOP' " +
    "for _,k in ipairs(KEYS) do if redis.call('LLEN',k)>0 then redis.call(pop,k,ARGV[2]) return 1 end end return 0",
);
const ZMPOP = Buffer.from(
  "local pop=string.upper(ARGV[1])=='MIN' and 'ZPOPMIN' or 'ZPOPMAX' " +
    "for _,k in ipairs(KEYS) do if redis.call('ZCARD',k)>0 then redis.call(pop,k,ARGV[2]) return 1 end end return 0",
);

/** `LMPOP numkeys key… side [COUNT n]`, `ZMPOP` likewise. */
const multiPop =
  (script: Buffer): Rewrite =>
  (context, command) => {
    const { encoder } = context;
    const keys = parseDecimal(command.arg(1));
    const side = 2 + keys;
    const isCounted = command.argc === side + 3 && command.arg(side + 1).equalsIgnoreCase("COUNT");
    const isWhole = keys > 0 && (command.argc === side + 1 || isCounted);
    if (context.capabilities.commands.has("LMPOP") || !isWhole) return passEntry(encoder, command);
    beginScript(encoder, script, keys, keys + 2);
    copyArgs(encoder, command, 2, side + 1);
    if (isCounted) encoder.arg(command.arg(side + 2));
    else encoder.argText("1");
  };

export const rewriteLMPop = multiPop(LMPOP);
export const rewriteZMPop = multiPop(ZMPOP);

/** Writes the entry without the pairs of words that start with one of `names`, from word `from` on. */
function passWithout(context: JournalContext, command: JournalCommand, from: number, names: readonly string[]): void {
  const isNamed = (i: number): boolean =>
    i >= from && i + 1 < command.argc && names.some((name) => command.arg(i).equalsIgnoreCase(name));
  const kept: number[] = [];
  for (let i = 0; i < command.argc; i++) {
    if (isNamed(i)) i++;
    else kept.push(i);
  }
  context.encoder.begin(kept.length);
  for (const i of kept) context.encoder.arg(command.arg(i));
}

/** A rewrite for targets that do not count what happens to streams. */
const uncounted =
  (rewrite: Rewrite): Rewrite =>
  (context, command) =>
    hasStreamCounters(context.capabilities) ? passEntry(context.encoder, command) : rewrite(context, command);

/** `XGROUP CREATE|SETID key group id [MKSTREAM] [ENTRIESREAD n]`. */
export const rewriteXGroup = uncounted((context, command) => passWithout(context, command, 5, ["ENTRIESREAD"]));

/** `XSETID key id [ENTRIESADDED n] [MAXDELETEDID id]`. */
export const rewriteXSetId = uncounted((context, command) =>
  passWithout(context, command, 3, ["ENTRIESADDED", "MAXDELETEDID"]),
);

/**
 * A claim of a message that is deleted takes it out of the pending entries, on the source (Dragonfly src/server/stream_family.cc OpClaim,
 * OpAutoClaim) as from Redis 7.0 on; before, the message changed hands and stayed pending.
 */
const XCLAIM = Buffer.from(
  "for i=4,#ARGV do local id=ARGV[i] if not string.find(id,'^%d+%-?%d*$') then break end " +
    "if not string.find(id,'-',1,true) then id=id..'-0' end " +
    "if #redis.call('XRANGE',KEYS[1],id,id)==0 then redis.call('XACK',KEYS[1],ARGV[1],id) end end " +
    "redis.call('XCLAIM',KEYS[1],unpack(ARGV)) return 0",
);

/** What `unpack` in Lua takes. */
const MAX_WORDS = 7000;

/** `XCLAIM key group consumer idle id… [options]`. */
export const rewriteXClaim = uncounted((context, command) => {
  if (command.argc < 6 || command.argc > MAX_WORDS) return passEntry(context.encoder, command);
  beginScript(context.encoder, XCLAIM, 1, command.argc - 1);
  copyArgs(context.encoder, command, 1, command.argc);
});

/** Goes over as many pending entries as XAUTOCLAIM does, ten for each to claim; ARGV: group, consumer, idle, start, count, JUSTID or "". */
const XAUTOCLAIM = Buffer.from(
  "local k,g,c,idle,n=KEYS[1],ARGV[1],ARGV[2],tonumber(ARGV[3]),tonumber(ARGV[5]) " +
    "redis.call('XGROUP','CREATECONSUMER',k,g,c) " +
    "for _,p in ipairs(redis.call('XPENDING',k,g,ARGV[4],'+',n*10)) do if n<=0 then break end " +
    "if #redis.call('XRANGE',k,p[1],p[1])==0 then redis.call('XACK',k,g,p[1]) n=n-1 " +
    "elseif p[3]>=idle then " +
    "if ARGV[6]=='' then redis.call('XCLAIM',k,g,c,0,p[1]) else redis.call('XCLAIM',k,g,c,0,p[1],'JUSTID') end n=n-1 end end " +
    "return 0",
);

/** `XAUTOCLAIM key group consumer idle start [COUNT n] [JUSTID]`. */
export const rewriteXAutoClaim = uncounted((context, command) => {
  const { encoder } = context;
  let count = "100";
  let justId = "";
  for (let i = 6; i < command.argc; i++) {
    const word = command.arg(i);
    if (word.equalsIgnoreCase("JUSTID")) justId = "JUSTID";
    else if (word.equalsIgnoreCase("COUNT") && i + 1 < command.argc) count = command.arg(++i).toLatin1();
    else return passEntry(encoder, command);
  }
  if (command.argc < 6) return passEntry(encoder, command);
  beginScript(encoder, XAUTOCLAIM, 1, 7);
  copyArgs(encoder, command, 1, 6);
  encoder.argText(count);
  encoder.argText(justId);
});
