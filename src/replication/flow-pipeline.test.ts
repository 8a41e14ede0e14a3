/** One flow's way from its bytes to the target's answers, and what is acknowledged when. No test waits for a time. */
import { describe, expect, test } from "vitest";
import { afterCut, entry, listObject, untilCut } from "../../test/support/flow-bytes.ts";
import { command, lsnMark, ping } from "../../test/support/journal-builder.ts";
import { PipelineBench } from "../../test/support/pipeline-bench.ts";
import { aux, expireMs, fullSync, journalBlob, selectDb, string } from "../../test/support/rdb-builder.ts";
import { until } from "../../test/support/until.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";

const DAY_MS = 24 * 3600 * 1000;

function entries(count: number, name = "k"): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => entry(0, "SET", `${name}${i}`, "v")));
}

/** A bench whose flow has its (empty) snapshot behind it and starts its journal at LSN 50. */
async function stableAt50(): Promise<PipelineBench> {
  const bench = await PipelineBench.start();
  bench.flow.feed(fullSync([], { lsn: 50 }));
  expect(bench.pipeline.state).toBe("stable");
  expect(bench.flow.acks).toEqual([50]);
  return bench;
}

describe("I3: an acknowledgement never exceeds what the target has answered", () => {
  test("the first one, at the start of the journal, waits for the whole snapshot", async () => {
    await using bench = await PipelineBench.start();
    bench.redis.hold();
    bench.flow.feed(fullSync([string("a", "1"), string("b", "2"), string("c", "3")], { lsn: 50 }));
    await bench.received(3);
    bench.redis.answer(2);
    await until(() => bench.writer.commandsDone === 2, "two answers");
    bench.pipeline.tick();
    expect(bench.flow.acks).toEqual([]);
    expect(bench.told).not.toContain("snapshotApplied");
    bench.redis.answer(1);
    await until(() => bench.told.includes("snapshotApplied"), "the snapshot to be applied");
    expect(bench.flow.acks).toEqual([50]);
    expect(bench.counters.appliedLsns()).toEqual([50]);
  });

  test("stays while answers are held, follows as they come", async () => {
    await using bench = await stableAt50();
    bench.redis.hold();
    bench.flow.feed(entries(2), entries(1));
    await bench.received(3);
    expect(bench.counters.get(0, "lsn")).toBe(53);
    bench.pipeline.tick();
    expect(bench.flow.acks).toEqual([50, 50]);

    bench.redis.answer(1);
    await until(() => bench.writer.commandsDone === 1, "the first answer");
    bench.pipeline.tick();
    expect(bench.flow.acks.at(-1)).toBe(50);

    bench.redis.answer(1);
    await bench.applied(52);
    bench.pipeline.tick();
    expect(bench.flow.acks.at(-1)).toBe(52);

    bench.redis.release();
    await bench.applied(53);
    bench.pipeline.tick();
    expect(bench.flow.acks.at(-1)).toBe(53);
    expect(bench.counters.lag()).toBe(0);
  });

  test("an entry that becomes no command is applied once those before it are", async () => {
    await using bench = await stableAt50();
    bench.redis.hold();
    bench.flow.feed(entry(0, "SET", "k", "v"), entry(0, "SHRINK", "k"));
    await bench.received(1);
    bench.pipeline.tick();
    expect(bench.flow.acks.at(-1)).toBe(50);
    bench.redis.release();
    await bench.applied(52);
  });

  test("an entry that became several commands is applied with the last of them", async () => {
    await using bench = await stableAt50();
    bench.redis.hold();
    // It needs a SELECT here.
    bench.flow.feed(entry(3, "SET", "k", "v"));
    await bench.received(2);
    expect(bench.redis.commands).toEqual(["SELECT 3", "SET k v"]);
    bench.redis.answer(1);
    await until(() => bench.writer.commandsDone === 1, "the first answer");
    bench.pipeline.tick();
    expect(bench.flow.acks.at(-1)).toBe(50);
    bench.redis.release();
    await bench.applied(51);
  });

  test("nothing more once the connection to the target broke", async () => {
    await using bench = await stableAt50();
    bench.redis.hold();
    bench.flow.feed(entries(3), ping());
    await bench.received(3);
    bench.redis.dropConnections();
    await until(() => bench.writer.isFull(), "the writer to notice");
    bench.pipeline.tick();
    expect(new Set(bench.flow.acks)).toEqual(new Set([50]));
    expect(bench.counters.appliedLsns()).toEqual([50]);
  });
});

