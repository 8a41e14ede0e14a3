/**
 * Serializes values as RDB objects, in the type and encoding that a Dragonfly of the profile's release would hold them in (docs/protocol.md §4). The
 * limits are those of Dragonfly src/server/{set,hset,zset,list}_family.cc; the recordings show them.
 *
 * Bodies are written element by element: `encodeBody` yields between two elements, where the real master may cut a large value. A caller that stops
 * in between must not let the value change before it has gone on to the end. Writes to the caller's writer only.
 */
import {
  MEMBER_EXPIRY_BASE_S,
  RDB_TYPE_CMS,
  RDB_TYPE_CUCKOO,
  RDB_TYPE_HASH,
  RDB_TYPE_HASH_LISTPACK,
  RDB_TYPE_HASH_WITH_EXPIRY,
  RDB_TYPE_HASH_ZIPLIST,
  RDB_TYPE_JSON,
  RDB_TYPE_LIST_QUICKLIST_2,
  RDB_TYPE_SBF,
  RDB_TYPE_SBF2,
  RDB_TYPE_SET,
  RDB_TYPE_SET_INTSET,
  RDB_TYPE_SET_WITH_EXPIRY,
  RDB_TYPE_STREAM_LISTPACKS_3,
  RDB_TYPE_STRING,
  RDB_TYPE_TOPK,
  RDB_TYPE_ZSET_2,
  RDB_TYPE_ZSET_LISTPACK,
  RDB_TYPE_ZSET_ZIPLIST,
} from "../../../rdb/opcodes.ts";
import type { HashValue, ListValue, SetValue, Value, ZsetMember, ZsetValue } from "../values.ts";
import { ByteWriter } from "./byte-writer.ts";
import { integerOf } from "./integer-text.ts";
import { jsonText } from "./json-text.ts";
import { ListpackWriter } from "./listpack-writer.ts";
import type { RdbProfile } from "./rdb-profile.ts";
import { writeIntegerString, writeString } from "./rdb-string-writer.ts";
import { scoreText } from "./score-text.ts";
import { encodeBloom, encodeCountMin, encodeCuckoo, encodeTopK } from "./sketch-encoder.ts";
import { encodeStream } from "./stream-encoder.ts";
import { ZiplistWriter } from "./ziplist-writer.ts";

export type EncodeSettings = {
  readonly profile: RdbProfile;
  /** Compress single strings (`--compression_mode 1`, and every DUMP). */
  readonly lzf: boolean;
};

type Pieces = Generator<undefined, void>;

const MAX_INTSET = 256;
const MAX_PACKED_FIELD_BYTES = 64;
const MAX_PACKED_BYTES = 1024;
const EMPTY_LISTPACK_BYTES = 7;
/** Where a hash of one field stays packed whatever its value, its name must be shorter. */
const MAX_SINGLE_FIELD_BYTES = 4096;
const QUICKLIST_NODE_BYTES = 8192;
const QUICKLIST_ENTRY_OVERHEAD = 8;
const QUICKLIST_PLAIN = 1;
const QUICKLIST_PACKED = 2;

export function rdbType(value: Value, profile: RdbProfile): number {
  switch (value.type) {
    case "string":
      return RDB_TYPE_STRING;
    case "list":
      return RDB_TYPE_LIST_QUICKLIST_2;
    case "set":
      return setType(value);
    case "hash":
      return hashType(value, profile);
    case "zset":
      return zsetType(value, profile);
    case "stream":
      return RDB_TYPE_STREAM_LISTPACKS_3;
    case "json":
      return RDB_TYPE_JSON;
    case "bloom":
      return profile.chunkedFilters ? RDB_TYPE_SBF2 : RDB_TYPE_SBF;
    case "cms":
      return RDB_TYPE_CMS;
    case "topk":
      return RDB_TYPE_TOPK;
    case "cuckoo":
      return RDB_TYPE_CUCKOO;
  }
}

/** Writes the body of a value that is one string in the stream and so never cut. False for other values: nothing is written then. */
export function encodeWhole(out: ByteWriter, value: Value, type: number, { lzf }: EncodeSettings): boolean {
  const body = wholeBody(value, type);
  if (body === undefined) return false;
  writeString(out, body, lzf);
  return true;
}

