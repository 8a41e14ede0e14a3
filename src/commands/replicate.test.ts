/** A whole run against a master and a Redis that do as they are told: how the parts end together. */
import { describe, expect, test } from "vitest";
import { FakeRedis } from "../../test/support/fake-redis.ts";
import { afterCut, entry, untilCut } from "../../test/support/flow-bytes.ts";
import { string } from "../../test/support/rdb-builder.ts";
import { MASTER_ID, type TinyFlow, TinyMaster } from "../../test/support/tiny-master.ts";
import { rejection, until } from "../../test/support/until.ts";
import { loadConfig } from "../config/load-config.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { silentLogger } from "../observability/logger.ts";
import type { ResumePoint } from "../replication/replication-session.ts";
import { runReplication } from "./replicate.ts";
import type { RunMode, RunPhase, RunReport } from "./run-report.ts";

type RunOptions = { readonly workers?: number; readonly mode?: RunMode; readonly resume?: ResumePoint };

class Run {
  readonly phases: RunPhase[] = [];
  readonly stop = new AbortController();
  readonly force = new AbortController();
  readonly ended: Promise<RunReport>;

  constructor(master: TinyMaster, redis: FakeRedis, { workers = 1, mode = "replicate", resume }: RunOptions = {}) {
    const flags = { source: master.address, target: `127.0.0.1:${redis.endpoint.port}`, workers: String(workers) };
    this.ended = runReplication({
      config: loadConfig({ env: {}, flags, readFile: () => "" }),
      mode,
      observer: { phase: (phase) => this.phases.push(phase), progress: () => {}, note: () => {}, warning: () => {} },
      stop: this.stop.signal,
      force: this.force.signal,
      logger: silentLogger(),
      ...(resume === undefined ? {} : { resume }),
    });
    this.ended.catch(() => {});
  }
}

function full(lsn: number, key: string): TinyFlow {
  return { snapshot: untilCut(string(key, "v")), stable: afterCut(lsn) };
}

function controlRequests(master: TinyMaster): string[] {
  return master.requests
    .filter((line) => /^DFLY (?:SYNC|STARTSTABLE)/.test(line))
    .map((line) => line.split(" ").slice(0, 2).join(" "));
}

describe("stopping", () => {
  // A master closes all flows of a session when one closes. Worker 0 is done long before worker 1.
  test.each([2, 1])(
    "I3: every flow's last acknowledgement gets through, however late it is (%d workers)",
    async (workers) => {
      await using master = await TinyMaster.start([full(50, "a"), full(80, "b")]);
      await using redis = await FakeRedis.start();
      const run = new Run(master, redis, { workers });
      await until(() => master.acks(0).includes(50) && master.acks(1).includes(80), "the snapshot");
      redis.hold("SET late");
      master.send(0, entry(0, "SET", "early", "1"));
      master.send(1, entry(0, "SET", "late", "1"));
      await until(() => redis.unanswered === 1 && redis.commands.includes("SET early 1"), "the entries");
      run.stop.abort();
      await until(() => run.phases.includes("stopping"), "the run to stop");
      if (workers === 2) await until(() => master.acks(0).at(-1) === 51, "the early flow's acknowledgement");
      expect(master.acks(1).at(-1)).toBe(80);
      expect([master.isOpen(0), master.isOpen(1)]).toEqual([true, true]);
      redis.release();
      const report = await run.ended;
      expect(report.appliedLsns).toEqual([51, 81]);
      await until(() => master.connections === 0, "the connections to be closed");
      expect([master.acks(0).at(-1), master.acks(1).at(-1)]).toEqual([51, 81]);
    },
  );

  test("before the target answered: INTERRUPTED, and nothing is left open", async () => {
    await using master = await TinyMaster.start([full(50, "a")]);
    await using redis = await FakeRedis.start();
    const run = new Run(master, redis);
    run.stop.abort();
    expect(await rejection<Df2RedisError>(run.ended)).toMatchObject({ code: "INTERRUPTED" });
    expect(master.requests).toEqual([]);
  });

  test("while the master has not answered DFLY SYNC", async () => {
    await using master = await TinyMaster.start([full(50, "a")]);
    await using redis = await FakeRedis.start();
    master.replies.set("DFLY SYNC", undefined);
    const run = new Run(master, redis);
    await until(() => controlRequests(master).length === 1, "DFLY SYNC");
    run.stop.abort();
    expect(await rejection<Df2RedisError>(run.ended)).toMatchObject({
      code: "INTERRUPTED",
      message: expect.stringContaining("a part of the data only"),
    });
    await until(() => master.connections === 0, "the connections to be closed");
  });

  test.each([1, 2])(
    "by force, with answers outstanding: at once, acknowledging nothing (%d workers)",
    async (workers) => {
      await using master = await TinyMaster.start([full(50, "a"), full(80, "b")]);
      await using redis = await FakeRedis.start();
      const run = new Run(master, redis, { workers });
      await until(() => master.acks(0).includes(50) && master.acks(1).includes(80), "the snapshot");
      redis.hold();
      master.send(0, entry(0, "SET", "k", "1"));
      await until(() => redis.unanswered === 1, "the entry");
      run.stop.abort();
      run.force.abort();
      expect(await rejection<Df2RedisError>(run.ended)).toMatchObject({ code: "INTERRUPTED" });
      await until(() => master.connections === 0, "the connections to be closed");
      expect(Math.max(...master.acks(0))).toBe(50);
    },
  );
});

