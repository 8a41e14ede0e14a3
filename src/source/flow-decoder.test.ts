/** The phases of a flow: snapshot, EOF token, stable journal. */
import { describe, expect, test } from "vitest";
import { EventRecorder, type RecordedValue } from "../../test/support/event-recorder.ts";
import { decodeFlow, feedFlow, FULL_START } from "../../test/support/feed-flow.ts";
import { command, lsnMark, ping, select } from "../../test/support/journal-builder.ts";
import {
  bytes,
  EOF_TOKEN,
  eof,
  fullSync,
  journalOffset,
  lz4Blob,
  object,
  rdb,
  string,
  wire,
} from "../../test/support/rdb-builder.ts";
import { body, hash } from "../../test/support/rdb-values.ts";
import { DEFAULT_DECODE_LIMITS } from "../bytes/decode-limits.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { FlowDecoder } from "./flow-decoder.ts";

function makeDecoder(recorder: EventRecorder, start = FULL_START): FlowDecoder<RecordedValue> {
  return new FlowDecoder<RecordedValue>({
    flow: 1,
    start,
    handler: recorder,
    limits: DEFAULT_DECODE_LIMITS,
    bodyLimitBytes: 1000,
  });
}

const SNAPSHOT = fullSync([string("k", "v")], { lsn: 70 });
const STABLE = Buffer.concat([select(1), command(["SET", "k", "w"]), ping(), lsnMark(71)]);

describe("a full sync", () => {
  test("goes from the snapshot over the token to the journal", () => {
    const recorder = new EventRecorder();
    const decoder = makeDecoder(recorder);
    const phases: string[] = [decoder.phase];
    for (const piece of [SNAPSHOT.subarray(0, -40), SNAPSHOT.subarray(-40, -1), SNAPSHOT.subarray(-1), STABLE]) {
      decoder.push(piece);
      expect(decoder.decode()).toBe("needsMore");
      phases.push(decoder.phase);
    }
    expect(phases).toEqual(["snapshot", "eofToken", "eofToken", "journal", "journal"]);
    expect(recorder.events).toEqual([
      ["string", "k", { type: 0 }, "v"],
      ["fullSyncEnd"],
      ["snapshotEnd", 70],
      ["command", { db: 1, txid: 0, lsn: 70 }, ["SET", "k", "w"]],
      ["ping"],
    ]);
    expect(decoder.lsn).toBe(72);
    expect(decoder.offset).toBe(SNAPSHOT.length + STABLE.length);
    expect(decoder.pendingBytes).toBe(0);
  });

  test("a handler that stays full is told nothing, and everything later", () => {
    const recorder = new EventRecorder();
    recorder.isFull = () => true;
    const decoder = makeDecoder(recorder);
    decoder.push(Buffer.concat([SNAPSHOT, STABLE]));
    for (let i = 0; i < 5; i++) expect(decoder.decode()).toBe("full");
    expect(recorder.events).toEqual([]);
    expect(decoder.pendingBytes).toBe(SNAPSHOT.length + STABLE.length);
    recorder.isFull = () => false;
    expect(decoder.decode()).toBe("needsMore");
    expect(recorder.events).toHaveLength(5);
  });

  test("a handler that is full after each call is told one thing at a time, in a value too", () => {
    const fields = Array.from({ length: 50 }, (_, i) => [wire(`f${i}`), wire("v")] as const);
    const value = object(4, "h", body(hash(fields)));
    for (const flow of [
      fullSync([value, string("k", "v")]),
      fullSync([lz4Blob(Buffer.concat([value, string("k", "v")]))]),
    ]) {
      const recorder = new EventRecorder();
      let released = 0;
      recorder.isFull = () => recorder.events.length !== released;
      const decoder = makeDecoder(recorder);
      decoder.push(Buffer.concat([flow, command(["A"]), command(["B"])]));
      let most = 0;
      while (decoder.decode() === "full") {
        most = Math.max(most, recorder.events.length - released);
        released = recorder.events.length;
      }
      expect(recorder.events).toHaveLength(1 + 50 + 1 + 1 + 2 + 2);
      // The last field and the end come together.
      expect(most).toBeLessThanOrEqual(2);
    }
  });

  test("a blob that is being read is no longer pending", () => {
    const recorder = new EventRecorder();
    recorder.isFull = () => recorder.events.length === 1;
    const decoder = makeDecoder(recorder);
    const behind = string("c", "");
    decoder.push(Buffer.concat([rdb([lz4Blob(Buffer.concat([string("a", ""), string("b", "")]))]), behind]));
    expect(decoder.decode()).toBe("full");
    expect(decoder.pendingBytes).toBe(behind.length);
    recorder.isFull = () => false;
    decoder.push(fullSync([]).subarray(9));
    expect(decoder.decode()).toBe("needsMore");
    expect(recorder.events.map(([, key]) => key)).toEqual(["a", "b", "c", undefined, 1]);
  });

  test("the token must be the flow's own", () => {
    const { error } = feedFlow(Buffer.concat([rdb([journalOffset(1), eof()]), Buffer.from("f".repeat(40))]), {
      flow: 3,
    });
    expect(error?.code).toBe("STREAM_CORRUPT");
    expect(error?.message).toBe("flow 3, offset 27: the snapshot is not followed by the flow's EOF token");
  });

  test("needs a JOURNAL_OFFSET", () => {
    const { error } = feedFlow(Buffer.concat([rdb([eof()]), Buffer.from(EOF_TOKEN)]));
    expect(error?.message).toContain("without the LSN");
  });
});

