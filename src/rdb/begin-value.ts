/**
 * Starts a value that is read element by element: reads what stands before its first element (a count, a sketch's numbers), tells the handler
 * and gives the reader for the rest. Throws `NEEDS_MORE` before anything was told.
 */
import type { Cursor } from "../bytes/cursor.ts";
import type { DecodeLimits } from "../bytes/decode-limits.ts";
import { checkCount, readCount } from "./check-count.ts";
import {
  RDB_TYPE_CMS,
  RDB_TYPE_CUCKOO,
  RDB_TYPE_HASH,
  RDB_TYPE_HASH_LISTPACK,
  RDB_TYPE_HASH_WITH_EXPIRY,
  RDB_TYPE_HASH_ZIPLIST,
  RDB_TYPE_HASH_ZIPMAP,
  RDB_TYPE_JSON,
  RDB_TYPE_LIST,
  RDB_TYPE_LIST_QUICKLIST,
  RDB_TYPE_LIST_QUICKLIST_2,
  RDB_TYPE_LIST_ZIPLIST,
  RDB_TYPE_MODULE_2,
  RDB_TYPE_SBF,
  RDB_TYPE_SBF2,
  RDB_TYPE_SET,
  RDB_TYPE_SET_INTSET,
  RDB_TYPE_SET_LISTPACK,
  RDB_TYPE_SET_WITH_EXPIRY,
  RDB_TYPE_STREAM_LISTPACKS,
  RDB_TYPE_STREAM_LISTPACKS_2,
  RDB_TYPE_STREAM_LISTPACKS_3,
  RDB_TYPE_TOPK,
  RDB_TYPE_ZSET,
  RDB_TYPE_ZSET_2,
  RDB_TYPE_ZSET_LISTPACK,
  RDB_TYPE_ZSET_ZIPLIST,
} from "./opcodes.ts";
import { readLen, readLen64 } from "../bytes/packed-uint.ts";
import type { ObjectHeader, RdbHandler, ValueKind } from "./rdb-handler.ts";
import { JsonValueReader } from "./values/json-value-reader.ts";
import { ModuleValueReader, moduleName } from "./values/module-value-reader.ts";
import { NodeValueReader, isSingleNode } from "./values/node-value-reader.ts";
import { PlainValueReader } from "./values/plain-value-reader.ts";
import { CountMinValueReader, FilterValueReader, TopKValueReader } from "./values/sketch-value-reader.ts";
import { StreamValueReader } from "./values/stream-value-reader.ts";
import type { ValueReader } from "./values/value-reader.ts";

/** A value in the middle of being read. */
export type OpenValue<T> = { readonly reader: ValueReader<T>; readonly value: T; readonly key: Buffer };

const KINDS: ReadonlyMap<number, ValueKind> = new Map<number, ValueKind>([
  [RDB_TYPE_LIST, "list"],
  [RDB_TYPE_SET, "set"],
  [RDB_TYPE_ZSET, "zset"],
  [RDB_TYPE_HASH, "hash"],
  [RDB_TYPE_ZSET_2, "zset"],
  [RDB_TYPE_HASH_ZIPMAP, "hash"],
  [RDB_TYPE_LIST_ZIPLIST, "list"],
  [RDB_TYPE_SET_INTSET, "set"],
  [RDB_TYPE_ZSET_ZIPLIST, "zset"],
  [RDB_TYPE_HASH_ZIPLIST, "hash"],
  [RDB_TYPE_LIST_QUICKLIST, "list"],
  [RDB_TYPE_STREAM_LISTPACKS, "stream"],
  [RDB_TYPE_HASH_LISTPACK, "hash"],
  [RDB_TYPE_ZSET_LISTPACK, "zset"],
  [RDB_TYPE_LIST_QUICKLIST_2, "list"],
  [RDB_TYPE_STREAM_LISTPACKS_2, "stream"],
  [RDB_TYPE_SET_LISTPACK, "set"],
  [RDB_TYPE_STREAM_LISTPACKS_3, "stream"],
  [RDB_TYPE_JSON, "json"],
  [RDB_TYPE_HASH_WITH_EXPIRY, "hashTtl"],
  [RDB_TYPE_SET_WITH_EXPIRY, "setTtl"],
  [RDB_TYPE_SBF, "bloom"],
  [RDB_TYPE_SBF2, "bloom"],
  [RDB_TYPE_CMS, "cms"],
  [RDB_TYPE_TOPK, "topk"],
  [RDB_TYPE_CUCKOO, "cuckoo"],
]);

