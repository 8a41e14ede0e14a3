/**
 * A target that is not empty, from end to end: a live source, the product, a real Redis. What is refused, and what becomes of keys that both sides
 * have, with each policy, in the snapshot and in the journal.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LiveRun } from "../conformance/live-run.ts";
import { LiveSource, type Words } from "../support/live-source.ts";
import { RedisPool } from "../support/redis-pool.ts";
import type { RespClient } from "../support/resp-client.ts";
import { CliHere } from "../support/run-cli-here.ts";
import { differences, over, placed, type States, statesOf, without } from "../support/states.ts";
import { fillAtRandom, randomPolicyRun } from "./random-policy-run.ts";
import { rejection, until } from "../support/until.ts";

const pool = new RedisPool(3);
beforeAll(async () => await pool.start());
afterAll(async () => await pool.stop());

const OVERWRITE = { "conflict-policy": "overwrite" };
const SKIP = { "conflict-policy": "skip" };
const PANIC = { "conflict-policy": "panic" };

const FAR_MS = Date.now() + 500_000_000;

/** A value of each kind under `name`, small or, beyond what a chunk of a stream holds, large. */
const VALUES: readonly ((name: string, count: number) => readonly Words[])[] = [
  (name, count) => [["SET", name, "s".repeat(8 * count)]],
  (name, count) => bulk("RPUSH", name, count, (i) => [`item ${i}`]),
  (name, count) => bulk("SADD", name, count, (i) => [`member ${i}`]),
  (name, count) => bulk("HSET", name, count, (i) => [`field ${i}`, `content ${i}`]),
  (name, count) => bulk("ZADD", name, count, (i) => [i, `member ${i}`]),
  (name, count) =>
    Array.from({ length: Math.min(count, 40) }, (_, i) => ["XADD", name, `${i + 1}-1`, "f", "x".repeat(count)]),
];

function bulk(command: string, name: string, count: number, element: (i: number) => Words): readonly Words[] {
  return [[command, name, ...Array.from({ length: count }, (_, i) => element(i)).flat()]];
}

/** Names by kind; on the target each name holds another kind. */
function keysOfAllKinds(shift: number, counts: readonly number[]): readonly Words[] {
  return counts.flatMap((count) =>
    VALUES.flatMap((_, i) => VALUES[(i + shift) % VALUES.length]?.(`both:${i}:${count}`, count) ?? []),
  );
}

async function fill(client: RespClient, commands: readonly Words[]): Promise<void> {
  for (const words of commands) await client.call(...words);
  await client.call("SELECT", 0);
}

async function sourceStates(source: LiveSource): Promise<States> {
  await using client = await source.client();
  return await statesOf(client);
}

describe.concurrent("the guard", () => {
  test("refuses a target that holds keys when no policy was given, before the source is asked for anything", async () => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    source.write(["SET", "mine", "1"]);
    await fill(target.client, [
      ["SET", "a", 1],
      ["SELECT", 3],
      ["RPUSH", "b", 1, 2],
      ["SET", "c", 1],
    ]);
    const before = await statesOf(target.client);
    await using cli = new CliHere(["replicate", "--source", source.address, "--target", `127.0.0.1:${target.port}`]);
    expect(await cli.ended).toBe(1);
    expect(cli.output).toContain("TARGET_NOT_EMPTY");
    expect(cli.output).toContain("the target holds 3 keys (database 0: 1, database 3: 2)");
    expect(cli.output).toContain("choose overwrite, skip or panic");
    expect(differences(await statesOf(target.client), before)).toEqual([]);
  });

  test.each([
    [
      ["SET", "df2redis:state", 1],
      ["SELECT", 5],
      ["SET", "df2redis:x", 1],
    ],
    [],
  ])("lets a target with nothing but keys of df2redis itself be written without a policy", async (...own: Words[]) => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    source.write(["SET", "mine", "1"]);
    await fill(target.client, own);
    const before = await statesOf(target.client);
    await using run = new LiveRun({ source, targetPort: target.port });
    const report = await run.finish();
    expect([report.conflictPolicy, report.sweep]).toEqual([undefined, undefined]);
    const expected = over(before, await sourceStates(source));
    expect(differences(await statesOf(target.client), expected)).toEqual([]);
  });

  test("needs no policy for keys in databases that the run does not write to", async () => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    source.write(["SET", "mine", "1"]);
    await fill(target.client, [
      ["SET", "other:a", 1],
      ["SELECT", 3],
      ["SET", "b", 1],
    ]);
    const before = await statesOf(target.client);
    await using run = new LiveRun({ source, targetPort: target.port, flags: { databases: "*=0:mine{db}:" } });
    const report = await run.finish();
    expect(report.conflictPolicy).toBeUndefined();
    const expected = over(
      before,
      placed(await sourceStates(source), (db, key) => [0, `mine${db}:${key}`]),
    );
    expect(differences(await statesOf(target.client), expected)).toEqual([]);
  });
});

