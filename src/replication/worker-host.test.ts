/** A worker with its own sockets, in this thread: its timer, what it makes of refusals, how it ends. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { afterCut, entry, untilCut } from "../../test/support/flow-bytes.ts";
import { aux, fullSync, journalBlob, selectDb, string } from "../../test/support/rdb-builder.ts";
import { MASTER_ID, SYNC_ID, type TinyFlow } from "../../test/support/tiny-master.ts";
import { until } from "../../test/support/until.ts";
import { CAPABILITIES } from "../../test/support/pipeline-bench.ts";
import { WorkerBench } from "../../test/support/worker-bench.ts";
import { command } from "../../test/support/journal-builder.ts";
import { WorkerHost } from "./worker-host.ts";
import type { WorkerSettings } from "./worker-settings.ts";

/** Only intervals: the tick must come when a test says so, and none may be left behind. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function bench(flows: readonly TinyFlow[], settings: Partial<WorkerSettings> = {}): Promise<WorkerBench> {
  return await WorkerBench.start(
    flows,
    (all, tell) => {
      const host = new WorkerHost(all, tell);
      void host.start();
      return { send: (sent) => host.handle(sent) };
    },
    settings,
  );
}

/** With its flows open and what they send by themselves on its way. */
async function running(flows: readonly TinyFlow[], settings: Partial<WorkerSettings> = {}): Promise<WorkerBench> {
  const started = await bench(flows, settings);
  await started.open();
  for (const [flow, { snapshot }] of flows.entries()) if (snapshot !== undefined) started.master.send(flow, snapshot);
  return started;
}

const EMPTY_AT_50: TinyFlow = { snapshot: fullSync([], { lsn: 50 }) };

describe("the tick", () => {
  test("acknowledges every flow once a second", async () => {
    await using worker = await running([EMPTY_AT_50, { snapshot: fullSync([], { lsn: 80 }) }]);
    await worker.told("snapshotApplied", 2);
    worker.master.send(1, entry(0, "SET", "k", "v"));
    await until(() => worker.counters.get(1, "appliedLsn") === 81, "the entry");
    await until(() => worker.master.acks(1).length === 1, "the first acknowledgements");
    vi.advanceTimersByTime(999);
    vi.advanceTimersByTime(1);
    await until(() => worker.master.acks(1).length === 2, "the second's acknowledgements");
    vi.advanceTimersByTime(2000);
    await until(() => worker.master.acks(0).length === 4 && worker.master.acks(1).length === 4, "those of two more");
    expect(worker.master.acks(0)).toEqual([50, 50, 50, 50]);
    expect(worker.master.acks(1)).toEqual([80, 81, 81, 81]);
  });
});

