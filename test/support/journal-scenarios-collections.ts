/** What journal entries about lists, sets, hashes, sorted sets and streams do on a target. See `JournalScenario`. */
import { expect } from "vitest";
import type { JournalScenario } from "./journal-effects.ts";

const STREAM = ["XADD s 1-1 f a", "XADD s 2-1 f b", "XADD s 3-1 f c", "XGROUP CREATE s g 0"];
/** What a 1.40 journals for XREADGROUP of two messages. */
const READ_TWO = [
  "XGROUP CREATECONSUMER s g alice",
  "XCLAIM s g alice 0 1-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1",
  "XCLAIM s g alice 0 2-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-1",
  "XGROUP SETID s g 2-1 ENTRIESREAD 2",
];

export const COLLECTION_SCENARIOS: Readonly<Record<string, JournalScenario>> = {
  LINSERT: { before: ["RPUSH k a c"], entries: ["LINSERT k BEFORE c b"], after: [["LRANGE k 0 -1", ["a", "b", "c"]]] },
  LMOVE: {
    before: ["RPUSH a 1 2"],
    entries: ["LMOVE a b LEFT RIGHT"],
    after: [
      ["LRANGE a 0 -1", ["2"]],
      ["LRANGE b 0 -1", ["1"]],
    ],
  },
  LMPOP: { before: ["RPUSH a 1 2"], entries: ["LMPOP 2 none a LEFT"], after: [["LRANGE a 0 -1", ["2"]]] },
  LPOP: { before: ["RPUSH a 1 2 3"], entries: ["LPOP a", "LPOP a 1"], after: [["LRANGE a 0 -1", ["3"]]] },
  LPUSH: { entries: ["LPUSH a 1 2"], after: [["LRANGE a 0 -1", ["2", "1"]]] },
  LPUSHX: {
    before: ["RPUSH a 1"],
    entries: ["LPUSHX a 0", "LPUSHX b 0"],
    after: [
      ["LRANGE a 0 -1", ["0", "1"]],
      ["EXISTS b", 0],
    ],
  },
  LREM: { before: ["RPUSH a x y x"], entries: ["LREM a -1 x"], after: [["LRANGE a 0 -1", ["x", "y"]]] },
  LSET: { before: ["RPUSH a x y"], entries: ["LSET a -1 z"], after: [["LRANGE a 0 -1", ["x", "z"]]] },
  LTRIM: { before: ["RPUSH a 1 2 3"], entries: ["LTRIM a 1 -1"], after: [["LRANGE a 0 -1", ["2", "3"]]] },
  RPOP: { before: ["RPUSH a 1 2 3"], entries: ["RPOP a", "RPOP a 1"], after: [["LRANGE a 0 -1", ["1"]]] },
  RPOPLPUSH: { before: ["RPUSH a 1 2"], entries: ["RPOPLPUSH a b"], after: [["LRANGE b 0 -1", ["2"]]] },
  RPUSH: { entries: ["RPUSH a 1 2"], after: [["LRANGE a 0 -1", ["1", "2"]]] },
  RPUSHX: {
    before: ["RPUSH a 1"],
    entries: ["RPUSHX a 2", "RPUSHX b 0"],
    after: [
      ["LRANGE a 0 -1", ["1", "2"]],
      ["EXISTS b", 0],
    ],
  },
  BRPOPLPUSH: { before: ["RPUSH a 1 2"], entries: ["BRPOPLPUSH a b 0"], after: [["LRANGE b 0 -1", ["2"]]] },
  BLMOVE: { before: ["RPUSH a 1 2"], entries: ["BLMOVE a b LEFT LEFT 0"], after: [["LRANGE b 0 -1", ["1"]]] },
  SADD: { entries: ["SADD k a"], after: [["SMEMBERS k", ["a"]]] },
  SMOVE: {
    before: ["SADD a x"],
    entries: ["SMOVE a b x"],
    after: [
      ["SMEMBERS b", ["x"]],
      ["EXISTS a", 0],
    ],
  },
  SREM: { before: ["SADD a x y"], entries: ["SREM a x nope"], after: [["SMEMBERS a", ["y"]]] },
  SADDEX: { entries: ["SADDEX k 100 a", "SADDEX k KEEPTTL 100 a"], after: [["SMEMBERS k", ["a"]]] },
  HDEL: { before: ["HSET h a 1 b 2"], entries: ["HDEL h a zz"], after: [["HGETALL h", ["b", "2"]]] },
  HINCRBY: { before: ["HSET h a 1"], entries: ["HINCRBY h a 10"], after: [["HGET h a", "11"]] },
  HMSET: { entries: ["HMSET h a 1 b 2"], after: [["HMGET h a b", ["1", "2"]]] },
  HSET: { entries: ["HSET h a 1 b 2"], after: [["HMGET h a b", ["1", "2"]]] },
  HSETNX: { before: ["HSET h a 1"], entries: ["HSETNX h a 2", "HSETNX h b 3"], after: [["HMGET h a b", ["1", "3"]]] },
  HINCRBYFLOAT: {
    before: ["HSET h a 0.1"],
    entries: ["HINCRBYFLOAT h a 0.2", "HINCRBYFLOAT h b 1.25", "HINCRBYFLOAT new c -0.0000001"],
    after: [
      ["HMGET h a b", ["0.30000000000000004", "1.25"]],
      ["HGET new c", "-1e-7"],
    ],
  },
  HSETEX: {
    before: ["HSET h a 1", "HSET x a 1", "HSET y a 1"],
    entries: [
      "HSETEX h 60000 a 2 b 3",
      "HSETEX h NX 60000 a 9 c 4",
      "HSETEX x FNX EX 60 FIELDS 2 a 9 n 9",
      "HSETEX x FNX EX 60 FIELDS 1 n 5",
      "HSETEX y FXX EX 60 FIELDS 2 a 9 n 9",
      "HSETEX y FXX KEEPTTL FIELDS 1 a 7",
      "HSETEX z FNX 60 f v",
    ],
    after: [
      ["HMGET h a b c", ["2", "3", "4"]],
      ["HGETALL x", ["a", "1", "n", "5"]],
      ["HGETALL y", ["a", "7"]],
      ["HGET z f", "v"],
    ],
  },
  HGETEX: {
    before: ["HSET h a 1 b 2 c 3"],
    entries: ["HGETEX h EX 0 FIELDS 2 a b", "HGETEX h EX 9 FIELDS 1 c"],
    after: [["HGETALL h", ["c", "3"]]],
  },
  HEXPIRE: {
    before: ["HSET h a 1 b 2"],
    entries: ["HEXPIRE h 0 FIELDS 1 a", "HEXPIRE h 9 FIELDS 1 b"],
    after: [["HGETALL h", ["b", "2"]]],
  },
  FIELDEXPIRE: { before: ["HSET h a 1"], entries: ["FIELDEXPIRE h 9 a"], after: [["HGETALL h", ["a", "1"]]] },
  ZADD: {
    before: ["ZADD z 5 a"],
    entries: ["ZADD z GT CH 10 a", "ZADD z NX 1 b", "ZADD z INCR 1.5 b"],
    after: [["ZRANGE z 0 -1 WITHSCORES", ["b", "2.5", "a", "10"]]],
  },
  ZDIFFSTORE: {
    before: ["ZADD a 1 x 2 y", "ZADD b 1 x"],
    entries: ["ZDIFFSTORE d 2 a b"],
    after: [["ZRANGE d 0 -1", ["y"]]],
  },
  ZINCRBY: { before: ["ZADD z 0.1 a"], entries: ["ZINCRBY z 0.2 a"], after: [["ZSCORE z a", "0.30000000000000004"]] },
  ZINTERSTORE: {
    before: ["ZADD a 1 x 2 y", "ZADD b 1 x"],
    entries: ["ZINTERSTORE d 2 a b"],
    after: [["ZRANGE d 0 -1", ["x"]]],
  },
  ZMPOP: { before: ["ZADD z 1 a 2 b"], entries: ["ZMPOP 1 z MIN"], after: [["ZRANGE z 0 -1", ["b"]]] },
  ZPOPMAX: { before: ["ZADD z 1 a 2 b"], entries: ["ZPOPMAX z"], after: [["ZRANGE z 0 -1", ["a"]]] },
  ZPOPMIN: { before: ["ZADD z 1 a 2 b 3 c"], entries: ["ZPOPMIN z 1", "ZPOPMIN z"], after: [["ZRANGE z 0 -1", ["c"]]] },
  ZRANGESTORE: {
    before: ["ZADD z 1 a 2 b 3 c"],
    entries: ["ZRANGESTORE d z 0 1"],
    after: [["ZRANGE d 0 -1", ["a", "b"]]],
  },
  ZREM: { before: ["ZADD z 1 a 2 b"], entries: ["ZREM z a"], after: [["ZRANGE z 0 -1", ["b"]]] },
  ZREMRANGEBYLEX: {
    before: ["ZADD z 0 a 0 b 0 c"],
    entries: ["ZREMRANGEBYLEX z [a (b"],
    after: [["ZRANGE z 0 -1", ["b", "c"]]],
  },
  ZREMRANGEBYRANK: {
    before: ["ZADD z 1 a 2 b"],
    entries: ["ZREMRANGEBYRANK z 0 0"],
    after: [["ZRANGE z 0 -1", ["b"]]],
  },
  ZREMRANGEBYSCORE: {
    before: ["ZADD z 1 a 2 b"],
    entries: ["ZREMRANGEBYSCORE z (1 +inf"],
    after: [["ZRANGE z 0 -1", ["a"]]],
  },
  ZUNIONSTORE: { before: ["ZADD a 1 x", "ZADD b 2 x"], entries: ["ZUNIONSTORE d 2 a b"], after: [["ZSCORE d x", "3"]] },
  GEOADD: {
    entries: ["GEOADD g 13.36 38.11 P 15.08 37.50 C"],
    after: [["ZRANGE g 0 -1 WITHSCORES", ["P", "3479099943497504", "C", "3479447184714206"]]],
  },
  GEORADIUS: {
    before: ["GEOADD g 13.36 38.11 P 15.08 37.50 C"],
    entries: ["GEORADIUS g 15 37 100 km STORE d", "GEORADIUS g 15 37 100 km"],
    after: [["ZRANGE d 0 -1", ["C"]]],
  },
  GEORADIUSBYMEMBER: {
    before: ["GEOADD g 13.36 38.11 P 15.08 37.50 C"],
    entries: ["GEORADIUSBYMEMBER g C 10 km STORE d"],
    after: [["ZRANGE d 0 -1", ["C"]]],
  },
  XADD: {
    entries: [
      "XADD s 1-1 a 1",
      "XADD s NOMKSTREAM 2-1 a 2",
      "XADD s MINID 2-1 3-1 a 3",
      "XADD s MINID 3-1 NOMKSTREAM 4-1 a 4",
      "XADD t MAXLEN 0 5-1 a 5",
    ],
    after: [
      [
        "XRANGE s - +",
        [
          ["3-1", ["a", "3"]],
          ["4-1", ["a", "4"]],
        ],
      ],
      ["XLEN t", 0],
      ["EXISTS t", 1],
    ],
  },
  XGROUP: {
    before: ["XADD s 1-1 f a", "XADD s 2-1 f b"],
    entries: [
      "XGROUP CREATE s g 0",
      "XGROUP CREATECONSUMER s g alice",
      "XGROUP SETID s g 1-1 ENTRIESREAD 1",
      "XGROUP CREATE new g $ MKSTREAM",
      "XGROUP CREATE s h 0",
      "XGROUP DESTROY s h",
      "XGROUP CREATECONSUMER s g bob",
      "XGROUP DELCONSUMER s g bob",
    ],
    after: [
      [
        "XINFO GROUPS s",
        [["name", "g", "consumers", 1, "pending", 0, "last-delivered-id", "1-1", "entries-read", 1, "lag", 1]],
      ],
      ["EXISTS new", 1],
    ],
  },
  XCLAIM: {
    before: STREAM,
    entries: READ_TWO,
    after: [
      [
        "XPENDING s g - + 9",
        [
          ["1-1", "alice", anyNumber(), 1],
          ["2-1", "alice", anyNumber(), 1],
        ],
      ],
      [
        "XINFO GROUPS s",
        [["name", "g", "consumers", 1, "pending", 2, "last-delivered-id", "2-1", "entries-read", 2, "lag", 1]],
      ],
    ],
  },
  XAUTOCLAIM: {
    before: [...STREAM, ...READ_TWO],
    entries: ["XAUTOCLAIM s g bob 0 0-0"],
    after: [
      [
        "XPENDING s g - + 9",
        [
          ["1-1", "bob", anyNumber(), 2],
          ["2-1", "bob", anyNumber(), 2],
        ],
      ],
    ],
  },
  XACK: {
    before: [...STREAM, ...READ_TWO],
    entries: ["XACK s g 1-1"],
    after: [["XPENDING s g - + 9", [["2-1", "alice", anyNumber(), 1]]]],
  },
  XDEL: { before: STREAM, entries: ["XDEL s 2-1"], after: [["XLEN s", 2]] },
  XSETID: { before: STREAM, entries: ["XSETID s 99-5"], after: [["XADD s 99-* f v", "99-6"]] },
  XTRIM: { before: STREAM, entries: ["XTRIM s MINID 2-1", "XTRIM s MAXLEN 1"], after: [["XLEN s", 1]] },
};

function anyNumber(): unknown {
  return expect.any(Number) as unknown;
}
