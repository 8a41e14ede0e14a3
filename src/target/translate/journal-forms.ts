/**
 * Entries that need a look at their words: reads that are journaled like writes, JSON that takes the place of another value, blocking forms,
 * words that an older target does not know.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { JournalContext, Rewrite } from "./journal-context.ts";
import { RDB_TYPE_STREAM_LISTPACKS_2 } from "../../rdb/opcodes.ts";
import { copyArgs, passEntry } from "./journal-words.ts";

/**
 * `SORT … [STORE dst]`, `GEORADIUS[BYMEMBER] … [STORE|STOREDIST dst]`: without a destination a read, though journaled. With one on another
 * shard each shard journals nothing but its own key (docs/protocol.md §5): `SORT key` alone inside a transaction is that, and cannot be run.
 */
const storing =
  (from: number): Rewrite =>
  (context, command) => {
    const { argc } = command;
    for (let i = from; i < argc - 1; i++) {
      const word = command.arg(i);
      if (word.equalsIgnoreCase("STORE") || word.equalsIgnoreCase("STOREDIST"))
        return passEntry(context.encoder, command);
    }
    if (argc <= 2 && command.txid !== 0) {
      context.unrunnable(
        command,
        "the source journals this command without its arguments when it stores on another shard",
      );
    } else if (argc < from) passEntry(context.encoder, command);
  };

export const rewriteSort = storing(2);
/** The words before: key longitude latitude radius unit. */
export const rewriteGeoRadius = storing(6);
/** The words before: key member radius unit. */
export const rewriteGeoRadiusByMember = storing(5);

/**
 * JSON.SET of a whole document takes the place of a string (of any value, on old masters), so what the target holds under that key is gone
 * (Dragonfly src/server/json_family.cc SetFullJson). With NX nothing was there, or nothing happened.
 */
export const rewriteJsonSet: Rewrite = (context, command) => {
  context.losses.record("json", command.db, command.arg(1));
  if (!isRoot(command.arg(2))) return;
  for (let i = 4; i < command.argc; i++) if (command.arg(i).equalsIgnoreCase("NX")) return;
  deleteKey(context, command, command.arg(1));
};

/** `JSON.MSET key path value …`. */
export const rewriteJsonMSet: Rewrite = (context, command) => {
  for (let i = 1; i + 2 < command.argc; i += 3) {
    context.losses.record("json", command.db, command.arg(i));
    if (isRoot(command.arg(i + 1))) deleteKey(context, command, command.arg(i));
  }
};

function isRoot(path: Slice): boolean {
  return path.equalsIgnoreCase("$") || path.equalsIgnoreCase(".");
}

function deleteKey({ encoder, deadlines }: JournalContext, command: JournalCommand, key: Slice): void {
  deadlines.forget(command.db, key);
  encoder.begin(2);
  encoder.argText("DEL");
  encoder.arg(key);
}

/** `BRPOPLPUSH src dst timeout`, `BLMOVE src dst from to timeout`: journaled once they had something to move. */
const unblocked =
  (name: string, argc: number): Rewrite =>
  ({ encoder }, command) => {
    if (command.argc !== argc) return passEntry(encoder, command);
    encoder.begin(argc - 1);
    encoder.argText(name);
    copyArgs(encoder, command, 1, argc - 1);
  };

export const rewriteBRPopLPush = unblocked("RPOPLPUSH", 4);
export const rewriteBLMove = unblocked("LMOVE", 6);

/** `SCRIPT LOAD body` adds a script, `SCRIPT FLAGS sha …` and `SCRIPT FLUSH` change nothing that was carried. */
export const rewriteScript: Rewrite = ({ losses }, command) => {
  if (command.arg(1).equalsIgnoreCase("LOAD")) losses.record("lua", -1, command.arg(1));
};

/** `XGROUP SETID key group id ENTRIESREAD n`: the counter came with Redis 7.0, as did stream type 19. */
export const rewriteXGroup: Rewrite = ({ encoder, capabilities }, command) => {
  const counted = command.argc === 7 && command.arg(5).equalsIgnoreCase("ENTRIESREAD");
  if (!counted || capabilities.restorableTypes.has(RDB_TYPE_STREAM_LISTPACKS_2)) return passEntry(encoder, command);
  encoder.begin(5);
  copyArgs(encoder, command, 0, 5);
};
