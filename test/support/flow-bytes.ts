/** The larger pieces of what a master sends on a flow, put together from the builders of RDB parts and journal entries. */
import { command, select } from "./journal-builder.ts";
import { EOF_TOKEN, eof, fullSyncEnd, journalOffset, len, object, rdb, str } from "./rdb-builder.ts";

/** A journal entry as current masters write it: with a SELECT of its own. */
export function entry(db: number, ...args: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat([select(db), command(args)]);
}

/** A list as plain elements (type 1): no target loads it by RESTORE, so it streams. */
export function listObject(key: string, items: readonly (string | Buffer)[]): Buffer {
  return object(1, key, Buffer.concat([len(items.length), ...items.map(str)]));
}

/** A snapshot up to and with FULLSYNC_END. */
export function untilCut(...parts: readonly Buffer[]): Buffer {
  return rdb([...parts, fullSyncEnd()]);
}

/** What follows FULLSYNC_END: JOURNAL_OFFSET, EOF, the EOF token. The journal starts behind it, with `lsn`. */
export function afterCut(lsn: number): Buffer {
  return Buffer.concat([journalOffset(lsn), eof(), Buffer.from(EOF_TOKEN)]);
}
