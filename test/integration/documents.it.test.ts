/** JSON documents that the target keeps as strings: changed in their order, acknowledged only once they are, whatever the run does meanwhile. */
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import type { Df2RedisError } from "../../src/errors/df2redis-error.ts";
import { replicateWhole } from "../support/recording-checks.ts";
import { expectedLines, openRecording, recordedBytes, recordedCommands } from "../support/recordings.ts";
import { FakeRedis } from "../support/fake-redis.ts";
import { afterCut, entry, untilCut } from "../support/flow-bytes.ts";
import { command, select } from "../support/journal-builder.ts";
import { PipelineBench } from "../support/pipeline-bench.ts";
import { aux, expireMs, journalBlob, object, string, wire } from "../support/rdb-builder.ts";
import { body, json } from "../support/rdb-values.ts";
import { RunHere, type RunHereOptions } from "../support/run-here.ts";
import { type TinyFlow, TinyMaster } from "../support/tiny-master.ts";
import { rejection, until } from "../support/until.ts";
import { useRedis } from "../support/use-redis.ts";
import { DROP_ALL } from "../support/capabilities.ts";

const redis = useRedis();
const HOUR_MS = 3_600_000;

function document(key: string, content: string): Buffer {
  const value = json(wire(content));
  return object(value.type, key, body(value));
}

function flowOf(snapshot: readonly Buffer[], journal: readonly Buffer[] = []): TinyFlow {
  return { snapshot: untilCut(...snapshot), stable: Buffer.concat([afterCut(10), ...journal]) };
}

function start(master: TinyMaster, options: Partial<RunHereOptions> = {}): RunHere {
  return new RunHere({ source: master.address, targetPort: redis.server.port, ...options });
}

async function text(key: string): Promise<string | undefined> {
  const reply = await redis.client.call("GET", key);
  return Buffer.isBuffer(reply) ? reply.toString() : undefined;
}

function bulk(words: string): string {
  return `$${Buffer.byteLength(words)}\r\n${words}\r\n`;
}

describe("recordings", () => {
  test.each(["dragonfly-1.40.1/types", "dragonfly-1.27.4/types"])("%s: every document ends as it was", async (name) => {
    const recording = openRecording(name);
    const changing = recordedCommands(recording).filter(
      ({ phase, command: [first] }) =>
        phase !== "pre" && (first === undefined ? "" : recordedBytes(first).toString()).startsWith("JSON."),
    );
    expect(changing.length).toBeGreaterThan(5);
    const report = await replicateWhole({ recording, targetPort: redis.server.port, workers: 2 });
    const documents = expectedLines(recording).filter(({ type }) => type === "ReJSON-RL");
    expect(documents.length).toBeGreaterThan(3);
    for (const { db, key, value } of documents) {
      await redis.client.call("SELECT", db);
      const held = await redis.client.call("GET", recordedBytes(key));
      const same = isDeepStrictEqual(JSON.parse(String(held)), JSON.parse(String(value)));
      expect(same, `${recordedBytes(key).toString()}: ${String(held)} for ${String(value)}`).toBe(true);
    }
    await redis.client.call("SELECT", 0);
    const kinds = report.losses.map(({ kind }) => kind);
    expect(kinds).toContain("jsonAsText");
    expect(kinds).not.toContain("json");
  });
});

describe("a change while others follow it", () => {
  test("each takes effect where it stands, with the document's deadline kept", async () => {
    const atMs = Date.now() + HOUR_MS;
    await using master = await TinyMaster.start([
      flowOf(
        [aux("DF-VER", "df-v1.40.1"), expireMs(atMs), document("d", '{"n":1}')],
        [
          entry(0, "JSON.NUMINCRBY", "d", "$.n", "1"),
          entry(0, "COPY", "d", "copy"),
          entry(0, "JSON.NUMINCRBY", "d", "$.n", "40"),
          entry(0, "JSON.SET", "e", "$", '{"s":"x"}'),
          entry(0, "JSON.STRAPPEND", "e", "$.s", '"y"'),
          entry(0, "JSON.SET", "e", "$.t", "[]"),
          entry(0, "JSON.ARRAPPEND", "e", "$.t", "1", "2"),
          entry(0, "JSON.SET", "gone", "$", "1"),
          entry(0, "JSON.DEL", "gone"),
          entry(3, "JSON.SET", "other", "$", "{}"),
          entry(3, "JSON.SET", "other", "$.a", "true"),
        ],
      ),
    ]);
    await using run = start(master);
    await run.until(() => master.acks(0).at(-1) === 21, "all to be acknowledged");
    await run.finish();
    expect([await text("d"), await text("copy"), await text("e"), await text("gone")]).toEqual([
      '{"n":42}',
      '{"n":2}',
      '{"s":"xy","t":[1,2]}',
      undefined,
    ]);
    expect(await redis.client.call("PEXPIRETIME", "d")).toBe(atMs);
    await redis.client.call("SELECT", 3);
    expect(await text("other")).toBe('{"a":true}');
  });

  test("inside a snapshot's journal blob, before what follows the blob", async () => {
    const blob = journalBlob(6, [
      select(0),
      command(["JSON.NUMINCRBY", "d", "$.n", "1"]),
      command(["RENAME", "d", "e"]),
      command(["JSON.NUMINCRBY", "e", "$.n", "1"]),
      command(["JSON.NUMINCRBY", "e", "$.n", "1"]),
      command(["COPY", "e", "f"]),
      command(["SET", "e", "last"]),
    ]);
    await using master = await TinyMaster.start([flowOf([document("d", '{"n":1}'), blob, string("d", "new")])]);
    await using run = start(master);
    await run.until(() => master.acks(0).at(-1) === 10, "the snapshot");
    await run.finish();
    expect([await text("d"), await text("e"), await text("f")]).toEqual(["new", "last", '{"n":4}']);
  });
});

