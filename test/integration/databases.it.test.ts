/**
 * The key `databases` from end to end: a live source, the product, a real Redis. What the target should hold is worked out here from what the source
 * holds, name by name.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LiveRun } from "../conformance/live-run.ts";
import { LiveSource, type Words } from "../support/live-source.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { startRedis } from "../support/redis-server.ts";
import type { RespClient } from "../support/resp-client.ts";
import { differences, over, placed, type States, statesOf } from "../support/states.ts";
import { randomPolicyRun } from "./random-policy-run.ts";
import { eventually, rejection } from "../support/until.ts";

const pool = new RedisPool(4);
beforeAll(async () => await pool.start());
afterAll(async () => await pool.stop());

const HOUR_MS = 3_600_000;

type Place = (db: number, key: string) => readonly [db: number, key: string];

const swap: Place = (db, key) => [{ 0: 5, 5: 0 }[db] ?? db, key];
const prefix: Place = (db, key) => [{ 1: 0, 2: 0 }[db] ?? db, ({ 1: "one:", 2: "two:" }[db] ?? "") + key];
const merge: Place = (db, key) => [db === 1 ? 0 : db, key];
const rest: Place = (db, key) => (db === 0 ? [0, key] : [3, `db${db}:${key}`]);
const inOne: Place = (db, key) => [4, `db{${db}}*[:${key}`];

const DATABASES = [0, 1, 2, 5];

/** Something of every kind in each database; names differ from database to database. */
function dataSet(): readonly Words[] {
  const inHours = Date.now() + HOUR_MS;
  return DATABASES.flatMap((db): readonly Words[] => {
    const name = (text: string): string => `${text}.${db}`;
    return [
      ["SELECT", db],
      ["SET", name("string"), `value ${db}`, "PXAT", inHours + db],
      ["SET", name("counter"), db],
      ["RPUSH", name("list"), 3, 1, 2],
      ["SADD", name("set"), "a", "b", db],
      ["HSET", name("hash"), "f", 1, "g", db],
      ["ZADD", name("zset"), 1, "a", 2, db],
      ["DEL", name("stream")],
      ["XADD", name("stream"), "5-1", "f", db],
      ["XGROUP", "CREATE", name("stream"), "group", "0"],
      ["JSON.SET", name("doc"), "$", `{"a":{"b":[1,2]},"db":${db}}`],
      ["RPUSH", name("long"), ...Array.from({ length: 3000 }, (_, i) => `item ${i} of ${db}`)],
    ];
  });
}

/** Entries of many kinds, with keys in one database and in two. `at` makes each round's names its own. */
function changes(at: string): readonly Words[] {
  const inHours = Date.now() + 2 * HOUR_MS;
  return DATABASES.flatMap((db, i): readonly Words[] => {
    const name = (text: string): string => `${text}.${db}`;
    const made = (text: string): string => `${at}.${text}.${db}`;
    const other = DATABASES[(i + 1) % DATABASES.length] ?? 0;
    return [
      ["SELECT", db],
      ["INCR", name("counter")],
      ["MSET", made("m1"), 1, made("m2"), 2, made("m3"), 3],
      ["SUNIONSTORE", made("union"), name("set"), made("none")],
      ["ZUNIONSTORE", made("zunion"), 2, name("zset"), made("none"), "WEIGHTS", 2, 3],
      ["LMOVE", name("list"), made("list"), "LEFT", "RIGHT"],
      ["RPUSH", name("list"), 9],
      ["COPY", name("hash"), made("hash")],
      ["RENAME", made("m1"), made("renamed")],
      ["DEL", made("m2"), made("none")],
      ["PEXPIREAT", name("list"), inHours + db],
      ["PERSIST", name("string")],
      ["SET", made("later"), at, "PXAT", inHours],
      ["EXPIREAT", made("later"), Math.floor(inHours / 1000)],
      ["XADD", name("stream"), "*", "f", at],
      ["XGROUP", "CREATECONSUMER", name("stream"), "group", `${at} consumer`],
      ["JSON.SET", name("doc"), "$.a.b", `["${at}"]`],
      ["JSON.SET", made("doc"), "$", "{}"],
      ["JSON.SET", made("doc"), "$.at", `"${at}"`],
      ["PEXPIREAT", made("doc"), inHours],
      ["HSET", made("moving"), "f", db],
      ["PEXPIREAT", made("moving"), inHours],
      ["MOVE", made("moving"), other],
      ["JSON.SET", made("moving doc"), "$", `{"n":${db}}`],
      ["MOVE", made("moving doc"), other],
      // The place is taken, and there is nothing to move: journaled all the same.
      ["MOVE", `never.${at}`, other],
      ["SELECT", other],
      ["JSON.SET", made("moving doc"), "$.n", "100"],
    ];
  });
}

