/**
 * Entries that set values with deadlines, or deadlines alone. Masters write absolute ms (PXAT, PEXPIREAT); relative forms could come from an
 * old one and are made absolute here, by our clock. Every deadline goes through `HeldDeadlines`.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { JournalCommand } from "../../journal/journal-command.ts";
import { expireIfScript, STAND_IN_BEYOND_MS } from "./deadline-scripts.ts";
import type { JournalContext, Rewrite } from "./journal-context.ts";
import { reportSticky } from "./journal-features.ts";
import { beginScript } from "./journal-scripts.ts";
import { copyArgs, parseDecimal, passEntry } from "./journal-words.ts";

type TimeUnit = { readonly scaleMs: number; readonly absolute: boolean };

const SECONDS: TimeUnit = { scaleMs: 1000, absolute: false };
const MILLISECONDS: TimeUnit = { scaleMs: 1, absolute: false };
const AT_SECONDS: TimeUnit = { scaleMs: 1000, absolute: true };
const AT_MILLISECONDS: TimeUnit = { scaleMs: 1, absolute: true };

/** The unit that an option word announces, if it is one. */
export function timeOption(word: Slice): TimeUnit | undefined {
  if (word.length < 2 || word.length > 4) return undefined;
  if (word.equalsIgnoreCase("PXAT")) return AT_MILLISECONDS;
  if (word.equalsIgnoreCase("PX")) return MILLISECONDS;
  if (word.equalsIgnoreCase("EX")) return SECONDS;
  if (word.equalsIgnoreCase("EXAT")) return AT_SECONDS;
  return undefined;
}

/** Unix ms, or NaN when `word` is no number. */
export function deadlineOf(context: JournalContext, unit: TimeUnit, word: Slice): number {
  const value = parseDecimal(word) * unit.scaleMs;
  return unit.absolute ? value : context.clock() + value;
}

/** The option words of the SET in hand; reused, since SET is the most frequent command. */
const kept: Slice[] = [];

/**
 * `SET key value [PXAT ms | KEEPTTL] [STICK] [_MCFLAGS n]` (Dragonfly src/server/string_family.cc SetCmd::RecordJournal). Only the words
 * after the value are options: a value may well be "STICK". Words unknown here are left to the target.
 */
export const rewriteSet: Rewrite = (context, command) => {
  if (command.argc === 3) return context.encoder.set(command.arg(1), command.arg(2), -1);
  if (command.argc < 3) return passEntry(context.encoder, command);
  kept.length = 0;
  let deadlineMs = -1;
  for (let i = 3; i < command.argc; i++) {
    const word = command.arg(i);
    const unit = timeOption(word);
    if (unit !== undefined) deadlineMs = deadlineOf(context, unit, command.arg(++i));
    else if (word.equalsIgnoreCase("STICK")) reportSticky(context, command.db, command.arg(1));
    else if (word.equalsIgnoreCase("_MCFLAGS")) {
      context.losses.record("memcacheFlags", command.db, command.arg(1));
      i++;
    } else kept.push(word);
  }
  encodeSet(context, command, deadlineMs);
};

function encodeSet({ encoder, deadlines }: JournalContext, command: JournalCommand, deadlineMs: number): void {
  if (Number.isNaN(deadlineMs)) return passEntry(encoder, command);
  const at = deadlineMs === -1 ? -1 : deadlines.settle(command.db, command.arg(1), deadlineMs);
  if (kept.length === 0) return encoder.set(command.arg(1), command.arg(2), at);
  encoder.begin(3 + kept.length + (at === -1 ? 0 : 2));
  copyArgs(encoder, command, 0, 3);
  for (const word of kept) encoder.arg(word);
  if (at === -1) return;
  encoder.argText("PXAT");
  encoder.argInt(at);
}

