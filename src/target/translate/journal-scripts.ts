/**
 * Rewrites for which a plain Redis has no single command: they read and write one key in one step, so they are Lua scripts. Each is sent
 * whole (EVAL): the server keeps the compiled script, and an EVALSHA could meet a server that restarted.
 * A script never raises an error of its own; errors of its commands (WRONGTYPE, OOM) come back as theirs.
 */
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { JournalContext, Rewrite } from "./journal-context.ts";
import { copyArgs, passEntry } from "./journal-words.ts";
import { memberSourceRules } from "./member-source-rules.ts";
import { gatedScript } from "./write-gate.ts";

/** Dragonfly src/server/string_family.cc OpExtend: a missing key is created, a deadline stays. */
const PREPEND = Buffer.from("return redis.call('SET',KEYS[1],ARGV[1]..(redis.call('GET',KEYS[1]) or ''),'KEEPTTL')");

/** A key that the target could not hold (JSON, a filter) is missing here: then the new name holds nothing either. */
const RENAME = Buffer.from(
  "if redis.call('EXISTS',KEYS[1])==1 then return redis.call('RENAME',KEYS[1],KEYS[2]) end return redis.call('DEL',KEYS[2])",
);
const RENAMENX = Buffer.from(
  "if redis.call('EXISTS',KEYS[1])==1 then return redis.call('RENAMENX',KEYS[1],KEYS[2]) end return 0",
);
const COPY_REPLACE = Buffer.from(
  "if redis.call('EXISTS',KEYS[1])==1 then return redis.call('COPY',KEYS[1],KEYS[2],'REPLACE') end return redis.call('DEL',KEYS[2])",
);

/** Deletes KEYS[1] when its value is (ARGV[2] = 1) or is not (0) ARGV[1]; a missing key stays missing. */
const DELETE_IF = Buffer.from(
  "local v=redis.call('GET',KEYS[1]) if v and (v==ARGV[1])==(ARGV[2]=='1') then return redis.call('DEL',KEYS[1]) end return 0",
);

/**
 * Dragonfly adds doubles and prints the shortest text that reads back the same, in the manner of ECMAScript (double-conversion, "e" outside
 * of 1e-7 … 1e21). Redis adds long doubles and prints 17 digits, so its own INCRBYFLOAT drifts away: 0.1 + 0.2 is 0.30000000000000004 there
 * and 0.3 here. Lua's numbers are doubles, its tonumber and string.format are C's.
 */
const SHORTEST =
  "local function shortest(d) if d==0 then return '0' end local s " +
  "for p=0,16 do s=string.format('%.'..p..'e',d) if tonumber(s)==d then break end end " +
  "local sign,a,b,e=string.match(s,'^(-?)(%d)%.?(%d*)e([+-]%d+)$') " +
  "local t=a..b local k=#t local n=tonumber(e)+1 " +
  "if n>21 or n<-5 then local x=n-1 " +
  "return sign..a..(b=='' and '' or '.'..b)..'e'..(x<0 and '-' or '+')..string.format('%d',math.abs(x)) end " +
  "if n<=0 then return sign..'0.'..string.rep('0',-n)..t end " +
  "if k<=n then return sign..t..string.rep('0',n-k) end " +
  "return sign..string.sub(t,1,n)..'.'..string.sub(t,n+1) end ";
const INCRBYFLOAT = Buffer.from(
  `${SHORTEST}local v=redis.call('GET',KEYS[1]) return redis.call('SET',KEYS[1],shortest((v and tonumber(v) or 0)+tonumber(ARGV[1])),'KEEPTTL')`,
);
const HINCRBYFLOAT = Buffer.from(
  `${SHORTEST}local v=redis.call('HGET',KEYS[1],ARGV[1]) return redis.call('HSET',KEYS[1],ARGV[1],shortest((v and tonumber(v) or 0)+tonumber(ARGV[2])))`,
);

/** The same where the target has deadlines of fields, which HSET takes away and the source keeps (HMapWrap::AddOrUpdate). */
const HINCRBYFLOAT_KEEPING = Buffer.from(
  `${SHORTEST}local v=redis.call('HGET',KEYS[1],ARGV[1]) ` +
    "local at=v and redis.call('HPEXPIRETIME',KEYS[1],'FIELDS',1,ARGV[1])[1] or -1 " +
    "redis.call('HSET',KEYS[1],ARGV[1],shortest((v and tonumber(v) or 0)+tonumber(ARGV[2]))) " +
    "if at>0 then redis.call('HPEXPIREAT',KEYS[1],string.format('%.0f',at),'FIELDS',1,ARGV[1]) end return 0",
);

