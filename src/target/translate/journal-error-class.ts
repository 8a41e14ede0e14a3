/**
 * What an error reply of the target to a journal entry means. Pure.
 *
 * - `retryable`: the server's state is in the way, not the command: loading, failing over, out of memory, disk full, a script running. The
 *   same command may succeed later, and nothing of it was done.
 * - `unrunnable`: no server could have run this entry, the source's own replica neither (docs/protocol.md §5): it is recorded and the run
 *   goes on. Only for commands that are known to be journaled in pieces, and only for errors about their words: the same words about
 *   another command mean that our translation is wrong, and going on would lose a write.
 * - `fatal`: everything else. WRONGTYPE says that the target no longer holds what the source does; NOPERM and an unknown command concern
 *   every write of that kind. Going on would make it worse.
 */
import type { CommandDescription } from "../../resp/command-batch.ts";

export type TargetErrorClass = "unrunnable" | "retryable" | "fatal";

export type ErrorClassOptions = {
  /**
   * Masters before 1.14 journal a command even when it failed (Dragonfly src/server/transaction.cc LogAutoJournalOnShard), so that the
   * target's refusal repeats the source's.
   */
  readonly sourceJournalsFailures?: boolean;
};

/** First words of error replies (Redis src/server.c createSharedObjects, src/cluster.c). BUSY is a running script, not BUSYKEY. */
const RETRYABLE = new Set([
  "LOADING",
  "READONLY",
  "OOM",
  "MISCONF",
  "NOREPLICAS",
  "MASTERDOWN",
  "CLUSTERDOWN",
  "TRYAGAIN",
  "BUSY",
]);

/** Commands that some masters journal shard by shard, with the shard's keys only (docs/protocol.md §5). */
const JOURNALED_IN_PIECES = new Set([
  "LMPOP",
  "ZMPOP",
  "SORT",
  "GEORADIUS",
  "GEORADIUSBYMEMBER",
  "ZRANGESTORE",
  "ZUNIONSTORE",
  "ZINTERSTORE",
  "ZDIFFSTORE",
]);

/** What is wrong with the words of a command that lacks some. */
const MALFORMED = [
  "wrong number of arguments",
  "syntax error",
  "value is not an integer",
  "numkeys should be greater than 0",
  "at least 1 input key is needed",
  "min or max is not a float",
  "need numeric radius",
];

/** How a command on its own fails because of the key's value, as it would have on the source. */
const FAILED_ON_SOURCE_TOO = new Set(["WRONGTYPE", "BUSYGROUP", "NOGROUP", "ERR"]);

export function classifyTargetError(
  command: Pick<CommandDescription, "name" | "argc">,
  serverWords: string,
  options: ErrorClassOptions = {},
): TargetErrorClass {
  const words = serverWords.startsWith("-") ? serverWords.slice(1) : serverWords;
  const first = words.split(" ", 1)[0] ?? "";
  if (RETRYABLE.has(first)) return "retryable";
  if (JOURNALED_IN_PIECES.has(command.name) && first === "ERR" && isMalformed(words)) return "unrunnable";
  if (options.sourceJournalsFailures === true && FAILED_ON_SOURCE_TOO.has(first) && !words.startsWith("ERR unknown "))
    return "unrunnable";
  return "fatal";
}

function isMalformed(words: string): boolean {
  const lower = words.toLowerCase();
  return MALFORMED.some((part) => lower.includes(part));
}
