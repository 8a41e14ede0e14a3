/** What a worker does with a refused write under each setting, and that nothing is acknowledged before its dead-letter line is on disk. */
import { describe, expect, test } from "vitest";
import { afterCut, entry, untilCut } from "../../test/support/flow-bytes.ts";
import { command } from "../../test/support/journal-builder.ts";
import { journalCommand } from "../../test/support/journal-translation.ts";
import { fullSync, journalBlob, selectDb, string } from "../../test/support/rdb-builder.ts";
import type { TinyFlow } from "../../test/support/tiny-master.ts";
import { until } from "../../test/support/until.ts";
import { WorkerBench } from "../../test/support/worker-bench.ts";
import type { ErrorsConfig } from "../config/schema.ts";
import type { RejectedBytes } from "./rejected-entry.ts";
import { Rejections } from "./rejections.ts";
import { WorkerHost } from "./worker-host.ts";

const WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";
const OOM = "OOM command not allowed when used memory > 'maxmemory'.";
const DEFAULTS: ErrorsConfig = { rejected: "stop", unrunnable: "dead-letter", retrySeconds: 300, values: false };
const LEAVE_OUT: ErrorsConfig = { ...DEFAULTS, rejected: "dead-letter" };
const EMPTY_AT_50: TinyFlow = { snapshot: fullSync([], { lsn: 50 }) };

async function bench(errors: ErrorsConfig): Promise<WorkerBench> {
  return await WorkerBench.start(
    [EMPTY_AT_50],
    (all, tell) => {
      const host = new WorkerHost(all, tell);
      void host.start();
      return { send: (sent) => host.handle(sent) };
    },
    { errors },
  );
}

/** At LSN 50, in the stable stream. */
async function stable(errors: ErrorsConfig): Promise<WorkerBench> {
  const worker = await bench(errors);
  await worker.open();
  worker.master.send(0, EMPTY_AT_50.snapshot ?? Buffer.alloc(0));
  await worker.told("snapshotApplied");
  return worker;
}

function textOf(bytes: RejectedBytes | undefined): unknown {
  if (bytes === undefined) return undefined;
  const text = (one: Uint8Array): string => Buffer.from(one).toString();
  return { key: bytes.key && text(bytes.key), ...(bytes.args && { args: bytes.args.map(text) }) };
}

describe("I3: an entry that was left out", () => {
  test("holds back every acknowledgement until it is on disk", async () => {
    await using worker = await stable(LEAVE_OUT);
    worker.redis.refusals.set("LPUSH", WRONGTYPE);
    worker.master.send(
      0,
      entry(3, "LPUSH", "l:1", "x"),
      command(["SORT", "l"], { txid: 9 }),
      entry(0, "SET", "k", "v"),
    );
    await worker.told("rejected", 2);
    await until(() => worker.redis.commands.includes("SET k v"), "what comes behind it");
    worker.redis.hold("DEL");
    worker.master.send(0, entry(0, "DEL", "z"));
    await until(() => worker.redis.unanswered === 1, "the replies before");
    expect(worker.counters.get(0, "appliedLsn")).toBe(50);
    worker.send({ type: "rejectedStored" });
    expect(worker.counters.get(0, "appliedLsn")).toBe(50);
    worker.send({ type: "rejectedStored" });
    expect(worker.counters.get(0, "appliedLsn")).toBe(53);
    worker.redis.release();
    await until(() => worker.counters.get(0, "appliedLsn") === 54, "the rest");
  });

  test("holds back the end of a drain", async () => {
    await using worker = await stable(DEFAULTS);
    worker.master.send(0, command(["SORT", "l"], { txid: 9 }), entry(0, "SET", "k", "v"));
    await worker.told("rejected");
    worker.send({ type: "drain" });
    await until(() => worker.redis.commands.includes("SET k v"), "what comes behind it");
    expect(worker.of("drained")).toEqual([]);
    worker.send({ type: "rejectedStored" });
    await worker.told("drained");
  });
});

