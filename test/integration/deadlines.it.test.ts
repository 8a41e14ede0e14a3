/** Deadlines of keys and of members, through whole runs into a real Redis: nothing is lost on the way, and at the end they are the true ones. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { writeMemberDeadlines } from "../../src/replication/member-deadlines-file.ts";
import { LiveRun } from "../conformance/live-run.ts";
import { afterCut, entry, untilCut } from "../support/flow-bytes.ts";
import { expireMs, object, string, wire, type WireString } from "../support/rdb-builder.ts";
import { body, setTtl } from "../support/rdb-values.ts";
import { RunHere, type RunHereOptions } from "../support/run-here.ts";
import { startSimulator } from "../support/test-source.ts";
import { MASTER_ID, type TinyFlow, TinyMaster } from "../support/tiny-master.ts";
import { until } from "../support/until.ts";
import { useRedis } from "../support/use-redis.ts";

const redis = useRedis();
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
/** What the flows' lists have room for, and some more. */
const OVERFLOWING = 100_000 + 500;

/** How many keys of the target have a deadline that no Dragonfly can give them. */
async function standIns(): Promise<number> {
  const beyond = String(Date.now() + 50 * YEAR_MS);
  const script =
    "local n,c=0,'0' repeat local r=redis.call('SCAN',c,'COUNT',1000) c=r[1] " +
    "for _,k in ipairs(r[2]) do if redis.call('PEXPIRETIME',k)>tonumber(ARGV[1]) then n=n+1 end end until c=='0' return n";
  return Number(await redis.client.call("EVAL", script, "0", beyond));
}

async function deadlineOf(key: string): Promise<number> {
  return Number(await redis.client.call("PEXPIRETIME", key));
}

async function membersOf(key: string): Promise<string[]> {
  const members = await redis.client.call("SMEMBERS", key);
  return Array.isArray(members) ? members.map(String).toSorted() : [];
}

function start(master: TinyMaster, options: Partial<RunHereOptions> = {}): RunHere {
  return new RunHere({ source: master.address, targetPort: redis.server.port, ...options });
}

function keyWithDeadline(key: string, atMs: number): Buffer {
  return Buffer.concat([expireMs(atMs), string(key, "v")]);
}

/** Entries of the journal from LSN 10 on that come with the end of the snapshot. */
function flowOf(snapshot: readonly Buffer[], journal: readonly Buffer[] = []): TinyFlow {
  return { snapshot: untilCut(...snapshot), stable: Buffer.concat([afterCut(10), ...journal]) };
}

describe("a key that passes its deadline on the target before its renewal arrives", () => {
  const later = Date.now() + HOUR_MS;
  // Each is past already when it is written: the same as when it passes during a long copy.
  const past = Date.now() - 5000;
  const snapshot = ["persisted", "renewed", "gone"].map((key) => keyWithDeadline(key, past));
  const journal = [
    entry(0, "SET", "short", "v", "PXAT", String(past)),
    entry(0, "PERSIST", "persisted"),
    entry(0, "PEXPIREAT", "renewed", String(later)),
    entry(0, "PEXPIREAT", "short", String(later)),
  ];

  test.each([1, 2])("is not lost, and has its true deadline at the end (%d workers)", async (workers) => {
    await using master = await TinyMaster.start([flowOf(snapshot, journal), flowOf([])]);
    await using run = start(master, { workers });
    await run.until(() => master.acks(0).at(-1) === 14, "all to be applied");
    await run.finish();
    expect(await redis.client.call("EXISTS", "gone")).toBe(0);
    expect(await deadlineOf("persisted")).toBe(-1);
    expect([await deadlineOf("renewed"), await deadlineOf("short")]).toEqual([later, later]);
    expect(await standIns()).toBe(0);
  });

  test("is lost when deadlines are not held back, so this is a test", async () => {
    await using master = await TinyMaster.start([flowOf(snapshot, journal)]);
    await using run = start(master, { flags: { "expiry-hold": "never" } });
    await run.until(() => master.acks(0).at(-1) === 14, "all to be applied");
    await run.finish();
    expect(await redis.client.call("DBSIZE")).toBe(0);
  });
});