describe("resuming", () => {
  const resume = { masterId: MASTER_ID, lsns: [500, 600] };

  test("all PARTIAL: no SYNC; the journal goes on from there, acknowledged from the start", async () => {
    await using master = await TinyMaster.start([{ kind: "PARTIAL" }, { kind: "PARTIAL" }]);
    await using redis = await FakeRedis.start();
    const run = new Run(master, redis, { resume });
    await until(() => master.acks(0).includes(500) && master.acks(1).includes(600), "the first acknowledgements");
    expect(controlRequests(master)).toEqual(["DFLY STARTSTABLE"]);
    const flows = master.requests
      .filter((line) => line.startsWith("DFLY FLOW"))
      .map((line) => line.split(" ")[5] ?? "");
    expect(flows.toSorted()).toEqual(["500", "600"]);
    master.send(1, entry(0, "SET", "k", "1"));
    await until(() => redis.commands.length === 1, "the entry");
    run.stop.abort();
    expect((await run.ended).appliedLsns).toEqual([500, 601]);
    expect(run.phases).not.toContain("full_sync");
  });

  test("a mix of PARTIAL and FULL is told, and nothing is started", async () => {
    await using master = await TinyMaster.start([{ kind: "PARTIAL" }, full(80, "b")]);
    await using redis = await FakeRedis.start();
    const run = new Run(master, redis, { resume });
    expect(await rejection<Df2RedisError>(run.ended)).toMatchObject({ code: "RESUME_IMPOSSIBLE" });
    expect([controlRequests(master), redis.commands]).toEqual([[], []]);
    await until(() => master.connections === 0, "the connections to be closed");
  });
});

test("I1: STARTSTABLE waits for the last flow's FULLSYNC_END, to the byte", async () => {
  const cut = untilCut(string("b", "v"));
  await using master = await TinyMaster.start([
    full(50, "a"),
    { snapshot: Buffer.from(cut.subarray(0, cut.length - 1)), stable: afterCut(80) },
    full(70, "c"),
  ]);
  await using redis = await FakeRedis.start();
  const run = new Run(master, redis, { workers: 2 });
  await until(() => redis.commands.length === 3, "all objects");
  expect(controlRequests(master)).toEqual(["DFLY SYNC"]);
  master.send(1, Buffer.from(cut.subarray(cut.length - 1)));
  await until(() => [0, 1, 2].every((flow) => master.acks(flow).length > 0), "the journals");
  expect(controlRequests(master)).toEqual(["DFLY SYNC", "DFLY STARTSTABLE"]);
  run.stop.abort();
  await run.ended;
});

test("migrate ends by itself, with the snapshot applied and nothing of the journal", async () => {
  const flows = [full(50, "a"), full(80, "b")].map((flow) => ({
    ...flow,
    stable: Buffer.concat([flow.stable ?? Buffer.alloc(0), entry(0, "SET", "journal", "1")]),
  }));
  await using master = await TinyMaster.start(flows);
  await using redis = await FakeRedis.start();
  const report = await new Run(master, redis, { mode: "migrate", workers: 2 }).ended;
  expect(report).toMatchObject({ mode: "migrate", outcome: "done", appliedLsns: [50, 80], keysByType: { string: 2 } });
  expect(redis.commands.toSorted()).toEqual(["SET a v", "SET b v"]);
});

test("there are no more workers than flows", async () => {
  await using master = await TinyMaster.start([full(50, "a"), full(80, "b")]);
  await using redis = await FakeRedis.start();
  const report = await new Run(master, redis, { mode: "migrate", workers: 8 }).ended;
  expect(report.workers).toBe(2);
});