/** Whether this is an object type other than a plain string. */
export function isValueType(type: number): boolean {
  return type === RDB_TYPE_MODULE_2 || KINDS.has(type);
}

export function beginValue<T>(
  cursor: Cursor,
  object: ObjectHeader,
  options: { readonly handler: RdbHandler<T>; readonly limits: DecodeLimits },
): OpenValue<T> {
  const { handler, limits } = options;
  const { type } = object;
  const open = (kind: ValueKind, count: number, reader: ValueReader<T>): OpenValue<T> => ({
    value: handler.begin(object, kind, count),
    reader,
    key: object.key.toBuffer(),
  });
  switch (type) {
    case RDB_TYPE_MODULE_2: {
      const isJson = moduleName(readLen64(cursor)) === "ReJSON-RL";
      return open(isJson ? "json" : "module", 0, new ModuleValueReader(isJson, limits.stringBytes));
    }
    case RDB_TYPE_JSON:
      return open("json", 1, new JsonValueReader(limits.stringBytes));
    case RDB_TYPE_SBF:
    case RDB_TYPE_SBF2:
    case RDB_TYPE_CMS:
    case RDB_TYPE_TOPK:
    case RDB_TYPE_CUCKOO:
      return beginSketch(cursor, object, options);
    default: {
      const kind = KINDS.get(type);
      if (kind === undefined) return cursor.corrupt(`${type} is no object type`);
      const count = isSingleNode(type) ? 1 : readCount(cursor, limits);
      return open(kind, count, createReader(kind, type, count, limits));
    }
  }
}

function createReader<T>(kind: ValueKind, type: number, count: number, limits: DecodeLimits): ValueReader<T> {
  if (kind === "stream") return new StreamValueReader(type, count, limits);
  const isPlain = type <= RDB_TYPE_ZSET_2 || type === RDB_TYPE_HASH_WITH_EXPIRY || type === RDB_TYPE_SET_WITH_EXPIRY;
  return isPlain
    ? new PlainValueReader(type, count, limits.stringBytes)
    : new NodeValueReader(type, count, limits.stringBytes);
}

function beginSketch<T>(
  cursor: Cursor,
  object: ObjectHeader,
  options: { readonly handler: RdbHandler<T>; readonly limits: DecodeLimits },
): OpenValue<T> {
  const { handler, limits } = options;
  const numbers: number[] = [];
  const { kind, count, reader } = readSketchHead<T>(cursor, object.type, numbers, limits);
  const value = handler.begin(object, kind, count);
  handler.sketchParameters(value, numbers);
  return { value, reader, key: object.key.toBuffer() };
}

function readSketchHead<T>(
  cursor: Cursor,
  type: number,
  numbers: number[],
  limits: DecodeLimits,
): { readonly kind: ValueKind; readonly count: number; readonly reader: ValueReader<T> } {
  const len = (): number => {
    const value = readLen(cursor);
    numbers.push(value);
    return value;
  };
  const double = (): void => {
    numbers.push(cursor.doubleLe());
  };
  const lens = (n: number): void => {
    for (let i = 0; i < n; i++) len();
  };
  switch (type) {
    case RDB_TYPE_CMS: {
      const counters = len() * len();
      len();
      checkCount(cursor, counters, limits);
      return { kind: "cms", count: counters, reader: new CountMinValueReader(counters) };
    }
    case RDB_TYPE_TOPK: {
      if (len() !== 0) cursor.corrupt("a top-k sketch of an unknown form");
      lens(3);
      double();
      const items = len();
      checkCount(cursor, items, limits);
      return { kind: "topk", count: items, reader: new TopKValueReader(items, limits.stringBytes) };
    }
    case RDB_TYPE_CUCKOO: {
      lens(6);
      const filters = len();
      checkCount(cursor, filters, limits);
      const layout = { hasHashCount: false, isChunked: true };
      return { kind: "cuckoo", count: filters, reader: new FilterValueReader(layout, filters, limits.stringBytes) };
    }
    default: {
      if (len() !== 0) cursor.corrupt("a Bloom filter of an unknown form");
      double();
      double();
      lens(3);
      const filters = len();
      checkCount(cursor, filters, limits);
      const layout = { hasHashCount: true, isChunked: type === RDB_TYPE_SBF2 };
      return { kind: "bloom", count: filters, reader: new FilterValueReader(layout, filters, limits.stringBytes) };
    }
  }
}
