/**
 * A value as DUMP gives it and as RESTORE stands in the journal: type, body, RDB version 9 and CRC-64, both little-endian (Dragonfly
 * src/server/rdb_save.cc DumpValue). Strings in it are compressed by LZF unless the master runs with `--compression_mode 0`.
 */
import { Crc64 } from "../../../codec/crc64.ts";
import type { Value } from "../values.ts";
import { ByteWriter } from "./byte-writer.ts";
import { type RdbProfile, rdbProfile } from "./rdb-profile.ts";
import { encodeBody, rdbType } from "./value-encoder.ts";

const RDB_VERSION = 9;
const CRC_BYTES = 8;

export type DumpOptions = {
  /** Default: as 1.40 writes it. */
  readonly profile?: RdbProfile;
  /** Default true. */
  readonly lzf?: boolean;
};

export function dumpValue(value: Value, options: DumpOptions = {}): Buffer {
  const { profile = rdbProfile("df-v1.40.1"), lzf = true } = options;
  const out = new ByteWriter();
  const type = rdbType(value, profile);
  out.u8(type);
  for (const _ of encodeBody(out, value, type, { profile, lzf }));
  out.intLe(RDB_VERSION, 2);
  const bytes = out.view();
  const checksum = Buffer.alloc(CRC_BYTES);
  new Crc64().update(bytes, 0, bytes.length).writeLE(checksum, 0);
  out.bytes(checksum);
  return out.take();
}
