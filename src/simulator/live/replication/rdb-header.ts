/** How a flow's RDB stream begins and ends: the magic and the AUX fields in the recorded order, EOF with checksum 0 (docs/protocol.md §4). Pure. */
import { RDB_OPCODE_AUX, RDB_OPCODE_EOF } from "../../../rdb/opcodes.ts";
import { ByteWriter } from "./byte-writer.ts";
import { rdbProfile } from "./rdb-profile.ts";
import { writeString } from "./rdb-string-writer.ts";

export type HeaderFacts = {
  readonly dragonflyVersion: string;
  readonly flow: number;
  readonly shardCount: number;
  readonly nowMs: number;
  readonly usedBytes: number;
  readonly tableBytes: number;
  /** Bodies of loaded scripts: global data, which only flow 0 carries. */
  readonly scripts: readonly string[];
};

export function rdbHeader(facts: HeaderFacts): Buffer {
  const out = new ByteWriter();
  out.latin1("REDIS0009");
  for (const [key, value] of auxFields(facts)) {
    out.u8(RDB_OPCODE_AUX);
    writeString(out, Buffer.from(key), false);
    writeString(out, Buffer.from(value), false);
  }
  return out.take();
}

export function rdbEnd(): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = RDB_OPCODE_EOF;
  return bytes;
}

function auxFields(facts: HeaderFacts): (readonly [string, string])[] {
  const isFirst = facts.flow === 0;
  const { shardAux } = rdbProfile(facts.dragonflyVersion);
  const summary = [
    ["shard-count", String(facts.shardCount)],
    ["table-mem", String(facts.tableBytes)],
  ] as const;
  return [
    ["redis-ver", "6.2.11"],
    ["df-ver", facts.dragonflyVersion],
    ["redis-bits", "64"],
    ["ctime", String(Math.floor(facts.nowMs / 1000))],
    ["used-mem", String(facts.usedBytes)],
    ["aof-preamble", "0"],
    ...(isFirst ? facts.scripts.map((script) => ["lua", script] as const) : []),
    ...(isFirst && shardAux ? summary : []),
    ...(shardAux ? [["shard-id", String(facts.flow)] as const] : []),
  ];
}