describe("when an acknowledgement is sent", () => {
  test("a partial sync: as soon as STARTSTABLE was accepted", async () => {
    await using bench = await PipelineBench.start({ startLsn: 700 });
    expect(bench.pipeline.state).toBe("stable");
    expect(bench.flow.acks).toEqual([]);
    expect(bench.counters.appliedLsns()).toEqual([700]);
    bench.pipeline.onStableStarted();
    expect(bench.flow.acks).toEqual([700]);
    bench.flow.feed(entries(1));
    await bench.applied(701);
  });

  test("a partial sync whose entries came first: from where it starts all the same", async () => {
    await using bench = await PipelineBench.start({ startLsn: 700 });
    bench.flow.feed(entries(2));
    await bench.applied(702);
    bench.pipeline.tick();
    expect(bench.flow.acks).toEqual([]);
    bench.pipeline.onStableStarted();
    expect(bench.flow.acks).toEqual([700, 702]);
  });

  test("a full sync: not by STARTSTABLE, but by the end of its snapshot", async () => {
    await using bench = await PipelineBench.start();
    bench.flow.feed(untilCut(string("a", "1")));
    bench.pipeline.onStableStarted();
    bench.pipeline.tick();
    expect(bench.flow.acks).toEqual([]);
    bench.flow.feed(afterCut(50));
    await bench.applied(50);
    expect(bench.flow.acks).toEqual([50]);
  });

  test("at each tick, news or not", async () => {
    await using bench = await stableAt50();
    bench.pipeline.tick();
    bench.pipeline.tick();
    expect(bench.flow.acks).toEqual([50, 50, 50]);
  });

  test("at once after a PING when all before it is applied", async () => {
    await using bench = await stableAt50();
    bench.flow.feed(ping());
    expect(bench.flow.acks).toEqual([50, 51]);
  });

  test("after a PING as soon as what is before it is applied, and only once for it", async () => {
    await using bench = await stableAt50();
    bench.redis.hold();
    bench.flow.feed(Buffer.concat([entries(2), ping()]));
    await bench.received(2);
    expect(bench.flow.acks).toEqual([50]);
    bench.redis.release();
    await bench.applied(53);
    expect(bench.flow.acks).toEqual([50, 53]);
    bench.flow.feed(entries(1));
    await bench.applied(54);
    expect(bench.flow.acks).toEqual([50, 53]);
  });

  test("after 1024 entries", async () => {
    await using bench = await stableAt50();
    bench.flow.feed(entries(1023));
    await bench.applied(50 + 1023);
    expect(bench.flow.acks).toEqual([50]);
    bench.flow.feed(entries(1));
    await bench.applied(50 + 1024);
    expect(bench.flow.acks).toEqual([50, 50 + 1024]);
  });

  test("LSN marks count for nothing", async () => {
    await using bench = await stableAt50();
    bench.flow.feed(Buffer.concat([entries(2), lsnMark(51), ping(), lsnMark(52)]));
    await bench.applied(53);
    expect(bench.counters.get(0, "lsn")).toBe(53);
  });
});