/** The body that follows type and key; `type` is what `rdbType` says. */
export function* encodeBody(out: ByteWriter, value: Value, type: number, settings: EncodeSettings): Pieces {
  if (encodeWhole(out, value, type, settings)) return;
  switch (value.type) {
    case "list":
      yield* encodeList(out, value, settings);
      break;
    case "set":
      yield* encodeSet(out, value, type, settings);
      break;
    case "hash":
      yield* encodeHash(out, value, type, settings);
      break;
    case "zset":
      yield* encodeZset(out, value, settings);
      break;
    case "stream":
      yield* encodeStream(out, value, settings.lzf);
      break;
    case "bloom":
      yield* encodeBloom(out, value, { type, lzf: settings.lzf });
      break;
    case "cms":
      encodeCountMin(out, value);
      break;
    case "topk":
      encodeTopK(out, value, settings.lzf);
      break;
    case "cuckoo":
      yield* encodeCuckoo(out, value);
      break;
    default:
  }
}

function wholeBody(value: Value, type: number): Buffer | undefined {
  switch (value.type) {
    case "string":
      return value.bytes;
    case "json":
      return Buffer.from(jsonText(value.document));
    case "set":
      return type === RDB_TYPE_SET_INTSET ? intset(value) : undefined;
    case "hash":
      return isPacked(type) ? packed(type, hashElements(value)) : undefined;
    case "zset":
      return isPacked(type) ? packed(type, zsetElements(value)) : undefined;
    default:
      return undefined;
  }
}

/** Scores ascending, equal ones by member bytes. */
export function sortedMembers(value: ZsetValue): ZsetMember[] {
  return [...value.members.values()].toSorted((a, b) => a.score - b.score || Buffer.compare(a.member, b.member));
}

/** Seconds since the base of member deadlines, -1 for none. */
function memberExpiry(expireAtMs: number): number {
  return expireAtMs < 0 ? -1 : Math.max(0, Math.floor(expireAtMs / 1000) - MEMBER_EXPIRY_BASE_S);
}

function setType(value: SetValue): number {
  let integers = value.members.size <= MAX_INTSET;
  for (const { member, expireAtMs } of value.members.values()) {
    if (expireAtMs >= 0) return RDB_TYPE_SET_WITH_EXPIRY;
    integers &&= integerOf(member) !== undefined;
  }
  return integers ? RDB_TYPE_SET_INTSET : RDB_TYPE_SET;
}

function hashType(value: HashValue, profile: RdbProfile): number {
  let bytes = EMPTY_LISTPACK_BYTES;
  let fits = true;
  for (const { field, content, expireAtMs } of value.fields.values()) {
    if (expireAtMs >= 0) return RDB_TYPE_HASH_WITH_EXPIRY;
    fits &&= field.length <= MAX_PACKED_FIELD_BYTES && content.length <= MAX_PACKED_FIELD_BYTES;
    bytes += field.length + content.length;
  }
  const [single] = value.fields.size === 1 && profile.packsSingleField ? value.fields.values() : [];
  const isSmall =
    single === undefined ? fits && bytes < MAX_PACKED_BYTES : single.field.length < MAX_SINGLE_FIELD_BYTES;
  if (!isSmall) return RDB_TYPE_HASH;
  return profile.ziplists ? RDB_TYPE_HASH_ZIPLIST : RDB_TYPE_HASH_LISTPACK;
}

function zsetType(value: ZsetValue, profile: RdbProfile): number {
  let bytes = EMPTY_LISTPACK_BYTES;
  let fits = value.members.size <= profile.zsetPackedMembers;
  for (const { member, score } of value.members.values()) {
    fits &&= member.length <= profile.zsetPackedMemberBytes;
    bytes += member.length + scoreText(score).length;
  }
  if (!fits || bytes >= MAX_PACKED_BYTES) return RDB_TYPE_ZSET_2;
  return profile.ziplists ? RDB_TYPE_ZSET_ZIPLIST : RDB_TYPE_ZSET_LISTPACK;
}

function isPacked(type: number): boolean {
  return (
    type === RDB_TYPE_HASH_LISTPACK ||
    type === RDB_TYPE_HASH_ZIPLIST ||
    type === RDB_TYPE_ZSET_LISTPACK ||
    type === RDB_TYPE_ZSET_ZIPLIST
  );
}

