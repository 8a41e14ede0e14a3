/** Scores as text that strtod reads back exactly (Redis src/object.c getDoubleFromObject). */
import type { Cursor } from "../bytes/cursor.ts";
import type { Slice } from "../bytes/slice.ts";

/** The shortest text of a double, in `out`'s scratch space. */
export function scoreText(score: number, out: Slice): void {
  let text = Object.is(score, -0) ? "-0" : String(score);
  if (score === Number.POSITIVE_INFINITY) text = "inf";
  else if (score === Number.NEGATIVE_INFINITY) text = "-inf";
  out.scratch(text.length).latin1Write(text, 0, text.length);
}

const SCORE_TEXT = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)$/i;

/** @throws STREAM_CORRUPT when the text is no number */
export function checkScoreText(cursor: Cursor, text: Slice): void {
  if (text.length === 0 || text.length > 400 || !SCORE_TEXT.test(text.toLatin1()))
    cursor.corrupt("a score is not a number");
}
