/** Every object type, in every way in which its bytes may arrive. */
import { describe, expect, test } from "vitest";
import { expectEvents, type RecordedEvent } from "../../test/support/event-recorder.ts";
import {
  ALL_BODIES,
  BY_BYTE,
  decodeFlow,
  feedFlow,
  type FeedOptions,
  randomPieces,
  WHOLE,
} from "../../test/support/feed-flow.ts";
import { mutate, SeededRandom } from "../../test/support/hostile.ts";
import { eof, expireMs, fullSync, lz4Blob, object, rdb, string, zstdBlob } from "../../test/support/rdb-builder.ts";
import { type Sample, SAMPLED_TYPES, SAMPLES, STRING_SAMPLES } from "../../test/support/rdb-samples.ts";
import { body, valueEvents } from "../../test/support/rdb-values.ts";

/** Types whose body a Redis may load, so that it is handed on verbatim when it is wanted. */
const LOADABLE = new Set([1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]);
const DEADLINE = 1_893_456_000_123;
const END: readonly RecordedEvent[] = [["fullSyncEnd"], ["snapshotEnd", 1]];

/** The type that a receiver is told. */
function toldType({ value, version }: Sample): number {
  return value.type === 20 && version < 10 ? 30 : value.type;
}

function sampleObject({ value }: Sample): Buffer {
  return Buffer.concat([expireMs(DEADLINE), object(value.type, "key", body(value))]);
}

/** The sample between two strings. */
function sampleFlow(sample: Sample): Buffer {
  return fullSync([string("before", "1"), sampleObject(sample), string("after", "2")], { version: sample.version });
}

function elementEvents(sample: Sample): RecordedEvent[] {
  const { value } = sample;
  const begin: RecordedEvent = [
    "begin",
    "key",
    { type: toldType(sample), expireAtMs: DEADLINE },
    value.kind,
    value.count,
  ];
  return [begin, ...valueEvents(value, "key"), ["end", "key"]];
}

/** Every place where so many bytes can be cut; of long ones every few bytes. */
function* cuts(length: number): Generator<number> {
  const step = 1 + Math.floor(length / 400);
  for (let end = 1; end < length; end += step) yield end;
  yield length - 1;
}

function flowEvents(inner: readonly RecordedEvent[]): RecordedEvent[] {
  return [["string", "before", { type: 0 }, "1"], ...inner, ["string", "after", { type: 0 }, "2"], ...END];
}

test("there is a sample of every type", () => {
  expect([...SAMPLED_TYPES].toSorted((a, b) => a - b)).toEqual([
    1, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 30, 31, 32, 33, 34, 35, 36, 37,
  ]);
});