describe("at the end", () => {
  test("of `migrate` every deadline is the true one", async () => {
    const near = Date.now() + 20_000;
    const far = Date.now() + 30 * 24 * HOUR_MS;
    await using master = await TinyMaster.start([
      flowOf([keyWithDeadline("near", near), keyWithDeadline("far", far), keyWithDeadline("past", Date.now() - 1)]),
    ]);
    await using run = start(master, { mode: "migrate" });
    await run.ended;
    expect([await deadlineOf("near"), await deadlineOf("far")]).toEqual([near, far]);
    expect(await redis.client.call("EXISTS", "past")).toBe(0);
    expect(await standIns()).toBe(0);
  });

  test("and once the flow has caught up, without one", async () => {
    const far = Date.now() + HOUR_MS;
    await using master = await TinyMaster.start([
      flowOf([keyWithDeadline("past", Date.now() - 60_000), keyWithDeadline("far", far)]),
    ]);
    await using run = start(master);
    await run.untilPhase("catching_up");
    await run.untilSeen(async () => (await deadlineOf("far")) === far, "the deadline to be in place");
    await run.untilSeen(async () => (await redis.client.call("EXISTS", "past")) === 0, "the expired key to go");
    expect(await standIns()).toBe(0);
    await run.finish();
  });
});

describe("more keys than the flow remembers", () => {
  const far = Date.now() + HOUR_MS;
  const snapshot = (nearMs: number): Buffer[] => [
    ...Array.from({ length: OVERFLOWING }, (_, i) => keyWithDeadline(`k${i}`, far)),
    keyWithDeadline("near", nearMs),
    keyWithDeadline("past", Date.now() - 60_000),
  ];

  test("are armed by a scan while the flow goes on, those that were near at that time at the end", async () => {
    const near = Date.now() + 50_000;
    await using master = await TinyMaster.start([flowOf(snapshot(near))]);
    await using run = start(master);
    await run.until(() => run.notes.some((note) => note.startsWith("deadlines put in place")), "the scan");
    expect(await deadlineOf(`k${OVERFLOWING - 1}`)).toBe(far);
    // A renewal of it may be under way: the flow would know of it, had it room.
    expect(await standIns()).toBe(1);
    await run.finish();
    expect([await deadlineOf("near"), await deadlineOf("k0")]).toEqual([near, far]);
    expect(await redis.client.call("EXISTS", "past")).toBe(0);
    expect(await standIns()).toBe(0);
  });

  test.each(["replicate", "migrate"] as const)("%s that ends before any scan has run", async (mode) => {
    await using master = await TinyMaster.start([flowOf(snapshot(far))]);
    await using run = start(master, { mode });
    await run.untilPhase("catching_up");
    await run.until(() => master.acks(0).includes(10), "the snapshot to be applied");
    if (mode === "replicate") run.stop();
    await run.ended;
    expect(await redis.client.call("DBSIZE")).toBe(OVERFLOWING + 1);
    expect(await standIns()).toBe(0);
    expect(await deadlineOf(`k${OVERFLOWING - 1}`)).toBe(far);
  });
});

describe("from a live source", () => {
  test.each([1, 2])("deadlines that were set, renewed and taken away while it ran (%d workers)", async (workers) => {
    await using source = await startSimulator({ shards: 3 });
    await using client = await source.client();
    const names = Array.from({ length: 120 }, (_, i) => `k${i}`);
    await client.pipeline(names.map((name, i) => ["SET", name, "v", "PX", i % 3 === 2 ? 300 : 30_000]));
    await using run = new LiveRun({ source, targetPort: redis.server.port, workers });
    await run.untilPhase("catching_up");
    await client.pipeline(names.filter((_, i) => i % 6 === 0).map((name) => ["PERSIST", name]));
    await client.pipeline(names.filter((_, i) => i % 5 === 1).map((name, i) => ["PEXPIRE", name, 600_000 + i]));
    await run.finish();
    const there = (await client.pipeline(names.map((name) => ["PEXPIRETIME", name]))).map(Number);
    const here = (await redis.client.pipeline(names.map((name) => ["PEXPIRETIME", name]))).map(Number);
    expect(here).toEqual(there);
    expect(there.filter((at) => at === -1).length).toBeGreaterThan(0);
    expect(await standIns()).toBe(0);
  });
});