test.each(["skip", "panic"])(
  "%s: a run is not gone on with, for the target's own keys are not known any more",
  async (policy) => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    await target.client.call("SET", "own", 1);
    const resume = { masterId: "f".repeat(40), lsns: [0, 0] };
    await using run = new LiveRun({ source, targetPort: target.port, flags: { "conflict-policy": policy }, resume });
    expect(await rejection(run.ended)).toMatchObject({ code: "RESUME_IMPOSSIBLE" });
  },
);

describe.concurrent("overwrite", () => {
  test.each([
    ["auto", 1, "true"],
    ["restore", 2, "true"],
    ["commands", 2, "true"],
    ["commands", 1, "false"],
  ] as const)(
    "replaces keys of every kind by keys of another (write mode %s, %d workers, tagged %s)",
    async (mode, workers, tagged) => {
      await using source = await LiveSource.start({
        shards: 3,
        flags: { serialization_tagged_chunks: tagged, serialization_max_chunk_size: "2000", compression_mode: "0" },
      });
      await using target = await pool.take();
      const COUNTS = [3, 9000];
      source.write(
        ...keysOfAllKinds(0, COUNTS),
        ["JSON.SET", "doc", "$", '{"a":1}'],
        ["PEXPIREAT", "both:1:3", FAR_MS],
      );
      source.write(["SELECT", 4], ...keysOfAllKinds(1, COUNTS), ["SELECT", 0]);
      await fill(target.client, [
        ...keysOfAllKinds(1, COUNTS),
        ["SET", "doc", "old", "PX", 100_000_000],
        ["PEXPIREAT", "both:0:3", FAR_MS],
        ["SET", "extra", 1],
        ["SELECT", 4],
        ...keysOfAllKinds(2, COUNTS),
        ["SELECT", 9],
        ["SET", "extra", 1],
      ]);
      await using run = new LiveRun({
        source,
        targetPort: target.port,
        workers,
        flags: { ...OVERWRITE, "write-mode": mode },
      });
      await run.untilNote("sweep done");
      const report = await run.finish();
      expect(report.conflictPolicy).toBe("overwrite");
      expect(report.sweep).toMatchObject({ mode: "on", found: 2, deleted: 2, kept: 0 });
      expect(report.losses.filter(({ kind }) => kind === "skippedKeys")).toEqual([]);
      expect(differences(await statesOf(target.client), await sourceStates(source))).toEqual([]);
    },
  );

  /** Each touches what stands under the same name in the target. Keys named `new` are not in the snapshot. */
  const TOUCHES: readonly Words[] = [
    ["RPUSH", "new:list", "mine"],
    ["SADD", "new:set", "mine"],
    ["HSET", "new:hash", "f", "mine"],
    ["ZADD", "new:zset", 1, "mine"],
    ["APPEND", "new:string", "mine"],
    ["INCR", "new:counter"],
    ["XADD", "new:stream", "9-1", "f", "mine"],
    ["SUNIONSTORE", "new:union", "new:set", "never:set"],
    ["COPY", "new:list", "new:copy"],
    ["RPUSH", "moved:from", "mine"],
    ["RENAME", "moved:from", "moved:to"],
    ["SETRANGE", "new:range", 2, "x"],
    ["MSET", "new:m1", 1, "new:m2", 2],
    ["RPUSH", "both:list", "more"],
    ["JSON.SET", "new:doc", "$", '{"a":[1]}'],
    ["JSON.SET", "both:doc", "$.n", 2],
  ];
  const STALE: readonly Words[] = [
    ...["new:list", "both:list", "moved:from", "moved:to"].map((key) => ["RPUSH", key, "old"]),
    ...["new:set", "never:set", "new:union"].map((key) => ["SADD", key, "old"]),
    ["HSET", "new:hash", "g", "old"],
    ["ZADD", "new:zset", 1, "old"],
    ["XADD", "new:stream", "8-1", "f", "old"],
    ...["new:string", "new:range", "both:doc"].map((key) => ["SET", key, "older"]),
    ["SET", "new:counter", 100],
    ["HSET", "new:m1", "f", 1],
    ["SET", "new:m2", 7, "PX", 100_000_000],
    ["RPUSH", "new:doc", "old"],
    ["HSET", "new:copy", "f", "old"],
  ];

  test.each([1, 2])(
    "of keys that only the journal touches nothing old mixes in: after the snapshot (%d workers)",
    async (workers) => {
      await using source = await LiveSource.start({ shards: 2 });
      await using target = await pool.take();
      source.write(["RPUSH", "both:list", "mine"], ["JSON.SET", "both:doc", "$", '{"n":1}']);
      await fill(target.client, [...STALE, ["SET", "untouched", 1]]);
      await using run = new LiveRun({
        source,
        targetPort: target.port,
        workers,
        flags: { ...OVERWRITE, sweep: "off" },
      });
      await run.untilPhase("stable");
      source.write(...TOUCHES);
      const report = await run.finish();
      expect([report.sweep, report.rejected]).toEqual([undefined, []]);
      const state = await statesOf(target.client);
      expect(state.has("0 untouched")).toBe(true);
      const isUntouched = (_: number, key: string): boolean => key === "untouched" || key === "never:set";
      expect(differences(without(state, isUntouched), await sourceStates(source))).toEqual([]);
    },
  );

  test.each([1, 2])("… and inside the snapshot, before the object or without one (%d workers)", async (workers) => {
    await using source = await LiveSource.start({ shards: 2, flags: { compression_mode: "0" } });
    await using target = await pool.take();
    source.write(["RPUSH", "both:list", "mine"], ["JSON.SET", "both:doc", "$", '{"n":1}']);
    source.write(["DEBUG", "POPULATE", 3000, "filler", 500]);
    await fill(target.client, STALE);
    await using run = new LiveRun({ source, targetPort: target.port, workers, flags: OVERWRITE });
    await source.untilSnapshot();
    source.write(...TOUCHES);
    expect(source.isInSnapshot).toBe(true);
    await run.untilNote("sweep done");
    const report = await run.finish();
    expect(report.rejected).toEqual([]);
    expect(differences(await statesOf(target.client), await sourceStates(source))).toEqual([]);
  });
});

