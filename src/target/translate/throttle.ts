/**
 * `CL.THROTTLE key max_burst count period [quantity]` on a target without it. A limiter is a number with a deadline there as well as in
 * Dragonfly (src/server/string_family.cc OpThrottle): the theoretical arrival time of the next request, in ns since 1970. The entry says what was
 * asked, not what came of it, so the target decides again, by the time at which the entry was received: as a Dragonfly replica does.
 * Pure.
 */
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { JournalContext, Rewrite } from "./journal-context.ts";
import { beginScript } from "./journal-scripts.ts";

/**
 * ARGV: now, cost of this request, size of the bucket; each as seconds and ns, for Lua's numbers are doubles. A refused request changes nothing.
 * A value that is no number is left: the source refused it.
 */
const THROTTLE = Buffer.from(
  "local function less(as,an,bs,bn) return as<bs or (as==bs and an<bn) end " +
    "local function add(as,an,bs,bn) local s,n=as+bs,an+bn if n>=1e9 then return s+1,n-1e9 end return s,n end " +
    "local a={} for i,x in ipairs(ARGV) do a[i]=tonumber(x) end " +
    "local ts,tn=a[1],a[2] local v=redis.call('GET',KEYS[1]) " +
    "if v then if not string.match(v,'^%d+$') then return 0 end " +
    "v=string.rep('0',10-#v)..v " +
    "local s,n=tonumber(string.sub(v,1,-10)),tonumber(string.sub(v,-9)) " +
    "if less(ts,tn,s,n) then ts,tn=s,n end end " +
    "ts,tn=add(ts,tn,a[3],a[4]) " +
    "local ls,ln=add(a[1],a[2],a[5],a[6]) if less(ls,ln,ts,tn) then return 0 end " +
    "return redis.call('SET',KEYS[1],string.format('%.0f%09.0f',ts,tn),'PXAT',string.format('%.0f',ts*1000+math.ceil(tn/1e6)))",
);

const NS_PER_SECOND = 1_000_000_000n;

type Rate = { readonly costNs: bigint; readonly bucketNs: bigint };

export const rewriteThrottle: Rewrite = (context, command) => {
  const { capabilities, losses, unrunnable } = context;
  const key = command.arg(1);
  if (!capabilities.commands.has("EVAL")) return losses.record("throttle", command.db, key);
  const rate = readRate(command);
  if (rate === undefined) return unrunnable(command, "the entry is cut short, so it cannot be told what it did");
  losses.record("throttleAsNumber", command.db, key);
  encodeThrottle(context, command, rate);
};

function encodeThrottle({ encoder, clock }: JournalContext, command: JournalCommand, rate: Rate): void {
  const nowMs = clock();
  const seconds = Math.floor(nowMs / 1000);
  beginScript(encoder, THROTTLE, 1, 7);
  encoder.arg(command.arg(1));
  encoder.argInt(seconds);
  encoder.argInt(Math.round((nowMs - seconds * 1000) * 1e6));
  for (const ns of [rate.costNs, rate.bucketNs]) {
    encoder.argText(String(ns / NS_PER_SECOND));
    encoder.argText(String(ns % NS_PER_SECOND));
  }
}

function readRate(command: JournalCommand): Rate | undefined {
  const [burst, count, period, quantity] = [2, 3, 4, 5].map((at) => readUnsigned(command, at));
  if (burst === undefined || count === undefined || count === 0n || period === undefined) return undefined;
  if (command.argc > 5 && quantity === undefined) return undefined;
  const intervalNs = (period * NS_PER_SECOND) / count;
  return { costNs: intervalNs * (quantity ?? 1n), bucketNs: intervalNs * (burst + 1n) };
}

function readUnsigned(command: JournalCommand, at: number): bigint | undefined {
  const text = command.arg(at).toLatin1();
  return /^\+?\d{1,20}$/.test(text) ? BigInt(text.replace("+", "")) : undefined;
}