describe("I2: snapshot objects and journal entries take one ordered path", () => {
  const bytes = Buffer.concat([
    untilCut(
      string("k", "1"),
      journalBlob(1, [entry(0, "SET", "k", "2")]),
      string("k", "3"),
      selectDb(5),
      string("k", "of 5"),
      journalBlob(1, [entry(0, "APPEND", "k", "4")]),
      listObject("l", ["a", "b"]),
    ),
    journalBlob(1, [entry(5, "RPUSH", "l", "c")]),
    afterCut(50),
    entry(0, "SET", "k", "5"),
    entry(5, "DEL", "l"),
  ]);
  const expected = [
    "SET k 1",
    "SET k 2",
    "SET k 3",
    "SELECT 5",
    "SET k of 5",
    "SELECT 0",
    "APPEND k 4",
    "SELECT 5",
    "DEL l",
    "RPUSH l a b",
    "RPUSH l c",
    "SELECT 0",
    "SET k 5",
    "SELECT 5",
    "DEL l",
  ];

  test.each([1, 7, 4096])("fed in pieces of %d bytes", async (size) => {
    await using bench = await PipelineBench.start();
    for (let at = 0; at < bytes.length; at += size) bench.flow.feed(Buffer.from(bytes.subarray(at, at + size)));
    await bench.applied(52);
    expect(bench.redis.commands).toEqual(expected);
    expect(bench.told).toEqual(["string", "string", "string", "list", "cut", "snapshotApplied"]);
    expect(bench.counters.get(0, "keys")).toBe(4);
    expect(bench.counters.get(0, "journalEntries")).toBe(5);
    expect(bench.counters.get(0, "receivedBytes")).toBe(bytes.length);
  });

  test("also when the window is full again and again in between", async () => {
    await using bench = await PipelineBench.start({
      limits: { batchBytes: 16, windowBytes: 64, windowCommands: 2 },
    });
    bench.flow.feed(Buffer.from(bytes));
    await bench.applied(52);
    expect(bench.redis.commands).toEqual(expected);
  });
});

describe("I9: memory stays bounded while the target does not answer", () => {
  const WINDOW = 64 * 1024;
  const VALUE = "x".repeat(8 * 1024);
  const CHUNKS = 60;

  test.each([
    ["journal", (i: number) => entry(0, "SET", `k${i}`, VALUE), 50 + CHUNKS],
    ["snapshot", (i: number) => string(`k${i}`, VALUE), 50],
  ] as const)("the %s is not read on when the window is full, and goes on afterwards", async (what, piece, lsn) => {
    await using bench = await PipelineBench.start({ limits: { batchBytes: 16 * 1024, windowBytes: WINDOW } });
    bench.flow.feed(what === "journal" ? fullSync([], { lsn: 50 }) : Buffer.from("REDIS0009"));
    bench.redis.hold();
    for (let i = 0; i < CHUNKS; i++) bench.flow.feed(piece(i));
    await until(() => bench.redis.commands.length >= WINDOW / VALUE.length, "the window to fill");
    expect(bench.flow.isPaused).toBe(true);
    expect(bench.flow.bytesRead).toBeLessThan(WINDOW + 4 * VALUE.length);
    expect(bench.flow.unreadBytes).toBeGreaterThan((CHUNKS / 2) * VALUE.length);
    if (what === "snapshot") bench.flow.feed(untilCut().subarray(9), afterCut(50));
    bench.redis.release();
    await bench.applied(lsn);
    expect(bench.flow.unreadBytes).toBe(0);
    expect(bench.redis.commands.map((line) => line.split(" ")[1])).toEqual(
      Array.from({ length: CHUNKS }, (_, i) => `k${i}`),
    );
  });

  test("one big chunk is decoded only as far as the window allows", async () => {
    await using bench = await PipelineBench.start({ limits: { batchBytes: 16 * 1024, windowBytes: WINDOW } });
    bench.flow.feed(fullSync([], { lsn: 50 }));
    bench.redis.hold();
    bench.flow.feed(Buffer.concat(Array.from({ length: CHUNKS }, (_, i) => entry(0, "SET", `k${i}`, VALUE))));
    await until(() => bench.redis.commands.length >= WINDOW / VALUE.length, "the window to fill");
    expect(bench.counters.get(0, "lsn")).toBeLessThan(50 + 16);
    expect(bench.writer.inFlightBytes).toBeLessThan(2 * WINDOW);
    bench.redis.release();
    await bench.applied(50 + CHUNKS);
  });
});

