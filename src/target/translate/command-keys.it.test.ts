/** The table of keys against a real server, for every command that Redis 7.0 knows. */
import { describe, expect, test } from "vitest";
import { journalCommand } from "../../../test/support/journal-translation.ts";
import { type Reply, RespError } from "../../../test/support/resp-client.ts";
import { useRedis } from "../../../test/support/use-redis.ts";
import { COMMAND_KEYS, commandKeys } from "./command-keys.ts";

/** Complete forms; the name alone stands for `NAME k 1 2`. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  APPEND: ["APPEND k v"],
  BITFIELD: ["BITFIELD k SET u8 0 1", "BITFIELD k GET u8 0 INCRBY u8 0 1"],
  GETEX: ["GETEX k", "GETEX k PXAT 9", "GETEX k PERSIST"],
  MSET: ["MSET a 1", "MSET a 1 b 2 c 3"],
  MSETNX: ["MSETNX a 1 b 2"],
  SET: ["SET k v", "SET k v PXAT 9", "SET k v KEEPTTL"],
  PFADD: ["PFADD k", "PFADD k a b"],
  PFMERGE: ["PFMERGE d a", "PFMERGE d a b"],
  PFCOUNT: ["PFCOUNT a", "PFCOUNT a b c"],
  DEL: ["DEL a", "DEL a b c"],
  UNLINK: ["UNLINK a b"],
  EXPIRE: ["EXPIRE k 1", "EXPIRE k 1 NX"],
  PEXPIREAT: ["PEXPIREAT k 1 GT"],
  RENAME: ["RENAME a b"],
  RENAMENX: ["RENAMENX a b"],
  COPY: ["COPY a b", "COPY a b REPLACE", "COPY a b DB 3 REPLACE"],
  MOVE: ["MOVE k 3"],
  RESTORE: ["RESTORE k 0 dump", "RESTORE k 0 dump REPLACE ABSTTL"],
  SORT: [
    "SORT k",
    "SORT k ALPHA DESC",
    "SORT k BY w_* GET # GET o_* LIMIT 0 9 STORE d",
    "SORT k BY store GET limit STORE d",
    "SORT k STORE d STORE e",
    "SORT k STORE d ASC",
  ],
  LMPOP: ["LMPOP 1 a LEFT", "LMPOP 3 a b c RIGHT COUNT 2"],
  LMOVE: ["LMOVE a b LEFT RIGHT"],
  BLMOVE: ["BLMOVE a b LEFT RIGHT 0"],
  RPOPLPUSH: ["RPOPLPUSH a b"],
  BRPOPLPUSH: ["BRPOPLPUSH a b 0"],
  SMOVE: ["SMOVE a b m"],
  SADD: ["SADD k a", "SADD k a b c"],
  HSET: ["HSET k f v", "HSET k f v g w"],
  ZADD: ["ZADD k 1 a", "ZADD k NX CH 1 a 2 b"],
  ZMPOP: ["ZMPOP 1 a MIN", "ZMPOP 2 a b MAX COUNT 3"],
  ZRANGESTORE: ["ZRANGESTORE d s 0 -1", "ZRANGESTORE d s ( + BYLEX LIMIT 0 1"],
  ZDIFFSTORE: ["ZDIFFSTORE d 2 a b"],
  ZINTERSTORE: ["ZINTERSTORE d 1 a", "ZINTERSTORE d 2 a b WEIGHTS 1 2 AGGREGATE MAX"],
  ZUNIONSTORE: ["ZUNIONSTORE d 3 a b c", "ZUNIONSTORE d 2 a b AGGREGATE SUM"],
  GEOADD: ["GEOADD k 1 2 m", "GEOADD k NX 1 2 m 3 4 n"],
  GEORADIUS: ["GEORADIUS k 1 2 3 km", "GEORADIUS k 1 2 3 km WITHDIST", "GEORADIUS k 1 2 3 km COUNT 1 STORE d"],
  GEORADIUSBYMEMBER: ["GEORADIUSBYMEMBER k m 3 km", "GEORADIUSBYMEMBER k m 3 km ASC STOREDIST d"],
  XADD: ["XADD k 1-1 f v", "XADD k MAXLEN 0 1-1 f v"],
  XCLAIM: ["XCLAIM k g c 0 1-1"],
  XAUTOCLAIM: ["XAUTOCLAIM k g c 0 0"],
  XGROUP: [
    "XGROUP CREATE k g $ MKSTREAM",
    "XGROUP SETID k g 1-1 ENTRIESREAD 3",
    "XGROUP CREATECONSUMER k g c",
    "XGROUP DELCONSUMER k g c",
    "XGROUP DESTROY k g",
  ],
  SCRIPT: ["SCRIPT LOAD body"],
  EVAL: ["EVAL script 0", "EVAL script 1 a", "EVAL script 2 a b c"],
  EVALSHA: ["EVALSHA sha 2 a b c"],
  PING: ["PING x"],
  FLUSHALL: ["FLUSHALL ASYNC"],
  FLUSHDB: ["FLUSHDB ASYNC"],
  SELECT: ["SELECT 1"],
};

const NO_ARITY: ReadonlySet<string> = new Set([
  "GETDEL",
  "PERSIST",
  "DECR",
  "INCR",
  "LPOP",
  "RPOP",
  "ZPOPMAX",
  "ZPOPMIN",
]);

function formsOf(name: string): readonly string[] {
  return (
    FORMS[name] ??
    (NO_ARITY.has(name) ? [`${name} k`] : [`${name} k 1 2`, `${name} k 1 2 3`, `${name} k 1 2 3 4`, `${name} k 1`])
  );
}

const redis = useRedis();

/** `name access` of each key, sorted. */
async function asked(words: readonly string[]): Promise<readonly string[] | undefined> {
  const [reply = null] = await redis.client.pipeline([["COMMAND", "GETKEYSANDFLAGS", ...words]]);
  if (reply instanceof RespError) {
    // "Invalid number of arguments", or it does not know the command.
    return /has no key arguments/.test(reply.message) ? [] : undefined;
  }
  return (reply as readonly Reply[]).map((entry) => {
    const [key, flags] = entry as readonly [Buffer, readonly string[]];
    return `${key.toString()} ${flags.includes("RO") ? "read" : "write"}`;
  });
}

