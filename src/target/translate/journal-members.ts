/**
 * Dragonfly's commands with deadlines of set members and hash fields, for a target that has none: the members are carried, their deadlines
 * are recorded as lost. Facts: Dragonfly src/server/hset_family.cc, set_family.cc, generic_family.cc. The words are as the client sent them,
 * in any case.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { JournalContext, Rewrite } from "./journal-context.ts";
import { timeOption } from "./journal-expiry.ts";
import { beginScript } from "./journal-scripts.ts";
import { copyArgs, parseDecimal } from "./journal-words.ts";

const CUT_SHORT = "the entry is cut short, so it cannot be told what it did";

/** `SADDEX key [KEEPTTL] ttl member…`. */
export const rewriteSAddEx: Rewrite = ({ encoder, losses, unrunnable }, command) => {
  const first = command.arg(2).equalsIgnoreCase("KEEPTTL") ? 4 : 3;
  if (command.argc <= first) return unrunnable(command, CUT_SHORT);
  losses.record("memberTtl", command.db, command.arg(1));
  encoder.begin(2 + command.argc - first);
  encoder.argText("SADD");
  encoder.arg(command.arg(1));
  copyArgs(encoder, command, first, command.argc);
};

/** `FIELDEXPIRE key ttl field…`, on a hash or a set; ttl is never 0. Nothing but deadlines changes. */
export const rewriteFieldExpire: Rewrite = ({ losses }, command) =>
  losses.record("fieldTtl", command.db, command.arg(1));

/**
 * `HEXPIRE key ttl [NX|XX|GT|LT] FIELDS n field…`. A ttl of 0 deletes the fields; whether a condition held then depends on deadlines that
 * the target does not have.
 */
export const rewriteHExpire: Rewrite = (context, command) => {
  if (parseDecimal(command.arg(2)) !== 0) return context.losses.record("fieldTtl", command.db, command.arg(1));
  if (command.arg(3).equalsIgnoreCase("FIELDS")) return deleteFields(context, command, 5);
  context.unrunnable(
    command,
    "HEXPIRE 0 with a condition on deadlines that the target does not have: the fields were left",
  );
};

/**
 * `HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS n field…`. A relative ttl that is not positive deletes the fields. An
 * absolute one that is past by now may have been ahead on the source, and renewed since: the fields are kept.
 */
export const rewriteHGetEx: Rewrite = (context, command) => {
  const unit = timeOption(command.arg(2));
  if (unit === undefined) return;
  if (!unit.absolute && parseDecimal(command.arg(3)) <= 0 && command.arg(4).equalsIgnoreCase("FIELDS")) {
    return deleteFields(context, command, 6);
  }
  context.losses.record("fieldTtl", command.db, command.arg(1));
};

function deleteFields({ encoder, unrunnable }: JournalContext, command: JournalCommand, first: number): void {
  if (command.argc <= first) return unrunnable(command, CUT_SHORT);
  encoder.begin(2 + command.argc - first);
  encoder.argText("HDEL");
  encoder.arg(command.arg(1));
  copyArgs(encoder, command, first, command.argc);
}

/** Sets all fields when each of them exists (ARGV[1] = 1) or none does (0). HSET by field: unpack has a limit. */
const SET_FIELDS_IF = Buffer.from(
  "local want=tonumber(ARGV[1]) " +
    "for i=2,#ARGV,2 do if redis.call('HEXISTS',KEYS[1],ARGV[i])~=want then return 0 end end " +
    "for i=2,#ARGV,2 do redis.call('HSET',KEYS[1],ARGV[i],ARGV[i+1]) end return 1",
);

type FieldCondition = "always" | "eachNew" | "allNew" | "allOld";
type HSetExForm = { condition: FieldCondition; hasTtl: boolean; first: number };

/**
 * Two forms share the name: Dragonfly's `HSETEX key [NX] [KEEPTTL] ttl field value…` and Redis 8's
 * `HSETEX key [FNX|FXX] [KEEPTTL] [EX s | PX ms | EXAT s | PXAT ms] FIELDS n field value…`. The word FIELDS tells them apart: where
 * Dragonfly's form stops having options comes a number. NX decides field by field, FNX and FXX all at once, and an entry whose condition
 * did not hold is journaled too, so the target decides again.
 */
export const rewriteHSetEx: Rewrite = (context, command) => {
  const form = readHSetEx(command);
  if (form === undefined) return context.unrunnable(command, CUT_SHORT);
  if (form.hasTtl) context.losses.record("fieldTtl", command.db, command.arg(1));
  if (form.condition === "always") setFields(context, command, form.first);
  else if (form.condition === "eachNew") setNewFields(context, command, form.first);
  else setFieldsIf(context, command, form);
};

function readHSetEx(command: JournalCommand): HSetExForm | undefined {
  const form: HSetExForm = { condition: "always", hasTtl: false, first: 0 };
  let at = 2;
  for (; at < command.argc; at++) {
    const word = command.arg(at);
    const condition = fieldCondition(word);
    if (condition !== undefined) form.condition = condition;
    else if (timeOption(word) !== undefined) {
      form.hasTtl = true;
      at++;
    } else if (!word.equalsIgnoreCase("KEEPTTL")) break;
  }
  if (command.arg(at).equalsIgnoreCase("FIELDS")) {
    form.first = at + 2;
  } else {
    if (Number.isNaN(parseDecimal(command.arg(at)))) return undefined;
    form.hasTtl = true;
    form.first = at + 1;
  }
  const words = command.argc - form.first;
  return words >= 2 && words % 2 === 0 ? form : undefined;
}

function fieldCondition(word: Slice): FieldCondition | undefined {
  if (word.equalsIgnoreCase("NX")) return "eachNew";
  if (word.equalsIgnoreCase("FNX")) return "allNew";
  if (word.equalsIgnoreCase("FXX")) return "allOld";
  return undefined;
}

function setFields({ encoder }: JournalContext, command: JournalCommand, first: number): void {
  encoder.begin(2 + command.argc - first);
  encoder.argText("HSET");
  encoder.arg(command.arg(1));
  copyArgs(encoder, command, first, command.argc);
}

function setNewFields({ encoder }: JournalContext, command: JournalCommand, first: number): void {
  for (let i = first; i < command.argc; i += 2) {
    encoder.begin(4);
    encoder.argText("HSETNX");
    encoder.arg(command.arg(1));
    copyArgs(encoder, command, i, i + 2);
  }
}

function setFieldsIf({ encoder }: JournalContext, command: JournalCommand, form: HSetExForm): void {
  beginScript(encoder, SET_FIELDS_IF, 1, 2 + command.argc - form.first);
  encoder.arg(command.arg(1));
  encoder.argText(form.condition === "allOld" ? "1" : "0");
  copyArgs(encoder, command, form.first, command.argc);
}

/** `STICK key…`. */
export const rewriteStick: Rewrite = ({ losses }, command) => {
  for (let i = 1; i < command.argc; i++) losses.record("sticky", command.db, command.arg(i));
};