/**
 * Starts `EVAL script <keys> …`; the caller encodes `args` further arguments, the keys among them. A script with keys is one that the target
 * refuses as a whole when it takes no writes.
 */
export function beginScript(encoder: CommandEncoder, script: Buffer, keys: number, args: number): void {
  encoder.begin(3 + args);
  encoder.argText("EVAL");
  encoder.argBytes(keys === 0 ? script : gatedScript(script));
  encoder.argInt(keys);
}

/** The script takes the entry's arguments as they are: first its keys, then the rest. */
function runScript(context: JournalContext, command: JournalCommand, script: Buffer, keys: number): void {
  beginScript(context.encoder, script, keys, command.argc - 1);
  copyArgs(context.encoder, command, 1, command.argc);
}

/** An entry cut short goes out as it is: the target names what is wrong with it. */
const scripted =
  (script: Buffer, keys: number, argc: number): Rewrite =>
  (context, command) => {
    if (command.argc === argc) runScript(context, command, script, keys);
    else passEntry(context.encoder, command);
  };

export const rewritePrepend = scripted(PREPEND, 1, 3);
export const rewriteIncrByFloat = scripted(INCRBYFLOAT, 1, 3);

const plainHIncrByFloat = scripted(HINCRBYFLOAT, 1, 4);
const keepingHIncrByFloat = scripted(HINCRBYFLOAT_KEEPING, 1, 4);

export const rewriteHIncrByFloat: Rewrite = (context, command) => {
  const isKept = memberSourceRules(context.sourceVersion?.()).incrementKeepsDeadline;
  if (context.plan.fieldTtl === "native" && isKept) keepingHIncrByFloat(context, command);
  else plainHIncrByFloat(context, command);
};

export const rewriteRename: Rewrite = (context, command) => renamed(context, command, RENAME);
export const rewriteRenameNx: Rewrite = (context, command) => renamed(context, command, RENAMENX);

function renamed(context: JournalContext, command: JournalCommand, script: Buffer): void {
  if (command.argc !== 3) return passEntry(context.encoder, command);
  const { deadlines } = context;
  deadlines.follow(command.db, command.arg(1), command.db, command.arg(2));
  runScript(context, command, script, 2);
}

/** `COPY src dst [REPLACE]`. Dragonfly knows no `DB` option; today's masters journal a RESTORE instead. */
export const rewriteCopy: Rewrite = (context, command) => {
  const { deadlines, encoder } = context;
  if (command.argc >= 3) deadlines.follow(command.db, command.arg(1), command.db, command.arg(2));
  if (command.argc !== 4 || !command.arg(3).equalsIgnoreCase("REPLACE")) return passEntry(encoder, command);
  beginScript(encoder, COPY_REPLACE, 2, 2);
  copyArgs(encoder, command, 1, 3);
};

/**
 * `DELEX key [IFEQ|IFNE value | IFDEQ|IFDNE digest]`. Without a condition it is journaled when the key existed; with one it is journaled
 * whether it held or not (Dragonfly src/server/generic_family.cc Delex returns OK either way), so the target has to decide again. The digest
 * is XXH3, which a Redis before 8.4 does not have: the key is reported, not guessed at.
 */
export const rewriteDelex: Rewrite = (context, command) => {
  const { encoder } = context;
  const word = command.arg(2);
  if (command.argc === 2) {
    encoder.begin(2);
    encoder.argText("DEL");
    encoder.arg(command.arg(1));
    context.deadlines.forget(command.db, command.arg(1));
    return;
  }
  const equal = word.equalsIgnoreCase("IFEQ");
  if (command.argc !== 4 || (!equal && !word.equalsIgnoreCase("IFNE"))) {
    return context.unrunnable(
      command,
      "DELEX by digest: the target cannot compute the digest, so the key may be left over",
    );
  }
  beginScript(encoder, DELETE_IF, 1, 3);
  encoder.arg(command.arg(1));
  encoder.arg(command.arg(3));
  encoder.argText(equal ? "1" : "0");
};
