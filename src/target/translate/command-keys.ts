/**
 * Which arguments of a command are keys, and what happens to each: for every command that a journal can hold (journal-command-table.ts; a test
 * holds the two together) and for those that the rewrites make of them. Whoever names, guards or routes keys asks here, so it is exact; it is
 * checked against a real server's COMMAND GETKEYSANDFLAGS.
 *
 * Pure; keeps nothing, and makes no object per command. A malformed command (cut short, a count that is too large) yields the keys that are
 * there: it never throws and never visits more than the command's arguments.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { JournalCommand } from "../../journal/journal-command.ts";
import { CommandIndex } from "./journal-command-index.ts";
import { parseDecimal } from "./journal-words.ts";

/** `write`: created, changed or deleted, maybe read as well. */
export type KeyAccess = "read" | "write";

export type VisitKey = (argIndex: number, access: KeyAccess) => void;

export type KeySpec = {
  /** Calls `visit` for each key, in the order of the words (a destination behind STORE last). */
  readonly forEach: (command: JournalCommand, visit: VisitKey) => void;
};

const NO_KEYS: KeySpec = { forEach() {} };

/** The argument at `index`. */
const one = (index: number, access: KeyAccess): KeySpec => ({
  forEach({ argc }, visit) {
    if (index < argc) visit(index, access);
  },
});

/** The first two arguments. */
const two = (first: KeyAccess, second: KeyAccess): KeySpec => ({
  forEach({ argc }, visit) {
    if (argc > 1) visit(1, first);
    if (argc > 2) visit(2, second);
  },
});

/** Every `step`th argument from the first on. */
const every = (step: number, access: KeyAccess): KeySpec => ({
  forEach({ argc }, visit) {
    for (let i = 1; i < argc; i += step) visit(i, access);
  },
});

/** All arguments: the first is written, the others are read. */
const MERGE: KeySpec = {
  forEach({ argc }, visit) {
    for (let i = 1; i < argc; i++) visit(i, i === 1 ? "write" : "read");
  },
};

/** A count at `countAt`, that many keys behind it. */
const counted = (countAt: number, access: KeyAccess): KeySpec => ({
  forEach: (command, visit) => visitCounted(command, countAt, access, visit),
});

/** `destination count key…`. */
const STORE_COUNTED: KeySpec = {
  forEach(command, visit) {
    if (command.argc > 1) visit(1, "write");
    visitCounted(command, 2, "read", visit);
  },
};

function visitCounted(command: JournalCommand, countAt: number, access: KeyAccess, visit: VisitKey): void {
  const first = countAt + 1;
  const count = parseDecimal(command.arg(countAt));
  // NaN compares as false: no keys.
  if (!(count > 0)) return;
  const end = Math.min(command.argc, first + count);
  for (let i = first; i < end; i++) visit(i, access);
}

/** `SORT key [BY p] [LIMIT a b] [GET p]… [ASC|DESC] [ALPHA] [STORE dst]`: of several STORE the last counts (Redis src/sort.c). */
const SORT: KeySpec = {
  forEach(command, visit) {
    const { argc } = command;
    if (argc > 1) visit(1, "read");
    let store = 0;
    for (let i = 2; i < argc; i += sortOptionWords(command.arg(i))) {
      if (i + 1 < argc && command.arg(i).equalsIgnoreCase("STORE")) store = i + 1;
    }
    if (store > 0) visit(store, "write");
  },
};

/** How many words the option has, its name included. */
function sortOptionWords(word: Slice): number {
  if (word.equalsIgnoreCase("LIMIT")) return 3;
  return word.equalsIgnoreCase("STORE") || isPatternOption(word) ? 2 : 1;
}

function isPatternOption(word: Slice): boolean {
  return word.equalsIgnoreCase("BY") || word.equalsIgnoreCase("GET");
}

/** The patterns of a SORT that stand for names of keys: those with a `*`, behind BY and GET. Not keys, but made of them. */
export function forEachSortPattern(command: JournalCommand, visit: (argIndex: number) => void): void {
  const { argc } = command;
  for (let i = 2; i + 1 < argc; i += sortOptionWords(command.arg(i))) {
    if (isPatternOption(command.arg(i)) && starAt(command.arg(i + 1)) >= 0) visit(i + 1);
  }
}

/** How many bytes stand before the first `*`, or -1. */
export function starAt({ buf, start, end }: Slice): number {
  for (let i = start; i < end; i++) if (buf[i] === STAR) return i - start;
  return -1;
}

const STAR = 42;

/** `GEORADIUS… … [STORE|STOREDIST dst]`, options from `from` on: the last destination counts (Redis src/db.c georadiusGetKeys). */
const geoRadius = (from: number): KeySpec => ({
  forEach(command, visit) {
    const { argc } = command;
    if (argc > 1) visit(1, "read");
    let store = 0;
    for (let i = from; i + 1 < argc; i++) {
      const word = command.arg(i);
      if (word.equalsIgnoreCase("STORE") || word.equalsIgnoreCase("STOREDIST")) store = ++i;
    }
    if (store > 0) visit(store, "write");
  },
});

