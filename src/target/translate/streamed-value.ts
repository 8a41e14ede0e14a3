/**
 * What the translator keeps of one value while its elements arrive, possibly between those of other values. Its key is a copy of its own.
 * It holds no elements: what is buffered is written out before another value can come.
 */
import { Slice } from "../../bytes/slice.ts";
import type { ObjectHeader, ValueKind } from "../../rdb/rdb-handler.ts";
import { StreamProgress } from "./stream-progress.ts";

/** The command that adds elements, for the kinds that a plain Redis holds. */
const ELEMENT_COMMANDS: Partial<Record<ValueKind, string>> = {
  list: "RPUSH",
  set: "SADD",
  setTtl: "SADD",
  zset: "ZADD",
  hash: "HSET",
  hashTtl: "HSET",
};

export class StreamedValue {
  readonly db: number;
  readonly key: Slice;
  readonly kind: ValueKind;
  /** Unix ms, or -1. Set before the value ends. */
  expireAtMs: number;
  /** Empty for streams and for what is not carried. */
  readonly elementCommand: string;
  /** For streams only. */
  readonly stream: StreamProgress | undefined;
  /** The older value of the key is deleted, so what is written from now on replaces it. */
  opened = false;
  /** Something was written after that, so the key exists. */
  written = false;
  /** A policy leaves it out: nothing of it is written. */
  skipped = false;
  /** A member's or field's deadline was dropped and reported. */
  memberDeadlineLost = false;
  /** One is kept by df2redis, and that is reported. */
  memberDeadlineKept = false;

  constructor(object: ObjectHeader, kind: ValueKind, streamIdIndexBytes: number) {
    this.db = object.db;
    this.key = Slice.from(object.key.toBuffer());
    this.kind = kind;
    this.expireAtMs = object.expireAtMs;
    this.elementCommand = ELEMENT_COMMANDS[kind] ?? "";
    this.stream = kind === "stream" ? new StreamProgress(streamIdIndexBytes) : undefined;
  }
}
