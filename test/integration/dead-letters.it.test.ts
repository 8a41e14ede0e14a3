/** Writes that the target refuses, through whole runs: noted before anything behind them is acknowledged, tried again, or the end of the run. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { Df2RedisError } from "../../src/errors/df2redis-error.ts";
import { afterCut, entry, untilCut } from "../support/flow-bytes.ts";
import { string } from "../support/rdb-builder.ts";
import { CliHere } from "../support/run-cli-here.ts";
import { RunHere, type RunHereOptions } from "../support/run-here.ts";
import { type TinyFlow, TinyMaster } from "../support/tiny-master.ts";
import { rejection } from "../support/until.ts";
import { useRedis } from "../support/use-redis.ts";

const redis = useRedis();

/** What 1.27 journals of a ZUNIONSTORE whose destination is on another shard: no server runs it. */
const IN_PIECES = entry(0, "ZUNIONSTORE", "dst", "2");

function flowOf(snapshot: readonly Buffer[], journal: readonly Buffer[] = []): TinyFlow {
  return { snapshot: untilCut(...snapshot), stable: Buffer.concat([afterCut(10), ...journal]) };
}

function start(master: TinyMaster, options: Partial<RunHereOptions> = {}): RunHere {
  return new RunHere({ source: master.address, targetPort: redis.server.port, ...options });
}

function letters(directory: string): Record<string, unknown>[] {
  const lines = readFileSync(path.join(directory, "dead-letter.ndjson"), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function text(key: string): Promise<string> {
  return String(await redis.client.call("GET", key));
}

describe("an entry that no server can run", () => {
  const journal = [entry(0, "SET", "a", "1"), IN_PIECES, entry(0, "SET", "b", "1")];

  test.each([1, 2])("is noted, and the run goes on (%d workers)", async (workers) => {
    await using master = await TinyMaster.start([flowOf([], journal), flowOf([])]);
    await using run = start(master, { workers });
    await run.until(() => master.acks(0).at(-1) === 13, "all to be acknowledged");
    const report = await run.finish();
    const [letter, ...others] = letters(run.taskDir);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ flow: 0, lsn: 11, db: 0, command: "ZUNIONSTORE", key: "dst", class: "unrunnable" });
    expect(letter).not.toHaveProperty("args");
    expect(report.rejectedCount).toBe(1);
    expect(report.rejected).toMatchObject([{ lsn: 11, command: "ZUNIONSTORE", class: "unrunnable" }]);
    expect(report.deadLetterFile).toBe(path.join(run.taskDir, "dead-letter.ndjson"));
    expect(run.warnings.filter((warning) => warning.includes("dead-letter"))).toHaveLength(1);
    expect([await text("a"), await text("b")]).toEqual(["1", "1"]);
  });

  test.each([1, 2])("ends the run when that is wanted (%d workers)", async (workers) => {
    await using master = await TinyMaster.start([flowOf([], journal), flowOf([])]);
    await using run = start(master, { workers, flags: { "on-unrunnable": "stop" } });
    const error = await rejection<Df2RedisError>(run.ended);
    expect(error.code).toBe("TARGET_REJECTED");
    expect(error.message).toContain("ZUNIONSTORE");
    expect(Math.max(...master.acks(0))).toBeLessThanOrEqual(11);
    expect(existsSync(run.taskDir)).toBe(false);
  });

  test("is in what the command prints, and a run that was stopped well ends with 0", async () => {
    await using master = await TinyMaster.start([flowOf([], journal)]);
    await using cli = new CliHere([
      "replicate",
      "--source",
      master.address,
      "--target",
      `127.0.0.1:${redis.server.port}`,
    ]);
    await cli.says("no server can run");
    cli.signal("SIGINT");
    expect(await cli.ended).toBe(0);
    expect(cli.output).toContain("dead-letter.ndjson");
    expect(cli.output).toContain("ZUNIONSTORE");
  });

  test("with its arguments only when they are wanted, those of a document's change, too", async () => {
    await using master = await TinyMaster.start([
      flowOf([string("d", "no document")], [IN_PIECES, entry(0, "JSON.SET", "d", "$.a", '{"x":1}')]),
    ]);
    await using run = start(master, { config: "errors: {values: true}" });
    await run.until(() => master.acks(0).at(-1) === 12, "all to be acknowledged");
    await run.finish();
    expect(letters(run.taskDir)).toMatchObject([
      { command: "ZUNIONSTORE", key: "dst", args: ["dst", "2"] },
      { command: "JSON.SET", key: "d", lsn: 11, args: ["d", "$.a", '{"x":1}'], class: "unrunnable" },
    ]);
  });
});

