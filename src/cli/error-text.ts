/** An error for people and for programs: code, message, facts, what caused it, and what to do. */
import { ERROR_CODES } from "../errors/codes.ts";
import type { Df2RedisError, ErrorContext } from "../errors/df2redis-error.ts";
import { safeText } from "../observability/key-text.ts";

/** What the operating system calls things, in plain words. Those of the network have been said by `net` already. */
const PLAIN_WORDS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EMFILE: "too many open files",
  ENOENT: "there is no such file or directory",
  ENOSPC: "the disk is full",
  EROFS: "the file system is read-only",
};

const MAX_CAUSES = 8;

function causeText(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const words = "code" in cause ? PLAIN_WORDS[String(cause.code)] : undefined;
  return words === undefined ? cause.message : `${words} (${cause.message})`;
}

/** The chain of causes from the outside in; one that only repeats the text before it is left out. */
export function causeTexts(error: Df2RedisError): string[] {
  const texts: string[] = [];
  let before = error.message;
  let cause: unknown = error.cause;
  for (let depth = 0; cause !== undefined && cause !== null && depth < MAX_CAUSES; depth++) {
    const text = causeText(cause);
    if (text !== "" && text !== before) texts.push(redactUrls(text));
    before = text;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return texts;
}

/** Takes user and password out of any URL; the last guard, for words that come from elsewhere. */
export function redactUrls(text: string): string {
  return text.replaceAll(/:\/\/\S*@/g, "://***@");
}

/** Line by line, so that the line breaks of a list of mistakes stay. */
function clean(text: string): string {
  return redactUrls(text).split("\n").map(safeText).join("\n");
}

export function errorText(error: Df2RedisError): string {
  const lines = [`error ${error.code}: ${clean(error.message)}`];
  const facts = contextText(error.context);
  if (facts !== "") lines.push(`  where: ${facts}`);
  for (const cause of causeTexts(error)) lines.push(`  because: ${clean(cause)}`);
  lines.push(`  what to do: ${ERROR_CODES[error.code].action}`);
  if (error.code === "INTERNAL" && error.cause instanceof Error) lines.push(clean(error.cause.stack ?? ""));
  return `${lines.join("\n")}\n`;
}

function contextText(context: ErrorContext): string {
  return Object.entries(context)
    .filter(([name, value]) => value !== undefined && value !== null && name !== "mistakes")
    .map(([name, value]) => `${name} ${clean(String(value))}`)
    .join(", ");
}

/** The same as plain data, for `--json`. */
export function errorFacts(error: Df2RedisError): Record<string, unknown> {
  return {
    code: error.code,
    message: redactUrls(error.message),
    context: error.context,
    causes: causeTexts(error),
    retryable: error.retryable,
    action: ERROR_CODES[error.code].action,
  };
}
