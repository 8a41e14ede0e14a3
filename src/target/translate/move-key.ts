/** A key that goes to another database and to another name at once, which no single command does. Sans-IO; keeps nothing. */
import type { Slice } from "../../bytes/slice.ts";
import type { JournalContext } from "./journal-context.ts";
import { beginScript } from "./journal-scripts.ts";

export type KeyName = { readonly db: number; readonly key: Slice };

/** In the target's terms. Its slices are valid as long as their owner says. */
export type MovedKey = { readonly from: KeyName; readonly to: KeyName };

/**
 * As MOVE does it: nothing happens when there is no such key, or when the new place is taken; type and deadline go along. The key is deleted
 * only once its copy is there: an error of COPY (OOM) ends the script.
 */
const MOVE = Buffer.from(
  "if redis.call('COPY',KEYS[1],KEYS[2],'DB',ARGV[1])==1 then return redis.call('DEL',KEYS[1]) end return 0",
);

/** What is held of the key's deadlines goes along. The encoder's `lsn` is the caller's business. */
export function encodeMovedKey(
  { encoder, deadlines, members }: Pick<JournalContext, "encoder" | "deadlines" | "members">,
  { from, to }: MovedKey,
): void {
  if (deadlines.size > 0) deadlines.follow(from.db, from.key, to.db, to.key);
  members.moveIfFree(from, to);
  encoder.select(from.db);
  beginScript(encoder, MOVE, 2, 3);
  encoder.arg(from.key);
  encoder.arg(to.key);
  encoder.argInt(to.db);
}
