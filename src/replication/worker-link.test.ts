/** A worker in a thread of its own, and inline, by the same link: settings and events cross, and closing leaves nothing behind. */
import { describe, expect, test } from "vitest";
import { entry } from "../../test/support/flow-bytes.ts";
import { ping } from "../../test/support/journal-builder.ts";
import { fullSync, string } from "../../test/support/rdb-builder.ts";
import { until } from "../../test/support/until.ts";
import { WorkerBench } from "../../test/support/worker-bench.ts";
import { Secret } from "../config/secret.ts";
import type { WorkerEvent } from "./worker-messages.ts";
import { startInlineWorker, startThreadWorker, type WorkerLink } from "./worker-link.ts";
import type { WorkerSettings } from "./worker-settings.ts";

type Start = typeof startThreadWorker;

const FLOWS = [
  { snapshot: fullSync([string("a", "1")], { lsn: 50 }) },
  { snapshot: fullSync([string("b", "2")], { lsn: 80 }) },
];

async function withWorker(
  start: Start,
  run: (bench: WorkerBench, link: WorkerLink) => Promise<void>,
  settings?: Partial<WorkerSettings>,
): Promise<void> {
  const links: WorkerLink[] = [];
  const keep = (all: WorkerSettings, tell: (event: WorkerEvent) => void): WorkerLink => {
    const link = start(all, tell);
    links.push(link);
    return link;
  };
  await using bench = await WorkerBench.start(FLOWS, keep, settings);
  const [link] = links;
  if (link === undefined) throw new Error("the worker was not started");
  await run(bench, link);
  await link.close();
}

async function sendSnapshots(bench: WorkerBench): Promise<void> {
  await bench.open();
  for (const [flow, { snapshot }] of FLOWS.entries()) bench.master.send(flow, snapshot);
  await bench.told("snapshotApplied", 2);
}

describe.each([
  ["in a thread", startThreadWorker],
  ["inline", startInlineWorker],
])("a worker %s", (_, start) => {
  test("applies, counts, drains, acknowledges and closes", async () => {
    await withWorker(start, async (bench, link) => {
      await sendSnapshots(bench);
      bench.master.send(1, entry(0, "SET", "b", "3"), ping());
      await until(() => bench.master.acks(1).includes(82), "the acknowledgement of the PING");
      bench.redis.hold();
      bench.master.send(0, entry(0, "SET", "a", "4"));
      await until(() => bench.redis.unanswered === 1, "the entry");
      bench.send({ type: "drain" });
      bench.redis.release();
      await bench.told("drained");
      expect(bench.of("drained")[0]?.report).toEqual({ losses: [], keysByType: { string: 2 }, memberDeadlines: [] });
      expect(bench.counters.appliedLsns()).toEqual([51, 82]);
      expect(bench.counters.sum("commands")).toBe(4);
      await link.close();
      await until(() => bench.master.connections === 0, "the flows to be closed");
      expect(bench.master.acks(0).at(-1)).toBe(51);
      expect(bench.redis.commands.slice(0, 2).toSorted()).toEqual(["SET a 1", "SET b 2"]);
      expect(bench.redis.commands.slice(2)).toEqual(["SET b 3", "SET a 4"]);
      expect(bench.of("failed")).toEqual([]);
    });
  });

  // Closing a connection with unread bytes resets it, and the last acknowledgement with it.
  test("after draining closes in an orderly way, though the source has sent more than was read", async () => {
    const small = { batchBytes: 4096, windowBytes: 16 * 1024 };
    await withWorker(
      start,
      async (bench, link) => {
        await sendSnapshots(bench);
        bench.redis.hold();
        const value = "x".repeat(1024);
        bench.master.send(0, ...Array.from({ length: 4000 }, (_entry, i) => entry(0, "SET", `k${i}`, value)));
        await until(() => bench.redis.unanswered >= 15, "the window to fill");
        bench.send({ type: "drain" });
        bench.redis.release();
        await bench.told("drained");
        const applied = bench.counters.get(0, "appliedLsn");
        expect(applied).toBeLessThan(50 + 4000);
        await link.close();
        await until(() => !bench.master.isOpen(0), "the flow to be closed");
        expect([bench.master.acks(0).at(-1), bench.master.wasEnded(0)]).toEqual([applied, true]);
      },
      small,
    );
  });

  test("closes at once when it was not drained", async () => {
    await withWorker(start, async (bench, link) => {
      await sendSnapshots(bench);
      bench.redis.hold();
      bench.master.send(0, entry(0, "SET", "a", "4"));
      await until(() => bench.redis.unanswered === 1, "the entry");
      await link.close();
      await until(() => bench.master.connections === 0, "the flows to be closed");
      expect(Math.max(...bench.master.acks(0))).toBe(50);
      expect(bench.of("failed")).toEqual([]);
    });
  });

  test("tells nothing within the call that caused it", async () => {
    await withWorker(start, async (bench) => {
      await sendSnapshots(bench);
      bench.send({ type: "drain" });
      expect(bench.of("drained")).toEqual([]);
      await bench.told("drained");
    });
  });

  test("tells a failure with its code and context", async () => {
    await withWorker(start, async (bench) => {
      await sendSnapshots(bench);
      bench.redis.refusals.set("LPUSH", "WRONGTYPE no list");
      bench.master.send(1, entry(3, "LPUSH", "l", "x"));
      await bench.told("failed");
      expect(bench.of("failed")).toMatchObject([
        {
          error: {
            code: "TARGET_REJECTED",
            context: { flow: 1, lsn: 80, db: 3, key: "l", words: "WRONGTYPE no list" },
          },
        },
      ]);
    });
  });

  test("has the source's password", async () => {
    const source = { host: "127.0.0.1", port: 1, user: "replica", password: new Secret("hunter2"), tls: undefined };
    await withWorker(
      (settings, tell) => {
        const { port } = settings.source;
        return start({ ...settings, source: { ...source, port } }, tell);
      },
      async (bench) => {
        await bench.open();
        expect(bench.master.requests.filter((line) => line === "AUTH replica hunter2")).toHaveLength(2);
      },
    );
  });
});

describe("a thread", () => {
  test("that cannot start is a failure, not a silence", async () => {
    await withWorker(
      (settings, tell) =>
        startThreadWorker({ ...settings, flows: -1, counters: undefined as unknown as SharedArrayBuffer }, tell),
      async (bench) => {
        await bench.told("failed");
        expect(bench.of("failed")[0]?.error.code).toBe("INTERNAL");
        // Why, and not only that it ended.
        expect(bench.of("failed")[0]?.error.message).not.toContain("ended with code");
      },
    );
  });

  test("that was closed tells nothing more", async () => {
    await withWorker(startThreadWorker, async (bench, link) => {
      await bench.told("ready");
      await link.close();
      const count = bench.events.length;
      bench.redis.dropConnections();
      await link.close();
      expect(bench.events).toHaveLength(count);
    });
  });
});
