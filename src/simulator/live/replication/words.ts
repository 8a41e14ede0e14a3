/** A master's words in replies (test/fixtures/recordings/…/dialogs.ndjson). */
export const SYNTAX_ERROR = "ERR syntax error";
export const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
export const NOT_A_FLOAT = "ERR value is not a valid float";
export const BAD_MASTER_ID = "ERR bad master id";
export const BAD_SYNC_ID = "ERR bad sync id";
export const SYNC_ID_NOT_FOUND = "ERR syncid not found";
export const INVALID_STATE = "ERR invalid state";
export const NEGATIVE_TIMEOUT = "ERR timeout is negative";
export const TAKEOVER_FAILED = "ERR Takeover failed!";

export const DFLY_HELP: readonly string[] = [
  "DFLY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "THREAD",
  "    Returns connection thread index and number of threads",
  "THREAD <thread-id>",
  "    Migrates connection to thread <thread-id>",
  "EXPIRE",
  "    Collects all expired items.",
  "REPLICAOFFSET",
  "    Returns LSN (log sequence number) per shard. These are the sequential ids of the ",
  "    journal entry.",
  "LOAD <filename> [APPEND]",
  "    Loads <filename> RDB/DFS file into the data store.",
  "    * APPEND: Existing keys are NOT removed before loading the file, conflicting ",
  "      keys (that exist in both data store and in file) are overridden.",
  "HELP",
  "    Prints this help.",
];

/** A decimal number of 64 bits without sign, as the master reads one; exact below 2^53. */
export function unsigned(argument: Buffer | undefined): number | undefined {
  const text = argument?.toString("latin1") ?? "";
  const value = /^\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

export function upper(argument: Buffer | undefined): string {
  return (argument?.toString("latin1") ?? "").toUpperCase();
}
