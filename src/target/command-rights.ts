/**
 * Which optional commands a server has and lets our user run. Each is asked for by a call that cannot change anything, because its arguments
 * are wrong in a way that the server sees only after it has looked at the user's rights (Redis src/server.c processCommand: name, number of
 * arguments, rights, then the command itself). Every call holds the word df2redis:probe.
 */
import type { Conversation, RequestWord } from "../net/conversation.ts";
import type { Reply } from "../resp/reply.ts";
import type { OptionalCommand } from "./capabilities.ts";
import type { CommandRight } from "./target-facts.ts";
import { probePayload } from "./restore-probe.ts";

const PROBE = "df2redis:probe";

const HARMLESS_CALLS: Readonly<Record<OptionalCommand, readonly RequestWord[]>> = {
  // A payload of a type that no server has.
  RESTORE: ["RESTORE", PROBE, "0", probePayload(9)],
  EVAL: ["EVAL", `return '${PROBE}'`, "0"],
  // Does not compile, so it is not kept.
  SCRIPT: ["SCRIPT", "LOAD", `${PROBE} (`],
  // Would take no element even if the key were there: it is refused.
  LMPOP: ["LMPOP", "1", PROBE, "LEFT", "COUNT", "0"],
  PEXPIRETIME: ["PEXPIRETIME", PROBE],
  HPEXPIREAT: ["HPEXPIREAT", PROBE, "never", "FIELDS", "1", "f"],
  "JSON.SET": ["JSON.SET", PROBE, "$", "{not json"],
  // An index without fields.
  "FT.CREATE": ["FT.CREATE", PROBE, "SCHEMA"],
};

export type CommandRights = {
  readonly rights: ReadonlyMap<OptionalCommand, CommandRight>;
  /** The server's words when our user may run a command, but not on every key. */
  readonly keysRefused: string | undefined;
};

export async function findCommandRights(conversation: Conversation): Promise<CommandRights> {
  const names = Object.keys(HARMLESS_CALLS) as OptionalCommand[];
  const replies = await Promise.all(names.map((name) => conversation.request(...HARMLESS_CALLS[name])));
  return {
    rights: new Map(names.map((name, i) => [name, rightOf(replies[i])])),
    keysRefused: replies.map(keyRefusal).find((words) => words !== undefined),
  };
}

/** What the answer to a harmless call says about the right to make it. */
export function rightOf(reply: Reply | undefined): CommandRight {
  if (reply?.type !== "error") return "allowed";
  const words = reply.message;
  if (/unknown (?:sub)?command/i.test(words)) return "absent";
  if (keyRefusal(reply) !== undefined) return "allowed";
  if (words.startsWith("NOPERM")) return "forbidden";
  return /^(?:LOADING|NOAUTH|BUSY|MASTERDOWN|CLUSTERDOWN)\b/.test(words) ? "unknown" : "allowed";
}

/** Redis src/acl.c getAclErrorMessage, of 6.2 and of 7.0 and later. */
function keyRefusal(reply: Reply | undefined): string | undefined {
  if (reply?.type !== "error" || !reply.message.startsWith("NOPERM")) return undefined;
  return /access (?:a key|one of the keys)/i.test(reply.message) ? reply.message : undefined;
}
