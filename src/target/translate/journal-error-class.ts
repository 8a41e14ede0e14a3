/**
 * What an error reply of the target to a journal entry means. Pure.
 *
 * - `retryable`: the server's state is in the way, not the command: loading, failing over, out of memory, disk full, a script running. The
 *   same command may succeed later, and nothing of it was done.
 * - `unrunnable`: no server could have run this entry, the source's own replica neither (docs/protocol.md §5): by default it is recorded and
 *   the run goes on. Only for commands that are known to be journaled in pieces, and only for errors about their words: the same words about
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

/**
 * Commands that some masters journal shard by shard, with the shard's keys only (docs/protocol.md §5, the recordings of 1.27.4), and how many
 * words each has at least, its name included.
 */
const JOURNALED_IN_PIECES: ReadonlyMap<string, number> = new Map([
  ["LMPOP", 4],
  ["ZMPOP", 4],
  ["SORT", 2],
  ["GEORADIUS", 6],
  ["GEORADIUSBYMEMBER", 5],
  ["ZRANGESTORE", 5],
  ["ZUNIONSTORE", 4],
  ["ZINTERSTORE", 4],
  ["ZDIFFSTORE", 4],
  ["JSON.MSET", 4],
  ["XREADGROUP", 7],
  ["XAUTOCLAIM", 6],
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
  "unbalanced 'xreadgroup'",
  "missing group option",
  "missing 'group'",
];

/**
 * How servers before 7.0 pass on the error of a command that a script ran (Redis 6.2 src/scripting.c evalGenericCommand, luaPushError); the code
 * stands behind it. Later ones put the code first and the script's name last.
 */
const SCRIPT_PREFIX = /^(?:ERR Error running script \(call to \w+\): ?)?(?:@user_script: ?\d+: ?)+-?/;

/** As RedisJSON and valkey-json say it. */
const NO_SUCH_PLACE = /\bpath\b.* does not exist|cannot insert a member into a non-object/i;

/** How a command on its own fails because of the key's value, as it would have on the source. */
const FAILED_ON_SOURCE_TOO = new Set(["WRONGTYPE", "BUSYGROUP", "NOGROUP", "ERR"]);

export function classifyTargetError(
  command: Pick<CommandDescription, "name" | "argc">,
  serverWords: string,
  options: ErrorClassOptions = {},
): TargetErrorClass {
  if (isRetryableError(serverWords)) return "retryable";
  const words = ownWords(serverWords);
  if (isPiece(command, words) || isForeignToTarget(command.name, words)) return "unrunnable";
  if (options.sourceJournalsFailures === true && FAILED_ON_SOURCE_TOO.has(firstWord(words)) && !isUnknown(words))
    return "unrunnable";
  return "fatal";
}

/** Whether the server's state is in the way: nothing of the command was done, and the same bytes may succeed later. */
export function isRetryableError(serverWords: string): boolean {
  return RETRYABLE.has(firstWord(ownWords(serverWords)));
}

function isPiece({ name, argc }: Pick<CommandDescription, "name" | "argc">, words: string): boolean {
  const whole = JOURNALED_IN_PIECES.get(name);
  if (whole === undefined || firstWord(words) !== "ERR") return false;
  // A server too old to know the command would not have run the piece either; the whole command it should have got in another form.
  return isUnknown(words) ? argc < whole : isMalformed(words);
}

/**
 * A script in Dragonfly's Lua 5.4 that the target's 5.1 does not compile, and a change of a document in a place that it does not have: Dragonfly lets
 * the latter pass and journals it, JSON modules refuse it. Nothing of the source's data is lost by either.
 */
function isForeignToTarget(name: string, words: string): boolean {
  if (name === "SCRIPT") return words.startsWith("ERR Error compiling script");
  return name.startsWith("JSON.") && NO_SUCH_PLACE.test(words);
}

function isMalformed(words: string): boolean {
  const lower = words.toLowerCase();
  return MALFORMED.some((part) => lower.includes(part));
}

function isUnknown(words: string): boolean {
  return words.startsWith("ERR unknown ");
}

/** Without the dash that begins an error reply, and without what a script put before it. */
function ownWords(serverWords: string): string {
  const words = serverWords.startsWith("-") ? serverWords.slice(1) : serverWords;
  return words.replace(SCRIPT_PREFIX, "");
}

function firstWord(words: string): string {
  return words.split(" ", 1)[0] ?? "";
}