describe("I6: a flush", () => {
  test.each([
    ["FLUSHALL", -1],
    ["FLUSHDB", 3],
    ["flushall", -1],
  ])("%s in a snapshot voids it: the flow fails, and nothing behind it is written", async (name, db) => {
    await using bench = await PipelineBench.start();
    bench.flow.feed(
      untilCut(string("a", "1"), journalBlob(1, [entry(db === -1 ? 0 : db, name)]), string("b", "2")),
      afterCut(50),
    );
    expect(bench.failures).toMatchObject([{ code: "FLUSH_IN_SNAPSHOT", context: { flow: 0 } }]);
    expect(bench.failures[0]?.retryable).toBe(true);
    expect([bench.pipeline.state, bench.flow.isPaused, bench.flow.destroyed]).toEqual(["closed", true, false]);
    bench.writer.flush(true);
    await bench.received(1);
    expect(bench.redis.commands).toEqual(["SET a 1"]);
    expect([bench.flushes, bench.flow.acks]).toEqual([[], []]);
  });

  test("between FULLSYNC_END and the end of the snapshot it does, too", async () => {
    await using bench = await PipelineBench.start();
    bench.flow.feed(untilCut(), journalBlob(1, [entry(0, "FLUSHALL")]), afterCut(50));
    expect(bench.failures).toMatchObject([{ code: "FLUSH_IN_SNAPSHOT" }]);
  });

  test("in the journal holds the flow when all before it is applied, until it is released", async () => {
    await using bench = await stableAt50();
    bench.redis.hold();
    bench.flow.feed(Buffer.concat([entries(2, "before"), command(["FLUSHALL"], { txid: 77 }), entries(2, "behind")]));
    await bench.received(2);
    expect(bench.pipeline.state).toBe("barrier");
    expect(bench.flushes).toEqual([]);

    bench.redis.release();
    await until(() => bench.flushes.length > 0, "the flush to be told");
    expect(bench.flushes).toEqual([{ txid: 77, lsn: 52, db: -1 }]);
    bench.flow.feed(entries(1, "later"));
    bench.pipeline.tick();
    // What is before the flush is applied, and no more.
    expect([bench.flow.acks.at(-1), bench.counters.get(0, "appliedLsn")]).toEqual([52, 52]);
    expect(bench.flow.isPaused).toBe(true);
    expect(bench.redis.commands.map((line) => line.split(" ")[1])).toEqual(["before0", "before1"]);

    bench.pipeline.releaseFlush(-1, undefined);
    await bench.applied(56);
    expect(bench.redis.commands.slice(2).map((line) => line.split(" ")[1])).toEqual(["behind0", "behind1", "later0"]);
    expect(bench.pipeline.state).toBe("stable");
  });

  test("of one database says which, and a second one right behind it waits again", async () => {
    await using bench = await stableAt50();
    bench.flow.feed(Buffer.concat([entry(3, "FLUSHDB"), entry(4, "FLUSHDB")]));
    expect(bench.flushes).toEqual([{ txid: 0, lsn: 50, db: 3 }]);
    bench.pipeline.releaseFlush(3, undefined);
    expect(bench.flushes).toEqual([
      { txid: 0, lsn: 50, db: 3 },
      { txid: 0, lsn: 51, db: 4 },
    ]);
    bench.pipeline.releaseFlush(4, undefined);
    await bench.applied(52);
  });

  test("a release that nobody waits for is ignored", async () => {
    await using bench = await stableAt50();
    bench.pipeline.releaseFlush(-1, undefined);
    expect(bench.pipeline.state).toBe("stable");
  });
});

