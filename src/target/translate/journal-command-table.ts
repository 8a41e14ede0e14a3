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
import { rewriteFieldExpire, rewriteSAddEx } from "./journal-members.ts";
import { rewriteHExpire, rewriteHGetEx, rewriteHIncrBy } from "./member-hash-expiry.ts";
import { rewriteHSetEx } from "./member-hsetex.ts";
import {
  rewriteBLMove,
  rewriteBRPopLPush,
  rewriteGeoRadius,
  rewriteGeoRadiusByMember,
  rewriteSort,
} from "./journal-forms.ts";
import {
  rewriteLMPop,
  rewriteXAutoClaim,
  rewriteXClaim,
  rewriteXGroup,
  rewriteXSetId,
  rewriteZMPop,
} from "./journal-old-targets.ts";
import {
  rewriteFtChange,
  rewriteFtCreate,
  rewriteFtDropIndex,
  rewriteScript,
  rewriteStick,
} from "./journal-features.ts";
import { rewriteJsonChange, rewriteJsonDel, rewriteJsonMSet, rewriteJsonSet } from "./journal-json.ts";
import { rewriteRestore } from "./journal-restore.ts";
import { rewriteThrottle } from "./throttle.ts";
import type { LossKind } from "../losses.ts";
import type { Rewrite } from "./journal-context.ts";

type SketchFeature = "bloom" | "cuckoo" | "cms" | "topk";

export type JournalAction =
  | { readonly kind: "pass" }
  /** Nothing is written; what it would have done is recorded, if it is a loss. */
  | { readonly kind: "drop"; readonly loss: LossKind | undefined }
  | { readonly kind: "rewrite"; readonly rewrite: Rewrite }
  /** Nothing is written: no target has it. A loss, or the end of the run, as planned. */
  | { readonly kind: "unsupported"; readonly feature: SketchFeature }
  /** All databases or one are emptied: the caller's barrier does it once. */
  | { readonly kind: "flush" }
  /** Known, but it has no meaning on a standalone target. */
  | { readonly kind: "refuse"; readonly why: string };

const PASS: JournalAction = { kind: "pass" };
const FLUSH: JournalAction = { kind: "flush" };
const drop = (loss?: LossKind): JournalAction => ({ kind: "drop", loss });
const unsupported = (feature: SketchFeature): JournalAction => ({ kind: "unsupported", feature });
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
  ...all("LINSERT LMOVE LPOP LPUSH LPUSHX LREM LSET LTRIM RPOP RPOPLPUSH RPUSH RPUSHX", PASS),
  ["LMPOP", rewrite(rewriteLMPop)],
  ["BRPOPLPUSH", rewrite(rewriteBRPopLPush)],
  ["BLMOVE", rewrite(rewriteBLMove)],

  // Sets
  ...all("SADD SMOVE SREM", PASS),
  ["SADDEX", rewrite(rewriteSAddEx)],

  // Hashes
  ...all("HDEL HMSET HSET HSETNX", PASS),
  ["HINCRBY", rewrite(rewriteHIncrBy)],
  ["HINCRBYFLOAT", rewrite(rewriteHIncrByFloat)],
  ["HSETEX", rewrite(rewriteHSetEx)],
  ["HGETEX", rewrite(rewriteHGetEx)],
  ["HEXPIRE", rewrite(rewriteHExpire)],
  ["FIELDEXPIRE", rewrite(rewriteFieldExpire)],

  // Sorted sets and positions
  ...all("ZADD ZDIFFSTORE ZINCRBY ZINTERSTORE ZPOPMAX ZPOPMIN ZRANGESTORE ZREM", PASS),
  ...all("ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZUNIONSTORE GEOADD", PASS),
  ["ZMPOP", rewrite(rewriteZMPop)],
  ["GEORADIUS", rewrite(rewriteGeoRadius)],
  ["GEORADIUSBYMEMBER", rewrite(rewriteGeoRadiusByMember)],

  // Streams
  ...all("XACK XADD XDEL XTRIM", PASS),
  ["XAUTOCLAIM", rewrite(rewriteXAutoClaim)],
  ["XCLAIM", rewrite(rewriteXClaim)],
  ["XSETID", rewrite(rewriteXSetId)],
  ["XGROUP", rewrite(rewriteXGroup)],

  // What a Redis without modules cannot hold
  ["JSON.SET", rewrite(rewriteJsonSet)],
  ["JSON.MSET", rewrite(rewriteJsonMSet)],
  ...all("JSON.DEL JSON.FORGET", rewrite(rewriteJsonDel)),
  ...all("JSON.ARRAPPEND JSON.ARRINSERT JSON.ARRPOP JSON.ARRTRIM JSON.CLEAR JSON.MERGE", rewrite(rewriteJsonChange)),
  ...all("JSON.NUMINCRBY JSON.NUMMULTBY JSON.STRAPPEND JSON.TOGGLE", rewrite(rewriteJsonChange)),
  ...all("BF.ADD BF.LOADCHUNK BF.MADD BF.RESERVE", unsupported("bloom")),
  ...all("CF.ADD CF.ADDNX CF.COMPACT CF.DEL CF.INSERT CF.INSERTNX CF.RESERVE", unsupported("cuckoo")),
  ...all("CMS.INCRBY CMS.INITBYDIM CMS.INITBYPROB CMS.MERGE", unsupported("cms")),
  ...all("TOPK.ADD TOPK.INCRBY TOPK.RESERVE", unsupported("topk")),
  ["FT.CREATE", rewrite(rewriteFtCreate)],
  ["FT.DROPINDEX", rewrite(rewriteFtDropIndex)],
  ...all("FT.ALTER FT.SYNUPDATE", rewrite(rewriteFtChange)),
  ["CL.THROTTLE", rewrite(rewriteThrottle)],

  // The server
  ...all("FLUSHALL FLUSHDB", FLUSH),
  ["SCRIPT", rewrite(rewriteScript)],
  ["PING", drop()],
  [
    "DFLYCLUSTER",
    { kind: "refuse", why: "the source moves slots of its own cluster, which a standalone target cannot follow" },
  ],
];
