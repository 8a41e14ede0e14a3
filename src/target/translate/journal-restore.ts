/**
 * `RESTORE key ttl dump [REPLACE] [ABSTTL] [STICK] [IDLETIME s] [FREQ n]`: what a RENAME or COPY across shards becomes, or a client's own
 * RESTORE. The dump is `type, body, u16 LE RDB version, u64 LE CRC-64` (Redis src/cluster.c createDumpPayload); Dragonfly writes version 9.
 * The entry is journaled only when it succeeded, so the target always replaces.
 */
import { Cursor } from "../../bytes/cursor.ts";
import { Slice } from "../../bytes/slice.ts";
import { Crc64 } from "../../codec/crc64.ts";
import type { JournalCommand } from "../../journal/journal-command.ts";
import { RDB_TYPE_JSON, RDB_TYPE_SET_LISTPACK, RDB_TYPE_STRING } from "../../rdb/opcodes.ts";
import { readString } from "../../rdb/rdb-string.ts";
import type { JournalContext, Rewrite } from "./journal-context.ts";
import { reportSticky } from "./journal-features.ts";
import { parseDecimal, passEntry } from "./journal-words.ts";
import { isEmptyBody } from "./restore-empty-body.ts";
import { checkBulk } from "./write-mode.ts";

const FOOTER_BYTES = 10;
const VERSION_BYTES = 2;
/** The first RDB version in which Redis writes type 20; below it, type 20 is the JSON of an old Dragonfly (docs/protocol.md §4). */
const SET_LISTPACK_VERSION = 10;

const crc = new Crc64();
const body = new Slice();
const cursor = new Cursor();
const text = new Slice();

type RestoreOptions = { absolute: boolean; sticky: boolean };

export const rewriteRestore: Rewrite = (context, command) => {
  const dump = command.arg(3);
  const ttl = parseDecimal(command.arg(2));
  if (command.argc < 4 || dump.length <= FOOTER_BYTES || Number.isNaN(ttl)) return passEntry(context.encoder, command);
  const options = readOptions(command);
  if (options.sticky) reportSticky(context, command.db, command.arg(1));
  const expireAtMs = targetDeadline(context, command, ttl, options.absolute);
  const version = dump.buf.readUInt16LE(dump.end - FOOTER_BYTES);
  const type = typeOf(dump, version);
  body.set(dump.buf, dump.start + 1, dump.end - FOOTER_BYTES);
  if (type === RDB_TYPE_STRING && !context.capabilities.restorableTypes.has(type))
    setString(context, command, expireAtMs);
  else if (!context.capabilities.restorableTypes.has(type)) {
    context.restoreForeign({ db: command.db, key: command.arg(1), type, body, expireAtMs, sticky: options.sticky });
  } else if (type !== RDB_TYPE_STRING && isEmptyBody(type, body)) deleteKey(context, command);
  else encodeRestore(context, command, expireAtMs);
};

/** For a target whose RESTORE is not used: the string in `body`. */
function setString({ encoder, capabilities }: JournalContext, command: JournalCommand, expireAtMs: number): void {
  cursor.resetTo(body.buf, body.start, body.end);
  readString(cursor, text, Number.POSITIVE_INFINITY);
  checkBulk(text.length, capabilities.maxBulkBytes, { db: command.db, key: command.arg(1) });
  encoder.set(command.arg(1), text, expireAtMs);
  text.release();
}

/** A collection whose members have all expired: RESTORE would refuse it. */
function deleteKey({ encoder }: JournalContext, command: JournalCommand): void {
  encoder.begin(2);
  encoder.argText("DEL");
  encoder.arg(command.arg(1));
}

function readOptions(command: JournalCommand): RestoreOptions {
  const options = { absolute: false, sticky: false };
  for (let i = 4; i < command.argc; i++) {
    const word = command.arg(i);
    if (word.equalsIgnoreCase("ABSTTL")) options.absolute = true;
    else if (word.equalsIgnoreCase("STICK")) options.sticky = true;
  }
  return options;
}

/** -1 for none: a ttl of 0. One that is past is held like any other, so the key ends as absent and not as an error. */
function targetDeadline(
  { clock, deadlines }: JournalContext,
  command: JournalCommand,
  ttl: number,
  absolute: boolean,
): number {
  const key = command.arg(1);
  if (ttl !== 0) return deadlines.settle(command.db, key, absolute ? ttl : clock() + ttl);
  deadlines.forget(command.db, key);
  return -1;
}

function typeOf(dump: Slice, version: number): number {
  const type = dump.buf[dump.start] ?? 0;
  return type === RDB_TYPE_SET_LISTPACK && version < SET_LISTPACK_VERSION ? RDB_TYPE_JSON : type;
}

function encodeRestore({ encoder, capabilities }: JournalContext, command: JournalCommand, expireAtMs: number): void {
  const dump = command.arg(3);
  encoder.begin(6);
  encoder.argText("RESTORE");
  encoder.arg(command.arg(1));
  encoder.argInt(expireAtMs === -1 ? 0 : expireAtMs);
  // The target refuses versions above its own, whatever the type (Redis src/cluster.c verifyDumpPayload).
  if (dump.buf.readUInt16LE(dump.end - FOOTER_BYTES) <= capabilities.rdbVersion) encoder.arg(dump);
  else {
    const { buf, at } = encoder.argReserve(dump.length);
    restamp(dump, buf, at, capabilities.rdbVersion);
  }
  encoder.argText("REPLACE");
  encoder.argText("ABSTTL");
}

function restamp(dump: Slice, out: Buffer, at: number, version: number): void {
  dump.buf.copy(out, at, dump.start, dump.end);
  const footer = at + dump.length - FOOTER_BYTES;
  out.writeUInt16LE(version, footer);
  crc
    .reset()
    .update(out, at, footer + VERSION_BYTES)
    .writeLE(out, footer + VERSION_BYTES);
}
