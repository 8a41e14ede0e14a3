/** Encodes journal entries: SELECT before every COMMAND; current masters always write 1 as its shard count (docs/protocol.md §5). Pure. */
import { OP_COMMAND, OP_EXPIRED, OP_LSN, OP_PING, OP_SELECT } from "../../../journal/opcodes.ts";
import type { JournalRecord } from "../shard.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { RdbProfile } from "./rdb-profile.ts";

const out = new ByteWriter();

export type JournalForm = Pick<RdbProfile, "tellsShardCount" | "hasExpiredOp">;

const CURRENT: JournalForm = { tellsShardCount: false, hasExpiredOp: false };

export function encodeCommand(record: JournalRecord, form: JournalForm = CURRENT): Buffer {
  const { db, txid, args } = record;
  out.len(OP_SELECT);
  out.len(db);
  out.len(form.hasExpiredOp && record.expired === true ? OP_EXPIRED : OP_COMMAND);
  out.len(txid);
  out.len(form.tellsShardCount ? (record.shardCount ?? 1) : 1);
  out.len(args.length);
  let bytes = 0;
  for (const arg of args) bytes += arg.length;
  out.len(bytes);
  for (const arg of args) out.lenBytes(arg);
  return out.take();
}

export function encodePing(): Buffer {
  return Buffer.from([OP_PING]);
}

/** The mark behind the entry `lsn`. */
export function encodeLsnMark(lsn: number): Buffer {
  out.len(OP_LSN);
  out.len(lsn);
  return out.take();
}