/** `SETEX key s value`, `PSETEX key ms value`. */
const setWithTtl =
  (unit: TimeUnit): Rewrite =>
  (context, command) => {
    const { encoder, deadlines } = context;
    const deadlineMs = deadlineOf(context, unit, command.arg(2));
    if (command.argc !== 4 || Number.isNaN(deadlineMs)) return passEntry(encoder, command);
    encoder.set(command.arg(1), command.arg(3), deadlines.settle(command.db, command.arg(1), deadlineMs));
  };

export const rewriteSetEx = setWithTtl(SECONDS);
export const rewritePSetEx = setWithTtl(MILLISECONDS);

/** `PEXPIREAT key ms` and its relatives, with NX, XX, GT, LT if they were there. */
const expire =
  (unit: TimeUnit): Rewrite =>
  (context, command) => {
    const deadlineMs = deadlineOf(context, unit, command.arg(2));
    if (command.argc < 3 || Number.isNaN(deadlineMs)) return passEntry(context.encoder, command);
    expireAt(context, command, deadlineMs, 3);
  };

/** Writes PEXPIREAT with the words of the entry from `from` on. */
function expireAt(context: JournalContext, command: JournalCommand, deadlineMs: number, from: number): void {
  const { encoder, deadlines } = context;
  // PEXPIREAT takes conditions from 7.0 on, as PEXPIRETIME came.
  const byScript = deadlines.isHolding || !deadlines.hasPExpireTime;
  if (command.argc > from && byScript) return expireIf(context, command, deadlineMs, from);
  encoder.begin(3 + command.argc - from);
  encoder.argText("PEXPIREAT");
  encoder.arg(command.arg(1));
  encoder.argInt(deadlines.settle(command.db, command.arg(1), deadlineMs));
  copyArgs(encoder, command, from, command.argc);
}

/**
 * The target would compare with the stand-in of a deadline that is held back, so a script compares. Today's masters decide themselves and journal
 * no condition (Dragonfly src/server/generic_family.cc OpExpire); a client's words may come from an old one.
 */
function expireIf(
  { clock, encoder, deadlines }: JournalContext,
  command: JournalCommand,
  deadlineMs: number,
  from: number,
): void {
  beginScript(encoder, expireIfScript(deadlines.hasPExpireTime), 1, 4 + command.argc - from);
  encoder.arg(command.arg(1));
  encoder.argInt(clock() + STAND_IN_BEYOND_MS);
  encoder.argInt(deadlineMs);
  encoder.argInt(deadlines.settleIf(command.db, command.arg(1), deadlineMs));
  copyArgs(encoder, command, from, command.argc);
}

export const rewriteExpire = expire(SECONDS);
export const rewritePExpire = expire(MILLISECONDS);
export const rewriteExpireAt = expire(AT_SECONDS);
export const rewritePExpireAt = expire(AT_MILLISECONDS);

/** `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]`: only what it does to the deadline is left. */
export const rewriteGetEx: Rewrite = (context, command) => {
  const unit = timeOption(command.arg(2));
  if (unit !== undefined) {
    const deadlineMs = deadlineOf(context, unit, command.arg(3));
    if (Number.isNaN(deadlineMs)) return passEntry(context.encoder, command);
    return expireAt(context, command, deadlineMs, 4);
  }
  if (command.arg(2).equalsIgnoreCase("PERSIST")) {
    context.encoder.begin(2);
    context.encoder.argText("PERSIST");
    context.encoder.arg(command.arg(1));
  }
};

/** Commands that end deadlines: passed; what was held of these keys can be forgotten. */
export const passAndForget: Rewrite = ({ encoder, deadlines }, command) => {
  if (deadlines.size > 0) for (let i = 1; i < command.argc; i++) deadlines.forget(command.db, command.arg(i));
  passEntry(encoder, command);
};

/** `MOVE key db`: the deadline goes along. */
export const rewriteMove: Rewrite = ({ encoder, deadlines }, command) => {
  deadlines.follow(command.db, command.arg(1), parseDecimal(command.arg(2)), command.arg(1));
  passEntry(encoder, command);
};