describe.concurrent("skip", () => {
  /** Kinds of entries that must not reach the target's own `own:*`. */
  const LEFT_OUT: readonly Words[] = [
    ["INCR", "own:counter"],
    ["RPUSH", "own:list", "theirs"],
    ["SET", "own:string", "theirs"],
    ["HSET", "own:hash", "f", "theirs"],
    ["EXPIRE", "own:set", 100],
    ["DEL", "own:zset"],
    ["ZADD", "own:zset", 5, "again"],
    ["XADD", "own:stream", "9-1", "f", "theirs"],
    ["JSON.SET", "own:doc", "$", '{"a":1}'],
    ["JSON.SET", "own:doc", "$.a", "2"],
    ["PERSIST", "own:set"],
  ];
  const MIXED: readonly Words[] = [
    ["MSET", "own:string", "theirs", "free:a", 1, "own:list", "x", "free:b", 2],
    ["SET", "free:c", 3],
    ["DEL", "own:hash", "free:c"],
    ["SET", "free:d", "goes"],
    ["RENAME", "free:d", "own:stays"],
    ["SADD", "free:set", "a", "b"],
    ["SMOVE", "free:set", "own:members", "a"],
    ["RPUSH", "free:list", "a", "b", "c"],
    ["LMOVE", "free:list", "own:items", "LEFT", "RIGHT"],
    ["RPOPLPUSH", "free:list", "own:items"],
  ];
  const OWN: readonly Words[] = [
    ["SET", "own:counter", 100],
    ["RPUSH", "own:list", "mine"],
    ["SET", "own:string", "mine"],
    ["HSET", "own:hash", "f", "mine"],
    ["SADD", "own:set", "mine"],
    ["PEXPIREAT", "own:set", FAR_MS],
    ["ZADD", "own:zset", 1, "mine"],
    ["XADD", "own:stream", "5-1", "f", "mine"],
    ["SET", "own:doc", "mine"],
    ["SET", "own:stays", "mine"],
    ["SADD", "own:members", "mine"],
    ["RPUSH", "own:items", "mine"],
    ["SET", "own:alone", "mine"],
    ["SELECT", 7],
    ["SET", "own:elsewhere", "mine"],
  ];
  const isOwn = (_: number, key: string): boolean => key.startsWith("own:");

  test.each([1, 2])("leaves the target's own keys alone in the journal (%d workers)", async (workers) => {
    await using source = await LiveSource.start({ shards: 2 });
    await using target = await pool.take();
    source.write(["SET", "own:counter", 1], ["RPUSH", "own:list", "a"], ["SADD", "own:set", "a"], ["SET", "free:z", 1]);
    source.write(["ZADD", "own:zset", 2, "theirs"]);
    await fill(target.client, OWN);
    const own = await statesOf(target.client);
    await using run = new LiveRun({ source, targetPort: target.port, workers, flags: SKIP });
    await run.untilPhase("stable");
    source.write(...LEFT_OUT, ...MIXED);
    const report = await run.finish();
    expect([report.conflictPolicy, report.sweep, report.rejected]).toEqual(["skip", undefined, []]);
    const expected = over(without(await sourceStates(source), isOwn), own);
    expect(differences(await statesOf(target.client), expected)).toEqual([]);
    const skipped = report.losses.find(({ kind }) => kind === "skippedKeys");
    // Four objects; the entries that touch only the target's own keys; one for each own key of the mixed ones.
    expect(skipped?.count).toBe(4 + LEFT_OUT.length + 7);
    expect(skipped?.samples.length).toBeGreaterThan(0);
    expect(skipped?.samples.every(({ key }) => key.startsWith("own:"))).toBe(true);
  });

  test.each([
    ["auto", "true"],
    ["restore", "true"],
    ["commands", "true"],
    ["commands", "false"],
  ] as const)(
    "leaves them alone in the snapshot, whatever kind the source has (write mode %s, tagged %s)",
    async (mode, tagged) => {
      await using source = await LiveSource.start({
        shards: 2,
        flags: { serialization_tagged_chunks: tagged, serialization_max_chunk_size: "2000", compression_mode: "0" },
      });
      await using target = await pool.take();
      source.write(...keysOfAllKinds(0, [3, 9000]), ["JSON.SET", "both:doc", "$", "[1]"], ["SET", "free", 1]);
      source.write(
        ["SADDEX", "both:ttl", 1000, "a", "b"],
        ["BF.ADD", "both:bloom", "x"],
        ["CMS.INITBYDIM", "both:cms", 10, 2],
      );
      source.write(...VALUES.flatMap((value, i) => value(`free:${i}`, 2000)));
      await fill(target.client, [
        ...keysOfAllKinds(1, [3, 9000]),
        ...["doc", "ttl", "bloom", "cms"].map((name) => ["SET", `both:${name}`, "mine"]),
      ]);
      const own = await statesOf(target.client);
      await using run = new LiveRun({
        source,
        targetPort: target.port,
        mode: "migrate",
        // What is left out cannot be unsupported.
        flags: {
          ...SKIP,
          "write-mode": mode,
          "unsupported-bloom": "fail",
          "unsupported-cms": "fail",
          "unsupported-member-ttl": "fail",
        },
      });
      const report = await run.ended;
      const expected = over(
        without(await sourceStates(source), (_, key) => key.startsWith("both:")),
        own,
      );
      expect(differences(await statesOf(target.client), expected)).toEqual([]);
      expect(report.losses.map(({ kind, count }) => [kind, count])).toEqual([["skippedKeys", own.size]]);
      expect(report.keysByType).toMatchObject({ string: 2, list: 1, set: 1, hash: 1, zset: 1, stream: 1 });
    },
  );

  test.each([
    ["FLUSHALL", 1],
    ["FLUSHDB", 2],
  ] as const)("%s of the source takes what is the source's and nothing else", async (flush, workers) => {
    await using source = await LiveSource.start({ shards: 2 });
    await using target = await pool.take();
    source.write(["SET", "own:counter", 1], ["SET", "free:a", 1], ["SELECT", 7], ["SET", "free:b", 1], ["SELECT", 0]);
    await fill(target.client, OWN);
    const own = await statesOf(target.client);
    await using run = new LiveRun({ source, targetPort: target.port, workers, flags: SKIP });
    await run.untilPhase("stable");
    source.write(["RPUSH", "free:c", 1], [flush], ["SET", "free:late", 1], ["INCR", "own:counter"]);
    await run.finish();
    const expected = over(without(await sourceStates(source), isOwn), own);
    expect(differences(await statesOf(target.client), expected)).toEqual([]);
    expect([...expected.keys()].filter((name) => name.includes("free:"))).toEqual(
      flush === "FLUSHALL" ? ["0 free:late"] : ["0 free:late", "7 free:b"],
    );
  });

  test("an entry that is made of a key of the target's own stops the run", async () => {
    await using source = await LiveSource.start({ shards: 1 });
    await using target = await pool.take();
    source.write(["SADD", "own:set", "theirs"]);
    await fill(target.client, [["SADD", "own:set", "mine"]]);
    await using run = new LiveRun({ source, targetPort: target.port, flags: SKIP });
    await run.untilPhase("stable");
    source.write(["RENAME", "own:set", "made"]);
    const error = await rejection<Error & { code: string }>(run.ended);
    expect([error.code, error.message]).toEqual([
      "TARGET_REJECTED",
      expect.stringMatching(/RENAME of key "own:set".*that the target held before \(conflict\.policy: skip\)/s),
    ]);
    expect([...(await statesOf(target.client)).keys()]).toEqual(["0 own:set"]);
  });

  test("… or is noted in the dead-letter file, and the run goes on", async () => {
    await using source = await LiveSource.start({ shards: 1 });
    await using target = await pool.take();
    source.write(["SADD", "own:set", "theirs"]);
    await fill(target.client, [["SADD", "own:set", "mine"]]);
    const own = await statesOf(target.client);
    await using run = new LiveRun({
      source,
      targetPort: target.port,
      flags: { ...SKIP, "on-rejected": "dead-letter" },
    });
    await run.untilPhase("stable");
    source.write(["RENAME", "own:set", "made"], ["SET", "free", 1]);
    const report = await run.finish();
    expect(report.rejected).toMatchObject([{ command: "RENAME", key: "own:set", db: 0 }]);
    expect(report.deadLetterFile).toBeDefined();
    const expected = over(
      without(await sourceStates(source), (_, key) => key === "made"),
      own,
    );
    expect(differences(await statesOf(target.client), expected)).toEqual([]);
  });
});