describe("I7: what the target refuses", () => {
  const WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";

  test("in the journal ends the run: key, command, LSN and the server's words; I3: it is not acknowledged", async () => {
    await using worker = await running([EMPTY_AT_50, EMPTY_AT_50]);
    await worker.told("snapshotApplied", 2);
    worker.redis.refusals.set("LPUSH", WRONGTYPE);
    worker.master.send(1, entry(0, "SET", "k", "v"), entry(3, "LPUSH", "l:1", "x"), entry(0, "SET", "k", "w"));
    await worker.told("failed");
    const [failed] = worker.of("failed");
    expect(failed?.error).toMatchObject({
      code: "TARGET_REJECTED",
      context: { flow: 1, db: 3, lsn: 51, command: "LPUSH", key: "l:1", words: WRONGTYPE },
    });
    for (const part of ['"l:1"', "LPUSH", "database 3", "flow 1", "LSN 51", WRONGTYPE]) {
      expect(failed?.error.message).toContain(part);
    }
    expect(Math.max(...worker.master.acks(1))).toBe(50);
    expect(worker.counters.get(1, "appliedLsn")).toBeLessThan(52);
  });

  test("in the snapshot ends the run, and says so", async () => {
    await using worker = await bench([EMPTY_AT_50]);
    worker.redis.refusals.set("SET k", "OOM command not allowed when used memory > 'maxmemory'.");
    await worker.open();
    worker.master.send(0, untilCut(string("k", "v")));
    await worker.told("failed");
    const [failed] = worker.of("failed");
    expect(failed?.error).toMatchObject({
      code: "TARGET_REJECTED",
      context: { flow: 0, db: 0, command: "SET", key: "k" },
    });
    expect(failed?.error.context).not.toHaveProperty("lsn");
    expect(failed?.error.message).toMatch(
      /SET of key "k" .* while the snapshot was written\): OOM command not allowed/,
    );
  });

  test("tells only the first failure", async () => {
    await using worker = await running([EMPTY_AT_50]);
    worker.redis.refusals.set("LPUSH", WRONGTYPE);
    worker.master.send(0, entry(0, "LPUSH", "first", "x"), entry(0, "LPUSH", "second", "x"));
    await worker.told("failed");
    worker.master.closeFlow(0);
    worker.redis.dropConnections();
    worker.send({ type: "abort" });
    await until(() => worker.master.connections === 0, "the flow to be closed");
    expect(worker.of("failed")).toMatchObject([{ error: { context: { key: "first" } } }]);
  });

  test("of an entry that no server can run is recorded and counted, and the run goes on", async () => {
    await using worker = await running([EMPTY_AT_50]);
    worker.redis.refusals.set("LMPOP", "ERR wrong number of arguments for 'lmpop' command");
    worker.master.send(0, entry(2, "LMPOP", "1"), entry(2, "SET", "k", "v"));
    await until(() => worker.counters.get(0, "appliedLsn") === 52, "both entries");
    expect(worker.of("rejected")).toEqual([
      {
        type: "rejected",
        entry: {
          flow: 0,
          lsn: 50,
          db: 2,
          command: "LMPOP",
          key: "1",
          error: "ERR wrong number of arguments for 'lmpop' command",
          class: "unrunnable",
        },
      },
    ]);
    vi.advanceTimersByTime(1000);
    await until(() => worker.counters.get(0, "rejected") === 1, "the refusal to be counted");
    expect(worker.of("failed")).toEqual([]);
  });

  // A source goes on running commands while its snapshot is sent; their entries come in its journal blobs, without an LSN.
  test("the same inside a snapshot", async () => {
    await using worker = await bench([EMPTY_AT_50]);
    worker.redis.refusals.set("LMPOP", "ERR wrong number of arguments for 'lmpop' command");
    await worker.open();
    worker.master.send(
      0,
      untilCut(journalBlob(1, [entry(2, "LMPOP", "1")]), selectDb(0), string("k", "v")),
      afterCut(50),
    );
    await worker.told("snapshotApplied");
    expect(worker.of("rejected")).toMatchObject([{ entry: { flow: 0, lsn: -1, db: 2, command: "LMPOP" } }]);
  });

  test("of an entry that our table says cannot be run is recorded without being sent", async () => {
    await using worker = await running([EMPTY_AT_50]);
    worker.master.send(0, command(["SORT", "list"], { txid: 9 }), entry(0, "SET", "k", "v"));
    await until(() => worker.counters.get(0, "appliedLsn") === 52, "both entries");
    expect(worker.of("rejected")).toMatchObject([{ entry: { flow: 0, lsn: 50, db: 0, command: "SORT", key: "list" } }]);
    expect(worker.redis.commands).toEqual(["SET k v"]);
  });

  test("is told a hundred times at most, and counted to the end", async () => {
    await using worker = await running([EMPTY_AT_50]);
    const many = Array.from({ length: 130 }, (_, i) => command(["SORT", `list${i}`], { txid: 9 }));
    worker.master.send(0, ...many, entry(0, "SET", "k", "v"));
    await until(() => worker.counters.get(0, "appliedLsn") === 181, "all entries");
    vi.advanceTimersByTime(1000);
    await until(() => worker.counters.get(0, "rejected") === 130, "the refusals to be counted");
    expect(worker.of("rejected")).toHaveLength(100);
  });

  test("of a master that journals failed commands is recorded as well", async () => {
    await using worker = await running([EMPTY_AT_50], { sourceJournalsFailures: true });
    worker.redis.refusals.set("LPUSH", WRONGTYPE);
    worker.master.send(0, entry(0, "LPUSH", "s", "x"), entry(0, "SET", "k", "v"));
    await until(() => worker.counters.get(0, "appliedLsn") === 52, "both entries");
    expect(worker.of("rejected")).toMatchObject([{ entry: { command: "LPUSH", key: "s", error: WRONGTYPE } }]);
  });

  test("of such a master's snapshot ends the run all the same", async () => {
    await using worker = await bench([EMPTY_AT_50], { sourceJournalsFailures: true });
    worker.redis.refusals.set("SET k", "ERR no");
    await worker.open();
    worker.master.send(0, untilCut(string("k", "v")));
    await worker.told("failed");
    expect(worker.of("failed")).toMatchObject([{ error: { code: "TARGET_REJECTED" } }]);
  });

  test("a database that the target does not have: nothing is written to another one", async () => {
    await using worker = await bench([EMPTY_AT_50], { capabilities: { ...CAPABILITIES, databases: 1 } });
    await worker.open();
    worker.master.send(0, untilCut(selectDb(5), string("k", "v")), afterCut(50));
    await worker.told("failed");
    expect(worker.of("failed")).toMatchObject([{ error: { code: "TARGET_UNSUITABLE", context: { db: 5, flow: 0 } } }]);
    expect(worker.redis.commands).toEqual([]);
  });
});

