/** Reading and encoding the words of a journal entry. Pure; keeps nothing. */
import type { Slice } from "../../bytes/slice.ts";
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";

const MINUS = 45;
const ZERO = 48;
const MAX_DIGITS = 19;

/** The decimal integer in `word`, or NaN. Exact below 2^53, which every time in ms is for some 280,000 years. */
export function parseDecimal(word: Slice): number {
  const { buf, end } = word;
  const negative = word.start < end && buf[word.start] === MINUS;
  const first = negative ? word.start + 1 : word.start;
  if (first === end || end - first > MAX_DIGITS) return Number.NaN;
  let value = 0;
  for (let i = first; i < end; i++) {
    const digit = (buf[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** Encodes arguments `from` up to `to` (exclusive) of the entry. */
export function copyArgs(encoder: CommandEncoder, command: JournalCommand, from: number, to: number): void {
  for (let i = from; i < to; i++) encoder.arg(command.arg(i));
}

/** Encodes the entry as it is. */
export function passEntry(encoder: CommandEncoder, command: JournalCommand): void {
  const { argc, args } = command;
  encoder.begin(argc);
  for (let i = 0; i < argc; i++) {
    const arg = args[i];
    if (arg !== undefined) encoder.arg(arg);
  }
}