describe.concurrent("panic", () => {
  test.each([1, 2])("stops at the first key of the snapshot that both have (%d workers)", async (workers) => {
    await using source = await LiveSource.start({ shards: 2 });
    await using target = await pool.take();
    source.write(["SELECT", 2], ["RPUSH", "both", "theirs"], ["SELECT", 0], ["SET", "free", 1], ["SET", "both", 1]);
    await fill(target.client, [
      ["SELECT", 2],
      ["SET", "both", "mine", "PX", 100_000_000],
    ]);
    const own = await statesOf(target.client);
    await using run = new LiveRun({ source, targetPort: target.port, workers, flags: PANIC });
    const error = await rejection<Error & { code: string; context: object }>(run.ended);
    expect(error.code).toBe("KEY_CONFLICT");
    expect(error.message).toContain('the key "both" in database 2 before the run');
    expect(error.context).toMatchObject({ db: 2, key: "both" });
    const after = await statesOf(target.client);
    expect(after.get("2 both")).toEqual(own.get("2 both"));
  });

  test.each([
    [["APPEND", "both", "theirs"], "APPEND"],
    [["DEL", "both"], "DEL"],
    [["RENAME", "free", "both"], ""],
  ] as const)("stops at an entry of the journal that touches one: %j", async (words, name) => {
    await using source = await LiveSource.start({ shards: 1 });
    await using target = await pool.take();
    source.write(["SADD", "free", "a"]);
    await fill(target.client, [
      ["SADD", "both", "mine"],
      ["SET", "alone", 1],
    ]);
    const own = await statesOf(target.client);
    await using run = new LiveRun({ source, targetPort: target.port, flags: PANIC });
    await run.untilPhase("stable");
    // The source journals a DEL of what it has.
    if (name === "DEL") source.write(["SADD", "both", "theirs"], words);
    else source.write(words);
    const error = await rejection<Error & { code: string }>(run.ended);
    expect(error.code).toBe("KEY_CONFLICT");
    expect(error.message).toContain('the key "both" in database 0 before the run');
    await until(() => run.phases.includes("failed"), "the run to say that it failed");
    const after = await statesOf(target.client);
    expect([after.get("0 both"), after.get("0 alone")]).toEqual([own.get("0 both"), own.get("0 alone")]);
  });

  test("lets both sides' keys stand together when no name is the same, and a flush of the source spares the target's", async () => {
    await using source = await LiveSource.start({ shards: 2 });
    await using target = await pool.take();
    source.write(["SET", "free", 1]);
    await fill(target.client, [
      ["SADD", "own", "mine"],
      ["SELECT", 3],
      ["SET", "own", 1],
    ]);
    const own = await statesOf(target.client);
    await using run = new LiveRun({ source, targetPort: target.port, flags: PANIC });
    await run.untilPhase("stable");
    source.write(["SET", "free:2", 1], ["FLUSHALL"], ["SET", "free:3", 1]);
    const report = await run.finish();
    expect([report.conflictPolicy, report.sweep]).toEqual(["panic", undefined]);
    expect(differences(await statesOf(target.client), over(await sourceStates(source), own))).toEqual([]);
  });
});

