/**
 * HSETEX. Two forms share the name: Dragonfly's `HSETEX key [NX] [KEEPTTL] ttl field value…` and Redis 8's
 * `HSETEX key [FNX|FXX] [KEEPTTL] [EX s | PX ms | EXAT s | PXAT ms] FIELDS n field value…`. The word FIELDS tells them apart: where Dragonfly's
 * form stops having options comes a number. NX decides field by field, FNX and FXX all at once, and an entry whose condition did not
 * hold is journaled too, so it is decided again here or on the target (Dragonfly src/server/hset_family.cc CmdHSetEx, OpSet).
 */
import type { Slice } from "../../bytes/slice.ts";
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { JournalContext, Rewrite } from "./journal-context.ts";
import { timeOption } from "./journal-expiry.ts";
import { beginScript } from "./journal-scripts.ts";
import { copyArgs, parseDecimal } from "./journal-words.ts";
import { CUT_SHORT, FIELD, forgetMembers, refuseIfAsked, setFieldDeadlines, ttlDeadline } from "./member-policy.ts";
import { keepFieldsExist, keepFieldsNew, keepFieldTtls } from "./member-hsetex-kept.ts";

type FieldCondition = "always" | "eachNew" | "allNew" | "allOld";

export type HSetExForm = {
  condition: FieldCondition;
  isKeeping: boolean;
  /** Unix ms, or -1. */
  deadlineMs: number;
  /** Where the fields begin. */
  first: number;
};

/** ARGV[1]: whether each field must exist (1) or none may (0). HSET by field: unpack has a limit. */
const SET_FIELDS_IF = Buffer.from(
  "local want=tonumber(ARGV[1]) " +
    "for i=2,#ARGV,2 do if redis.call('HEXISTS',KEYS[1],ARGV[i])~=want then return 0 end end " +
    "for i=2,#ARGV,2 do redis.call('HSET',KEYS[1],ARGV[i],ARGV[i+1]) end return 1",
);

/** For a target with deadlines of fields. ARGV: condition, whether to keep (1), deadline or empty, fields and values. */
const SET_NATIVE = Buffer.from(
  "local k,c,to=KEYS[1],ARGV[1],ARGV[3] " +
    "if c=='allNew' or c=='allOld' then local want=c=='allOld' and 1 or 0 " +
    "for i=4,#ARGV,2 do if redis.call('HEXISTS',k,ARGV[i])~=want then return 0 end end end " +
    "for i=4,#ARGV,2 do local f,v=ARGV[i],ARGV[i+1] " +
    "if c=='eachNew' then if redis.call('HSETNX',k,f,v)==1 and to~='' then redis.call('HPEXPIREAT',k,to,'FIELDS',1,f) end " +
    "else local at=to if ARGV[2]=='1' and redis.call('HEXISTS',k,f)==1 then " +
    "local old=redis.call('HPEXPIRETIME',k,'FIELDS',1,f)[1] if old>0 then at=string.format('%.0f',old) end end " +
    "redis.call('HSET',k,f,v) if at~='' then redis.call('HPEXPIREAT',k,at,'FIELDS',1,f) end end end return 1",
);

export const rewriteHSetEx: Rewrite = (context, command) => {
  const form = readHSetEx(context, command);
  if (form === undefined) return context.unrunnable(command, CUT_SHORT);
  const { plan, losses } = context;
  const hasTtl = form.deadlineMs !== -1;
  if (hasTtl) refuseIfAsked(context, command, "fieldTtl");
  if (form.condition === "always" && !form.isKeeping) return setFields(context, command, form);
  if (plan.fieldTtl === "native") return setNative(context, command, form);
  if (plan.fieldTtl === "convert") return setConverted(context, command, form);
  if (hasTtl) losses.record("fieldTtl", command.db, command.arg(1));
  encodeSet(context, command, form);
};

/** Every field is set and has the deadline, or none, from now on. */
function setFields(context: JournalContext, command: JournalCommand, form: HSetExForm): void {
  const range = { first: form.first, step: 2 };
  encodeSet(context, command, form);
  if (form.deadlineMs === -1) forgetMembers(context, command, range);
  else setFieldDeadlines(context, command, range, { deadlineMs: form.deadlineMs, sort: FIELD });
}

