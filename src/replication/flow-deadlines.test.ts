/** Deadlines of members on one flow whose clock the test moves: each is acted upon when it is due, and never before what may renew it. */
import { describe, expect, test } from "vitest";
import { DROP_ALL } from "../../test/support/capabilities.ts";
import { entry } from "../../test/support/flow-bytes.ts";
import { PipelineBench } from "../../test/support/pipeline-bench.ts";
import { until } from "../../test/support/until.ts";
import type { WriterLimits } from "../target/target-writer.ts";

const START_MS = 1_795_000_000_000;
/** Deadlines are acted upon this much later. */
const MARGIN_S = 1;

class Flow implements AsyncDisposable {
  readonly bench: PipelineBench;
  readonly #time: { nowMs: number };

  private constructor(bench: PipelineBench, time: { nowMs: number }) {
    this.bench = bench;
    this.#time = time;
  }

  /** A flow that goes on with a partial sync and has caught up. */
  static async start(limits?: WriterLimits): Promise<Flow> {
    const time = { nowMs: START_MS - 10_000 };
    const bench = await PipelineBench.start({
      startLsn: 10,
      clock: () => time.nowMs,
      ...(limits !== undefined && { limits }),
      pipeline: { plan: { ...DROP_ALL, fieldTtl: "convert", memberTtl: "convert" } },
    });
    bench.pipeline.onStableStarted();
    time.nowMs = START_MS;
    bench.pipeline.tick();
    return new Flow(bench, time);
  }

  /** Entries that arrive now, and are applied. */
  async gets(...entries: readonly (readonly string[])[]): Promise<void> {
    const lsn = this.bench.counters.get(0, "lsn") + entries.length;
    this.bench.flow.feed(...entries.map((words) => entry(0, ...words)));
    await this.bench.applied(lsn);
  }

  /** The flow's look at its deadlines so many seconds after the start. @returns what it deleted */
  async at(seconds: number): Promise<string[]> {
    const before = this.bench.redis.commands.length;
    this.#time.nowMs = START_MS + 1000 * seconds;
    this.bench.pipeline.tick();
    const { encoder } = this.bench.writer;
    const more = encoder.commandCount;
    this.bench.writer.flush(true);
    await until(() => this.bench.redis.commands.length >= before + more, "what was encoded");
    return this.bench.redis.commands.slice(before);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bench[Symbol.asyncDispose]();
  }
}

describe("a member that is due", () => {
  test.each([
    [["SADDEX", "k", "10", "m"], "SREM k m"],
    [["HSETEX", "k", "10", "m", "v"], "HDEL k m"],
  ])("%j is deleted behind a margin, once", async (words, deletion) => {
    await using flow = await Flow.start();
    await flow.gets(words);
    expect(await flow.at(10)).toEqual([]);
    expect(await flow.at(10 + MARGIN_S - 0.001)).toEqual([]);
    expect(await flow.at(10 + MARGIN_S)).toEqual([deletion]);
    expect(await flow.at(1000)).toEqual([]);
  });

  test.each([
    [["SADDEX", "k", "10", "m"], ["SADDEX", "k", "10", "m"], "SREM k m"],
    [["SADDEX", "k", "10", "m"], ["FIELDEXPIRE", "k", "10", "m"], "SREM k m"],
    [["HSETEX", "k", "10", "m", "v"], ["HSETEX", "k", "10", "m", "w"], "HDEL k m"],
    [["HSETEX", "k", "10", "m", "v"], ["HEXPIRE", "k", "10", "FIELDS", "1", "m"], "HDEL k m"],
    [["HSETEX", "k", "10", "m", "v"], ["FIELDEXPIRE", "k", "10", "m"], "HDEL k m"],
  ])("%j and later %j: at the second deadline", async (first, second, deletion) => {
    await using flow = await Flow.start();
    await flow.gets(first);
    expect(await flow.at(8)).toEqual([]);
    await flow.gets(second);
    expect(await flow.at(17)).toEqual([]);
    expect(await flow.at(18 + MARGIN_S)).toEqual([deletion]);
  });

  test.each([
    [
      ["SADDEX", "k", "10", "m"],
      ["DEL", "k"],
      ["SADD", "k", "m"],
    ],
    [
      ["HSETEX", "k", "10", "m", "v"],
      ["HDEL", "k", "m"],
      ["HSET", "k", "m", "w"],
    ],
  ])("%j, %j, %j: has none any more", async (...entries) => {
    await using flow = await Flow.start();
    await flow.gets(...entries);
    expect(await flow.at(100)).toEqual([]);
  });
});

describe("nothing is deleted before all that was received is encoded", () => {
  // Anew for each test: what was fed is overwritten.
  const renew = (): Buffer => entry(0, "FIELDEXPIRE", "k", "100", "m");

  test("a renewal that has begun to arrive counts from its first bytes", async () => {
    const renewal = renew();
    await using flow = await Flow.start();
    await flow.gets(["SADDEX", "k", "10", "m"]);
    expect(await flow.at(9)).toEqual([]);
    flow.bench.flow.feed(renewal.subarray(0, 10));
    expect(await flow.at(50)).toEqual([]);
    flow.bench.flow.feed(renewal.subarray(10));
    await flow.bench.applied(12);
    expect(await flow.at(100)).toEqual([]);
    expect(await flow.at(150 + MARGIN_S)).toEqual(["SREM k m"]);
  });

  test("a renewal behind a full window, too", async () => {
    await using flow = await Flow.start({ batchBytes: 64, windowBytes: 128 });
    const { bench } = flow;
    await flow.gets(["SADDEX", "k", "10", "m"]);
    expect(await flow.at(9)).toEqual([]);
    bench.redis.hold();
    const filling = Array.from({ length: 4 }, (_, i) => entry(0, "SET", `big${i}`, "x".repeat(100)));
    bench.flow.feed(Buffer.concat([...filling, renew()]));
    await until(() => bench.redis.unanswered > 0, "the window to be full");
    expect(bench.writer.isFull()).toBe(true);
    await flow.at(50);
    bench.redis.release();
    await bench.applied(16);
    await flow.at(100);
    expect(bench.redis.commands.filter((line) => line.startsWith("SREM"))).toEqual([]);
    // Received at second 50.
    expect(await flow.at(200)).toEqual(["SREM k m"]);
  });
});

test("a drain deletes what is due, and keeps the rest for the report", async () => {
  await using flow = await Flow.start();
  await flow.gets(["SADDEX", "k", "10", "m"], ["SADDEX", "k", "100", "n"]);
  const { pipeline, redis } = flow.bench;
  await flow.at(10);
  pipeline.beginDrain();
  expect(pipeline.pump()).toBe(true);
  pipeline.endDrain();
  expect([...pipeline.memberDeadlines].map(({ member }) => member.toString())).toEqual(["m", "n"]);
  await flow.at(10 + MARGIN_S);
  pipeline.endDrain();
  expect([...pipeline.memberDeadlines].map(({ member, deadlineMs }) => [member.toString(), deadlineMs])).toEqual([
    ["n", START_MS + 100_000],
  ]);
  await until(() => redis.commands.at(-1) === "SREM k m", "the deletion");
});
