/** Times that clients give (EX, PX, EXAT, PXAT, EXPIRE …) as Unix ms, with the bounds and errors of the real master. */
import { CommandError } from "./command-error.ts";

export type TimeUnit = "EX" | "PX" | "EXAT" | "PXAT";

/** What a deadline may lie ahead at most: 2^28 seconds, rounded as Dragonfly does (kMaxExpireDeadlineMs). */
const MAX_AHEAD_MS = 268_435_455_000;

export function isTimeUnit(word: string): word is TimeUnit {
  return word === "EX" || word === "PX" || word === "EXAT" || word === "PXAT";
}

export function deadlineMs(unit: TimeUnit, value: number, nowMs: number): number {
  const ms = unit === "EX" || unit === "EXAT" ? value * 1000 : value;
  const deadline = unit === "EX" || unit === "PX" ? nowMs + ms : ms;
  return Math.min(deadline, nowMs + MAX_AHEAD_MS);
}

/** The same for the options of SET and its like, where only times above 0 are taken. */
export function positiveDeadlineMs(
  unit: TimeUnit,
  value: number,
  options: { readonly nowMs: number; readonly command: string },
): number {
  if (value <= 0) throw new CommandError(`ERR invalid expire time in '${options.command}' command`);
  return deadlineMs(unit, value, options.nowMs);
}