async function sourceStates(source: LiveSource, place: Place): Promise<States> {
  await using client = await source.client();
  return placed(await statesOf(client), place);
}

/** Sets bystanders on the target, where the run does not write, and says what they are. */
async function setBystanders(client: RespClient, places: readonly (readonly [number, string])[]): Promise<States> {
  for (const [db, key] of places)
    await client.pipeline([
      ["SELECT", db],
      ["SET", key, "theirs"],
    ]);
  return await statesOf(client);
}

describe.concurrent("databases", () => {
  test.each([
    ["0=5, 5=0", swap, 1, []],
    ["1=0:one:, 2=0:two:", prefix, 2, []],
    ["1=0", merge, 2, []],
    [
      "*=3:db{db}:, 0=0",
      rest,
      2,
      [
        [3, "x"],
        [3, "db"],
        [7, "x"],
      ],
    ],
    [
      "*=4:db{{db}}*[:",
      inOne,
      1,
      [
        [4, "db0"],
        [4, "db{1}x[:"],
        [0, "x"],
      ],
    ],
  ] as const)("%s: snapshot, journal, MOVE, FLUSHDB and FLUSHALL", async (databases, place, workers, bystanders) => {
    await using source = await LiveSource.start({ shards: 3, flags: { serialization_max_chunk_size: "2000" } });
    await using target = await pool.take();
    const theirs = await setBystanders(target.client, bystanders);
    source.write(...dataSet(), ["SELECT", 0], ["DEBUG", "POPULATE", 2000, "filler", 300]);
    await using run = new LiveRun({ source, targetPort: target.port, workers, flags: { databases } });
    const check = async (): Promise<number> => {
      await run.untilCaughtUp();
      const held = await sourceStates(source, place);
      const expected = withoutDeadlines(over(theirs, held));
      expect(differences(withoutDeadlines(await statesOf(target.client)), expected)).toEqual([]);
      return held.size;
    };
    await source.untilSnapshot();
    source.write(...changes("snapshot"));
    await run.untilPhase("stable");
    source.write(...changes("journal"));
    expect(await check()).toBeGreaterThan(2000);
    source.write(["SELECT", 2], ["FLUSHDB"], ["SET", "after", "FLUSHDB"], ["SELECT", 5], ["FLUSHDB"]);
    await check();
    source.write(
      ...dataSet(),
      ["SELECT", 1],
      ["FLUSHALL"],
      ["SET", "after", "FLUSHALL"],
      ["SELECT", 2],
      ["SET", "after.2", 1],
    );
    expect(await check()).toBe(2);
    source.write(...dataSet(), ...changes("end"));
    const report = await run.finish();
    expect(report.rejected).toEqual([]);
    expect(differences(await statesOf(target.client), over(theirs, await sourceStates(source, place)))).toEqual([]);
  });

  test("a run that is stopped while it carries out a flush is not over before the flush is", async () => {
    const COUNT = 30_000;
    await using source = await LiveSource.start();
    await using target = await pool.take();
    source.write(["DEBUG", "POPULATE", COUNT, "filler", 10]);
    await target.client.call("SET", "theirs", 1);
    await using run = new LiveRun({ source, targetPort: target.port, flags: { databases: "*=0:p{db}:" } });
    await run.untilPhase("stable");
    source.write(["FLUSHALL"]);
    const left = async (): Promise<number> => Number(await target.client.call("DBSIZE"));
    await eventually(async () => (await left()) <= COUNT, "the flush to begin");
    run.stop();
    await run.ended;
    expect(await left()).toBe(1);
  });

  test("FLUSHDB of a merged database is refused, and says why", async () => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    source.write(["SET", "a", 1], ["SELECT", 1], ["SET", "b", 1]);
    await using run = new LiveRun({ source, targetPort: target.port, flags: { databases: "1=0" } });
    await run.untilPhase("stable");
    source.write(["FLUSHDB"]);
    const error = await rejection<Error & { code: string }>(run.ended);
    expect([error.code, error.message]).toEqual([
      "TARGET_REJECTED",
      "the source emptied its database 1, whose keys lie in database 0 of the target among those of database 0 and cannot be told from them: " +
        "give it a prefix of its own (`databases`) and start again",
    ]);
    expect(await target.client.call("EXISTS", "a", "b")).toBe(2);
  });

  test.each([
    [
      "in the snapshot",
      [
        ["SET", "both", 1],
        ["SELECT", 1],
        ["RPUSH", "both", 1],
      ],
      [],
      "1=0",
    ],
    [
      "in the journal",
      [["SET", "both", 1]],
      [
        ["SELECT", 1],
        ["RPUSH", "both", 1],
      ],
      "1=0",
    ],
    ["by a reserved name", [["SET", "one:x", 1]], [], "1=0:one:"],
    [
      "by a MOVE",
      [
        ["SELECT", 2],
        ["SET", "both", 1],
        ["SELECT", 1],
        ["SET", "both", 1],
      ],
      [
        ["SELECT", 2],
        ["MOVE", "both", 0],
      ],
      "1=0",
    ],
  ] as readonly (readonly [string, readonly Words[], readonly Words[], string])[])(
    "collisions are refused: %s",
    async (_, before, later, databases) => {
      await using source = await LiveSource.start();
      await using target = await pool.take();
      source.write(...before);
      await using run = new LiveRun({ source, targetPort: target.port, flags: { databases } });
      if (later.length > 0) {
        await run.untilPhase("stable");
        source.write(...later);
      }
      const error = await rejection<Error & { code: string }>(run.ended);
      expect([error.code, error.message]).toEqual(["KEY_CONFLICT", expect.stringMatching(/both|one:x/)]);
    },
  );

  test("a database that the target lacks is refused before the source is asked for anything", async () => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    await using client = await source.client();
    for (const [databases, words] of [
      ["1=16", "`databases` sends database 1 of the source to 16, but the target has only 16 databases (0 to 15)"],
      ["*=99:x", "`databases` sends database 0 of the source to 99"],
      ["20=20, 1=0", "database 20 of the source keeps its number"],
    ] as const) {
      await using run = new LiveRun({ source, targetPort: target.port, flags: { databases } });
      const error = await rejection<Error & { code: string }>(run.ended);
      expect([error.code, error.message]).toEqual(["TARGET_UNSUITABLE", expect.stringContaining(words)]);
    }
    expect(String(await client.call("INFO", "REPLICATION"))).toContain("connected_slaves:0");
  });

  test("a source's database that the target lacks, with no map, ends the run and is written nowhere else", async () => {
    await using source = await LiveSource.start();
    await using target = await startRedis({ args: ["--databases", "4"] }).then((server) => ({
      server,
      [Symbol.asyncDispose]: () => server.stop(),
    }));
    source.write(["SET", "a", 1], ["SELECT", 9], ["SET", "b", 1]);
    await using run = new LiveRun({ source, targetPort: target.server.port });
    const error = await rejection<Error & { code: string }>(run.ended);
    expect([error.code, error.message]).toEqual(["TARGET_UNSUITABLE", expect.stringContaining("database 9")]);
    await using client = await target.server.client();
    expect(await client.call("EXISTS", "b")).toBe(0);
  });

  test.each([1, 2])(
    "deadlines that are held back are put in place where the key is, and keys expire there (%d workers)",
    async (workers) => {
      await using source = await LiveSource.start();
      await using target = await pool.take();
      const soon = Date.now() + 2500;
      const later = Date.now() + 20_000;
      source.write(
        ...[0, 1, 2].flatMap((db): readonly Words[] => [
          ["SELECT", db],
          ["SET", "soon", db, "PXAT", soon],
          ["SET", "renewed", db, "PXAT", soon],
          ["SET", "later", db, "PXAT", later + db],
          ["SET", "moving", db, "PXAT", later + db],
          ["RPUSH", `kept.${db}`, 1],
        ]),
      );
      await using run = new LiveRun({
        source,
        targetPort: target.port,
        workers,
        flags: { databases: "1=3:p:, 2=0:q:, 0=0" },
      });
      await run.untilPhase("stable");
      source.write(
        ["SELECT", 1],
        ["PEXPIREAT", "renewed", later],
        ["RENAME", "moving", "moved"],
        ["SELECT", 5],
        ["DEL", "x"],
      );
      source.write(["SELECT", 2], ["PERSIST", "renewed"], ["MOVE", "moving", 5]);
      const expected = [
        [3, "p:later", later + 1],
        [0, "q:later", later + 2],
        [0, "later", later],
        [3, "p:renewed", later],
        [0, "q:renewed", -1],
        [3, "p:moved", later + 1],
        [5, "moving", later + 2],
      ] as const;
      await eventually(async () => {
        const replies = await target.client.pipeline(
          expected.flatMap(([db, key]) => [
            ["SELECT", db],
            ["PEXPIRETIME", key],
          ]),
        );
        return expected.every(([, , at], i) => replies[2 * i + 1] === at);
      }, "all deadlines to be in place");
      await eventually(async () => {
        const replies = await target.client.pipeline([
          ["SELECT", 3],
          ["EXISTS", "p:soon"],
          ["SELECT", 0],
          ["EXISTS", "soon", "q:soon"],
        ]);
        return replies[1] === 0 && replies[3] === 0;
      }, "the keys to expire");
      await run.finish();
      await using client = await source.client();
      const place: Place = (db, key) => (db === 1 ? [3, `p:${key}`] : db === 2 ? [0, `q:${key}`] : [db, key]);
      expect(differences(await statesOf(target.client), placed(await statesOf(client), place))).toEqual([]);
    },
  );

  test("deadlines of members are kept under the target's names, and a flush forgets those of its keys only", async () => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    for (const db of [0, 1, 2]) {
      source.write(
        ["SELECT", db],
        ["SADDEX", `old.${db}`, 5000, "a", "b"],
        ["SADDEX", `short.${db}`, 2, "goes"],
        ["SADD", `short.${db}`, "stays"],
      );
    }
    await using run = new LiveRun({ source, targetPort: target.port, flags: { databases: "*=0:db{db}:" } });
    await run.untilPhase("stable");
    for (const db of [0, 1, 2]) source.write(["SELECT", db], ["SADDEX", `new.${db}`, 6000, "c"], ["MOVE", "never", 3]);
    source.write(["SELECT", 2], ["SADDEX", "moved", 7000, "d"], ["MOVE", "moved", 3]);
    source.write(["SELECT", 1], ["FLUSHDB"], ["SADDEX", "again", 8000, "e"]);
    await eventually(async () => {
      const replies = await target.client.pipeline([0, 2].map((db) => ["SMEMBERS", `db${db}:short.${db}`]));
      return replies.every((members) => String(members) === "stays");
    }, "the members to go");
    const report = await run.finish();
    const kept = report.keptMembers?.samples.map(({ db, key, member }) => `${db} ${key} ${member}`).toSorted();
    expect(kept).toEqual([
      "0 db0:new.0 c",
      "0 db0:old.0 a",
      "0 db0:old.0 b",
      "0 db1:again e",
      "0 db2:new.2 c",
      "0 db2:old.2 a",
      "0 db2:old.2 b",
      "0 db3:moved d",
    ]);
    await using client = await source.client();
    expect(
      differences(
        await statesOf(target.client),
        placed(await statesOf(client), (db, key) => [0, `db${db}:${key}`]),
      ),
    ).toEqual([]);
  });
});

/** While the run goes on, deadlines may be held back. */
function withoutDeadlines(states: States): States {
  return new Map([...states].map(([name, state]) => [name, { ...state, expireAt: null }]));
}

const around: Place = (db, key) => [{ 0: 1, 1: 9, 9: 0 }[db] ?? db, key];
const crossed: Place = (db, key) => {
  if (db === 0) return [9, `a:${key}`];
  if (db === 9) return [0, `b:${key}`];
  return [db === 1 ? 2 : db, key];
};
const all: Place = (db, key) => [4, `d${db}:${key}`];

describe.concurrent("random commands", () => {
  test.each([
    ["0=1, 1=9, 9=0", around, 1],
    ["0=9:a:, 9=0:b:, 1=2", crossed, 2],
    ["*=4:d{db}:", all, 3],
  ] as const)("%s: in the end every key is in its place", async (databases, place, seed) => {
    await using target = await pool.take();
    const run = await randomPolicyRun({ seed, targetPort: target.port, flags: { databases } });
    expect(differences(await statesOf(target.client), placed(run.source, place))).toEqual([]);
    expect(run.report.rejected).toEqual([]);
  });
});
