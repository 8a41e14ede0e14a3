/**
 * Entries that need a look at their words: reads that are journaled like writes, blocking forms, words that an older target does not know.
 */
import type { Rewrite } from "./journal-context.ts";
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