test("I9: with a thousand entries on their way to the file the flow is read no further, and goes on at half of it", async () => {
  await using worker = await stable(DEFAULTS);
  worker.master.send(0, ...Array.from({ length: 1500 }, (_, i) => command(["SORT", `l${i}`], { txid: 9 })));
  worker.master.send(0, entry(0, "SET", "k", "v"));
  await worker.told("rejected", 1000);
  for (let i = 0; i < 499; i++) worker.send({ type: "rejectedStored" });
  expect(worker.of("rejected").length).toBe(1000);
  worker.send({ type: "rejectedStored" });
  await worker.told("rejected", 1500);
  for (let i = 0; i < 500; i++) worker.send({ type: "rejectedStored" });
  await until(() => worker.redis.commands.includes("SET k v"), "what comes behind");
  for (let i = 0; i < 500; i++) worker.send({ type: "rejectedStored" });
  await until(() => worker.counters.get(0, "appliedLsn") === 1551, "all entries");
});

describe("errors.rejected", () => {
  test("dead-letter: notes the key as it is, and goes on; values only when they are wanted", async () => {
    for (const values of [false, true]) {
      await using worker = await stable({ ...LEAVE_OUT, values });
      worker.redis.refusals.set("LPUSH", WRONGTYPE);
      worker.master.send(0, entry(3, "LPUSH", "l:1", "x", "y"));
      await worker.told("rejected");
      const [told] = worker.of("rejected");
      expect(told?.entry).toEqual({
        flow: 0,
        lsn: 50,
        db: 3,
        command: "LPUSH",
        key: "l:1",
        error: WRONGTYPE,
        class: "fatal",
      });
      expect(textOf(told?.bytes)).toEqual(values ? { key: "l:1", args: ["l:1", "x", "y"] } : { key: "l:1" });
      expect(worker.of("failed")).toEqual([]);
    }
  });

  test("dead-letter holds for the snapshot too, each refused command of a value", async () => {
    await using worker = await bench(LEAVE_OUT);
    worker.redis.refusals.set("SET k", "ERR string exceeds maximum allowed size");
    await worker.open();
    worker.master.send(0, untilCut(string("k", "v"), string("other", "v")), afterCut(50));
    await worker.told("rejected");
    expect(worker.of("rejected")[0]).toMatchObject({ entry: { lsn: -1, command: "SET", key: "k", class: "fatal" } });
    worker.send({ type: "rejectedStored" });
    await worker.told("snapshotApplied");
    expect(worker.redis.commands).toContain("SET other v");
  });

  test("dead-letter never covers a refused SELECT: all behind it would go to another database", async () => {
    await using worker = await bench(LEAVE_OUT);
    worker.redis.refusals.set("SELECT", "NOPERM this user has no permissions to run the 'select' command");
    await worker.open();
    worker.master.send(0, untilCut(selectDb(3), string("k", "v")));
    await worker.told("failed");
    expect(worker.of("failed")).toMatchObject([{ error: { code: "TARGET_REJECTED", context: { command: "SELECT" } } }]);
  });

  test("dead-letter does not cover a target that takes nothing now, when nothing is to be tried again", async () => {
    await using worker = await stable({ ...LEAVE_OUT, retrySeconds: 0 });
    worker.redis.refusals.set("SET", OOM);
    worker.master.send(0, entry(0, "SET", "k", "v"));
    await worker.told("failed");
    expect(worker.of("failed")).toMatchObject([{ error: { code: "TARGET_REJECTED", context: { words: OOM } } }]);
  });

  test("every entry is told, not just a hundred", async () => {
    await using worker = await stable(DEFAULTS);
    worker.master.send(0, ...Array.from({ length: 130 }, (_, i) => command(["SORT", `list${i}`], { txid: 9 })));
    await worker.told("rejected", 130);
    for (let i = 0; i < 130; i++) worker.send({ type: "rejectedStored" });
    expect(worker.counters.get(0, "appliedLsn")).toBe(180);
  });
});