describe("a write that the target refuses for good", () => {
  async function plant(master: TinyMaster, run: RunHere): Promise<void> {
    await run.until(() => master.acks(0).includes(10), "the snapshot");
    await redis.client.call("RPUSH", "planted", "x");
    master.send(0, entry(0, "SADD", "planted", "secret"), entry(0, "SET", "behind", "1"));
  }

  test.each([1, 2])("ends the run, with nothing behind it acknowledged (%d workers)", async (workers) => {
    await using master = await TinyMaster.start([flowOf([]), flowOf([])]);
    await using run = start(master, { workers });
    await plant(master, run);
    const error = await rejection<Df2RedisError>(run.ended);
    expect(error.code).toBe("TARGET_REJECTED");
    expect(error.context).toMatchObject({ flow: 0, lsn: 10, db: 0, command: "SADD", key: "planted" });
    expect(error.message).toContain("WRONGTYPE");
    expect(error.message).not.toContain("secret");
    expect(Math.max(...master.acks(0))).toBe(10);
  });

  test.each([1, 2])("is noted when that is wanted (%d workers)", async (workers) => {
    await using master = await TinyMaster.start([flowOf([]), flowOf([])]);
    await using run = start(master, { workers, flags: { "on-rejected": "dead-letter" } });
    await plant(master, run);
    await run.until(() => master.acks(0).at(-1) === 12, "what is behind it");
    const report = await run.finish();
    const [letter] = letters(run.taskDir);
    expect(letter).toMatchObject({ flow: 0, lsn: 10, command: "SADD", key: "planted", class: "fatal" });
    expect(String(letter?.["error"])).toContain("WRONGTYPE");
    expect(JSON.stringify(letter)).not.toContain("secret");
    expect(report.rejectedCount).toBe(1);
    expect(await text("behind")).toBe("1");
  });

  test("with its values when they are wanted", async () => {
    await using master = await TinyMaster.start([flowOf([])]);
    await using run = start(master, { config: "errors: {rejected: dead-letter, values: true}" });
    await plant(master, run);
    await run.until(() => master.acks(0).at(-1) === 12, "what is behind it");
    await run.finish();
    expect(letters(run.taskDir)).toMatchObject([{ command: "SADD", args: ["planted", "secret"] }]);
  });

  test.each([1, 2])(
    "and that cannot be noted ends the run, with nothing behind it acknowledged (%d workers)",
    async (workers) => {
      await using master = await TinyMaster.start([flowOf([]), flowOf([])]);
      await using run = start(master, { workers, flags: { "state-dir": "/dev/null", "on-rejected": "dead-letter" } });
      await plant(master, run);
      const error = await rejection<Df2RedisError>(run.ended);
      expect(error.code).toBe("STATE_UNWRITABLE");
      expect(error.message).toContain("/dev/null/default/dead-letter.ndjson");
      expect(Math.max(...master.acks(0))).toBe(10);
    },
  );
});

describe("a write that the target cannot take now", () => {
  test.each([1, 2])("waits, says so, and goes on by itself (%d workers)", async (workers) => {
    await using master = await TinyMaster.start([flowOf([]), flowOf([])]);
    await using run = start(master, { workers });
    await run.until(() => master.acks(0).includes(10), "the snapshot");
    await redis.client.call("CONFIG", "SET", "maxmemory", "1");
    try {
      master.send(0, entry(0, "SET", "a", "1"), entry(0, "SET", "b", "1"));
      await run.until(() => run.warnings.some((warning) => warning.includes("OOM")), "the warning");
      expect(master.acks(0).at(-1)).toBe(10);
      expect(await redis.client.call("EXISTS", "a", "b")).toBe(0);
    } finally {
      await redis.client.call("CONFIG", "SET", "maxmemory", "0");
    }
    await run.until(() => master.acks(0).at(-1) === 12, "the writes");
    await run.finish();
    expect(run.notes).toContain("the target takes writes again");
    expect(run.warnings.filter((warning) => warning.includes("OOM"))).toHaveLength(1);
    expect([await text("a"), await text("b")]).toEqual(["1", "1"]);
    expect(existsSync(run.taskDir)).toBe(false);
  });

  test("is not lost by a stop in between", async () => {
    await using master = await TinyMaster.start([flowOf([])]);
    await using run = start(master);
    await run.until(() => master.acks(0).includes(10), "the snapshot");
    await redis.client.call("CONFIG", "SET", "maxmemory", "1");
    try {
      master.send(0, entry(0, "SET", "a", "1"));
      await run.until(() => run.warnings.length > 0, "the warning");
      run.stop();
      await run.untilPhase("stopping");
    } finally {
      await redis.client.call("CONFIG", "SET", "maxmemory", "0");
    }
    const report = await run.ended;
    expect(report.appliedLsns).toEqual([11]);
    expect(await text("a")).toBe("1");
  });

  test("the time for it runs out", async () => {
    await using master = await TinyMaster.start([flowOf([])]);
    await using run = start(master, { config: "errors: {retrySeconds: 1}" });
    await run.until(() => master.acks(0).includes(10), "the snapshot");
    await redis.client.call("CONFIG", "SET", "maxmemory", "1");
    try {
      master.send(0, entry(0, "SET", "a", "1"));
      const error = await rejection<Df2RedisError>(run.ended);
      expect(error.code).toBe("TARGET_NOT_READY");
      expect(error.message).toContain("OOM");
    } finally {
      await redis.client.call("CONFIG", "SET", "maxmemory", "0");
    }
    expect(Math.max(...master.acks(0))).toBe(10);
  });
});
