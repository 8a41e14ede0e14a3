/**
 * Carries a deadline of a hash field or a set member as the plan says: given to the target, kept by df2redis, left out and counted, or the end of
 * the run. The fields and members themselves are written before, by the caller.
 */
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { JournalContext } from "./journal-context.ts";
import type { MemberSort } from "./member-deadlines.ts";
import { copyArgs } from "./journal-words.ts";
import { refuseFeature } from "./refuse-feature.ts";

export const CUT_SHORT = "the entry is cut short, so it cannot be told what it did";

/** Which arguments of an entry are the fields: every `step`-th from `first` on. */
export type FieldRange = { readonly first: number; readonly step: number };

export const FIELD: MemberSort = { kind: "field", certain: true };
export const UNSURE_FIELD: MemberSort = { kind: "field", certain: false };
export const MEMBER: MemberSort = { kind: "member", certain: true };
export const UNSURE_MEMBER: MemberSort = { kind: "member", certain: false };
export const UNSURE_EITHER: MemberSort = { kind: "either", certain: false };

/**
 * A deadline that a relative ttl makes: counted from the whole second in which the entry arrived, as Dragonfly counts from the one in which it ran
 * (src/server/common.h MemberTimeSeconds).
 */
export function ttlDeadline(context: JournalContext, ttlSeconds: number): number {
  return (Math.floor(context.clock() / 1000) + ttlSeconds) * 1000;
}

/** Ends the run when the plan says so. */
export function refuseIfAsked(
  context: JournalContext,
  command: JournalCommand,
  feature: "fieldTtl" | "memberTtl",
): void {
  if (context.plan[feature] === "fail") refuseFeature(feature, command.db, command.arg(1));
}

/** The fields of `range` have the deadline from now on, those that exist. */
export function setFieldDeadlines(
  context: JournalContext,
  command: JournalCommand,
  range: FieldRange,
  { deadlineMs, sort }: { readonly deadlineMs: number; readonly sort: MemberSort },
): void {
  const { plan, losses, members } = context;
  refuseIfAsked(context, command, "fieldTtl");
  if (plan.fieldTtl === "drop") return losses.record("fieldTtl", command.db, command.arg(1));
  if (plan.fieldTtl === "convert") return keepDeadlines(context, command, range, { deadlineMs, sort });
  if (members.isNear(deadlineMs) && holdDeadlines(context, command, range, { deadlineMs, sort })) return;
  forgetMembers(context, command, range);
  encodeExpireAt(context, command, range, deadlineMs);
}

/** df2redis keeps the deadlines; what it has no room for is lost, and counted once per entry. */
export function keepDeadlines(
  context: JournalContext,
  command: JournalCommand,
  range: FieldRange,
  { deadlineMs, sort }: { readonly deadlineMs: number; readonly sort: MemberSort },
): void {
  const { losses, members } = context;
  const key = command.arg(1);
  const isSet = sort.kind === "member" || (sort.kind === "either" && context.plan.fieldTtl !== "convert");
  if (!members.hasKey(command.db, key)) losses.record(isSet ? "memberTtlKept" : "fieldTtlKept", command.db, key);
  let isLost = false;
  for (let i = range.first; i < command.argc; i += range.step) {
    if (!members.set(command.db, key, command.arg(i), deadlineMs, sortOf(context, command, i, sort))) isLost = true;
  }
  if (isLost) losses.record(isSet ? "memberTtl" : "fieldTtl", command.db, key);
}

/** What is known to be there does not become doubtful by a new deadline. */
function sortOf({ members }: JournalContext, command: JournalCommand, i: number, sort: MemberSort): MemberSort {
  if (sort.certain || members.find(command.db, command.arg(1), command.arg(i))?.certain !== true) return sort;
  return { kind: sort.kind, certain: true };
}

/**
 * Keeps deadlines of fields from a target that could act on them too early, and takes away an older one that it has. False when there is no room
 * for all.
 */
function holdDeadlines(
  context: JournalContext,
  command: JournalCommand,
  range: FieldRange,
  { deadlineMs, sort }: { readonly deadlineMs: number; readonly sort: MemberSort },
): boolean {
  const { members } = context;
  if (members.size + command.argc > members.limit) return false;
  for (let i = range.first; i < command.argc; i += range.step)
    members.set(command.db, command.arg(1), command.arg(i), deadlineMs, sortOf(context, command, i, sort));
  if (!sort.certain) encodePersist(context, command, range);
  return true;
}

export function forgetMembers({ members }: JournalContext, command: JournalCommand, { first, step }: FieldRange): void {
  if (members.size === 0) return;
  for (let i = first; i < command.argc; i += step) members.drop(command.db, command.arg(1), command.arg(i));
}

/** `HPEXPIREAT key ms FIELDS n field…`. */
function encodeExpireAt(
  { encoder }: JournalContext,
  command: JournalCommand,
  range: FieldRange,
  deadlineMs: number,
): void {
  encoder.begin(5 + countFields(command, range));
  encoder.argText("HPEXPIREAT");
  encoder.arg(command.arg(1));
  encoder.argInt(Math.max(1, deadlineMs));
  encodeFields(encoder, command, range);
}

/** `HPERSIST key FIELDS n field…`. */
export function encodePersist({ encoder }: JournalContext, command: JournalCommand, range: FieldRange): void {
  encoder.begin(4 + countFields(command, range));
  encoder.argText("HPERSIST");
  encoder.arg(command.arg(1));
  encodeFields(encoder, command, range);
}

function encodeFields(encoder: CommandEncoder, command: JournalCommand, range: FieldRange): void {
  encoder.argText("FIELDS");
  encoder.argInt(countFields(command, range));
  for (let i = range.first; i < command.argc; i += range.step) encoder.arg(command.arg(i));
}

function countFields(command: JournalCommand, { first, step }: FieldRange): number {
  return Math.ceil((command.argc - first) / step);
}

/** `HDEL key field…`: the rest of the entry are the fields. */
export function deleteFields(context: JournalContext, command: JournalCommand, first: number): void {
  if (command.argc <= first) return context.unrunnable(command, CUT_SHORT);
  forgetMembers(context, command, { first, step: 1 });
  context.encoder.begin(2 + command.argc - first);
  context.encoder.argText("HDEL");
  context.encoder.arg(command.arg(1));
  copyArgs(context.encoder, command, first, command.argc);
}
