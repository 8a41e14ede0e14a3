/**
 * Collections whose elements stand in the stream one by one: list (1), set (2), zset (3, 5), hash (4), and Dragonfly's hash and set
 * with member deadlines (31, 32). docs/protocol.md §4; Redis src/rdb.c rdbLoadObject.
 */
import type { Cursor } from "../../bytes/cursor.ts";
import { Slice } from "../../bytes/slice.ts";
import {
  MEMBER_EXPIRY_BASE_S,
  RDB_TYPE_HASH,
  RDB_TYPE_HASH_WITH_EXPIRY,
  RDB_TYPE_LIST,
  RDB_TYPE_SET,
  RDB_TYPE_SET_WITH_EXPIRY,
  RDB_TYPE_ZSET,
  RDB_TYPE_ZSET_2,
} from "../opcodes.ts";
import type { RdbHandler } from "../rdb-handler.ts";
import { readString } from "../rdb-string.ts";
import { checkScoreText, scoreText } from "../score-text.ts";
import type { ValueReader } from "./value-reader.ts";

const SCORE_NAN = 253;
const SCORE_POSITIVE_INFINITY = 254;
const SCORE_NEGATIVE_INFINITY = 255;

export class PlainValueReader<T> implements ValueReader<T> {
  readonly #type: number;
  readonly #limitBytes: number;
  #remaining: number;
  readonly #first = new Slice();
  readonly #second = new Slice();
  readonly #third = new Slice();

  constructor(type: number, count: number, limitBytes: number) {
    this.#type = type;
    this.#remaining = count;
    this.#limitBytes = limitBytes;
  }

  get isDone(): boolean {
    return this.#remaining === 0;
  }

  next(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    const first = this.#first;
    readString(cursor, first, this.#limitBytes);
    switch (this.#type) {
      case RDB_TYPE_LIST:
        handler.listItem(value, first);
        break;
      case RDB_TYPE_SET:
        handler.setMember(value, first);
        break;
      case RDB_TYPE_HASH:
        readString(cursor, this.#second, this.#limitBytes);
        handler.hashField(value, first, this.#second);
        break;
      case RDB_TYPE_ZSET:
        readTextScore(cursor, this.#second);
        handler.zsetMember(value, first, this.#second);
        break;
      case RDB_TYPE_ZSET_2:
        readBinaryScore(cursor, this.#second);
        handler.zsetMember(value, first, this.#second);
        break;
      case RDB_TYPE_HASH_WITH_EXPIRY:
        readString(cursor, this.#second, this.#limitBytes);
        handler.hashFieldTtl(value, first, this.#second, this.#readExpiry(cursor));
        break;
      case RDB_TYPE_SET_WITH_EXPIRY:
        handler.setMemberTtl(value, first, this.#readExpiry(cursor));
        break;
      default:
        cursor.corrupt(`type ${this.#type} is no plain collection`);
    }
    this.#remaining--;
  }

  release(): void {
    this.#first.release();
    this.#second.release();
    this.#third.release();
  }

  /** Unix ms, or -1 for none. */
  #readExpiry(cursor: Cursor): number {
    readString(cursor, this.#third, this.#limitBytes);
    const text = this.#third.length > 20 ? "" : this.#third.toLatin1();
    if (!/^(-1|\d{1,12})$/.test(text)) cursor.corrupt("a member's deadline is no whole number of seconds");
    return text === "-1" ? -1 : (MEMBER_EXPIRY_BASE_S + Number(text)) * 1000;
  }
}

/** Type 3: one byte of length, then decimal text; 253–255 stand for nan and the infinities. */
function readTextScore(cursor: Cursor, out: Slice): void {
  const size = cursor.u8();
  if (size === SCORE_NAN) cursor.corrupt("a score is not a number");
  if (size === SCORE_POSITIVE_INFINITY || size === SCORE_NEGATIVE_INFINITY) {
    scoreText(size === SCORE_POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY, out);
    return;
  }
  cursor.need(size);
  out.set(cursor.buf, cursor.pos, cursor.pos + size);
  checkScoreText(cursor, out);
  cursor.pos += size;
}

function readBinaryScore(cursor: Cursor, out: Slice): void {
  const score = cursor.doubleLe();
  if (Number.isNaN(score)) cursor.corrupt("a score is not a number");
  scoreText(score, out);
}
