/**
 * Stand-ins of held deadlines (`journal-deadlines.ts`) and the Lua scripts that know them. A stand-in is the true deadline plus a constant, so
 * far ahead that nothing else can lie there. Observed: Redis 6.2, 7.2, 7.4, 8.0 and Valkey 8, 9 take such deadlines in SET PXAT, PEXPIREAT and
 * RESTORE ABSTTL. Constants and text only.
 */

import { WRITE_GATE } from "./write-gate.ts";

/** 137 years of 365.25 days: a number that nobody picks for a deadline of his own. */
export const STAND_IN_OFFSET_MS = 4_323_391_200_000;
/** A deadline that is further ahead of now than this is a stand-in. */
export const STAND_IN_BEYOND_MS = STAND_IN_OFFSET_MS / 2;
/** Bounds that every true deadline, and none, is within. */
export const ALWAYS_MS = Number.MAX_SAFE_INTEGER;
export const NEVER_MS = Number.MAX_SAFE_INTEGER;

/** PEXPIRETIME came with Redis 7.0. */
const DEADLINE = "local function deadline(k) return redis.call('PEXPIRETIME',k) end ";
/** Before: PTTL reads the clock itself, so the sum is exact when the clock showed the same ms before and after. */
const DEADLINE_BY_PTTL =
  "local function now() local t=redis.call('TIME') return t[1]*1000+math.floor(t[2]/1000) end " +
  "local function deadline(k) local at for i=1,50 do local a=now() local left=redis.call('PTTL',k) " +
  "if left<0 then return left end at=a+left if now()==a then break end end return at end ";

/** True deadlines that a stand-in can have lie within so many years of now; further away it is a key of somebody else, with a deadline of its own. */
const MOST_AWAY_MS = 10 * 365 * 24 * 3600 * 1000;

/** Arms `k` when it has a stand-in and its true deadline is at or before `before`, or at or after `after`. */
const ARM =
  `local function arm(k,beyond,before,after) local at=deadline(k) if at<=beyond then return 0 end at=at-${STAND_IN_OFFSET_MS} ` +
  `if math.abs(at-beyond+${STAND_IN_BEYOND_MS})>${MOST_AWAY_MS} then return 0 end ` +
  "if at>before and at<after then return 0 end redis.call('PEXPIREAT',k,string.format('%.0f',at)) return 1 end ";

/** KEYS; ARGV: beyond, before, after. */
const ARM_KEYS =
  "local b,p,a=tonumber(ARGV[1]),tonumber(ARGV[2]),tonumber(ARGV[3]) local n=0 " +
  "for _,k in ipairs(KEYS) do n=n+arm(k,b,p,a) end return n";

/** ARGV: beyond, before, after, cursor, count. The keys never leave the server. @returns the next cursor, keys seen, keys armed */
const ARM_SCAN =
  "local b,p,a=tonumber(ARGV[1]),tonumber(ARGV[2]),tonumber(ARGV[3]) local n=0 " +
  "local r=redis.call('SCAN',ARGV[4],'COUNT',ARGV[5]) " +
  "for _,k in ipairs(r[2]) do n=n+arm(k,b,p,a) end return {r[1],#r[2],n}";

/**
 * `PEXPIREAT key ms NX|XX|GT|LT …`, compared with the true deadline of the key. KEYS: the key; ARGV: beyond, the true new deadline, the deadline
 * to write, the words.
 */
const EXPIRE_IF =
  "local k=KEYS[1] local at=deadline(k) if at==-2 then return 0 end " +
  `if at>tonumber(ARGV[1]) then at=at-${STAND_IN_OFFSET_MS} end local to=tonumber(ARGV[2]) ` +
  "for i=4,#ARGV do local w=string.upper(ARGV[i]) " +
  "if (w=='NX' and at>=0) or (w=='XX' and at<0) or (w=='GT' and (at<0 or to<=at)) or (w=='LT' and at>=0 and to>=at) then return 0 end end " +
  "return redis.call('PEXPIREAT',k,ARGV[3])";

function both(body: string): readonly [Buffer, Buffer] {
  return [Buffer.from(DEADLINE_BY_PTTL + body), Buffer.from(DEADLINE + body)];
}

const ARM_KEYS_SCRIPTS = both(WRITE_GATE + ARM + ARM_KEYS);
const ARM_SCAN_SCRIPTS = both(ARM + ARM_SCAN);
const EXPIRE_IF_SCRIPTS = both(EXPIRE_IF);

export function armScript(hasPExpireTime: boolean): Buffer {
  return ARM_KEYS_SCRIPTS[hasPExpireTime ? 1 : 0];
}

export function armScanScript(hasPExpireTime: boolean): Buffer {
  return ARM_SCAN_SCRIPTS[hasPExpireTime ? 1 : 0];
}

export function expireIfScript(hasPExpireTime: boolean): Buffer {
  return EXPIRE_IF_SCRIPTS[hasPExpireTime ? 1 : 0];
}
