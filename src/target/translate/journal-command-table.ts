/**
 * What becomes of every command that a Dragonfly journal can hold, on a standalone Redis 7.0 without modules. docs/journal-commands.md is
 * this table for readers; a test holds the two together. Facts: docs/protocol.md §5, the recordings, and Dragonfly's sources from 1.4 to 1.40
 * (commands with the flag JOURNALED or WRITE, and calls of RecordJournal).
 *
 * "pass" is right also for commands with a condition (SETNX, HSETNX, LPUSHX, RENAMENX, ZADD NX, …): one flow's entries come in order, so the
 * target decides on the same state as the source did. What differs (a key that was dropped) is absent on the target for such a command
 * and stays so, or the command has a rewrite.
 */
import {
  rewriteCopy,
  rewriteDelex,
  rewriteHIncrByFloat,
  rewriteIncrByFloat,
  rewritePrepend,
  rewriteRename,
  rewriteRenameNx,
} from "./journal-scripts.ts";
import {
  passAndForget,
  rewriteExpire,
  rewriteExpireAt,
  rewriteGetEx,
  rewriteMove,
  rewritePExpire,
  rewritePExpireAt,
  rewritePSetEx,
  rewriteSet,
  rewriteSetEx,
} from "./journal-expiry.ts";
import {
  rewriteFieldExpire,
  rewriteHExpire,
  rewriteHGetEx,
  rewriteHSetEx,
  rewriteSAddEx,
  rewriteStick,
} from "./journal-members.ts";
import {
  rewriteBLMove,
  rewriteBRPopLPush,
  rewriteGeoRadius,
  rewriteGeoRadiusByMember,
  rewriteJsonMSet,
  rewriteJsonSet,
  rewriteScript,
  rewriteSort,
  rewriteXGroup,
} from "./journal-forms.ts";
import { rewriteRestore } from "./journal-restore.ts";
import type { LossKind } from "../losses.ts";
import type { Rewrite } from "./journal-context.ts";

export type JournalAction =
  | { readonly kind: "pass" }
  /** Nothing is written; what it would have done is recorded, if it is a loss. */
  | { readonly kind: "drop"; readonly loss: LossKind | undefined }
  | { readonly kind: "rewrite"; readonly rewrite: Rewrite }
  /** All databases or one are emptied: the caller's barrier does it once. */
  | { readonly kind: "flush" }
  /** Known, but it has no meaning on a standalone target. */
  | { readonly kind: "refuse"; readonly why: string };

const PASS: JournalAction = { kind: "pass" };
const FLUSH: JournalAction = { kind: "flush" };
const drop = (loss?: LossKind): JournalAction => ({ kind: "drop", loss });
const rewrite = (how: Rewrite): JournalAction => ({ kind: "rewrite", rewrite: how });

/** The names in `names`, one space between them, all with one action. */
const all = (names: string, action: JournalAction): (readonly [string, JournalAction])[] =>
  names.split(" ").map((name) => [name, action]);

