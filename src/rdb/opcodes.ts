/**
 * Opcodes and object types of the RDB stream of a flow (docs/protocol.md §4; Redis src/rdb.h, Dragonfly src/server/rdb_extensions.h).
 */
export const RDB_OPCODE_FULLSYNC_END = 200;
export const RDB_OPCODE_COMPRESSED_ZSTD_BLOB_START = 201;
export const RDB_OPCODE_COMPRESSED_LZ4_BLOB_START = 202;
export const RDB_OPCODE_COMPRESSED_BLOB_END = 203;
export const RDB_OPCODE_JOURNAL_BLOB = 210;
export const RDB_OPCODE_JOURNAL_OFFSET = 211;
export const RDB_OPCODE_DF_MASK = 220;
export const RDB_OPCODE_VECTOR_INDEX = 222;
export const RDB_OPCODE_SHARD_DOC_INDEX = 223;
export const RDB_OPCODE_TAGGED_CHUNK = 224;
export const RDB_OPCODE_SLOT_INFO = 244;
export const RDB_OPCODE_FUNCTION2 = 245;
export const RDB_OPCODE_MODULE_AUX = 247;
export const RDB_OPCODE_IDLE = 248;
export const RDB_OPCODE_FREQ = 249;
export const RDB_OPCODE_AUX = 250;
export const RDB_OPCODE_RESIZEDB = 251;
export const RDB_OPCODE_EXPIRETIME_MS = 252;
export const RDB_OPCODE_EXPIRETIME = 253;
export const RDB_OPCODE_SELECTDB = 254;
export const RDB_OPCODE_EOF = 255;

export const RDB_TYPE_STRING = 0;
export const RDB_TYPE_LIST = 1;
export const RDB_TYPE_SET = 2;
export const RDB_TYPE_ZSET = 3;
export const RDB_TYPE_HASH = 4;
export const RDB_TYPE_ZSET_2 = 5;
export const RDB_TYPE_MODULE_2 = 7;
export const RDB_TYPE_HASH_ZIPMAP = 9;
export const RDB_TYPE_LIST_ZIPLIST = 10;
export const RDB_TYPE_SET_INTSET = 11;
export const RDB_TYPE_ZSET_ZIPLIST = 12;
export const RDB_TYPE_HASH_ZIPLIST = 13;
export const RDB_TYPE_LIST_QUICKLIST = 14;
export const RDB_TYPE_STREAM_LISTPACKS = 15;
export const RDB_TYPE_HASH_LISTPACK = 16;
export const RDB_TYPE_ZSET_LISTPACK = 17;
export const RDB_TYPE_LIST_QUICKLIST_2 = 18;
export const RDB_TYPE_STREAM_LISTPACKS_2 = 19;
export const RDB_TYPE_SET_LISTPACK = 20;
export const RDB_TYPE_STREAM_LISTPACKS_3 = 21;
export const RDB_TYPE_JSON = 30;
export const RDB_TYPE_HASH_WITH_EXPIRY = 31;
export const RDB_TYPE_SET_WITH_EXPIRY = 32;
export const RDB_TYPE_SBF = 33;
export const RDB_TYPE_SBF2 = 34;
export const RDB_TYPE_CMS = 35;
export const RDB_TYPE_TOPK = 36;
export const RDB_TYPE_CUCKOO = 37;

/** Bits of DF_MASK. */
export const DF_MASK_FLAG_STICKY = 1;
export const DF_MASK_FLAG_MC_FLAGS = 2;

/** Member deadlines count seconds from this Unix time, 2023-02-01 00:00 UTC (Dragonfly src/core/expire_period.h, docs/protocol.md §4). */
export const MEMBER_EXPIRY_BASE_S = 1_675_209_600;
