/**
 * Collections that stand in the stream as encoded nodes, each one string: zipmap (9), ziplists (10, 12, 13, 14), intset (11), listpacks
 * (16, 17, 18, 20). A node is decoded to elements once it has arrived whole. docs/protocol.md §4.
 */
import type { Cursor } from "../../bytes/cursor.ts";
import { Slice } from "../../bytes/slice.ts";
import { IntsetReader } from "../../codec/intset.ts";
import { ListpackReader } from "../../codec/listpack.ts";
import { ZiplistReader } from "../../codec/ziplist.ts";
import { ZipmapReader } from "../../codec/zipmap.ts";
import {
  RDB_TYPE_HASH_LISTPACK,
  RDB_TYPE_HASH_ZIPLIST,
  RDB_TYPE_HASH_ZIPMAP,
  RDB_TYPE_LIST_QUICKLIST,
  RDB_TYPE_LIST_QUICKLIST_2,
  RDB_TYPE_LIST_ZIPLIST,
  RDB_TYPE_SET_INTSET,
  RDB_TYPE_SET_LISTPACK,
  RDB_TYPE_ZSET_LISTPACK,
  RDB_TYPE_ZSET_ZIPLIST,
} from "../opcodes.ts";
import { readLen } from "../../bytes/packed-uint.ts";
import type { RdbHandler } from "../rdb-handler.ts";
import { readString } from "../rdb-string.ts";
import { checkScoreText } from "../score-text.ts";
import type { ValueReader } from "./value-reader.ts";

const QUICKLIST_NODE_CONTAINER_PLAIN = 1;
const QUICKLIST_NODE_CONTAINER_PACKED = 2;

type NodeReader = { reset(buf: Buffer, start: number, end: number): unknown; next(out: Slice): boolean };

export class NodeValueReader<T> implements ValueReader<T> {
  readonly #type: number;
  readonly #limitBytes: number;
  #remaining: number;
  readonly #node = new Slice();
  readonly #first = new Slice();
  readonly #second = new Slice();
  #reader: NodeReader;

  /** @param count nodes */
  constructor(type: number, count: number, limitBytes: number) {
    this.#type = type;
    this.#remaining = count;
    this.#limitBytes = limitBytes;
    this.#reader = createNodeReader(type);
  }

  get isDone(): boolean {
    return this.#remaining === 0;
  }

  next(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    const container = this.#type === RDB_TYPE_LIST_QUICKLIST_2 ? readLen(cursor) : QUICKLIST_NODE_CONTAINER_PACKED;
    if (container !== QUICKLIST_NODE_CONTAINER_PACKED && container !== QUICKLIST_NODE_CONTAINER_PLAIN) {
      cursor.corrupt(`${container} is no container of a quicklist node`);
    }
    const node = this.#node;
    readString(cursor, node, this.#limitBytes);
    if (container === QUICKLIST_NODE_CONTAINER_PLAIN) handler.listItem(value, node);
    else {
      this.#reader.reset(node.buf, node.start, node.end);
      this.#decodeNode(cursor, handler, value);
    }
    this.#remaining--;
  }

  release(): void {
    this.#node.release();
    this.#first.release();
    this.#second.release();
    this.#reader = createNodeReader(this.#type);
  }

  #decodeNode(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    const reader = this.#reader;
    const first = this.#first;
    switch (this.#type) {
      case RDB_TYPE_LIST_ZIPLIST:
      case RDB_TYPE_LIST_QUICKLIST:
      case RDB_TYPE_LIST_QUICKLIST_2:
        while (reader.next(first)) handler.listItem(value, first);
        break;
      case RDB_TYPE_SET_INTSET:
      case RDB_TYPE_SET_LISTPACK:
        while (reader.next(first)) handler.setMember(value, first);
        break;
      case RDB_TYPE_ZSET_ZIPLIST:
      case RDB_TYPE_ZSET_LISTPACK:
        while (this.#nextPair(cursor)) {
          checkScoreText(cursor, this.#second);
          handler.zsetMember(value, first, this.#second);
        }
        break;
      default:
        while (this.#nextPair(cursor)) handler.hashField(value, first, this.#second);
    }
  }

  #nextPair(cursor: Cursor): boolean {
    if (!this.#reader.next(this.#first)) return false;
    if (!this.#reader.next(this.#second)) cursor.corrupt("an encoded hash or zset has a field without its value");
    return true;
  }
}

function createNodeReader(type: number): NodeReader {
  switch (type) {
    case RDB_TYPE_HASH_ZIPMAP:
      return new ZipmapReader();
    case RDB_TYPE_SET_INTSET:
      return new IntsetReader();
    case RDB_TYPE_LIST_ZIPLIST:
    case RDB_TYPE_LIST_QUICKLIST:
    case RDB_TYPE_ZSET_ZIPLIST:
    case RDB_TYPE_HASH_ZIPLIST:
      return new ZiplistReader();
    default:
      return new ListpackReader();
  }
}

/** Whether this type is one node without a count in front. */
export function isSingleNode(type: number): boolean {
  return (
    (type >= RDB_TYPE_HASH_ZIPMAP && type <= RDB_TYPE_HASH_ZIPLIST) ||
    type === RDB_TYPE_HASH_LISTPACK ||
    type === RDB_TYPE_ZSET_LISTPACK ||
    type === RDB_TYPE_SET_LISTPACK
  );
}
