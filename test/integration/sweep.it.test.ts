/** The sweep (I8) from end to end: after a full copy into a target that was not empty, what the source lacks goes, and nothing else. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LiveRun } from "../conformance/live-run.ts";
import { LiveSource, type Words } from "../support/live-source.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { RespClient } from "../support/resp-client.ts";
import { CliHere } from "../support/run-cli-here.ts";
import { differences, over, placed, type States, statesOf, without } from "../support/states.ts";
import { eventually, rejection } from "../support/until.ts";

const pool = new RedisPool(4);
beforeAll(async () => await pool.start());
afterAll(async () => await pool.stop());

const OVERWRITE = { "conflict-policy": "overwrite" };
const DATABASES = [0, 3, 15];

/** In each database: `extra:*` on the target only, `both:*` on both sides, and a key of df2redis. */
async function fillTarget(client: RespClient, count: number): Promise<void> {
  for (const db of DATABASES) {
    await client.call("SELECT", db);
    await client.pipeline(
      Array.from({ length: count }, (_, i) => i).flatMap((i) => [
        ["SET", `extra:${i}`, "old"],
        ["RPUSH", `both:${i}`, "old"],
      ]),
    );
    await client.call("SET", "df2redis:own", db);
  }
  await client.call("SELECT", 0);
}

function sourceKeys(count: number): readonly Words[] {
  const keys = Array.from({ length: count }, (_, i): Words => ["SET", `both:${i}`, `mine ${i}`]);
  return [...DATABASES.flatMap((db): readonly Words[] => [["SELECT", db], ...keys]), ["SELECT", 0]];
}

async function sourceStates(source: LiveSource): Promise<States> {
  await using client = await source.client();
  return await statesOf(client);
}

const isOwn = (_: number, key: string): boolean => key.startsWith("df2redis:");
const isExtra = (_: number, key: string): boolean => key.startsWith("extra:");