describe("I3: the acknowledgement", () => {
  test("stays before an entry whose change is not written yet, and goes on by itself", async () => {
    const read = Promise.withResolvers<string | undefined>();
    await using bench = await PipelineBench.start({
      startLsn: 10,
      pipeline: { plan: { ...DROP_ALL, json: "convert" }, readDocument: () => read.promise },
    });
    bench.pipeline.onStableStarted();
    bench.flow.feed(entry(0, "SET", "a", "1"), entry(0, "JSON.NUMINCRBY", "d", "$.n", "1"), entry(0, "SET", "b", "1"));
    await bench.applied(11);
    bench.pipeline.tick();
    expect([bench.counters.get(0, "appliedLsn"), bench.flow.acks]).toEqual([11, [10, 11]]);
    expect(bench.redis.commands).toEqual(["SET a 1"]);
    read.resolve('{"n":1}');
    await bench.applied(13);
    bench.pipeline.tick();
    expect(bench.flow.acks).toEqual([10, 11, 13]);
    expect(bench.redis.commands).toEqual(["SET a 1", 'SET d {"n":2} KEEPTTL', "SET b 1"]);
  });

  test("stays there, too, until the changed document is confirmed", async () => {
    await using bench = await PipelineBench.start({
      startLsn: 10,
      pipeline: { plan: { ...DROP_ALL, json: "convert" }, readDocument: async () => '{"n":1}' },
    });
    bench.pipeline.onStableStarted();
    bench.redis.hold();
    bench.flow.feed(entry(0, "JSON.NUMINCRBY", "d", "$.n", "1"), entry(0, "SET", "b", "1"));
    await until(() => bench.redis.unanswered === 2, "the document and what follows it");
    bench.pipeline.tick();
    expect(bench.flow.acks).toEqual([10, 10]);
    bench.redis.answer(1);
    await bench.applied(11);
    bench.redis.release();
    await bench.applied(12);
  });

  test("draining waits for a change under way and for all behind it", async () => {
    const read = Promise.withResolvers<string | undefined>();
    await using bench = await PipelineBench.start({
      startLsn: 10,
      pipeline: { plan: { ...DROP_ALL, json: "convert" }, readDocument: () => read.promise },
    });
    bench.flow.feed(Buffer.concat([entry(0, "JSON.NUMINCRBY", "d", "$.n", "1"), entry(0, "SET", "b", "1")]));
    bench.pipeline.beginDrain();
    expect(bench.pipeline.pump()).toBe(false);
    read.resolve('{"n":1}');
    await bench.applied(12);
    expect(bench.pipeline.pump()).toBe(true);
  });
});