describe("losses", () => {
  test("are told at the first of each kind and reported at the end", async () => {
    await using worker = await running([EMPTY_AT_50]);
    worker.master.send(0, entry(0, "JSON.DEL", "a"), entry(0, "JSON.DEL", "b"));
    await until(() => worker.counters.get(0, "appliedLsn") === 52, "both entries");
    expect(worker.of("loss")).toEqual([{ type: "loss", kind: "json", db: 0, key: "a" }]);
    worker.send({ type: "drain" });
    await worker.told("drained");
    expect(worker.of("drained")[0]?.report.losses).toMatchObject([{ kind: "json", count: 2 }]);
  });

  test("search index definitions, which come on every flow, count once", async () => {
    const snapshot = fullSync([aux("search-index", "FT.CREATE i")], { lsn: 50 });
    await using worker = await running([{ snapshot }, { snapshot }]);
    await worker.told("snapshotApplied", 2);
    worker.send({ type: "drain" });
    await worker.told("drained");
    expect(worker.of("drained")[0]?.report.losses).toMatchObject([{ kind: "search", count: 1 }]);
  });
});

describe("the end", () => {
  test("drain, then close: all that has arrived is applied and acknowledged, and no connection or timer is left", async () => {
    const snapshot = fullSync([string("a", "1"), string("b", "2")], { lsn: 50 });
    await using worker = await running([{ snapshot }, EMPTY_AT_50]);
    await worker.told("snapshotApplied", 2);
    worker.redis.hold();
    worker.master.send(0, entry(0, "SET", "k", "v"), entry(0, "SET", "k", "w"));
    await until(() => worker.redis.unanswered === 2, "the entries");
    worker.send({ type: "drain" });
    vi.advanceTimersByTime(1000);
    expect(worker.of("drained")).toEqual([]);
    worker.redis.release();
    await worker.told("drained");
    await until(() => worker.master.acks(0).at(-1) === 52, "the last acknowledgement");
    expect(worker.of("drained")).toEqual([
      { type: "drained", report: { losses: [], keysByType: { string: 2 }, memberDeadlines: [] } },
    ]);
    // Other workers may have flows of the session whose acknowledgements are not out yet.
    expect([worker.master.isOpen(0), worker.master.isOpen(1)]).toEqual([true, true]);
    worker.send({ type: "close" });
    await until(() => !worker.master.isOpen(0) && !worker.master.isOpen(1), "both flows to be closed");
    expect(worker.of("failed")).toEqual([]);
    await until(() => vi.getTimerCount() === 0, "the timers to be gone");
  });

  test("drain, while the window is full: goes on as answers come", async () => {
    await using worker = await running([EMPTY_AT_50], { batchBytes: 4096, windowBytes: 16 * 1024 });
    await worker.told("snapshotApplied");
    worker.redis.hold();
    const value = "x".repeat(1024);
    worker.master.send(0, ...Array.from({ length: 200 }, (_, i) => entry(0, "SET", `k${i}`, value)));
    await until(() => worker.redis.unanswered >= 15, "the window to fill");
    worker.send({ type: "drain" });
    const before = worker.redis.commands.length;
    worker.redis.release();
    await worker.told("drained");
    // What had been read, however far that was: the rest is still the kernel's.
    expect(worker.redis.commands.length).toBeGreaterThan(before);
    await until(() => worker.master.acks(0).at(-1) === 50 + worker.redis.commands.length, "the last acknowledgement");
    expect(worker.counters.appliedLsns()).toEqual([50 + worker.redis.commands.length]);
  });

  test("drain, before any flow was opened", async () => {
    await using worker = await bench([EMPTY_AT_50]);
    await worker.told("ready");
    worker.send({ type: "drain" });
    await worker.told("drained");
    expect(worker.of("drained")).toEqual([
      { type: "drained", report: { losses: [], keysByType: {}, memberDeadlines: [] } },
    ]);
    await until(() => vi.getTimerCount() === 0, "the timers to be gone");
  });

  test("close, while flows are being opened, gives them up", async () => {
    await using worker = await bench([EMPTY_AT_50, EMPTY_AT_50], { replyTimeoutMs: 60_000 });
    await worker.told("ready");
    worker.master.replies.set("DFLY FLOW", undefined);
    const flows = [0, 1].map((flow) => ({ flow, lsn: undefined }));
    worker.send({ type: "openFlows", masterId: MASTER_ID, syncId: SYNC_ID, flows });
    await until(
      () => worker.master.requests.filter((line) => line.startsWith("DFLY FLOW")).length === 2,
      "the requests",
    );
    worker.send({ type: "drain" });
    await worker.told("drained");
    worker.send({ type: "close" });
    await until(() => worker.master.connections === 0, "the connections to be closed");
    expect([worker.of("failed"), vi.getTimerCount()]).toEqual([[], 0]);
  });

  test("a source that closes the flows after the drain is no failure", async () => {
    await using worker = await running([EMPTY_AT_50]);
    await worker.told("snapshotApplied");
    worker.send({ type: "drain" });
    await worker.told("drained");
    worker.master.closeFlow(0);
    worker.send({ type: "close" });
    await until(() => worker.master.connections === 0, "the connection to be closed");
    expect(worker.of("failed")).toEqual([]);
  });

  test("a flow that the source closes fails the worker, with what is known of it", async () => {
    await using worker = await running([EMPTY_AT_50, EMPTY_AT_50]);
    await worker.told("snapshotApplied", 2);
    worker.master.closeFlow(1);
    await worker.told("failed");
    expect(worker.of("failed")).toMatchObject([{ error: { code: "CONNECTION_LOST", context: { flow: 1, lsn: 50 } } }]);
    expect([worker.master.isOpen(0), vi.getTimerCount()]).toEqual([true, 0]);
    worker.send({ type: "abort" });
    await until(() => !worker.master.isOpen(0), "the other flow to be closed");
  });

  test("a target that goes away fails the worker, and says what was not confirmed", async () => {
    await using worker = await running([EMPTY_AT_50]);
    worker.redis.hold();
    worker.master.send(0, entry(0, "SET", "k", "v"));
    await until(() => worker.redis.unanswered === 1, "the entry");
    worker.redis.dropConnections();
    await worker.told("failed");
    expect(worker.of("failed")).toMatchObject([{ error: { code: "CONNECTION_LOST", context: { unconfirmed: 1 } } }]);
  });

  test("a target that is not there fails the worker before it asks for flows", async () => {
    await using worker = await bench([EMPTY_AT_50], {
      target: { host: "127.0.0.1", port: 1, user: undefined, password: undefined, tls: undefined },
    });
    await worker.told("failed");
    expect(worker.of("failed")).toMatchObject([{ error: { code: "CONNECT_FAILED" } }]);
    expect(worker.of("ready")).toEqual([]);
  });

  test("a flow that the source refuses fails the worker", async () => {
    await using worker = await bench([EMPTY_AT_50, EMPTY_AT_50]);
    worker.master.replies.set("DFLY FLOW", "-ERR bad master id\r\n");
    await worker.open().catch(() => {});
    expect(worker.of("failed")).toMatchObject([{ error: { code: "SOURCE_REFUSED" } }]);
    expect(worker.of("failed")[0]?.error.context["flow"]).toBeTypeOf("number");
  });

  // A master closes all flows of a session with the first one. Were ours closed here, another worker's complaint about that might come first.
  test.each([
    ["an unknown command", entry(0, "FROBNICATE", "k"), "UNKNOWN_COMMAND"],
    ["a refused one", entry(0, "LPUSH", "l", "x"), "TARGET_REJECTED"],
  ])(
    "%s: the worker falls silent, and its flows stay open until the session has heard of it",
    async (_name, bytes, code) => {
      await using worker = await running([EMPTY_AT_50, EMPTY_AT_50]);
      await worker.told("snapshotApplied", 2);
      await until(
        () => worker.master.acks(0).length + worker.master.acks(1).length === 2,
        "the first acknowledgements",
      );
      worker.redis.refusals.set("LPUSH", "WRONGTYPE no list");
      worker.master.send(0, bytes);
      await worker.told("failed");
      expect(worker.of("failed")).toMatchObject([{ error: { code } }]);
      const written = worker.redis.commands.length;
      worker.master.send(1, entry(0, "SET", "k", "v"));
      vi.advanceTimersByTime(2000);
      expect([worker.master.isOpen(0), worker.master.isOpen(1)]).toEqual([true, true]);
      worker.send({ type: "abort" });
      await until(() => worker.master.connections === 0, "the flows to be closed");
      expect(worker.redis.commands).toHaveLength(written);
      expect([worker.master.acks(0), worker.master.acks(1)]).toEqual([[50], [50]]);
    },
  );

  test("abort closes everything and tells nothing", async () => {
    await using worker = await running([EMPTY_AT_50, EMPTY_AT_50]);
    await worker.told("snapshotApplied", 2);
    const before = worker.events.length;
    worker.send({ type: "abort" });
    await until(() => !worker.master.isOpen(0) && !worker.master.isOpen(1), "both flows to be closed");
    expect(worker.events).toHaveLength(before);
    expect(vi.getTimerCount()).toBe(0);
  });

  // As the session does when the flows' answers do not fit together.
  test("abort, in the turn in which the last flow opens, leaves no timer behind", async () => {
    await using worker = await WorkerBench.start([EMPTY_AT_50], (settings, tell) => {
      const started = new WorkerHost(settings, (event) => {
        tell(event);
        if (event.type === "flowOpened") queueMicrotask(() => started.handle({ type: "abort" }));
      });
      void started.start();
      return { send: (sent) => started.handle(sent) };
    });
    await worker.open();
    await until(() => !worker.master.isOpen(0), "the flow to be closed");
    expect(vi.getTimerCount()).toBe(0);
  });
});