describe.concurrent("sweep", () => {
  test.each([1, 2])(
    "deletes what the source lacks in all databases while source and target are written to (%d workers)",
    async (workers) => {
      const COUNT = 400;
      await using source = await LiveSource.start({ shards: 3 });
      await using target = await pool.take();
      await using other = await RespClient.connect({ port: target.port });
      source.write(...sourceKeys(COUNT));
      await fillTarget(target.client, COUNT);
      await using run = new LiveRun({
        source,
        targetPort: target.port,
        workers,
        flags: OVERWRITE,
        // About as long as the writers below need for some rounds.
        env: { DF2REDIS_SWEEP_KEYS_PER_SECOND: "2000" },
      });
      await run.untilPhase("stable");
      let round = 0;
      // The target's client writes to keys of its own, new ones, and those that are to be swept; the source takes over names that only the target had.
      while (!run.notes.some((note) => note.startsWith("sweep done"))) {
        const db = DATABASES[round % DATABASES.length] ?? 0;
        source.write(
          ["SELECT", db],
          ["SET", `extra:${round % 50}`, `mine ${round}`],
          ["RPUSH", `extra:${50 + (round % 50)}`, "mine"],
        );
        source.write(["SET", `fresh:${round}`, 1], ["DEL", `both:${round % 20}`]);
        await other.pipeline([
          ["SELECT", db],
          ["SET", `theirs:${round}`, "new"],
          ["DEL", `extra:${300 + (round % 50)}`],
        ]);
        round++;
      }
      const report = await run.finish();
      expect(round).toBeGreaterThan(20);
      const state = await statesOf(target.client);
      const isTheirs = (_: number, key: string): boolean => key.startsWith("theirs:");
      expect(
        differences(
          without(state, (db, key) => isOwn(db, key) || isTheirs(db, key)),
          await sourceStates(source),
        ),
      ).toEqual([]);
      expect([...state.values()].filter(({ db, key }) => isTheirs(db, key))).toHaveLength(round);
      expect([...state.values()].filter(({ db, key }) => isOwn(db, key))).toHaveLength(DATABASES.length);
      const { sweep } = report;
      expect([report.conflictPolicy, sweep?.mode, sweep?.kept]).toEqual(["overwrite", "on", 0]);
      // Those of 100 to 299 and 350 to 399 nobody else has touched.
      expect(sweep?.deleted).toBeGreaterThanOrEqual(250 * DATABASES.length);
      expect(sweep?.samples.every(({ key }) => key.startsWith("extra:"))).toBe(true);
      expect(sweep?.samples).toHaveLength(10);
    },
  );

  test("dry run: deletes nothing, says how much and what it would be", async () => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    source.write(...sourceKeys(30));
    await fillTarget(target.client, 30);
    const before = await statesOf(target.client);
    await using run = new LiveRun({ source, targetPort: target.port, flags: { ...OVERWRITE, sweep: "dry-run" } });
    await run.untilNote("sweep, dry run: 90 keys would be deleted");
    const report = await run.finish();
    expect(report.sweep).toMatchObject({ mode: "dry-run", found: 90, deleted: 0, kept: 0 });
    expect(report.sweep?.samples).toHaveLength(10);
    expect(differences(await statesOf(target.client), over(before, await sourceStates(source)))).toEqual([]);
  });

  test("off: leaves all of them", async () => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    source.write(...sourceKeys(30));
    await fillTarget(target.client, 30);
    const before = await statesOf(target.client);
    await using run = new LiveRun({
      source,
      targetPort: target.port,
      mode: "migrate",
      flags: { ...OVERWRITE, sweep: "off" },
    });
    const report = await run.ended;
    expect([report.conflictPolicy, report.sweep]).toEqual(["overwrite", undefined]);
    expect(run.notes.filter((note) => note.includes("sweep"))).toEqual([]);
    expect(differences(await statesOf(target.client), over(before, await sourceStates(source)))).toEqual([]);
  });

  test.each(["on", "dry-run"])("in migrate mode (%s): at the end of the copy", async (mode) => {
    await using source = await LiveSource.start({ shards: 3 });
    await using target = await pool.take();
    source.write(...sourceKeys(30));
    await fillTarget(target.client, 30);
    const before = await statesOf(target.client);
    await using run = new LiveRun({
      source,
      targetPort: target.port,
      mode: "migrate",
      workers: 2,
      flags: { ...OVERWRITE, sweep: mode },
    });
    const report = await run.ended;
    expect(report.sweep).toMatchObject({ mode, found: 90, deleted: mode === "on" ? 90 : 0, kept: 0 });
    const expected = over(mode === "on" ? without(before, isExtra) : before, await sourceStates(source));
    expect(differences(await statesOf(target.client), expected)).toEqual([]);
  });

  test("looks only where the run writes: below its prefix", async () => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    source.write(["SET", "a", 1], ["SELECT", 2], ["SET", "b", 1]);
    await target.client.pipeline([
      ["SET", "m0:old", 1],
      ["SET", "m0:a", "old"],
      ["SET", "m", 1],
      ["SET", "n", 1],
      ["SELECT", 5],
      ["SET", "m0:x", 1],
      ["SELECT", 0],
    ]);
    const before = await statesOf(target.client);
    await using run = new LiveRun({
      source,
      targetPort: target.port,
      mode: "migrate",
      flags: { ...OVERWRITE, databases: "*=0:m{db}:" },
    });
    const report = await run.ended;
    expect(report.sweep).toMatchObject({ found: 1, deleted: 1, samples: [{ db: 0, key: "m0:old" }] });
    const expected = over(
      without(before, (db, key) => db === 0 && key === "m0:old"),
      placed(await sourceStates(source), (db, key) => [0, `m${db}:${key}`]),
    );
    expect(differences(await statesOf(target.client), expected)).toEqual([]);
  });

  test.each(["skip", "panic"])("none with %s", async (policy) => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    source.write(["SET", "mine", 1]);
    await target.client.call("SET", "theirs", 1);
    await using run = new LiveRun({
      source,
      targetPort: target.port,
      mode: "migrate",
      flags: { "conflict-policy": policy },
    });
    const report = await run.ended;
    expect([report.conflictPolicy, report.sweep]).toEqual([policy, undefined]);
    expect(await target.client.call("EXISTS", "theirs", "mine")).toBe(2);
  });

  test("a run that is stopped before its sweep is done says so", async () => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    source.write(...sourceKeys(30));
    await fillTarget(target.client, 30);
    await using run = new LiveRun({
      source,
      targetPort: target.port,
      flags: OVERWRITE,
      env: { DF2REDIS_SWEEP_KEYS_PER_SECOND: "1" },
    });
    await run.untilNote("sweeping");
    const report = await run.finish();
    expect(report.sweep).toBeUndefined();
    expect(run.warnings).toContainEqual(expect.stringContaining("before the sweep was done"));
    const state = await statesOf(target.client);
    expect([...state.values()].filter(({ db, key }) => isExtra(db, key)).length).toBeGreaterThan(0);
    expect(
      differences(
        without(state, (db, key) => isOwn(db, key) || isExtra(db, key)),
        await sourceStates(source),
      ),
    ).toEqual([]);
  });

  test("a run that fails sweeps no more", async () => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    source.write(...sourceKeys(300));
    await fillTarget(target.client, 300);
    await using run = new LiveRun({
      source,
      targetPort: target.port,
      flags: OVERWRITE,
      env: { DF2REDIS_SWEEP_KEYS_PER_SECOND: "200" },
    });
    await run.untilNote("sweeping");
    await using other = await RespClient.connect({ port: target.port });
    const sweepers = async (): Promise<number> =>
      String(await other.call("CLIENT", "LIST"))
        .split("\n")
        .filter((line) => /cmd=(scan|exec|unlink|watch)/.test(line)).length;
    await eventually(async () => (await sweepers()) > 0, "the sweep to be seen");
    await source.stop();
    await rejection(run.ended);
    // Of the run nothing is connected any more; the sweep would have taken some 6 s more.
    await eventually(async () => (await sweepers()) === 0, "the sweep to end", 3000);
    const left = [...(await statesOf(target.client)).values()].filter(({ db, key }) => isExtra(db, key));
    expect(left.length).toBeGreaterThan(0);
  });
});

describe.concurrent("from the command line", () => {
  test("the report says what was swept", async () => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    source.write(...sourceKeys(5));
    await fillTarget(target.client, 5);
    await using cli = new CliHere([
      "migrate",
      "--source",
      source.address,
      "--target",
      `127.0.0.1:${target.port}`,
      "--conflict-policy",
      "overwrite",
    ]);
    expect([await cli.ended, cli.output]).toEqual([
      0,
      expect.stringMatching(/policy +overwrite\n.*sweep +15 keys deleted/),
    ]);
  });

  test("a migration that is stopped in its sweep is not done", async () => {
    await using source = await LiveSource.start();
    await using target = await pool.take();
    source.write(...sourceKeys(30));
    await fillTarget(target.client, 30);
    await using cli = new CliHere(
      ["migrate", "--source", source.address, "--target", `127.0.0.1:${target.port}`, "--conflict-policy", "overwrite"],
      { DF2REDIS_SWEEP_KEYS_PER_SECOND: "1" },
    );
    await cli.says("sweeping");
    cli.signal("SIGINT");
    expect(await cli.ended).not.toBe(0);
    expect(cli.output).toContain("stopped while the target was being swept");
  });
});
