/**
 * Streams (15, 19, 21): nodes of (master id, listpack), then lengths and ids, then groups with their pending entries and consumers.
 * One step is one node, the numbers after the nodes, one group's head, one pending entry, one consumer's head or one of its entries, so
 * that neither the groups nor a long pending list are held. Redis src/rdb.c rdbLoadObject, RDB_TYPE_STREAM_LISTPACKS*.
 */
import type { Cursor } from "../../bytes/cursor.ts";
import type { DecodeLimits } from "../../bytes/decode-limits.ts";
import { Slice } from "../../bytes/slice.ts";
import { StreamNodeReader } from "../../codec/stream-listpack.ts";
import { RDB_TYPE_STREAM_LISTPACKS_2, RDB_TYPE_STREAM_LISTPACKS_3 } from "../opcodes.ts";
import { readLen, readLen64 } from "../../bytes/packed-uint.ts";
import { readCount } from "../check-count.ts";
import type { RdbHandler, StreamMeta } from "../rdb-handler.ts";
import { readString } from "../rdb-string.ts";
import type { ValueReader } from "./value-reader.ts";

const STREAM_ID_BYTES = 16;
/** entries_read of a group whose position was never known: -1 as unsigned. */
const UNKNOWN_READ_COUNT = 0xffff_ffff_ffff_ffffn;

type Step = "nodes" | "meta" | "group" | "pending" | "consumers" | "consumer" | "consumerPending" | "done";

export class StreamValueReader<T> implements ValueReader<T> {
  readonly #type: number;
  readonly #limits: DecodeLimits;
  #step: Step;
  /** Items left in the current step, groups and consumers counted apart. */
  #remaining: number;
  #groups = 0;
  #consumers = 0;
  readonly #id = new Slice();
  readonly #text = new Slice();
  #node = new StreamNodeReader();

  /** @param nodes listpacks */
  constructor(type: number, nodes: number, limits: DecodeLimits) {
    this.#type = type;
    this.#limits = limits;
    this.#remaining = nodes;
    this.#step = nodes > 0 ? "nodes" : "meta";
  }

  get isDone(): boolean {
    return this.#step === "done";
  }

  get startsRaw(): boolean {
    return this.#step === "pending" || this.#step === "consumerPending";
  }

  next(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    switch (this.#step) {
      case "nodes":
        this.#readNode(cursor, handler, value);
        break;
      case "meta":
        this.#readMeta(cursor, handler, value);
        break;
      case "group":
        this.#readGroup(cursor, handler, value);
        break;
      case "pending":
        this.#readPending(cursor, handler, value);
        break;
      case "consumers":
        this.#readConsumerCount(cursor);
        break;
      case "consumer":
        this.#readConsumer(cursor, handler, value);
        break;
      case "consumerPending":
        this.#readConsumerPending(cursor, handler, value);
        break;
      default:
        cursor.corrupt("a stream goes on after its end");
    }
  }

  release(): void {
    this.#id.release();
    this.#text.release();
    this.#node = new StreamNodeReader();
  }

  #readNode(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    const id = this.#id;
    const text = this.#text;
    readString(cursor, id, this.#limits.stringBytes);
    if (id.length !== STREAM_ID_BYTES)
      cursor.corrupt(`a stream node's id has ${id.length} bytes instead of ${STREAM_ID_BYTES}`);
    readString(cursor, text, this.#limits.stringBytes);
    const node = this.#node;
    node.reset(id.buf, id.start, id.end, text.buf, text.start, text.end);
    while (node.next()) handler.streamEntry(value, node.id, node.fields, node.fieldCount);
    this.#remaining--;
    if (this.#remaining === 0) this.#step = "meta";
  }

  #readMeta(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    const hasCounters = this.#type >= RDB_TYPE_STREAM_LISTPACKS_2;
    const meta: StreamMeta = {
      length: String(readLen64(cursor)),
      lastId: readIdPair(cursor),
      firstId: hasCounters ? readIdPair(cursor) : undefined,
      maxDeletedId: hasCounters ? readIdPair(cursor) : undefined,
      entriesAdded: hasCounters ? String(readLen64(cursor)) : undefined,
    };
    this.#groups = readCount(cursor, this.#limits);
    handler.streamMeta(value, meta);
    this.#step = this.#groups > 0 ? "group" : "done";
  }

  #readGroup(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    readString(cursor, this.#text, this.#limits.stringBytes);
    const lastId = readIdPair(cursor);
    const entriesRead = this.#type >= RDB_TYPE_STREAM_LISTPACKS_2 ? readEntriesRead(cursor) : undefined;
    this.#remaining = readCount(cursor, this.#limits);
    handler.streamGroup(value, this.#text, lastId, entriesRead);
    this.#step = this.#remaining > 0 ? "pending" : "consumers";
  }

  #readPending(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    const id = readRawId(cursor);
    const deliveryTimeMs = cursor.i64leNumber();
    const deliveryCount = readLen(cursor);
    handler.streamPending(value, id, deliveryTimeMs, deliveryCount);
    this.#remaining--;
    if (this.#remaining === 0) this.#step = "consumers";
  }

  #readConsumerCount(cursor: Cursor): void {
    this.#consumers = readCount(cursor, this.#limits);
    this.#nextConsumer();
  }

  #nextConsumer(): void {
    if (this.#consumers > 0) {
      this.#step = "consumer";
      return;
    }
    this.#groups--;
    this.#step = this.#groups > 0 ? "group" : "done";
  }

  #readConsumer(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    readString(cursor, this.#text, this.#limits.stringBytes);
    const seenTimeMs = cursor.i64leNumber();
    const activeTimeMs = this.#type >= RDB_TYPE_STREAM_LISTPACKS_3 ? cursor.i64leNumber() : -1;
    this.#remaining = readCount(cursor, this.#limits);
    handler.streamConsumer(value, this.#text, seenTimeMs, activeTimeMs);
    this.#consumers--;
    if (this.#remaining > 0) this.#step = "consumerPending";
    else this.#nextConsumer();
  }

  #readConsumerPending(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    handler.streamConsumerPending(value, readRawId(cursor));
    this.#remaining--;
    if (this.#remaining === 0) this.#nextConsumer();
  }
}

/** Two packed integers. */
function readIdPair(cursor: Cursor): string {
  const ms = readLen64(cursor);
  return `${ms}-${readLen64(cursor)}`;
}

/** 16 bytes, big-endian. */
function readRawId(cursor: Cursor): string {
  cursor.need(STREAM_ID_BYTES);
  const ms = cursor.u64be();
  return `${ms}-${cursor.u64be()}`;
}

function readEntriesRead(cursor: Cursor): string {
  const value = readLen64(cursor);
  return value === UNKNOWN_READ_COUNT ? "-1" : String(value);
}