describe.concurrent("random commands on both sides", () => {
  test.each([1, 2, 3])("overwrite: in the end the target holds what the source holds (seed %d)", async (seed) => {
    await using target = await pool.take();
    await fillAtRandom(target.client, seed + 1000);
    const run = await randomPolicyRun({ seed, targetPort: target.port, flags: OVERWRITE, untilNote: "sweep done" });
    expect(differences(await statesOf(target.client), run.source)).toEqual([]);
    expect(run.report.rejected).toEqual([]);
  });

  test.each([8, 13, 14])("skip: the target's own keys stay as they were (seed %d)", async (seed) => {
    await using target = await pool.take();
    await fillAtRandom(target.client, seed + 1000);
    const own = await statesOf(target.client);
    const flags = { ...SKIP, "on-rejected": "dead-letter" };
    const run = await randomPolicyRun({ seed, targetPort: target.port, flags });
    const state = await statesOf(target.client);
    const isOwn = (db: number, key: string): boolean => own.has(`${db} ${key}`);
    expect(
      differences(
        without(state, (db, key) => !isOwn(db, key)),
        own,
      ),
    ).toEqual([]);
    expect(run.report.losses.find(({ kind }) => kind === "skippedKeys")?.count).toBeGreaterThan(20);
    // What cannot be derived is missing among the others.
    if (run.report.rejected.length > 0) return;
    expect(differences(state, over(run.source, own))).toEqual([]);
  });
});

test("a run can be stopped while it looks which keys the target holds", async () => {
  await using source = await LiveSource.start();
  await using target = await pool.take();
  await target.client.call("EVAL", "for i = 1, 200000 do redis.call('SET', i, 1) end", 0);
  await using run = new LiveRun({ source, targetPort: target.port, flags: OVERWRITE });
  await run.untilNote("the target is not empty: looking");
  run.stop();
  expect(await rejection(run.ended)).toMatchObject({ code: "INTERRUPTED" });
  expect(run.notes.some((note) => note.includes("keys that the source does not have"))).toBe(false);
  expect(await target.client.call("DBSIZE")).toBe(200_000);
});
