/** `unsupported.*` through whole runs: what stops a run stops it, what is left out is counted, what is carried works. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Df2RedisError } from "../../src/errors/df2redis-error.ts";
import { afterCut, entry, untilCut } from "../support/flow-bytes.ts";
import { aux, object, string } from "../support/rdb-builder.ts";
import { SAMPLES } from "../support/rdb-samples.ts";
import { body } from "../support/rdb-values.ts";
import { CliHere } from "../support/run-cli-here.ts";
import { RunHere, type RunHereOptions } from "../support/run-here.ts";
import { type TinyFlow, TinyMaster } from "../support/tiny-master.ts";
import { rejection } from "../support/until.ts";
import { useRedis } from "../support/use-redis.ts";

const redis = useRedis();

function flowOf(snapshot: readonly Buffer[], journal: readonly Buffer[] = []): TinyFlow {
  return { snapshot: untilCut(...snapshot), stable: Buffer.concat([afterCut(10), ...journal]) };
}

function start(master: TinyMaster, options: Partial<RunHereOptions> = {}): RunHere {
  return new RunHere({ source: master.address, targetPort: redis.server.port, ...options });
}

/** A key of the sample's type. */
function sample(kind: string, key: string): Buffer {
  const value = SAMPLES.find((one) => one.value.kind === kind)?.value;
  if (value === undefined) throw new Error(`no sample of ${kind}`);
  return object(value.type, key, body(value));
}

const FILTERS: readonly (readonly [string, string, readonly string[]])[] = [
  ["bloom", "Bloom filters", ["BF.ADD", "f", "x"]],
  ["cuckoo", "cuckoo filters", ["CF.ADD", "f", "x"]],
  ["cms", "count-min sketches", ["CMS.INCRBY", "f", "x", "1"]],
  ["topk", "top-k sketches", ["TOPK.ADD", "f", "x"]],
];

describe.each([1, 2])("fail, with %d workers", (workers) => {
  test.each(FILTERS)("%s in the snapshot", async (feature, words) => {
    await using master = await TinyMaster.start([flowOf([]), flowOf([sample(feature, "f")])]);
    await using run = start(master, { workers });
    const error = await rejection<Df2RedisError>(run.ended);
    expect(error.code).toBe("FEATURE_UNSUPPORTED");
    expect(error.context).toMatchObject({ key: "f" });
    expect(run.notes.join("\n")).toMatch(new RegExp(`stop the run at the first one: .*${words}`));
    expect(master.acks(1)).toEqual([]);
  });

  test.each(FILTERS)("%s in the journal", async (_feature, _words, command) => {
    await using master = await TinyMaster.start([
      flowOf([]),
      flowOf([], [entry(0, "SET", "a", "1"), entry(0, ...command), entry(0, "SET", "b", "1")]),
    ]);
    await using run = start(master, { workers });
    const error = await rejection<Df2RedisError>(run.ended);
    expect(error.code).toBe("FEATURE_UNSUPPORTED");
    expect(error.message).toContain("f");
    expect(Math.max(-1, ...master.acks(1))).toBeLessThanOrEqual(11);
    expect(await redis.client.call("EXISTS", "b")).toBe(0);
  });
});

test("what stops a run is said, with what to do, and the exit code is 1", async () => {
  await using master = await TinyMaster.start([flowOf([sample("bloom", "f")])]);
  const args = ["replicate", "--source", master.address, "--target", `127.0.0.1:${redis.server.port}`];
  await using cli = new CliHere(args, { DF2REDIS_UNSUPPORTED_BLOOM: "fail" });
  expect(await cli.ended).toBe(1);
  expect(cli.output).toContain("FEATURE_UNSUPPORTED");
  expect(cli.output).toContain("unsupported.bloom");
});

test.each([1, 2])("drop: left out, counted with samples, in snapshot and journal (%d workers)", async (workers) => {
  await using master = await TinyMaster.start([
    flowOf([sample("bloom", "f"), string("k", "v")], [entry(0, "BF.ADD", "g", "x"), entry(0, "SET", "b", "1")]),
    flowOf([sample("bloom", "h")]),
  ]);
  await using run = start(master, { workers, flags: { "unsupported-bloom": "drop" } });
  await run.until(() => master.acks(0).at(-1) === 12, "all to be acknowledged");
  const report = await run.finish();
  const loss = report.losses.find(({ kind }) => kind === "bloom");
  expect(loss?.count).toBe(3);
  expect(loss?.samples.map(({ key }) => key).toSorted()).toEqual(["f", "g", "h"]);
  expect(await redis.client.call("DBSIZE")).toBe(2);
});

describe("Lua scripts", () => {
  const script = "return {KEYS[1], ARGV[1] .. '!'}";
  const sha = createHash("sha1").update(script).digest("hex");

  test.each([1, 2])("are there for EVALSHA afterwards (%d workers)", async (workers) => {
    await redis.client.call("SCRIPT", "FLUSH");
    await using master = await TinyMaster.start([flowOf([aux("lua", script)]), flowOf([aux("lua", script)])]);
    await using run = start(master, { workers });
    await run.until(() => [0, 1].every((flow) => master.acks(flow).includes(10)), "the snapshot");
    const report = await run.finish();
    const reply = await redis.client.call("EVALSHA", sha, "1", "k", "a");
    expect(Array.isArray(reply) ? reply.map(String) : reply).toEqual(["k", "a!"]);
    expect(report.losses).toEqual([]);
  });

  test("are left out when that is wanted", async () => {
    await redis.client.call("SCRIPT", "FLUSH");
    await using master = await TinyMaster.start([flowOf([aux("lua", script)])]);
    await using run = start(master, { flags: { "unsupported-lua": "drop" } });
    await run.until(() => master.acks(0).includes(10), "the snapshot");
    const report = await run.finish();
    expect(await redis.client.call("SCRIPT", "EXISTS", sha)).toEqual([0]);
    expect(report.losses.map(({ kind }) => kind)).toEqual(["lua"]);
  });

  test("stop the run when that is wanted", async () => {
    await using master = await TinyMaster.start([flowOf([aux("lua", script)])]);
    await using run = start(master, { flags: { "unsupported-lua": "fail" } });
    expect((await rejection<Df2RedisError>(run.ended)).code).toBe("FEATURE_UNSUPPORTED");
  });
});