describe("a partial sync", () => {
  const start = { kind: "partial", lsn: 40 } as const;

  test("begins with the journal at the LSN that was asked for", () => {
    const { events, decoder } = decodeFlow(Buffer.concat([command(["A"]), lsnMark(40)]), { start });
    expect(events).toEqual([["command", { db: 0, txid: 0, lsn: 40 }, ["A"]]]);
    expect(decoder.lsn).toBe(41);
    expect(decoder.phase).toBe("journal");
  });

  test("knows its LSN before anything comes", () => {
    expect(makeDecoder(new EventRecorder(), start).lsn).toBe(40);
    expect(makeDecoder(new EventRecorder()).lsn).toBe(-1);
  });
});

describe("errors", () => {
  test("that the handler throws keep their code and say where", () => {
    const recorder = new EventRecorder();
    recorder.string = () => {
      throw new Df2RedisError("TARGET_UNSUITABLE", "no such database", { context: { db: 4 } });
    };
    const decoder = makeDecoder(recorder);
    decoder.push(SNAPSHOT);
    const thrown = thrownBy(() => decoder.decode());
    expect(thrown.code).toBe("TARGET_UNSUITABLE");
    expect(thrown.message).toBe('flow 1, offset 14, key "k": no such database');
    expect(thrown.context).toMatchObject({ db: 4, flow: 1, offset: 14, key: "k" });
  });

  test("of ours that are no Df2RedisError become INTERNAL", () => {
    const recorder = new EventRecorder();
    recorder.aux = () => {
      throw new TypeError("oops");
    };
    const decoder = makeDecoder(recorder);
    decoder.push(rdb([bytes(250, 1, 0x61, 1, 0x62)]));
    const thrown = thrownBy(() => decoder.decode());
    expect(thrown.code).toBe("INTERNAL");
    expect(thrown.context["flow"]).toBe(1);
  });

  test("in a blob say where in it", () => {
    const head = rdb([string("a", "")]);
    const { error } = feedFlow(
      Buffer.concat([head, lz4Blob(Buffer.concat([string("b", ""), bytes(199)]), { stored: () => true })]),
    );
    expect(error?.context["offset"]).toBeGreaterThan(head.length);
    // The blob starts behind its opcode; four bytes of a string come first in it.
    expect(error?.context["innerOffset"]).toBe(head.length + 1 + 4);
  });

  test("a key that is not UTF-8 does not break the message", () => {
    const key = Buffer.from([0xff, 0x0a, 0x22, 0x00]);
    const { error } = feedFlow(rdb([Buffer.concat([bytes(0, 4), key, bytes(0xc9)])]));
    expect(error?.message).not.toContain("\n");
    expect(error?.message).toContain("key ");
  });
});

function thrownBy(run: () => unknown): Df2RedisError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Df2RedisError) return thrown;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}
