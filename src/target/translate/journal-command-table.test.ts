import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { JOURNAL_COMMANDS } from "./journal-command-table.ts";

/** docs/protocol.md §5, "Every command that can appear". */
const PROTOCOL_LIST = `
APPEND BF.ADD BF.LOADCHUNK BF.MADD BF.RESERVE BITFIELD CF.ADD CF.ADDNX CF.COMPACT CF.DEL CF.INSERT
CF.INSERTNX CF.RESERVE CL.THROTTLE CMS.INCRBY CMS.INITBYDIM CMS.INITBYPROB CMS.MERGE COPY DECR DECRBY
DEL DELEX FIELDEXPIRE FLUSHALL FLUSHDB FT.ALTER FT.CREATE FT.DROPINDEX FT.SYNUPDATE GEOADD GEORADIUS
GEORADIUSBYMEMBER GETDEL GETSET HDEL HEXPIRE HGETEX HINCRBY HINCRBYFLOAT HMSET HSET HSETEX HSETNX
INCR INCRBY INCRBYFLOAT JSON.ARRAPPEND JSON.ARRINSERT JSON.ARRPOP JSON.ARRTRIM JSON.CLEAR JSON.DEL
JSON.FORGET JSON.MERGE JSON.MSET JSON.NUMINCRBY JSON.NUMMULTBY JSON.SET JSON.STRAPPEND JSON.TOGGLE
LINSERT LMOVE LMPOP LPOP LPUSH LPUSHX LREM LSET LTRIM MOVE MSET MSETNX PERSIST PEXPIREAT PFADD PREPEND
RENAME RENAMENX RESTORE RPOP RPOPLPUSH RPUSH RPUSHX SADD SADDEX SET SETBIT SETNX SETRANGE SHRINK
SMOVE SORT SREM STICK TOPK.ADD TOPK.INCRBY TOPK.RESERVE XACK XADD XAUTOCLAIM XCLAIM XDEL XGROUP
XSETID XTRIM ZADD ZINCRBY ZMPOP ZPOPMAX ZPOPMIN ZRANGESTORE ZREM ZREMRANGEBYLEX ZREMRANGEBYRANK
ZREMRANGEBYSCORE`;

/** What older masters (1.4 to 1.30) journal beyond that, or could. */
const OLDER =
  "UNLINK SETEX PSETEX GETEX EXPIRE PEXPIRE EXPIREAT BLMOVE BRPOPLPUSH PFMERGE PFCOUNT ZUNIONSTORE ZINTERSTORE ZDIFFSTORE SCRIPT PING DFLYCLUSTER";

const names = JOURNAL_COMMANDS.map(([name]) => name);

describe("the table of journal commands", () => {
  test.each(PROTOCOL_LIST.trim().split(/\s+/))("knows %s", (name) => {
    expect(names).toContain(name);
  });

  test.each(OLDER.split(" "))("knows %s of older masters", (name) => {
    expect(names).toContain(name);
  });

  test("says one thing about each command", () => {
    expect(new Set(names).size).toBe(names.length);
  });

  test("holds no command whose effect is random or waits", () => {
    for (const name of ["SPOP", "BLPOP", "BRPOP", "BZPOPMIN", "EVAL", "XREADGROUP"]) expect(names).not.toContain(name);
  });

  test("stands on the page for readers, command by command", () => {
    const page = readFileSync(new URL("../../../docs/journal-commands.md", import.meta.url), "utf8");
    const documented = [...page.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`([A-Z.]+)`/g)].map(([, name]) => name),
    );
    expect(documented).toHaveLength(names.length);
    expect(new Set(documented)).toEqual(new Set(names));
  });
});
