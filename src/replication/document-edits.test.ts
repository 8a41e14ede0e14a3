/** Changes of documents, one after the other, on a writer whose answers the test holds back. */
import { describe, expect, test } from "vitest";
import { FakeRedis } from "../../test/support/fake-redis.ts";
import { until } from "../../test/support/until.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { TargetWriter } from "../target/target-writer.ts";
import type { DocumentChange } from "../target/translate/json/document-change.ts";
import { DocumentEdits } from "./document-edits.ts";

const FLOW = 3;

class Bench implements AsyncDisposable {
  readonly redis: FakeRedis;
  readonly writer: TargetWriter;
  readonly edits: DocumentEdits;
  /** What happened, in order. */
  readonly told: string[] = [];
  readonly failures: Df2RedisError[] = [];
  /** What a read gives; a rejection when it is an error. */
  text: string | undefined | Df2RedisError = "[1]";

  private constructor(redis: FakeRedis, writer: TargetWriter) {
    this.redis = redis;
    this.writer = writer;
    this.edits = new DocumentEdits({
      flow: FLOW,
      writer,
      maxBulkBytes: 100,
      read: async (db, key) => {
        this.told.push(`read ${db} ${key.toString()}, after ${redis.commands.length} commands`);
        if (this.text instanceof Df2RedisError) throw this.text;
        return this.text;
      },
      unrunnable: (edit, why) => this.told.push(`unrunnable ${edit.key.toString()}: ${why}`),
      encoded: () => setImmediate(() => writer.flush(true)),
      done: () => this.told.push("done"),
      failed: (error) => this.failures.push(error),
    });
  }

  static async start(): Promise<Bench> {
    const redis = await FakeRedis.start();
    const writer = await TargetWriter.connect({
      endpoint: redis.endpoint,
      limits: { batchBytes: 4096, windowBytes: 1 << 20 },
      connectTimeoutMs: 5000,
      replyTimeoutMs: 60_000,
      onError: () => {},
      onFailure: () => {},
      onDrain: () => {},
    });
    return new Bench(redis, writer);
  }

  add(key: string, change: DocumentChange, place: { readonly db?: number; readonly lsn?: number } = {}): void {
    const { db = 0, lsn = 7 } = place;
    this.edits.add({ db, key: Buffer.from(key), lsn, words: ["JSON.SET", key], change: () => change });
  }

  async ended(): Promise<void> {
    await until(() => this.told.at(-1) === "done" || this.failures.length > 0, "the edits to be done");
    this.writer.flush(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.writer.destroy();
    await this.redis[Symbol.asyncDispose]();
  }
}

describe("a change", () => {
  test("reads only once all before it is applied, and is under way until it is encoded", async () => {
    await using bench = await Bench.start();
    bench.redis.hold();
    bench.writer.encoder.command("SET", "d", "[1]");
    bench.add("d", { kind: "set", text: "[2]" });
    expect([bench.edits.isEditing, bench.edits.lsn]).toEqual([true, 7]);
    await until(() => bench.redis.unanswered === 1, "the command before it");
    expect(bench.told).toEqual([]);
    bench.redis.release();
    await bench.ended();
    expect(bench.told).toEqual(["read 0 d, after 1 commands", "done"]);
    expect([bench.edits.isEditing, bench.edits.lsn]).toEqual([false, undefined]);
    await until(() => bench.redis.commands.length === 2, "the document");
    expect(bench.redis.commands).toEqual(["SET d [1]", "SET d [2] KEEPTTL"]);
  });

  test("is written with the flow, LSN and database of its entry", async () => {
    await using bench = await Bench.start();
    bench.redis.refusals.set("SET d", "ERR no");
    bench.writer.encoder.flow = 1;
    bench.add("d", { kind: "set", text: '"é"' }, { db: 4, lsn: 99 });
    await bench.ended();
    await until(() => bench.redis.commands.length === 2, "the document");
    expect(bench.redis.commands).toEqual(["SELECT 4", 'SET d "é" KEEPTTL']);
    expect([bench.writer.encoder.flow, bench.writer.encoder.lsn]).toEqual([FLOW, 99]);
  });

  test.each([
    [{ kind: "delete" } as const, ["DEL d"], []],
    [{ kind: "unchanged" } as const, [], []],
    [{ kind: "unrunnable", why: "no path" } as const, [], ["unrunnable d: no path"]],
  ])("%j", async (change, commands, told) => {
    await using bench = await Bench.start();
    bench.add("d", change);
    await bench.ended();
    bench.writer.encoder.command("SET", "last", "1");
    bench.writer.flush(true);
    await until(() => bench.redis.commands.at(-1) === "SET last 1", "what follows");
    expect(bench.redis.commands).toEqual([...commands, "SET last 1"]);
    expect(bench.told).toEqual(["read 0 d, after 0 commands", ...told, "done"]);
  });
});

describe("several", () => {
  test("one after the other: each reads what the one before it wrote, and `done` comes once", async () => {
    await using bench = await Bench.start();
    bench.add("d", { kind: "set", text: "[2]" }, { lsn: 7 });
    bench.add("d", { kind: "set", text: "[3]" }, { lsn: 8 });
    expect(bench.edits.lsn).toBe(7);
    await bench.ended();
    await until(() => bench.redis.commands.length === 2, "both");
    expect(bench.told).toEqual(["read 0 d, after 0 commands", "read 0 d, after 1 commands", "done"]);
    expect(bench.redis.commands).toEqual(["SET d [2] KEEPTTL", "SET d [3] KEEPTTL"]);
  });
});

describe("what goes wrong", () => {
  test("a read that fails is told, the flow does not go on, and its LSN stands", async () => {
    await using bench = await Bench.start();
    bench.text = new Df2RedisError("CONNECTION_LOST", "gone");
    bench.add("d", { kind: "set", text: "[2]" });
    bench.add("e", { kind: "set", text: "[2]" });
    await bench.ended();
    expect(bench.failures.map(({ code }) => code)).toEqual(["CONNECTION_LOST"]);
    expect([bench.edits.isEditing, bench.edits.lsn]).toEqual([true, 7]);
    expect(bench.told).toEqual(["read 0 d, after 0 commands"]);
  });

  test("what a change throws is told, too", async () => {
    await using bench = await Bench.start();
    const change = (): DocumentChange => {
      throw new Df2RedisError("LIMIT_EXCEEDED", "too deep");
    };
    bench.edits.add({ db: 0, key: Buffer.from("d"), lsn: 7, words: [], change });
    await bench.ended();
    expect(bench.failures.map(({ code }) => code)).toEqual(["LIMIT_EXCEEDED"]);
  });

  test("a document that has become longer than the target takes is told, and not sent", async () => {
    await using bench = await Bench.start();
    bench.add("d", { kind: "set", text: "x".repeat(101) });
    await bench.ended();
    expect(bench.failures.map(({ code }) => code)).toEqual(["VALUE_TOO_LONG"]);
    expect([bench.redis.commands, bench.edits.isEditing]).toEqual([[], true]);
  });
});