/** The deadlines are settled before the values are written: a field that is past its own must be gone when the target decides. */
function setConverted(context: JournalContext, command: JournalCommand, form: HSetExForm): void {
  if (form.condition === "always") keepFieldTtls(context, command, form);
  else if (form.condition === "eachNew") keepFieldsNew(context, command, form);
  else keepFieldsExist(context, command, form);
  encodeSet(context, command, form);
}

function encodeSet(context: JournalContext, command: JournalCommand, form: HSetExForm): void {
  if (form.condition === "always") encodeHSet(context, command, form.first);
  else if (form.condition === "eachNew") encodeHSetNx(context, command, form.first);
  else encodeSetIf(context, command, form);
}

/** What is held of these fields was decided by the source before the condition was: the target must see it. */
function setNative(context: JournalContext, command: JournalCommand, form: HSetExForm): void {
  const { encoder, members } = context;
  for (let i = form.first; i < command.argc; i += 2)
    members.armField(encoder, command.db, command.arg(1), command.arg(i));
  beginScript(encoder, SET_NATIVE, 1, 4 + command.argc - form.first);
  encoder.arg(command.arg(1));
  encoder.argText(form.condition);
  encoder.argText(form.isKeeping ? "1" : "0");
  encoder.argText(form.deadlineMs === -1 ? "" : String(Math.max(1, form.deadlineMs)));
  copyArgs(encoder, command, form.first, command.argc);
}

function readHSetEx(context: JournalContext, command: JournalCommand): HSetExForm | undefined {
  const form: HSetExForm = { condition: "always", isKeeping: false, deadlineMs: -1, first: 0 };
  let at = 2;
  for (; at < command.argc; at++) {
    const word = command.arg(at);
    const condition = fieldCondition(word);
    const unit = timeOption(word);
    if (condition !== undefined) form.condition = condition;
    else if (unit !== undefined) {
      const seconds = Math.ceil((parseDecimal(command.arg(++at)) * unit.scaleMs) / 1000);
      form.deadlineMs = unit.absolute ? seconds * 1000 : ttlDeadline(context, seconds);
    } else if (word.equalsIgnoreCase("KEEPTTL")) form.isKeeping = true;
    else break;
  }
  if (command.arg(at).equalsIgnoreCase("FIELDS")) form.first = at + 2;
  else {
    form.deadlineMs = ttlDeadline(context, parseDecimal(command.arg(at)));
    form.first = at + 1;
  }
  const words = command.argc - form.first;
  return words >= 2 && words % 2 === 0 && !Number.isNaN(form.deadlineMs) ? form : undefined;
}

function fieldCondition(word: Slice): FieldCondition | undefined {
  if (word.equalsIgnoreCase("NX")) return "eachNew";
  if (word.equalsIgnoreCase("FNX")) return "allNew";
  if (word.equalsIgnoreCase("FXX")) return "allOld";
  return undefined;
}

function encodeHSet({ encoder }: JournalContext, command: JournalCommand, first: number): void {
  encoder.begin(2 + command.argc - first);
  encoder.argText("HSET");
  encoder.arg(command.arg(1));
  copyArgs(encoder, command, first, command.argc);
}

function encodeHSetNx({ encoder }: JournalContext, command: JournalCommand, first: number): void {
  for (let i = first; i < command.argc; i += 2) {
    encoder.begin(4);
    encoder.argText("HSETNX");
    encoder.arg(command.arg(1));
    copyArgs(encoder, command, i, i + 2);
  }
}

function encodeSetIf({ encoder }: JournalContext, command: JournalCommand, form: HSetExForm): void {
  beginScript(encoder, SET_FIELDS_IF, 1, 2 + command.argc - form.first);
  encoder.arg(command.arg(1));
  encoder.argText(form.condition === "allOld" ? "1" : "0");
  copyArgs(encoder, command, form.first, command.argc);
}