describe("draining", () => {
  test("applies everything that has arrived and acknowledges it; closing comes later", async () => {
    await using bench = await PipelineBench.start({ limits: { batchBytes: 1024, windowBytes: 4096 } });
    bench.flow.feed(fullSync([], { lsn: 50 }));
    bench.redis.hold();
    bench.flow.feed(entries(1000));
    await until(() => bench.redis.commands.length > 10, "some commands");
    bench.pipeline.beginDrain();
    expect(bench.pipeline.pump()).toBe(false);
    expect(bench.flow.isPaused).toBe(true);
    bench.flow.feed(entries(5, "too late"));

    bench.redis.release();
    await bench.applied(1050);
    expect(bench.pipeline.pump()).toBe(true);
    expect(bench.flow.isPaused).toBe(true);
    bench.pipeline.endDrain();
    await until(() => bench.flow.acks.at(-1) === 1050, "the last acknowledgement");
    // Its master would close the other flows of the session, too.
    expect([bench.flow.ended, bench.pipeline.state]).toEqual([false, "stable"]);
    bench.pipeline.close();
    expect([bench.flow.ended, bench.flow.destroyed, bench.pipeline.state]).toEqual([true, false, "closed"]);
    expect(bench.redis.commands).toHaveLength(1000);
  });

  test("I3: does not acknowledge before the last answer", async () => {
    await using bench = await stableAt50();
    bench.redis.hold();
    bench.flow.feed(entries(3));
    bench.pipeline.beginDrain();
    bench.pipeline.pump();
    bench.pipeline.endDrain();
    await bench.received(3);
    expect(bench.flow.acks).toEqual([50]);
    bench.redis.release();
    await until(() => bench.flow.acks.length > 1, "the last acknowledgement");
    expect(bench.flow.acks).toEqual([50, 53]);
  });

  test("leaves half an entry behind", async () => {
    await using bench = await stableAt50();
    const two = entries(2);
    bench.flow.feed(Buffer.from(two.subarray(0, two.length - 1)));
    bench.pipeline.beginDrain();
    expect(bench.pipeline.pump()).toBe(true);
    bench.pipeline.endDrain();
    await until(() => bench.flow.acks.length > 1, "the last acknowledgement");
    expect(bench.flow.acks.at(-1)).toBe(51);
  });

  test("ends before a flush that the flow waits at", async () => {
    await using bench = await stableAt50();
    bench.flow.feed(Buffer.concat([entries(1), entry(0, "FLUSHALL"), entries(1, "behind")]));
    bench.pipeline.beginDrain();
    expect(bench.pipeline.pump()).toBe(true);
    bench.pipeline.endDrain();
    await until(() => bench.flow.acks.length > 1, "the last acknowledgement");
    expect(bench.flow.acks.at(-1)).toBe(51);
    expect(bench.redis.commands).toEqual(["SET k0 v"]);
  });

  test("puts the deadlines in place that were held back", async () => {
    const now = Date.now();
    await using bench = await PipelineBench.start({ clock: () => now });
    bench.flow.feed(
      fullSync([expireMs(now + 10), string("near", "v"), expireMs(now + 2 * DAY_MS), string("far", "v")]),
    );
    await bench.received(2);
    expect(bench.redis.commands[0]).toMatch(/^SET near v PXAT \d+$/);
    expect(bench.redis.commands[0]).not.toContain(String(now + 10));
    expect(bench.redis.commands[1]).toBe(`SET far v PXAT ${now + 2 * DAY_MS}`);
    bench.pipeline.endDrain();
    await bench.received(3);
    expect(bench.redis.commands[2]).toMatch(/^EVAL .* 1 near /);
  });
});