export const JOURNAL_COMMANDS: readonly (readonly [string, JournalAction])[] = [
  // Strings
  ...all("APPEND BITFIELD DECR DECRBY GETDEL GETSET INCR INCRBY MSET MSETNX PFADD PFMERGE SETBIT SETNX SETRANGE", PASS),
  ["SET", rewrite(rewriteSet)],
  ["SETEX", rewrite(rewriteSetEx)],
  ["PSETEX", rewrite(rewritePSetEx)],
  ["GETEX", rewrite(rewriteGetEx)],
  ["PREPEND", rewrite(rewritePrepend)],
  ["INCRBYFLOAT", rewrite(rewriteIncrByFloat)],
  ["PFCOUNT", drop()],

  // Keys
  ...all("DEL UNLINK PERSIST", rewrite(passAndForget)),
  ["EXPIRE", rewrite(rewriteExpire)],
  ["PEXPIRE", rewrite(rewritePExpire)],
  ["EXPIREAT", rewrite(rewriteExpireAt)],
  ["PEXPIREAT", rewrite(rewritePExpireAt)],
  ["RENAME", rewrite(rewriteRename)],
  ["RENAMENX", rewrite(rewriteRenameNx)],
  ["COPY", rewrite(rewriteCopy)],
  ["MOVE", rewrite(rewriteMove)],
  ["DELEX", rewrite(rewriteDelex)],
  ["RESTORE", rewrite(rewriteRestore)],
  ["SORT", rewrite(rewriteSort)],
  ["STICK", rewrite(rewriteStick)],
  ["SHRINK", drop()],

  // Lists
  ...all("LINSERT LMOVE LMPOP LPOP LPUSH LPUSHX LREM LSET LTRIM RPOP RPOPLPUSH RPUSH RPUSHX", PASS),
  ["BRPOPLPUSH", rewrite(rewriteBRPopLPush)],
  ["BLMOVE", rewrite(rewriteBLMove)],

  // Sets
  ...all("SADD SMOVE SREM", PASS),
  ["SADDEX", rewrite(rewriteSAddEx)],

  // Hashes
  ...all("HDEL HINCRBY HMSET HSET HSETNX", PASS),
  ["HINCRBYFLOAT", rewrite(rewriteHIncrByFloat)],
  ["HSETEX", rewrite(rewriteHSetEx)],
  ["HGETEX", rewrite(rewriteHGetEx)],
  ["HEXPIRE", rewrite(rewriteHExpire)],
  ["FIELDEXPIRE", rewrite(rewriteFieldExpire)],

  // Sorted sets and positions
  ...all("ZADD ZDIFFSTORE ZINCRBY ZINTERSTORE ZMPOP ZPOPMAX ZPOPMIN ZRANGESTORE ZREM", PASS),
  ...all("ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZUNIONSTORE GEOADD", PASS),
  ["GEORADIUS", rewrite(rewriteGeoRadius)],
  ["GEORADIUSBYMEMBER", rewrite(rewriteGeoRadiusByMember)],

  // Streams
  ...all("XACK XADD XAUTOCLAIM XCLAIM XDEL XSETID XTRIM", PASS),
  ["XGROUP", rewrite(rewriteXGroup)],

  // What a Redis without modules cannot hold
  ["JSON.SET", rewrite(rewriteJsonSet)],
  ["JSON.MSET", rewrite(rewriteJsonMSet)],
  ...all(
    "JSON.ARRAPPEND JSON.ARRINSERT JSON.ARRPOP JSON.ARRTRIM JSON.CLEAR JSON.DEL JSON.FORGET JSON.MERGE",
    drop("json"),
  ),
  ...all("JSON.NUMINCRBY JSON.NUMMULTBY JSON.STRAPPEND JSON.TOGGLE", drop("json")),
  ...all("BF.ADD BF.LOADCHUNK BF.MADD BF.RESERVE", drop("bloom")),
  ...all("CF.ADD CF.ADDNX CF.COMPACT CF.DEL CF.INSERT CF.INSERTNX CF.RESERVE", drop("cuckoo")),
  ...all("CMS.INCRBY CMS.INITBYDIM CMS.INITBYPROB CMS.MERGE", drop("cms")),
  ...all("TOPK.ADD TOPK.INCRBY TOPK.RESERVE", drop("topk")),
  ...all("FT.ALTER FT.CREATE FT.DROPINDEX FT.SYNUPDATE", drop("search")),
  ["CL.THROTTLE", drop("throttle")],

  // The server
  ...all("FLUSHALL FLUSHDB", FLUSH),
  ["SCRIPT", rewrite(rewriteScript)],
  ["PING", drop()],
  [
    "DFLYCLUSTER",
    { kind: "refuse", why: "the source moves slots of its own cluster, which a standalone target cannot follow" },
  ],
];