const WRITTEN = one(1, "write");

const all = (names: string, spec: KeySpec): (readonly [string, KeySpec])[] =>
  names.split(" ").map((name) => [name, spec]);

/** Commands that no journal holds, but that the rewrites and the writers send. */
export const SENT_COMMANDS: readonly (readonly [string, KeySpec])[] = [
  ...all("EVAL EVALSHA", counted(2, "write")),
  ...all("HPERSIST HPEXPIRE HPEXPIREAT HEXPIREAT", WRITTEN),
  ...all("SELECT MULTI EXEC", NO_KEYS),
];

export const COMMAND_KEYS: readonly (readonly [string, KeySpec])[] = [
  // Strings
  ...all("APPEND BITFIELD DECR DECRBY GETDEL GETEX GETSET INCR INCRBY INCRBYFLOAT", WRITTEN),
  ...all("PFADD PREPEND PSETEX SET SETBIT SETEX SETNX SETRANGE", WRITTEN),
  ...all("MSET MSETNX", every(2, "write")),
  ["PFMERGE", MERGE],
  // It may store what it has counted inside the value, hence "RW" in Redis too.
  ["PFCOUNT", every(1, "write")],

  // Keys
  ...all("DEL UNLINK STICK", every(1, "write")),
  ...all("PERSIST EXPIRE PEXPIRE EXPIREAT PEXPIREAT DELEX RESTORE MOVE", WRITTEN),
  ["SHRINK", one(1, "read")],
  ...all("RENAME RENAMENX", two("write", "write")),
  ["COPY", two("read", "write")],
  ["SORT", SORT],

  // Lists
  ...all("LINSERT LPOP LPUSH LPUSHX LREM LSET LTRIM RPOP RPUSH RPUSHX", WRITTEN),
  ...all("LMOVE RPOPLPUSH BRPOPLPUSH BLMOVE", two("write", "write")),
  ["LMPOP", counted(1, "write")],

  // Sets
  ...all("SADD SREM SADDEX", WRITTEN),
  ["SMOVE", two("write", "write")],

  // Hashes
  ...all("HDEL HINCRBY HINCRBYFLOAT HMSET HSET HSETNX HSETEX HGETEX HEXPIRE FIELDEXPIRE", WRITTEN),

  // Sorted sets and positions
  ...all("ZADD ZINCRBY ZPOPMAX ZPOPMIN ZREM ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE GEOADD", WRITTEN),
  ...all("ZDIFFSTORE ZINTERSTORE ZUNIONSTORE", STORE_COUNTED),
  ["ZMPOP", counted(1, "write")],
  ["ZRANGESTORE", two("write", "read")],
  ["GEORADIUS", geoRadius(6)],
  ["GEORADIUSBYMEMBER", geoRadius(5)],

  // Streams
  ...all("XACK XADD XAUTOCLAIM XCLAIM XDEL XSETID XTRIM", WRITTEN),
  ["XGROUP", one(2, "write")],

  // Modules
  ...all("JSON.SET JSON.ARRAPPEND JSON.ARRINSERT JSON.ARRPOP JSON.ARRTRIM JSON.CLEAR JSON.DEL JSON.FORGET", WRITTEN),
  ...all("JSON.MERGE JSON.NUMINCRBY JSON.NUMMULTBY JSON.STRAPPEND JSON.TOGGLE", WRITTEN),
  ["JSON.MSET", every(3, "write")],
  ...all("BF.ADD BF.LOADCHUNK BF.MADD BF.RESERVE", WRITTEN),
  ...all("CF.ADD CF.ADDNX CF.COMPACT CF.DEL CF.INSERT CF.INSERTNX CF.RESERVE", WRITTEN),
  ...all("CMS.INCRBY CMS.INITBYDIM CMS.INITBYPROB", WRITTEN),
  ["CMS.MERGE", STORE_COUNTED],
  ...all("TOPK.ADD TOPK.INCRBY TOPK.RESERVE", WRITTEN),
  ["CL.THROTTLE", WRITTEN],
  // The names of indexes are no keys.
  ...all("FT.ALTER FT.CREATE FT.DROPINDEX FT.SYNUPDATE", NO_KEYS),

  // The server
  ...all("FLUSHALL FLUSHDB SCRIPT PING DFLYCLUSTER", NO_KEYS),

  ...SENT_COMMANDS,
];

const INDEX = new CommandIndex(COMMAND_KEYS);

/** undefined for a command that is not known. */
export function commandKeys(command: JournalCommand): KeySpec | undefined {
  return INDEX.find(command.arg(0));
}