describe.each(SAMPLES)("$name", (sample) => {
  const flow = sampleFlow(sample);
  const isLoadable = LOADABLE.has(toldType(sample));
  const bodyEvent: RecordedEvent = [
    "body",
    "key",
    { type: toldType(sample), expireAtMs: DEADLINE },
    body(sample.value).toString("latin1"),
  ];
  const expected = (options: FeedOptions): RecordedEvent[] =>
    flowEvents(options.wanted !== undefined && isLoadable ? [bodyEvent] : elementEvents(sample));

  describe.each([
    ["its elements", {}],
    ["its body, where it can be loaded", { wanted: ALL_BODIES }],
  ] as const)("%s", (_name, wish: FeedOptions) => {
    test("whole", () => {
      expectEvents(decodeFlow(flow, { ...wish, pieces: WHOLE }).events, expected(wish));
    });

    test("byte by byte, without pauses and with", () => {
      expectEvents(decodeFlow(flow, { ...wish, pieces: BY_BYTE }).events, expected(wish));
      expectEvents(decodeFlow(flow, { ...wish, pieces: BY_BYTE, pauses: new SeededRandom(1) }).events, expected(wish));
    });

    test("in random pieces, with pauses", () => {
      for (let seed = 0; seed < 12; seed++) {
        const random = new SeededRandom(seed);
        const options = { ...wish, pieces: randomPieces(random, 1 + random.below(80)), pauses: random };
        expectEvents(decodeFlow(flow, options).events, expected(wish));
      }
    });

    test("in blobs", () => {
      for (const blob of [lz4Blob, zstdBlob]) {
        const packed = fullSync(
          [blob(Buffer.concat([string("before", "1"), sampleObject(sample)])), blob(string("after", "2"))],
          {
            version: sample.version,
          },
        );
        for (const pieces of [WHOLE, BY_BYTE, [3, 50, 7]]) {
          expectEvents(decodeFlow(packed, { ...wish, pieces, pauses: new SeededRandom(2) }).events, expected(wish));
        }
      }
    });

    test("cut anywhere in the stream it waits for more", () => {
      for (const end of cuts(flow.length)) {
        const { error, decoder } = feedFlow(flow.subarray(0, end), wish);
        expect(error, `cut at ${end}`).toBeUndefined();
        expect(decoder.phase, `cut at ${end}`).not.toBe("journal");
      }
    });

    test("cut anywhere in a blob it is a typed error that names flow, offset and key", () => {
      const content = object(sample.value.type, "key", body(sample.value));
      const bodyAt = content.length - body(sample.value).length;
      for (const end of cuts(content.length)) {
        const blob = lz4Blob(content.subarray(0, end), { stored: () => true });
        const packed = Buffer.concat([rdb([string("before", "1")], sample.version), blob]);
        const { error } = feedFlow(packed, { ...wish, flow: 3 });
        expect(error?.code, `cut at ${end}`).toBe("STREAM_CORRUPT");
        expect(error?.context["flow"]).toBe(3);
        expect(error?.context["offset"]).toBe(packed.length);
        if (end >= bodyAt) expect(error?.context["key"]).toBe("key");
      }
    });

    test("changed it is a typed error, a flow that waits, or another flow", () => {
      const random = new SeededRandom(sample.name.length);
      for (let i = 0; i < 80; i++) {
        const { error } = feedFlow(mutate(flow, random), { ...wish, pieces: randomPieces(random, 60), pauses: random });
        if (error === undefined) continue;
        expect(["STREAM_CORRUPT", "LIMIT_EXCEEDED"]).toContain(error.code);
        expect(error.context["offset"]).toBeTypeOf("number");
      }
    });
  });
});

describe("strings", () => {
  test.each(STRING_SAMPLES.map(({ wire, text }) => ({ wire, text, form: wire.subarray(0, 2).toString("hex") })))(
    "$form… as key and value",
    ({ wire, text }) => {
      const flow = fullSync([Buffer.concat([Buffer.of(0), wire, wire])]);
      for (const pieces of [WHOLE, BY_BYTE, [4]]) {
        expect(decodeFlow(flow, { pieces }).events).toEqual([["string", text, { type: 0 }, text], ...END]);
      }
    },
  );

  test("no body is ever asked for", () => {
    const wanted = (type: number): boolean => {
      if (type === 0) throw new Error("asked for type 0");
      return true;
    };
    expect(decodeFlow(fullSync([string("k", "v")]), { wanted }).events).toHaveLength(3);
  });
});

test("bodies are taken by type", () => {
  const samples = SAMPLES.filter(({ value, version }) => version === 9 && (value.type === 4 || value.type === 5));
  const flow = fullSync(samples.map(({ value }) => object(value.type, "key", body(value))));
  const names = decodeFlow(flow, { wanted: (type) => type === 5 }).events.map(([name]) => name);
  expect(names).toContain("hashField");
  expect(names).not.toContain("zsetMember");
  expect(names.filter((name) => name === "body")).toHaveLength(1);
});

test("type 20 is a set from RDB version 10 on, and JSON before", () => {
  const listpack = SAMPLES.find(({ name }) => name === "set listpack 20");
  if (listpack === undefined) throw new Error("no sample");
  const read = (version: number): unknown =>
    decodeFlow(fullSync([object(20, "k", body(listpack.value))], { version })).events[0];
  expect(read(9)).toEqual(["begin", "k", { type: 30 }, "json", 1]);
  expect(read(10)).toEqual(["begin", "k", { type: 20 }, "set", 1]);
});

test("a stream that ends without its JOURNAL_OFFSET or with another token is corrupt", () => {
  const flow = fullSync([]);
  const changed = Buffer.from(flow);
  changed[changed.length - 1] = 0x7a;
  expect(feedFlow(changed).error?.message).toContain("EOF token");
  expect(feedFlow(Buffer.concat([rdb([eof()]), flow.subarray(-40)])).error?.message).toContain("LSN");
});
