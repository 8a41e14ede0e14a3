/**
 * HEXPIRE and HGETEX. Facts: Dragonfly src/server/hset_family.cc (OpHExpire, OpHGetEx, UpdateTTL): both are journaled as the client sent them
 * whenever the key exists, behind an HDEL of fields that were found to have expired. Conditions compare as Redis's do: no deadline counts as
 * endless. A target with HPEXPIREAT decides them itself (observed on Redis 7.4, 8.0 and Valkey 9: a past time deletes, conditions are
 * looked at first); for what df2redis keeps it decides here.
 */
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { JournalContext, Rewrite } from "./journal-context.ts";
import { timeOption } from "./journal-expiry.ts";
import { parseDecimal, passEntry } from "./journal-words.ts";
import { type HeldMember, UNKNOWN_DEADLINE_MS } from "./member-deadlines.ts";
import {
  CUT_SHORT,
  deleteFields,
  encodePersist,
  forgetMembers,
  setFieldDeadlines,
  ttlDeadline,
  UNSURE_FIELD,
} from "./member-policy.ts";
import { memberSourceRules } from "./member-source-rules.ts";

const CONDITIONS = ["NX", "XX", "GT", "LT"] as const;
type Condition = (typeof CONDITIONS)[number];

/** `HEXPIRE key ttl [NX|XX|GT|LT] FIELDS n field…`. A ttl of 0 deletes the fields. */
export const rewriteHExpire: Rewrite = (context, command) => {
  const ttl = parseDecimal(command.arg(2));
  const condition = CONDITIONS.find((word) => command.arg(3).equalsIgnoreCase(word));
  const first = condition === undefined ? 5 : 6;
  if (command.argc <= first || Number.isNaN(ttl)) return context.unrunnable(command, CUT_SHORT);
  if (condition !== undefined && isDecided(context)) return expireIf(context, command, { condition, ttl });
  if (ttl === 0 && condition === undefined) return deleteFields(context, command, first);
  if (ttl === 0) {
    return context.unrunnable(
      command,
      "HEXPIRE 0 with a condition on deadlines that the target does not have: the fields were left",
    );
  }
  const change = { deadlineMs: ttlDeadline(context, ttl), sort: UNSURE_FIELD };
  setFieldDeadlines(context, command, { first, step: 1 }, change);
};

/** Whether the deadlines of fields are known, to the target or to df2redis. */
function isDecided({ plan }: JournalContext): boolean {
  return plan.fieldTtl === "native" || plan.fieldTtl === "convert";
}

type ConditionalExpiry = { readonly condition: Condition; readonly ttl: number };

/** Field by field: the target knows those that df2redis does not hold, if it has deadlines at all. */
function expireIf(context: JournalContext, command: JournalCommand, { condition, ttl }: ConditionalExpiry): void {
  const { members, plan } = context;
  const deadlineMs = ttlDeadline(context, ttl);
  for (let i = 6; i < command.argc; i++) {
    const held = members.find(command.db, command.arg(1), command.arg(i));
    if (held === undefined && plan.fieldTtl === "native") {
      expireNativeIf(context, command, i, { condition, deadlineMs: ttl === 0 ? 1 : deadlineMs });
    } else if (holds(condition, held, deadlineMs) && (held !== undefined || condition !== "NX" || members.isComplete)) {
      applyTo(context, command, i, { deadlineMs, isDeleted: ttl === 0 });
    }
  }
}

function holds(condition: Condition, held: HeldMember | undefined, deadlineMs: number): boolean {
  const oldMs = held === undefined ? Number.POSITIVE_INFINITY : held.second * 1000;
  switch (condition) {
    case "NX":
      return held === undefined;
    case "XX":
      return held !== undefined && held.second !== UNKNOWN_DEADLINE_MS;
    case "GT":
      return deadlineMs > oldMs;
    case "LT":
      return deadlineMs < oldMs;
  }
}

/** The entry's `i`-th word is the field. */
function applyTo(
  context: JournalContext,
  command: JournalCommand,
  i: number,
  { deadlineMs, isDeleted }: { readonly deadlineMs: number; readonly isDeleted: boolean },
): void {
  const one = { first: i, step: command.argc };
  if (!isDeleted) return setFieldDeadlines(context, command, one, { deadlineMs, sort: UNSURE_FIELD });
  forgetMembers(context, command, one);
  context.encoder.begin(3);
  context.encoder.argText("HDEL");
  context.encoder.arg(command.arg(1));
  context.encoder.arg(command.arg(i));
}

function expireNativeIf(
  { encoder }: JournalContext,
  command: JournalCommand,
  i: number,
  { condition, deadlineMs }: { readonly condition: Condition; readonly deadlineMs: number },
): void {
  encoder.begin(7);
  encoder.argText("HPEXPIREAT");
  encoder.arg(command.arg(1));
  encoder.argInt(deadlineMs);
  encoder.argText(condition);
  encoder.argText("FIELDS");
  encoder.argInt(1);
  encoder.arg(command.arg(i));
}

/**
 * `HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS n f…`. A relative ttl that is not positive deletes the fields. An absolute
 * one that is past by now may have been ahead on the source, and renewed since: the fields are kept until all that was sent has been read.
 */
export const rewriteHGetEx: Rewrite = (context, command) => {
  if (command.arg(2).equalsIgnoreCase("PERSIST")) return persistFields(context, command);
  const unit = timeOption(command.arg(2));
  if (unit === undefined) return;
  const value = parseDecimal(command.arg(3)) * unit.scaleMs;
  if (command.argc <= 6 || Number.isNaN(value)) return context.unrunnable(command, CUT_SHORT);
  if (!unit.absolute && value <= 0) return deleteFields(context, command, 6);
  const deadlineMs = unit.absolute ? Math.ceil(value / 1000) * 1000 : ttlDeadline(context, Math.ceil(value / 1000));
  setFieldDeadlines(context, command, { first: 6, step: 1 }, { deadlineMs, sort: UNSURE_FIELD });
};

function persistFields(context: JournalContext, command: JournalCommand): void {
  const range = { first: 5, step: 1 };
  if (command.argc <= range.first) return context.unrunnable(command, CUT_SHORT);
  forgetMembers(context, command, range);
  if (context.plan.fieldTtl === "native") encodePersist(context, command, range);
}

/** `HINCRBY key field n`. A target with deadlines of fields keeps them, which an older source did not. */
export const rewriteHIncrBy: Rewrite = (context, command) => {
  passEntry(context.encoder, command);
  if (context.plan.fieldTtl !== "native" || command.argc !== 4) return;
  if (memberSourceRules(context.sourceVersion?.()).incrementKeepsDeadline) return;
  encodePersist(context, command, { first: 2, step: command.argc });
};
