/**
 * Whether a body holds no element at all. RESTORE refuses such a body ("Bad data format", Redis src/rdb.c emptykey), while the source may
 * hold one for a moment; on the target it means that the key does not exist. Streams may be empty and are never asked about.
 */
import { Cursor } from "../../bytes/cursor.ts";
import type { Slice } from "../../bytes/slice.ts";
import {
  RDB_TYPE_HASH_LISTPACK,
  RDB_TYPE_HASH_ZIPLIST,
  RDB_TYPE_HASH_ZIPMAP,
  RDB_TYPE_LIST_QUICKLIST,
  RDB_TYPE_LIST_QUICKLIST_2,
  RDB_TYPE_LIST_ZIPLIST,
  RDB_TYPE_SET_INTSET,
  RDB_TYPE_SET_LISTPACK,
  RDB_TYPE_STREAM_LISTPACKS,
  RDB_TYPE_STREAM_LISTPACKS_2,
  RDB_TYPE_STREAM_LISTPACKS_3,
  RDB_TYPE_ZSET_LISTPACK,
  RDB_TYPE_ZSET_ZIPLIST,
} from "../../rdb/opcodes.ts";
import { readLen } from "../../bytes/packed-uint.ts";

/** A string that does not stand as plain bytes: LZF needs more bytes to pay than any empty container has. */
const FIRST_SPECIAL_ENCODING = 0xc0;
const CONTAINER_LISTPACK = 2;

/** Where a container says how many elements it has: u16 or u32, little-endian. */
const INTSET_COUNT = { at: 4, bytes: 4 } as const;
const LISTPACK_COUNT = { at: 4, bytes: 2 } as const;
const ZIPLIST_COUNT = { at: 8, bytes: 2 } as const;
const ZIPMAP_COUNT = { at: 0, bytes: 1 } as const;
type CountField = typeof INTSET_COUNT | typeof LISTPACK_COUNT | typeof ZIPLIST_COUNT | typeof ZIPMAP_COUNT;

const cursor = new Cursor();

export function isEmptyBody(type: number, body: Slice): boolean {
  cursor.resetTo(body.buf, body.start, body.end);
  switch (type) {
    case RDB_TYPE_STREAM_LISTPACKS:
    case RDB_TYPE_STREAM_LISTPACKS_2:
    case RDB_TYPE_STREAM_LISTPACKS_3:
      return false;
    case RDB_TYPE_HASH_LISTPACK:
    case RDB_TYPE_ZSET_LISTPACK:
    case RDB_TYPE_SET_LISTPACK:
      return isEmptyContainer(LISTPACK_COUNT);
    case RDB_TYPE_LIST_ZIPLIST:
    case RDB_TYPE_ZSET_ZIPLIST:
    case RDB_TYPE_HASH_ZIPLIST:
      return isEmptyContainer(ZIPLIST_COUNT);
    case RDB_TYPE_SET_INTSET:
      return isEmptyContainer(INTSET_COUNT);
    case RDB_TYPE_HASH_ZIPMAP:
      return isEmptyContainer(ZIPMAP_COUNT);
    case RDB_TYPE_LIST_QUICKLIST:
    case RDB_TYPE_LIST_QUICKLIST_2:
      return isEmptyQuicklist(type === RDB_TYPE_LIST_QUICKLIST_2);
    default:
      return readLen(cursor) === 0;
  }
}

/** Redis drops empty nodes and then refuses a list without nodes. The first node nearly always settles it. */
function isEmptyQuicklist(isSecondVersion: boolean): boolean {
  for (let nodes = readLen(cursor); nodes > 0; nodes--) {
    if (isSecondVersion && readLen(cursor) !== CONTAINER_LISTPACK) return false;
    if (!isEmptyContainer(isSecondVersion ? LISTPACK_COUNT : ZIPLIST_COUNT)) return false;
  }
  return true;
}

/** Moves over a container that stands as a string when it is empty. */
function isEmptyContainer(field: CountField): boolean {
  if (cursor.peek() >= FIRST_SPECIAL_ENCODING) return false;
  const size = readLen(cursor);
  const start = cursor.pos;
  cursor.skip(size);
  return size >= field.at + field.bytes && cursor.buf.readUIntLE(start + field.at, field.bytes) === 0;
}
