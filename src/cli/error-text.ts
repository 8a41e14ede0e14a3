/** An error for people and for programs: code, message, facts, what caused it, and what to do. */
import { ERROR_CODES } from "../errors/codes.ts";
import type { Df2RedisError, ErrorContext } from "../errors/df2redis-error.ts";
import { safeText } from "../observability/key-text.ts";

/** What the operating system and OpenSSL call things, in plain words. */
const PLAIN_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused: nothing listens at that address and port",
  ECONNRESET: "the other side reset the connection",
  EPIPE: "the other side closed the connection",
  ETIMEDOUT: "no answer came from that address",
  EHOSTUNREACH: "there is no route to that host",
  ENETUNREACH: "there is no route to that network",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the name server did not answer",
  EADDRNOTAVAIL: "the address is not available on this machine",
  EMFILE: "too many open files",
  ENOSPC: "the disk is full",
  EACCES: "permission denied",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is self-signed and not trusted",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate chain ends in a certificate that is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the authority that signed the server's certificate is not trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the authority that signed the server's certificate is not trusted",
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another name",
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