describe("members", () => {
  const soon = Math.ceil(Date.now() / 1000) * 1000 + HOUR_MS;
  /** As the wire has it. */
  const expiry = (atMs: number): WireString => wire(String((atMs - Date.UTC(2023, 1, 1)) / 1000));

  function setObject(key: string, members: readonly (readonly [string, number])[]): Buffer {
    return object(32, key, body(setTtl(members.map(([member, atMs]) => [wire(member), expiry(atMs)]))));
  }

  test("that are due are deleted while the run goes on; the others are listed, and a run that goes on deletes them", async () => {
    await using master = await TinyMaster.start([
      flowOf(
        [
          setObject("s", [
            ["due", soon - 2 * HOUR_MS],
            ["ahead", soon],
          ]),
        ],
        [entry(0, "SADDEX", "j", "1", "m", "n"), entry(0, "SADD", "j", "o")],
      ),
    ]);
    await using run = start(master);
    await run.untilSeen(async () => (await redis.client.call("SCARD", "s")) === 1, "the member of the snapshot to go");
    await run.untilSeen(async () => (await redis.client.call("SCARD", "j")) === 1, "those of the journal to go");
    const report = await run.finish();
    expect(await membersOf("s")).toEqual(["ahead"]);
    expect(await membersOf("j")).toEqual(["o"]);
    const file = path.join(run.taskDir, "member-deadlines.ndjson");
    expect(report.keptMembers).toEqual({
      count: 1,
      file,
      samples: [{ db: 0, key: "s", member: "ahead", deadlineMs: soon }],
    });
    expect(readFileSync(file, "utf8").trim()).toBe(
      JSON.stringify({ flow: 0, db: 0, key: "s", member: "ahead", kind: "member", deadline: soon }),
    );
  });

  test.each([1, 2])(
    "of an earlier run are deleted by one that goes on where it stopped (%d workers)",
    async (workers) => {
      await redis.client.call("SADD", "s", "due", "ahead", "renewed", "free");
      await redis.client.call("HSET", "h", "due", "1", "free", "1");
      await using master = await TinyMaster.start([{ kind: "PARTIAL" }, { kind: "PARTIAL" }]);
      await using earlier = await TinyMaster.start([]);
      await using first = start(earlier);
      await first.ended.catch(() => {});
      const held = { db: 0, key: Buffer.from("s"), kind: "member", certain: true } as const;
      await writeMemberDeadlines(first.taskDir, [
        { ...held, flow: 0, member: Buffer.from("due"), deadlineMs: soon - 2 * HOUR_MS },
        { ...held, flow: 0, member: Buffer.from("ahead"), deadlineMs: soon },
        { ...held, flow: 0, member: Buffer.from("renewed"), deadlineMs: Math.ceil(Date.now() / 1000) * 1000 + 1000 },
        {
          ...held,
          flow: 1,
          kind: "field",
          key: Buffer.from("h"),
          member: Buffer.from("due"),
          deadlineMs: soon - 2 * HOUR_MS,
        },
      ]);
      await using run = start(master, {
        workers,
        stateDir: first.stateDir,
        resume: { masterId: MASTER_ID, lsns: [20, 30] },
      });
      await run.until(() => master.requests.some((line) => line.startsWith("DFLY STARTSTABLE")), "the sync");
      master.send(0, entry(0, "SADDEX", "s", "3600", "renewed"));
      await run.untilSeen(
        async () => (await redis.client.call("SISMEMBER", "s", "due")) === 0,
        "the set's member to go",
      );
      await run.untilSeen(async () => (await redis.client.call("HEXISTS", "h", "due")) === 0, "the field to go");
      const report = await run.finish();
      expect(await membersOf("s")).toEqual(["ahead", "free", "renewed"]);
      expect(report.keptMembers?.samples.map(({ member }) => member)).toEqual(["ahead", "renewed"]);
    },
  );

  test("of an earlier run are forgotten by a full sync, with their file", async () => {
    await using earlier = await TinyMaster.start([]);
    await using first = start(earlier);
    await first.ended.catch(() => {});
    await writeMemberDeadlines(first.taskDir, [
      {
        flow: 0,
        db: 0,
        key: Buffer.from("s"),
        member: Buffer.from("m"),
        kind: "member",
        deadlineMs: 1000,
        certain: true,
      },
    ]);
    // The source has given it another life.
    await using master = await TinyMaster.start([
      flowOf([setObject("gone", [["m", soon - 2 * HOUR_MS]])], [entry(0, "SADD", "s", "m")]),
    ]);
    await using run = start(master, { stateDir: first.stateDir });
    await run.untilSeen(async () => (await redis.client.call("EXISTS", "s")) === 1, "the new member");
    await run.untilSeen(async () => (await redis.client.call("EXISTS", "gone")) === 0, "what is due to be deleted");
    const report = await run.finish();
    expect(report.keptMembers).toBeUndefined();
    expect(await membersOf("s")).toEqual(["m"]);
    expect(existsSync(path.join(run.taskDir, "member-deadlines.ndjson"))).toBe(false);
  });
});

test("a run that keeps nothing needs no state directory", async () => {
  await using master = await TinyMaster.start([flowOf([string("k", "v")])]);
  await using run = start(master, { flags: { "state-dir": "/dev/null" } });
  await run.until(() => master.acks(0).includes(10), "the snapshot");
  const report = await run.finish();
  expect(report.outcome).toBe("interrupted");
  await until(() => !run.isRunning);
});
