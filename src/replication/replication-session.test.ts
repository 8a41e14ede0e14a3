/** The session between fake workers and a fake control connection: what it decides, and when. No socket, no thread, no clock. */
import { describe, expect, test } from "vitest";
import { FakeSession, MASTER_ID } from "../../test/support/fake-session.ts";
import { rejection, until } from "../../test/support/until.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { SessionState } from "./session-state.ts";
import type { WorkerEvent } from "./worker-messages.ts";

/** Lets everything that is due as a microtask happen, and then some. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe("opening", () => {
  test("flow i goes to worker i mod n, and a worker is sent its flows when it is ready", () => {
    const fake = new FakeSession({ flows: 5, workers: 2 });
    fake.worker(1).tell({ type: "ready" });
    expect(fake.worker(0).commands).toEqual([]);
    const sent = { type: "openFlows", masterId: MASTER_ID, syncId: "SYNC1" };
    expect(fake.worker(1).commands).toEqual([
      {
        ...sent,
        flows: [
          { flow: 1, lsn: undefined },
          { flow: 3, lsn: undefined },
        ],
      },
    ]);
    expect(fake.session.state).toBe("connecting");
    fake.worker(0).tell({ type: "ready" });
    expect(fake.worker(0).commands).toMatchObject([{ flows: [{ flow: 0 }, { flow: 2 }, { flow: 4 }] }]);
    expect(fake.session.state).toBe("handshake");
  });

  test("SYNC is sent once all flows are open", async () => {
    const fake = new FakeSession({ flows: 3, workers: 2 });
    fake.ready();
    fake.tell(0, { type: "flowOpened", flow: 0, kind: "full" });
    fake.tell(2, { type: "flowOpened", flow: 2, kind: "full" });
    await settle();
    expect(fake.log).toEqual(["handshake"]);
    fake.tell(1, { type: "flowOpened", flow: 1, kind: "full" });
    await settle();
    expect(fake.log).toEqual(["handshake", "SYNC", "full_sync"]);
  });

  test("full_sync begins when SYNC was accepted, not when it was sent", async () => {
    const accepted = Promise.withResolvers<void>();
    const fake = new FakeSession({ sync: () => accepted.promise });
    fake.ready();
    fake.open("full", "full");
    await settle();
    expect([fake.log.at(-1), fake.session.state]).toEqual(["SYNC", "handshake"]);
    accepted.resolve();
    await settle();
    expect(fake.session.state).toBe("full_sync");
  });
});

describe("resuming", () => {
  const resume = { masterId: MASTER_ID, lsns: [11, 22, 33] };

  test("asks each flow for its LSN", () => {
    const fake = new FakeSession({ flows: 3, workers: 2, resume });
    fake.ready();
    expect(fake.worker(0).commands).toMatchObject([
      {
        flows: [
          { flow: 0, lsn: 11 },
          { flow: 2, lsn: 33 },
        ],
      },
    ]);
    expect(fake.worker(1).commands).toMatchObject([{ flows: [{ flow: 1, lsn: 22 }] }]);
  });

  test("another master is asked for no LSN", () => {
    const fake = new FakeSession({ flows: 2, resume: { ...resume, masterId: "b".repeat(40) } });
    fake.ready();
    expect(fake.worker(0).commands).toMatchObject([
      {
        flows: [
          { flow: 0, lsn: undefined },
          { flow: 1, lsn: undefined },
        ],
      },
    ]);
  });

  test("all PARTIAL: no SYNC, STARTSTABLE at once, then the workers hear of it", async () => {
    const accepted = Promise.withResolvers<void>();
    const fake = new FakeSession({ flows: 3, workers: 2, resume, startStable: () => accepted.promise });
    fake.ready();
    fake.open("partial", "partial", "partial");
    await settle();
    expect(fake.log).toEqual(["handshake", "STARTSTABLE"]);
    expect(fake.worker(0).got).toEqual(["openFlows"]);
    accepted.resolve();
    await settle();
    expect(fake.log).toEqual(["handshake", "STARTSTABLE", "catching_up"]);
    expect(fake.workers.map((worker) => worker.got.at(-1))).toEqual(["stableStarted", "stableStarted"]);
  });

  test.each([
    ["full", "partial"],
    ["partial", "full"],
  ] as const)("%s and %s mixed: nothing is started, a full sync is needed", async (first, second) => {
    const fake = new FakeSession({ resume });
    fake.ready();
    fake.open(first, second);
    expect(await rejection<Df2RedisError>(fake.ended)).toMatchObject({ code: "RESUME_IMPOSSIBLE" });
    expect(fake.log).toEqual(["handshake", "failed"]);
    expect(fake.worker(0).got).toEqual(["openFlows", "abort"]);
    expect(fake.allClosed).toBe(true);
  });
});

describe("I1: STARTSTABLE is sent only after every flow delivered FULLSYNC_END", () => {
  test.each([1, 2, 3, 4, 7])("with %d flows on 2 workers", async (flows) => {
    const fake = new FakeSession({ flows, workers: Math.min(2, flows) });
    await fake.toFullSync();
    for (let flow = flows - 1; flow >= 0; flow--) {
      await settle();
      expect(fake.log).not.toContain("STARTSTABLE");
      fake.cut(flow);
    }
    await settle();
    expect(fake.session.flowsCut).toBe(flows);
    expect(fake.log.filter((what) => what === "STARTSTABLE")).toHaveLength(1);
    expect(fake.session.state).toBe("catching_up");
  });

  test("never when one flow's cut is missing, whatever else comes, and as often as it comes", async () => {
    const fake = new FakeSession({ flows: 3 });
    await fake.toFullSync();
    fake.cut(0);
    fake.cut(0);
    fake.cut(2);
    fake.tell(0, { type: "snapshotApplied", flow: 0 });
    fake.setLsns(5, 5);
    fake.session.tick();
    await settle();
    expect(fake.session.flowsCut).toBe(2);
    expect(fake.log).toEqual(["handshake", "SYNC", "full_sync"]);
  });

  test("never once it is stopping or has failed", async () => {
    const stopping = new FakeSession();
    await stopping.toFullSync();
    stopping.cut(0);
    stopping.session.stop();
    stopping.cut(1);
    const failed = new FakeSession();
    await failed.toFullSync();
    failed.cut(0);
    failed.worker(0).fail("CONNECTION_LOST", "gone");
    failed.cut(1);
    await settle();
    expect([...stopping.log, ...failed.log]).not.toContain("STARTSTABLE");
  });
});

describe("catching up", () => {
  test("is over when everything received is applied on all flows", async () => {
    const fake = new FakeSession();
    await fake.toCatchingUp();
    fake.session.tick();
    expect(fake.session.state).toBe("catching_up");
    fake.setLsns(100, 99);
    fake.session.tick();
    expect(fake.session.state).toBe("catching_up");
    fake.setLsns(100, 100);
    fake.session.tick();
    expect(fake.session.state).toBe("stable");
  });

  test("is over once everything received at an earlier look is applied, however much has come since", async () => {
    const fake = new FakeSession();
    await fake.toCatchingUp();
    fake.setLsns(100, 90);
    fake.session.tick();
    fake.setLsns(200, 99);
    fake.session.tick();
    expect(fake.session.state).toBe("catching_up");
    fake.setLsns(300, 100);
    fake.session.tick();
    expect(fake.session.state).toBe("stable");
  });
});

describe("I6: a flush", () => {
  const reached = (flow: number, db = -1, txid = 5): WorkerEvent => ({
    type: "flushReached",
    request: { flow, txid, lsn: 100 + flow, db },
  });
  const released = (fake: FakeSession): unknown[] =>
    fake.workers.flatMap((worker) => worker.commands.filter((command) => command.type === "releaseFlush"));

  test.each([-1, 5])("of database %d runs once, after all flows, before any goes on", async (db) => {
    const ran = Promise.withResolvers<void>();
    const fake = new FakeSession({ flows: 3, workers: 2, runFlush: () => ran.promise });
    await fake.toStable();
    for (const flow of [2, 0]) {
      fake.tell(flow, reached(flow, db));
      await settle();
      expect(fake.log.filter((what) => what.startsWith("flush"))).toEqual([]);
    }
    fake.tell(1, reached(1, db));
    await settle();
    expect(fake.log.filter((what) => what.startsWith("flush"))).toEqual([`flush ${db}`]);
    expect(released(fake)).toEqual([]);
    ran.resolve();
    await settle();
    expect(released(fake)).toEqual([
      { type: "releaseFlush", db },
      { type: "releaseFlush", db },
    ]);
  });

  test("comes after another one", async () => {
    const fake = new FakeSession({ flows: 2, workers: 2 });
    await fake.toStable();
    for (const [txid, db] of [
      [5, -1],
      [6, 3],
    ] as const) {
      for (const flow of [0, 1]) fake.tell(flow, reached(flow, db, txid));
      await settle();
    }
    expect(fake.log.slice(-2)).toEqual(["flush -1", "flush 3"]);
    expect(released(fake)).toHaveLength(4);
  });

  test("that the target refuses fails the session, and no flow goes on", async () => {
    const refused = new Df2RedisError("TARGET_REJECTED", "the target refused FLUSHALL: NOPERM");
    const fake = new FakeSession({ flows: 2, runFlush: () => Promise.reject(refused) });
    await fake.toStable();
    for (const flow of [0, 1]) fake.tell(flow, reached(flow));
    expect(await rejection(fake.ended)).toBe(refused);
    expect(released(fake)).toEqual([]);
    expect(fake.worker(0).got.at(-1)).toBe("abort");
  });

  test("for which the flows disagree fails the session", async () => {
    const fake = new FakeSession({ flows: 2 });
    await fake.toStable();
    fake.tell(0, reached(0, -1, 5));
    fake.tell(1, reached(1, -1, 6));
    expect(await rejection(fake.ended)).toMatchObject({ code: "PROTOCOL_VIOLATION", context: { flow: 1 } });
    expect(fake.log).not.toContain("flush -1");
  });

  test("that ends after the session has failed releases nobody", async () => {
    const ran = Promise.withResolvers<void>();
    const fake = new FakeSession({ flows: 2, runFlush: () => ran.promise });
    await fake.toStable();
    for (const flow of [0, 1]) fake.tell(flow, reached(flow));
    fake.worker(0).fail("CONNECTION_LOST", "gone");
    ran.resolve();
    await settle();
    expect(released(fake)).toEqual([]);
  });

  test("that ends while the session stops releases nobody: the workers have been told to end where they stand", async () => {
    const ran = Promise.withResolvers<void>();
    const fake = new FakeSession({ flows: 2, runFlush: () => ran.promise });
    await fake.toStable();
    for (const flow of [0, 1]) fake.tell(flow, reached(flow));
    fake.session.stop();
    ran.resolve();
    await settle();
    expect(released(fake)).toEqual([]);
  });
});

const REACH: Readonly<Record<Exclude<SessionState, "stopped" | "failed">, (fake: FakeSession) => Promise<void>>> = {
  connecting: async () => {},
  handshake: async (fake) => fake.ready(),
  full_sync: (fake) => fake.toFullSync(),
  catching_up: (fake) => fake.toCatchingUp(),
  stable: (fake) => fake.toStable(),
  stopping: async (fake) => {
    await fake.toStable();
    fake.session.stop();
  },
};
const LIVE = Object.keys(REACH) as (keyof typeof REACH)[];

describe("a failure ends everything, once", () => {
  test.each(LIVE)("of a worker, in state %s", async (state) => {
    const fake = new FakeSession({ flows: 3, workers: 3 });
    await REACH[state](fake);
    expect(fake.session.state).toBe(state);
    fake.worker(1).fail("TARGET_REJECTED", "the first words");
    fake.worker(2).fail("CONNECTION_LOST", "the second words");
    fake.session.fail(new Df2RedisError("CONNECTION_LOST", "the third words"));
    const error = await rejection<Df2RedisError>(fake.ended);
    expect(error).toMatchObject({ code: "TARGET_REJECTED", message: "the first words", context: { flow: 1 } });
    expect(fake.session.state).toBe("failed");
    expect(fake.log.filter((what) => what === "failed")).toHaveLength(1);
    for (const worker of fake.workers) {
      expect(worker.got.filter((type) => type === "abort")).toHaveLength(1);
      expect(worker.closed).toBe(1);
    }
  });

  test.each([
    ["SYNC", { sync: () => Promise.reject(new Df2RedisError("SOURCE_REFUSED", "invalid state")) }],
    ["STARTSTABLE", { startStable: () => Promise.reject(new Df2RedisError("SOURCE_REFUSED", "invalid state")) }],
  ])("of %s", async (what, options) => {
    const fake = new FakeSession(options);
    fake.ready();
    fake.open("full", "full");
    await settle();
    if (fake.session.state !== "failed") for (const flow of [0, 1]) fake.cut(flow);
    expect(await rejection(fake.ended)).toMatchObject({ code: "SOURCE_REFUSED" });
    expect(fake.log.at(-2)).toBe(what);
    expect(fake.allClosed).toBe(true);
  });

  test("an acceptance that comes after the failure changes nothing", async () => {
    const accepted = Promise.withResolvers<void>();
    const fake = new FakeSession({ sync: () => accepted.promise });
    fake.ready();
    fake.open("full", "full");
    fake.worker(0).fail("CONNECTION_LOST", "gone");
    accepted.resolve();
    await settle();
    expect(fake.log).toEqual(["handshake", "SYNC", "failed"]);
  });

  test("an event that cannot happen fails the session instead of being swallowed", async () => {
    const fake = new FakeSession({ flows: 1 });
    fake.ready();
    fake.cut(0);
    expect(await rejection(fake.ended)).toMatchObject({ code: "INTERNAL" });
  });

  test("a worker that cannot even be started: those before it are closed", async () => {
    const error = new Df2RedisError("INTERNAL", "no thread");
    const fake = new FakeSession({ workers: 3, failToStart: { worker: 2, error } });
    expect(await rejection(fake.ended)).toBe(error);
    expect(fake.workers.map((worker) => worker.closed)).toEqual([1, 1]);
  });
});

describe("stop", () => {
  test.each(LIVE.filter((state) => state !== "connecting"))(
    "in state %s drains, then ends with the reports",
    async (state) => {
      const fake = new FakeSession({ flows: 2, workers: 2 });
      await REACH[state](fake);
      fake.session.stop();
      fake.session.stop();
      expect(fake.session.state).toBe("stopping");
      for (const worker of fake.workers) expect(worker.got.filter((type) => type === "drain")).toHaveLength(1);
      fake.worker(0).tell({
        type: "drained",
        report: { losses: [{ kind: "json", count: 2, samples: [] }], keysByType: { string: 3 }, memberDeadlines: [] },
      });
      await settle();
      expect(fake.session.state).toBe("stopping");
      fake.worker(1).tell({
        type: "drained",
        report: {
          losses: [{ kind: "json", count: 1, samples: [] }],
          keysByType: { string: 4, set: 1 },
          memberDeadlines: [],
        },
      });
      expect(await fake.ended).toEqual({
        losses: [{ kind: "json", count: 3, samples: [] }],
        keysByType: { string: 7, set: 1 },
        memberDeadlines: [],
        dragonflyVersion: undefined,
      });
      expect(fake.log.slice(-2)).toEqual(["stopping", "stopped"]);
      expect(fake.workers.map((worker) => worker.closed)).toEqual([1, 1]);
    },
  );

  test("while connecting ends at once: nobody can drain", async () => {
    const fake = new FakeSession({ workers: 2 });
    fake.worker(0).tell({ type: "ready" });
    fake.session.stop();
    await fake.ended;
    expect(fake.log).toEqual(["stopping", "stopped"]);
    expect(fake.allClosed).toBe(true);
  });

  test("flows that open meanwhile start no sync", async () => {
    const fake = new FakeSession();
    fake.ready();
    fake.session.stop();
    fake.open("full", "full");
    await settle();
    expect(fake.log).toEqual(["handshake", "stopping"]);
  });

  test("an acceptance of SYNC that comes meanwhile does not lead back", async () => {
    const accepted = Promise.withResolvers<void>();
    const fake = new FakeSession({ sync: () => accepted.promise });
    fake.ready();
    fake.open("full", "full");
    await settle();
    fake.session.stop();
    accepted.resolve();
    await settle();
    expect(fake.session.state).toBe("stopping");
    fake.drained();
    await fake.ended;
    expect(fake.log).toEqual(["handshake", "SYNC", "stopping", "stopped"]);
  });

  test("after the end does nothing", async () => {
    const fake = new FakeSession();
    await fake.toStable();
    fake.session.stop();
    fake.drained();
    await fake.ended;
    fake.session.stop();
    fake.session.fail(new Df2RedisError("CONNECTION_LOST", "late"));
    fake.worker(0).fail("CONNECTION_LOST", "later");
    expect(fake.session.state).toBe("stopped");
  });

  test("a failure while it drains wins", async () => {
    const fake = new FakeSession({ workers: 2 });
    await fake.toStable();
    fake.session.stop();
    fake.worker(0).tell({ type: "drained", report: { losses: [], keysByType: {}, memberDeadlines: [] } });
    fake.worker(1).fail("CONNECTION_LOST", "gone");
    fake.worker(1).tell({ type: "drained", report: { losses: [], keysByType: {}, memberDeadlines: [] } });
    expect(await rejection(fake.ended)).toMatchObject({ code: "CONNECTION_LOST" });
    expect(fake.session.state).toBe("failed");
  });
});

describe("migrate", () => {
  test("ends by itself once the snapshot of every flow is applied", async () => {
    const fake = new FakeSession({ flows: 3, workers: 2, snapshotOnly: true });
    await fake.toCatchingUp();
    for (const flow of [1, 0, 0]) fake.tell(flow, { type: "snapshotApplied", flow });
    expect(fake.session.state).toBe("catching_up");
    fake.tell(2, { type: "snapshotApplied", flow: 2 });
    expect(fake.workers.map((worker) => worker.got.at(-1))).toEqual(["drain", "drain"]);
    fake.drained();
    await fake.ended;
    expect(fake.session.state).toBe("stopped");
  });

  test("replicate goes on", async () => {
    const fake = new FakeSession();
    await fake.toCatchingUp();
    for (const flow of [0, 1]) fake.tell(flow, { type: "snapshotApplied", flow });
    expect(fake.worker(0).got).not.toContain("drain");
  });
});

describe("what workers tell on the side", () => {
  test("losses, rejected entries and the version reach the observer and the result, even while it stops", async () => {
    const fake = new FakeSession();
    const entry = {
      flow: 1,
      lsn: 9,
      db: 0,
      command: "SORT",
      key: "k",
      error: "ERR syntax error",
      class: "unrunnable",
    } as const;
    await fake.toStable();
    fake.tell(0, { type: "dragonflyVersion", version: "v1.40.1" });
    fake.session.stop();
    fake.tell(0, { type: "loss", kind: "json", db: 3, key: "j" });
    fake.tell(0, { type: "rejected", entry });
    fake.drained();
    expect(await fake.ended).toMatchObject({ dragonflyVersion: "v1.40.1" });
    expect(fake.log).toContain("loss json 3 j");
    expect(fake.rejected).toEqual([entry]);
  });

  test("an observer that throws fails the session, not the process", async () => {
    const fake = new FakeSession();
    await fake.toStable();
    fake.rejected.push = () => {
      throw new Error("disk full");
    };
    fake.tell(0, {
      type: "rejected",
      entry: { flow: 0, lsn: 1, db: 0, command: "X", key: "", error: "", class: "fatal" },
    });
    expect(await rejection(fake.ended)).toMatchObject({ code: "INTERNAL", message: "disk full" });
  });
});

test("the run waits until its workers are closed", async () => {
  const fake = new FakeSession();
  const closing = Promise.withResolvers<void>();
  fake.closeWith = () => closing.promise;
  let over = false;
  await fake.toStable();
  fake.session.stop();
  fake.drained();
  void fake.ended.then(() => {
    over = true;
  });
  await settle();
  expect(over).toBe(false);
  closing.resolve();
  await until(() => over, "the end");
});