describe("the end of a run while a change is under way", () => {
  const journal = [entry(0, "JSON.NUMINCRBY", "d", "$.n", "1"), entry(0, "SET", "b", "1")];

  test.each([1, 2])("Ctrl-C finishes it, and what came behind it (%d workers)", async (workers) => {
    await using target = await FakeRedis.start();
    target.replies.set("GET d", bulk('{"n":1}'));
    target.hold("GET d");
    await using master = await TinyMaster.start([flowOf([], journal), flowOf([])]);
    await using run = start(master, { targetPort: target.endpoint.port, workers });
    await run.until(() => target.unanswered === 1, "the document to be read");
    run.stop();
    await run.untilPhase("stopping");
    expect(master.acks(0)).toEqual([10]);
    target.release();
    const report = await run.ended;
    expect(report.appliedLsns).toEqual([12, 10]);
    expect(target.commands.filter((line) => line.startsWith("SET "))).toEqual(['SET d {"n":2} KEEPTTL', "SET b 1"]);
    await until(() => master.acks(0).at(-1) === 12, "the last acknowledgement");
  });

  test.each([1, 2])("by force leaves nothing open and acknowledges nothing (%d workers)", async (workers) => {
    await using target = await FakeRedis.start();
    target.hold("GET d");
    await using master = await TinyMaster.start([flowOf([], journal), flowOf([])]);
    await using run = start(master, { targetPort: target.endpoint.port, workers });
    await run.until(() => target.unanswered === 1, "the document to be read");
    run.stop();
    run.force();
    expect(await rejection<Df2RedisError>(run.ended)).toMatchObject({ code: "INTERRUPTED" });
    await until(() => master.connections === 0 && target.connections === 0, "all connections to be closed");
    expect(master.acks(0)).toEqual([10]);
  });

  /** Breaks the connection that reads documents. */
  async function killReader(): Promise<void> {
    const clients = String(await redis.client.call("CLIENT", "LIST"));
    const id = /^id=(\d+) .*cmd=get /m.exec(clients)?.[1] ?? "none";
    expect(await redis.client.call("CLIENT", "KILL", "ID", id)).toBe(1);
  }

  test("the connection for reading was closed meanwhile: the run goes on", async () => {
    await using master = await TinyMaster.start([flowOf([document("d", '{"n":1}')], journal)]);
    await using run = start(master);
    await run.until(() => master.acks(0).at(-1) === 12, "the first change");
    await killReader();
    master.send(0, ...journal);
    await run.until(() => master.acks(0).at(-1) === 14, "the second change");
    await run.finish();
    expect(await text("d")).toBe('{"n":3}');
  });

  test.each([1, 2])(
    "the document cannot be read: a typed error, nothing acknowledged (%d workers)",
    async (workers) => {
      await using master = await TinyMaster.start([flowOf([document("d", '{"n":1}')], journal), flowOf([])]);
      await using run = start(master, { workers });
      await run.until(() => master.acks(0).at(-1) === 12, "the first change");
      await redis.client.call("DEL", "b");
      await redis.client.call("CONFIG", "SET", "maxclients", "1");
      try {
        await killReader();
        master.send(0, ...journal);
        const error = await rejection<Df2RedisError>(run.ended);
        expect(error.code).toBe("TARGET_REJECTED");
        expect(error.message).toContain("max number of clients");
        expect(error.context).toMatchObject({ flow: 0 });
      } finally {
        await redis.client.call("CONFIG", "SET", "maxclients", "1000");
      }
      expect(master.acks(0).at(-1)).toBe(12);
      expect([await text("d"), await text("b")]).toEqual(['{"n":2}', undefined]);
    },
  );

  test("somebody has put another type in the document's place", async () => {
    await using master = await TinyMaster.start([flowOf([])]);
    await using run = start(master);
    await run.until(() => master.acks(0).includes(10), "the snapshot");
    await redis.client.call("RPUSH", "d", "x");
    master.send(0, ...journal);
    const error = await rejection<Df2RedisError>(run.ended);
    expect(error.code).toBe("TARGET_REJECTED");
    expect(error.message).toContain("WRONGTYPE");
    expect(master.acks(0).at(-1)).toBe(10);
    expect(await text("b")).toBeUndefined();
  });
});

describe("a target with documents of its own", () => {
  test.each([1, 2])("gets documents, and their changes as they are (%d workers)", async (workers) => {
    await using target = await FakeRedis.start();
    target.more.add("JSON.SET");
    await using master = await TinyMaster.start([
      flowOf([document("d", '{"n":1}')], [entry(0, "JSON.NUMINCRBY", "d", "$.n", "1")]),
      flowOf([]),
    ]);
    await using run = start(master, { targetPort: target.endpoint.port, workers });
    await run.until(() => master.acks(0).at(-1) === 11, "all to be acknowledged");
    expect(run.notes.join("\n")).toContain("carried as they are: JSON documents");
    const report = await run.finish();
    expect(target.commands.filter((line) => line.includes("JSON."))).toEqual([
      'JSON.SET d $ {"n":1}',
      "JSON.NUMINCRBY d $.n 1",
    ]);
    expect(report.losses).toEqual([]);
    expect(target.commands.some((line) => line.startsWith("GET"))).toBe(false);
  });
});
