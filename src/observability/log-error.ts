/**
 * An error as it may stand in a log: no key of the user's data and no secret (design invariant I10). The full words go to the operator's
 * terminal, not here.
 */
import { asDf2RedisError, type ErrorContext } from "../errors/df2redis-error.ts";

/** Context that names the user's data. */
const DATA_KEYS: ReadonlySet<string> = new Set(["key", "member", "field", "value", "element"]);

export function loggableContext(context: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(context).filter(([name]) => !DATA_KEYS.has(name)));
}

/** @param showKeys at level trace, where keys are allowed. */
export function loggableError(thrown: unknown, showKeys: boolean): Record<string, unknown> {
  const error = asDf2RedisError(thrown);
  const data = showKeys ? [] : dataTexts(error.context);
  const clean = (text: string): string => data.reduce(hide, text);
  return {
    type: error.name,
    code: error.code,
    message: clean(error.message),
    context: showKeys ? error.context : loggableContext(error.context),
    stack: clean(error.stack ?? ""),
    ...(error.cause === undefined || error.cause === error ? {} : { cause: causeText(error.cause, clean) }),
  };
}

/** Short texts are hidden only where they are quoted: a key "a" must not take every "a" out of a message. */
const MIN_UNQUOTED = 4;

function hide(text: string, value: string): string {
  const quoted = text.replaceAll(`"${value}"`, '"<data>"');
  return value.length < MIN_UNQUOTED ? quoted : quoted.replaceAll(value, "<data>");
}

function dataTexts(context: ErrorContext): readonly string[] {
  return Object.entries(context).flatMap(([name, value]) =>
    DATA_KEYS.has(name) && value !== undefined && value !== null && value !== "" ? [String(value)] : [],
  );
}

function causeText(cause: unknown, clean: (text: string) => string): string {
  return clean(cause instanceof Error ? cause.message : String(cause));
}