function ours(words: readonly string[]): string[] {
  const command = journalCommand(words);
  const keys: string[] = [];
  commandKeys(command)?.forEach(command, (index, access) => void keys.push(`${words[index] ?? ""} ${access}`));
  return keys;
}

describe("every command that the server knows, in several forms", () => {
  test.each(COMMAND_KEYS.map(([name]) => name))("%s", async (name) => {
    const [info = null] = (await redis.client.call("COMMAND", "INFO", name)) as readonly Reply[];
    if (info === null) {
      expect(name).toMatch(/\.|^(?:DELEX|DFLYCLUSTER|FIELDEXPIRE|H.*EX.*|HPERSIST|PREPEND|SADDEX|SHRINK|STICK)$/);
      return;
    }
    const [, arity] = info as readonly Reply[];
    if (arity === 1) return expect(ours([name])).toEqual([]);
    const compared: (readonly string[])[] = [];
    const expected: (readonly string[])[] = [];
    for (const form of formsOf(name)) {
      const words = form.split(" ");
      const keys = await asked(words);
      if (keys === undefined) continue;
      compared.push([form, ...ours(words).toSorted()]);
      expected.push([form, ...keys.toSorted()]);
    }
    expect(compared).toEqual(expected);
    // Forms written down for a command are right, so the server must have taken each.
    expect(compared.length).toBeGreaterThanOrEqual(FORMS[name]?.length ?? 1);
  });
});
