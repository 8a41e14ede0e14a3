/**
 * What HSETEX with KEEPTTL, NX, FNX or FXX does to deadlines that df2redis keeps. Whether a field is there decides some of it, which only the
 * target knows; a field that has a deadline which is not past is there. In doubt a field's deadline is unknown, since deleting what should stay is
 * the worse mistake, and that is counted.
 */
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { JournalContext } from "./journal-context.ts";
import { type HeldMember, UNKNOWN_DEADLINE_MS } from "./member-deadlines.ts";
import { endPastField } from "./member-deadline-effects.ts";
import type { HSetExForm } from "./member-hsetex.ts";
import { FIELD, keepDeadlines } from "./member-policy.ts";

/** The deadline of the field at `i`, if it is not past: one that is past ends the field here. */
function living(context: JournalContext, command: JournalCommand, i: number): HeldMember | undefined {
  endPastField(context, command, command.arg(i));
  return context.members.find(command.db, command.arg(1), command.arg(i));
}

/** KEEPTTL: a field with a deadline keeps it, every other has the new one, if there is one. Exact. */
export function keepFieldTtls(context: JournalContext, command: JournalCommand, form: HSetExForm): void {
  for (let i = form.first; i < command.argc; i += 2) {
    const held = living(context, command, i);
    if (held === undefined && !context.members.isComplete) doubt(context, command, i);
    else if (held === undefined) setOne(context, command, i, form.deadlineMs);
    else if (!held.certain) settleDoubt(context, command, { i, form, held });
  }
}

/** NX: a field that is there stays as it is, with its deadline or without. */
export function keepFieldsNew(context: JournalContext, command: JournalCommand, form: HSetExForm): void {
  for (let i = form.first; i < command.argc; i += 2) {
    const past = context.members.deadlineOf(command.db, command.arg(1), command.arg(i));
    const held = living(context, command, i);
    if (held === undefined && past !== -1) setOne(context, command, i, form.deadlineMs);
    else if (held === undefined && form.deadlineMs !== -1) doubt(context, command, i);
    else if (held?.certain === false) settleDoubt(context, command, { i, form, held });
  }
}

/** FNX and FXX: all or nothing. */
export function keepFieldsExist(context: JournalContext, command: JournalCommand, form: HSetExForm): void {
  const held: (HeldMember | undefined)[] = [];
  for (let i = form.first; i < command.argc; i += 2) held.push(living(context, command, i));
  if (form.condition === "allNew" && held.some((field) => field?.certain === true)) return;
  if (form.condition === "allOld" && held.every((field) => field?.certain === true)) {
    for (let i = form.first; i < command.argc; i += 2)
      if (!form.isKeeping) setOne(context, command, i, form.deadlineMs);
    return;
  }
  if (form.deadlineMs === -1 && held.every((field) => field === undefined)) return;
  for (let i = form.first; i < command.argc; i += 2) doubt(context, command, i);
}

/** Counted once for each field. */
function doubt({ losses, members }: JournalContext, command: JournalCommand, i: number): void {
  const [key, field] = [command.arg(1), command.arg(i)];
  if (members.deadlineOf(command.db, key, field) === UNKNOWN_DEADLINE_MS) return;
  members.set(command.db, key, field, UNKNOWN_DEADLINE_MS, FIELD);
  losses.record("fieldTtl", command.db, key);
}

function setOne(context: JournalContext, command: JournalCommand, i: number, deadlineMs: number): void {
  if (deadlineMs === -1) context.members.drop(command.db, command.arg(1), command.arg(i));
  else keepDeadlines(context, command, { first: i, step: command.argc }, { deadlineMs, sort: FIELD });
}

type Doubt = { readonly i: number; readonly form: HSetExForm; readonly held: HeldMember };

/** It has its old deadline if it was there when that was set, and otherwise the new one: the later of both loses nothing. Counted if it may be late. */
function settleDoubt(context: JournalContext, command: JournalCommand, { i, form, held }: Doubt): void {
  if (form.deadlineMs === -1) return doubt(context, command, i);
  const oldMs = held.second * 1000;
  if (oldMs > form.deadlineMs && oldMs !== UNKNOWN_DEADLINE_MS)
    context.losses.record("fieldTtl", command.db, command.arg(1));
  setOne(context, command, i, Math.max(oldMs, form.deadlineMs));
}