describe("a snapshot-only run", () => {
  test("applies the snapshot, tells it, and nothing of the journal", async () => {
    await using bench = await PipelineBench.start({ snapshotOnly: true });
    bench.flow.feed(
      Buffer.concat([
        untilCut(string("a", "1"), journalBlob(1, [entry(0, "SET", "a", "2")])),
        afterCut(50),
        entry(0, "SET", "a", "3"),
      ]),
    );
    bench.flow.feed(entries(3));
    await until(() => bench.told.includes("snapshotApplied"), "the snapshot");
    expect(bench.flow.isPaused).toBe(true);
    expect(bench.pipeline.pump()).toBe(true);
    bench.pipeline.endDrain();
    expect(bench.redis.commands).toEqual(["SET a 1", "SET a 2"]);
    expect(bench.counters.appliedLsns()).toEqual([50]);
  });
});

describe("what ends a flow", () => {
  test("bytes that cannot be decoded: it fails once, and reads, decodes and acknowledges no more", async () => {
    await using bench = await stableAt50();
    bench.flow.feed(Buffer.concat([entries(1), Buffer.from([0x2a])]));
    bench.flow.feed(ping());
    bench.pipeline.pump();
    bench.pipeline.tick();
    expect(bench.failures).toMatchObject([{ code: "STREAM_CORRUPT", context: { flow: 0 } }]);
    expect([bench.flow.isPaused, bench.flow.unreadBytes, bench.flow.acks]).toEqual([true, 1, [50]]);
    // Closing it is for its owner, once the reason is known.
    expect(bench.flow.destroyed).toBe(false);
    bench.pipeline.destroy();
    expect(bench.flow.destroyed).toBe(true);
  });

  test("an unknown command: the error names it, and it is not written", async () => {
    await using bench = await stableAt50();
    bench.flow.feed(Buffer.concat([entries(1), entry(2, "FROBNICATE", "k")]));
    expect(bench.failures).toMatchObject([
      { code: "UNKNOWN_COMMAND", context: { command: "FROBNICATE", db: 2, lsn: 51, flow: 0 } },
    ]);
    bench.writer.flush(true);
    await bench.received(1);
    expect(bench.redis.commands).toEqual(["SET k0 v"]);
  });

  test("its master: the error says which flow and how far it got", async () => {
    await using bench = await stableAt50();
    bench.flow.feed(entries(2));
    bench.flow.close(new Df2RedisError("CONNECTION_LOST", "closed by the other side"));
    expect(bench.failures).toMatchObject([{ code: "CONNECTION_LOST", context: { flow: 0, lsn: 52 } }]);
    expect(bench.pipeline.state).toBe("closed");
    bench.flow.close(new Df2RedisError("CONNECTION_LOST", "again"));
    expect(bench.failures).toHaveLength(1);
  });

  test("its owner: no error, no acknowledgement any more", async () => {
    await using bench = await stableAt50();
    bench.redis.hold();
    bench.flow.feed(entries(2), ping());
    await bench.received(2);
    bench.pipeline.destroy();
    bench.redis.release();
    await until(() => bench.writer.commandsDone === 2, "the answers");
    bench.pipeline.tick();
    expect(bench.flow.acks).toEqual([50]);
    expect([bench.failures, bench.pipeline.state, bench.pipeline.pump()]).toEqual([[], "closed", true]);
  });
});

// The main thread may look at any moment.
test("the counters never show more applied than received", async () => {
  await using bench = await PipelineBench.start();
  const lags: (number | undefined)[] = [];
  bench.flow.onAck = () => lags.push(bench.counters.lag());
  bench.flow.feed(fullSync([], { lsn: 50 }));
  bench.flow.feed(ping());
  expect(bench.flow.acks).toEqual([50, 51]);
  expect(lags).toEqual([0, 0]);
});

test("the source's version is told as the snapshot says it", async () => {
  await using bench = await PipelineBench.start();
  bench.flow.feed(fullSync([aux("redis-ver", "7.4.0"), aux("df-ver", "df-v1.40.1")]));
  expect(bench.told).toEqual(["df-v1.40.1", "cut", "snapshotApplied"]);
});
