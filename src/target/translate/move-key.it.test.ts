/** Every form that a MOVE takes between mapped databases, on a real server. */
import { describe, expect, test } from "vitest";
import { JournalTranslation, journalCommand } from "../../../test/support/journal-translation.ts";
import { takeCommands } from "../../../test/support/parse-commands.ts";
import { type Reply, RespError } from "../../../test/support/resp-client.ts";
import { useRedis } from "../../../test/support/use-redis.ts";
import { parseDatabasePairs } from "../../config/database-pairs.ts";
import { DatabaseMap } from "../database-map.ts";
import { KeyMapper } from "../key-mapper.ts";
import { encodeMovedKey } from "./move-key.ts";

const DEADLINE_MS = Date.now() + 3_600_000;

const redis = useRedis();

/** A journal entry, mapped, translated and run. */
async function run(pairs: string, db: number, words: readonly string[]): Promise<string> {
  const mapper = new KeyMapper({ map: new DatabaseMap(parseDatabasePairs(pairs)), guardLimitBytes: 1 << 20 });
  const translation = new JournalTranslation();
  const { encoder, translator, members } = translation;
  const outcome = mapper.map(journalCommand(words, { db }));
  if (outcome === "run") translator.translate(mapper.command);
  if (outcome === "move") encodeMovedKey({ encoder, deadlines: translator.deadlines, members }, mapper.moved);
  const replies = await redis.client.pipeline([...takeCommands(encoder), ["SELECT", 0]]);
  const error = replies.find((reply) => reply instanceof RespError);
  if (error instanceof RespError) throw error;
  return outcome;
}

async function inDb(db: number, ...words: readonly (string | number)[]): Promise<Reply> {
  const [, reply = null] = await redis.client.pipeline([["SELECT", db], words, ["SELECT", 0]]);
  return reply;
}

const CREATE: Readonly<Record<string, readonly (string | number)[]>> = {
  string: ["SET", "KEY", "v"],
  list: ["RPUSH", "KEY", "a", "b"],
  hash: ["HSET", "KEY", "f", "v"],
  zset: ["ZADD", "KEY", 1, "a"],
  set: ["SADD", "KEY", "a"],
  stream: ["XADD", "KEY", "1-1", "f", "v"],
};

const FORMS = [
  { pairs: "0=5, 1=6", from: [5, "k"], to: [6, "k"], outcome: "run" },
  { pairs: "0=5:a:, 1=5:b:", from: [5, "a:k"], to: [5, "b:k"], outcome: "run" },
  { pairs: "0=5:a:, 1=6:b:", from: [5, "a:k"], to: [6, "b:k"], outcome: "move" },
  { pairs: "0=5, 1=6:b:", from: [5, "k"], to: [6, "b:k"], outcome: "move" },
] as const;

describe.each(FORMS)("$pairs: $from to $to", ({ pairs, from: [fromDb, from], to: [toDb, to], outcome }) => {
  test.each(Object.keys(CREATE))("a %s, with its deadline", async (type) => {
    const words = (CREATE[type] ?? []).map((word) => (word === "KEY" ? from : word));
    await inDb(fromDb, ...words);
    await inDb(fromDb, "PEXPIREAT", from, DEADLINE_MS);
    const dump = await inDb(fromDb, "DUMP", from);
    expect(await run(pairs, 0, ["MOVE", "k", "1"])).toBe(outcome);
    expect(await inDb(fromDb, "EXISTS", from)).toBe(0);
    expect(await inDb(toDb, "TYPE", to)).toBe(type);
    expect(await inDb(toDb, "PEXPIRETIME", to)).toBe(DEADLINE_MS);
    expect(await inDb(toDb, "DUMP", to)).toEqual(dump);
  });

  test("a key without a deadline gets none", async () => {
    await inDb(fromDb, "SET", from, "v");
    await run(pairs, 0, ["MOVE", "k", "1"]);
    expect(await inDb(toDb, "PTTL", to)).toBe(-1);
  });

  test("no key to move: what is there stays", async () => {
    await inDb(toDb, "SET", to, "old");
    await run(pairs, 0, ["MOVE", "k", "1"]);
    expect(await inDb(toDb, "GET", to)).toEqual(Buffer.from("old"));
  });

  test("a place that is taken: both stay, as on the source", async () => {
    await inDb(fromDb, "SET", from, "v");
    await inDb(toDb, "SET", to, "old");
    await run(pairs, 0, ["MOVE", "k", "1"]);
    expect(await inDb(fromDb, "GET", from)).toEqual(Buffer.from("v"));
    expect(await inDb(toDb, "GET", to)).toEqual(Buffer.from("old"));
  });
});

test("a copy that finds no memory leaves the key", async () => {
  await inDb(5, "SET", "a:k", "v");
  await redis.client.call("CONFIG", "SET", "maxmemory", 1);
  try {
    await expect(run("0=5:a:, 1=6:b:", 0, ["MOVE", "k", "1"])).rejects.toThrow(/OOM/);
  } finally {
    await redis.client.call("CONFIG", "SET", "maxmemory", 0);
  }
  expect(await inDb(5, "GET", "a:k")).toEqual(Buffer.from("v"));
});

test("entries with a prefix do on the target what they say: SORT by patterns, ZUNIONSTORE, RENAME", async () => {
  const pairs = "1=4:p:";
  for (const line of [
    "RPUSH l 1 2 3",
    "MSET w_1 30 w_2 20 w_3 10 o_1 one o_2 two o_3 three",
    "ZADD z1 1 a",
    "ZADD z2 2 a 3 b",
  ])
    await run(pairs, 1, line.split(" "));
  await run(pairs, 1, "SORT l BY w_* GET o_* STORE sorted".split(" "));
  await run(pairs, 1, "ZUNIONSTORE z 2 z1 z2".split(" "));
  await run(pairs, 1, "RENAME z1 renamed".split(" "));
  expect(String(await inDb(4, "LRANGE", "p:sorted", 0, -1))).toBe("three,two,one");
  expect(String(await inDb(4, "ZRANGE", "p:z", 0, -1, "WITHSCORES"))).toBe("a,3,b,3");
  expect(await inDb(4, "EXISTS", "p:renamed", "p:z1", "z")).toBe(1);
});