describe("errors.unrunnable: stop", () => {
  const STOP: ErrorsConfig = { ...LEAVE_OUT, unrunnable: "stop" };

  test("ends the run at an entry that the target refuses", async () => {
    await using worker = await stable(STOP);
    worker.redis.refusals.set("LMPOP", "ERR wrong number of arguments for 'lmpop' command");
    worker.master.send(0, entry(2, "LMPOP", "1"));
    await worker.told("failed");
    expect(worker.of("failed")).toMatchObject([{ error: { code: "TARGET_REJECTED", context: { command: "LMPOP" } } }]);
  });

  test("and at one that is not even sent, in the journal and in the snapshot's", async () => {
    await using worker = await stable(STOP);
    worker.master.send(0, command(["SORT", "list"], { txid: 9 }), entry(0, "SET", "k", "v"));
    await worker.told("failed");
    expect(worker.of("failed")).toMatchObject([
      { error: { code: "TARGET_REJECTED", context: { command: "SORT", key: "list", lsn: 50, flow: 0 } } },
    ]);
    expect(worker.redis.commands).toEqual([]);
    await using early = await bench(STOP);
    await early.open();
    early.master.send(0, untilCut(journalBlob(1, [command(["SORT", "list"], { txid: 9 })])));
    await early.told("failed");
    expect(early.of("failed")[0]?.error.message).toMatch(
      /no server can run SORT .* inside the snapshot.*errors.unrunnable/,
    );
  });
});

describe("an entry whose result cannot be had here", () => {
  const entryOf = journalCommand(["SUNIONSTORE", "dst", "own"], { db: 2, lsn: 9 });

  test("ends the run by default, and is noted as a refused write with errors.rejected: dead-letter", () => {
    const told: unknown[] = [];
    const rejections = (errors: ErrorsConfig): Rejections =>
      new Rejections({
        errors,
        sourceJournalsFailures: false,
        tell: ({ entry: left, bytes }) => void told.push(left, textOf(bytes)),
        writer: () => undefined,
        fail: () => undefined,
      });
    expect(() => rejections(DEFAULTS).onUnderivable(1, entryOf, "own is the target's")).toThrow(
      /cannot apply SUNIONSTORE of key "dst" in database 2 \(flow 1, at LSN 9\), and errors.rejected says stop: own is/,
    );
    expect(told).toEqual([]);
    rejections({ ...LEAVE_OUT, values: true }).onUnderivable(1, entryOf, "own is the target's");
    expect(told).toEqual([
      { flow: 1, lsn: 9, db: 2, command: "SUNIONSTORE", key: "dst", error: "own is the target's", class: "fatal" },
      { key: "dst", args: ["dst", "own"] },
    ]);
  });
});

describe("a target that takes no writes now", () => {
  test("is waited for, told once it begins and once it ends; nothing is acknowledged meanwhile", async () => {
    await using worker = await stable(DEFAULTS);
    worker.redis.refusals.set("SET", OOM);
    worker.master.send(0, entry(0, "SET", "k", "v"), entry(0, "DEL", "z"));
    await worker.told("targetWaiting");
    expect(worker.of("targetWaiting")).toMatchObject([{ words: OOM, commands: 1 }]);
    worker.master.send(0, entry(0, "SET", "m", "v"));
    expect(worker.counters.get(0, "appliedLsn")).toBe(50);
    worker.redis.refusals.clear();
    await worker.told("targetResumed");
    await until(() => worker.counters.get(0, "appliedLsn") === 53, "all entries");
    expect(worker.redis.commands).toEqual(["SET k v", "DEL z", "SELECT 0", "SET k v", "SET m v"]);
  });

  test("a drain waits for it", async () => {
    await using worker = await stable(DEFAULTS);
    worker.redis.refusals.set("SET", OOM);
    worker.master.send(0, entry(0, "SET", "k", "v"));
    await worker.told("targetWaiting");
    worker.send({ type: "drain" });
    expect(worker.of("drained")).toEqual([]);
    worker.redis.refusals.clear();
    await worker.told("drained");
    expect(worker.counters.get(0, "appliedLsn")).toBe(51);
  });

  test("in time ends the run", async () => {
    await using worker = await stable({ ...DEFAULTS, retrySeconds: 1 });
    worker.redis.refusals.set("SET", "READONLY You can't write against a read only replica.");
    worker.master.send(0, entry(0, "SET", "k", "v"));
    await worker.told("failed");
    expect(worker.of("failed")).toMatchObject([{ error: { code: "TARGET_NOT_READY", context: { commands: 1 } } }]);
    expect(worker.counters.get(0, "appliedLsn")).toBe(50);
  });
});