function packed(type: number, elements: Iterable<Buffer>): Buffer {
  const writer =
    type === RDB_TYPE_HASH_ZIPLIST || type === RDB_TYPE_ZSET_ZIPLIST ? new ZiplistWriter() : new ListpackWriter();
  for (const element of elements) writer.add(element);
  return writer.finish();
}

function* hashElements(value: HashValue): Generator<Buffer> {
  for (const { field, content } of value.fields.values()) {
    yield field;
    yield content;
  }
}

function* zsetElements(value: ZsetValue): Generator<Buffer> {
  for (const { member, score } of sortedMembers(value)) {
    yield member;
    yield Buffer.from(scoreText(score), "latin1");
  }
}

/** Redis src/intset.c: width, count, then the integers ascending, all of the width that the widest needs. */
function intset(value: SetValue): Buffer {
  const integers = [...value.members.values()]
    .map(({ member }) => integerOf(member) ?? 0n)
    .toSorted((a, b) => (a < b ? -1 : 1));
  const fits = (bits: number): boolean => integers.every((integer) => BigInt.asIntN(bits, integer) === integer);
  const width = fits(16) ? 2 : fits(32) ? 4 : 8;
  const out = new ByteWriter(8 + integers.length * width);
  out.intLe(width, 4);
  out.intLe(integers.length, 4);
  for (const integer of integers) {
    if (width === 8) out.int64Le(integer);
    else out.intLe(Number(integer), width);
  }
  return out.view();
}

function* encodeSet(out: ByteWriter, value: SetValue, type: number, { lzf }: EncodeSettings): Pieces {
  out.len(value.members.size);
  let left = value.members.size;
  for (const { member, expireAtMs } of value.members.values()) {
    writeString(out, member, lzf);
    if (type === RDB_TYPE_SET_WITH_EXPIRY) writeIntegerString(out, memberExpiry(expireAtMs));
    if (--left > 0) yield;
  }
}

function* encodeHash(out: ByteWriter, value: HashValue, type: number, { lzf }: EncodeSettings): Pieces {
  out.len(value.fields.size);
  let left = value.fields.size;
  for (const { field, content, expireAtMs } of value.fields.values()) {
    writeString(out, field, lzf);
    writeString(out, content, lzf);
    if (type === RDB_TYPE_HASH_WITH_EXPIRY) writeIntegerString(out, memberExpiry(expireAtMs));
    if (--left > 0) yield;
  }
}

function* encodeZset(out: ByteWriter, value: ZsetValue, { lzf, profile }: EncodeSettings): Pieces {
  const members = sortedMembers(value);
  if (profile.ziplists) members.reverse();
  out.len(members.length);
  let left = members.length;
  for (const { member, score } of members) {
    writeString(out, member, lzf);
    out.doubleLe(score);
    if (--left > 0) yield;
  }
}

function* encodeList(out: ByteWriter, value: ListValue, { lzf }: EncodeSettings): Pieces {
  const nodes = quicklistNodes(value.items);
  out.len(nodes.length);
  let left = nodes.length;
  for (const [start, end] of nodes) {
    const single = value.items[start];
    if (single !== undefined && single.length > QUICKLIST_NODE_BYTES) {
      out.len(QUICKLIST_PLAIN);
      writeString(out, single, lzf);
    } else {
      out.len(QUICKLIST_PACKED);
      writeString(out, packed(RDB_TYPE_HASH_LISTPACK, value.items.slice(start, end)), lzf);
    }
    if (--left > 0) yield;
  }
}

/** Ranges of items, as they lie in nodes when they are pushed one after the other (Dragonfly src/core/qlist.cc, list_max_listpack_size -2). */
function quicklistNodes(items: readonly Buffer[]): (readonly [start: number, end: number])[] {
  const nodes: [number, number][] = [];
  const listpack = new ListpackWriter();
  let isOpen = false;
  for (const [i, item] of items.entries()) {
    const last = nodes.at(-1);
    const isPlain = item.length > QUICKLIST_NODE_BYTES;
    if (
      last !== undefined &&
      isOpen &&
      !isPlain &&
      listpack.byteLength + item.length + QUICKLIST_ENTRY_OVERHEAD <= QUICKLIST_NODE_BYTES
    )
      last[1] = i + 1;
    else {
      nodes.push([i, i + 1]);
      listpack.clear();
      isOpen = !isPlain;
    }
    if (!isPlain) listpack.add(item);
  }
  return nodes;
}
