/** Lengths from the wire, each just at its limit and just over it: the error comes before the bytes do, and before anything is made for them. */
import { describe, expect, test } from "vitest";
import { BY_BYTE, decodeFlow, feedFlow, WHOLE } from "../../test/support/feed-flow.ts";
import { command } from "../../test/support/journal-builder.ts";
import {
  aux,
  bytes,
  double,
  fullSync,
  function2,
  journalBlob,
  len,
  lenAs,
  lz4Blob,
  moduleId,
  object,
  rdb,
  shardDocIndex,
  str,
  string,
  taggedChunk,
  vectorIndex,
  wire,
  wireLzf,
  zstdBlob,
} from "../../test/support/rdb-builder.ts";
import { stream, streamId } from "../../test/support/rdb-streams.ts";
import {
  bloom2,
  body,
  countMin,
  cuckoo,
  hash,
  json,
  list,
  quicklist,
  reJson,
  setIntset,
  topK,
} from "../../test/support/rdb-values.ts";

const LIMITS = { stringBytes: 1000, elements: 5, blobBytes: 3000 };
const AT = "x".repeat(1000);
const OVER = "x".repeat(1001);
const items = (count: number): ReturnType<typeof list> => list(Array.from({ length: count }, () => wire("i")));
const pending = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: streamId(1, i + 1), timeMs: 1, deliveries: 1 }));
const group = (entries: number, consumers: number) => ({
  name: "g",
  lastId: streamId(1, 1),
  entriesRead: 1n,
  pending: pending(entries),
  consumers: Array.from({ length: consumers }, (_, i) => ({ name: `c${i}`, seenMs: 1, activeMs: 1, pending: [] })),
});
const streamOf = (groups: readonly ReturnType<typeof group>[]): Buffer =>
  body(stream({ type: 21, nodes: [], groups, lastId: streamId(1, 9) }));

/** What is just at a limit, and the same just over it. */
const CASES: readonly (readonly [string, Buffer, Buffer])[] = [
  ["a string", string("k", AT), string("k", OVER)],
  ["a key", string(AT, ""), string(OVER, "")],
  ["an LZF string", object(0, "k", wireLzf(AT).wire), object(0, "k", wireLzf(OVER).wire)],
  ["an AUX value", aux("a", AT), aux("a", OVER)],
  ["a skipped string", function2(AT), function2(OVER)],
  [
    "an element",
    object(4, "k", body(hash([[wire("f"), wire(AT)]]))),
    object(4, "k", body(hash([[wire("f"), wire(OVER)]]))),
  ],
  ["an encoded node", object(11, "k", body(setIntset(ints(496), 2))), object(11, "k", body(setIntset(ints(497), 2)))],
  ["a document", object(30, "k", body(json(wire(AT)))), object(30, "k", body(json(wire(OVER))))],
  ["a module's document", object(7, "k", body(reJson(wire(AT)))), object(7, "k", body(reJson(wire(OVER))))],
  ["elements", object(1, "k", body(items(5))), object(1, "k", body(items(6)))],
  [
    "nodes",
    object(14, "k", body(quicklist([[], [], [], [], []]))),
    object(14, "k", body(quicklist([[], [], [], [], [], []]))),
  ],
  [
    "groups of a stream",
    object(21, "k", streamOf(Array.from({ length: 5 }, () => group(0, 0)))),
    object(21, "k", streamOf(Array.from({ length: 6 }, () => group(0, 0)))),
  ],
  ["pending entries of a group", object(21, "k", streamOf([group(5, 0)])), object(21, "k", streamOf([group(6, 0)]))],
  ["consumers of a group", object(21, "k", streamOf([group(0, 5)])), object(21, "k", streamOf([group(0, 6)]))],
  [
    "counters of a sketch",
    object(35, "k", body(countMin(5, 1, [1n, 2n, 3n, 4n, 5n]))),
    object(35, "k", body(countMin(3, 2, [1n, 2n, 3n, 4n, 5n, 6n]))),
  ],
  [
    "items of a sketch",
    object(
      36,
      "k",
      body(
        topK(
          Array.from({ length: 5 }, () => [wire("i"), 1]),
          bytes(1),
        ),
      ),
    ),
    object(
      36,
      "k",
      body(
        topK(
          Array.from({ length: 6 }, () => [wire("i"), 1]),
          bytes(1),
        ),
      ),
    ),
  ],
  [
    "filters",
    object(
      37,
      "k",
      body(
        cuckoo(
          Array.from({ length: 5 }, () => bytes(1)),
          1,
        ),
      ),
    ),
    object(
      37,
      "k",
      body(
        cuckoo(
          Array.from({ length: 6 }, () => bytes(1)),
          1,
        ),
      ),
    ),
  ],
  [
    "a piece of a filter",
    object(34, "k", body(bloom2([{ hashes: 1, bytes: Buffer.alloc(2000) }], 1000))),
    object(34, "k", body(bloom2([{ hashes: 1, bytes: Buffer.alloc(2000) }], 1001))),
  ],
  [
    "nodes of a vector index",
    vectorIndex("i", [[[]], [[]], [[]], [[]], [[]]]),
    vectorIndex("i", [[[]], [[]], [[]], [[]], [[]], [[]]]),
  ],
  [
    "documents of an index",
    shardDocIndex(
      0,
      "i",
      Array.from({ length: 5 }, () => ["d", 1]),
    ),
    shardDocIndex(
      0,
      "i",
      Array.from({ length: 6 }, () => ["d", 1]),
    ),
  ],
  ["an LZ4 blob's content", lz4Blob(filler(3000)), lz4Blob(filler(3001))],
  ["a ZSTD blob's content", zstdBlob(filler(3000)), zstdBlob(filler(3001))],
  [
    "arguments of a journal entry",
    journalBlob(1, [command(["A", "1", "2", "3", "4"])]),
    journalBlob(1, [command(["A", "1", "2", "3", "4", "5"])]),
  ],
];

/** Content of a blob: blob ends are tolerated anywhere, so any number of them will do. */
function filler(size: number): Buffer {
  return Buffer.alloc(size, 203);
}

function ints(count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => BigInt(i));
}

describe.each(CASES)("%s", (_name, at, over) => {
  test("at the limit", () => {
    for (const pieces of [WHOLE, BY_BYTE])
      expect(decodeFlow(fullSync([at]), { limits: LIMITS, pieces }).decoder.phase).toBe("journal");
  });

  test("over it is a typed error", () => {
    for (const pieces of [WHOLE, BY_BYTE]) {
      const { error } = feedFlow(fullSync([over]), { limits: LIMITS, pieces, flow: 6 });
      expect(error?.code).toBe("LIMIT_EXCEEDED");
      expect(error?.context["flow"]).toBe(6);
      expect(error?.context["offset"]).toBeTypeOf("number");
    }
  });
});

describe("what is only announced", () => {
  const key = Buffer.concat([bytes(0), str("k")]);
  const huge = lenAs(64, 2 ** 40);
  const chunk = taggedChunk(1, object(4, "k", lenAs(32, 100_000)), 2 ** 32 - 1);
  const OVER_DEFAULT: readonly (readonly [string, Buffer, string])[] = [
    ["a string", Buffer.concat([key, huge]), "LIMIT_EXCEEDED"],
    ["a key", Buffer.concat([bytes(0), huge]), "LIMIT_EXCEEDED"],
    ["an LZF string's size", Buffer.concat([key, bytes(0xc3), len(10), huge]), "LIMIT_EXCEEDED"],
    ["an LZF string's compressed size", Buffer.concat([key, bytes(0xc3), huge, len(10)]), "LIMIT_EXCEEDED"],
    [
      "an LZF string that cannot grow so much",
      Buffer.concat([key, bytes(0xc3), len(10), lenAs(32, 400_000_000)]),
      "STREAM_CORRUPT",
    ],
    ["a skipped LZF string", Buffer.concat([bytes(245, 0xc3), len(10), huge]), "LIMIT_EXCEEDED"],
    ["elements", Buffer.concat([bytes(4), str("k"), huge]), "LIMIT_EXCEEDED"],
    [
      "counters of a sketch",
      Buffer.concat([bytes(35), str("k"), lenAs(32, 2 ** 31), lenAs(32, 2 ** 31), len(1)]),
      "LIMIT_EXCEEDED",
    ],
    [
      "filters",
      Buffer.concat([bytes(34), str("k"), len(0), double(1), double(1), len(1), len(1), len(1), huge]),
      "LIMIT_EXCEEDED",
    ],
    [
      "a module's string",
      Buffer.concat([bytes(7), str("k"), lenAs(64, moduleId("ReJSON-RL")), len(5), huge]),
      "LIMIT_EXCEEDED",
    ],
    ["a blob's compressed size", Buffer.concat([bytes(202), huge]), "LIMIT_EXCEEDED"],
    ["a journal blob", Buffer.concat([bytes(210), len(1), huge]), "LIMIT_EXCEEDED"],
    ["a blob's content", lz4Blob(Buffer.from("tiny"), { lieAboutSize: 2n ** 40n }), "LIMIT_EXCEEDED"],
    [
      "a blob's content that cannot be so much",
      lz4Blob(Buffer.from("tiny"), { lieAboutSize: 200_000_000n }),
      "STREAM_CORRUPT",
    ],
    ["a string in a chunk", Buffer.concat([chunk, str("f"), huge]), "LIMIT_EXCEEDED"],
  ];

  test.each(OVER_DEFAULT)("%s over the default limits is an error at once, without the bytes", (_name, part, code) => {
    const before = process.memoryUsage().arrayBuffers;
    const { error } = feedFlow(rdb([part]));
    expect(error?.code).toBe(code);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8e6);
  });

  const WITHIN: readonly (readonly [string, Buffer])[] = [
    ["a string", Buffer.concat([key, lenAs(32, 500_000_000)])],
    ["an LZF string", Buffer.concat([key, bytes(0xc3), lenAs(32, 6_000_000), lenAs(32, 500_000_000)])],
    ["elements", Buffer.concat([bytes(4), str("k"), lenAs(32, 4_000_000_000)])],
    ["nodes", Buffer.concat([bytes(18), str("k"), lenAs(32, 4_000_000_000), len(2), lenAs(32, 500_000_000)])],
    ["counters of a sketch", Buffer.concat([bytes(35), str("k"), lenAs(32, 60_000), lenAs(32, 60_000), len(1)])],
    ["a chunk", chunk],
    ["a blob", Buffer.concat([bytes(202), lenAs(32, 500_000_000)])],
    ["a journal blob", Buffer.concat([bytes(210), len(1), lenAs(32, 500_000_000)])],
  ];

  test.each(WITHIN)("%s within them is waited for, and nothing is made for it", (_name, part) => {
    for (const wanted of [(): boolean => true, (): boolean => false]) {
      const before = process.memoryUsage();
      const { error } = feedFlow(rdb([part, Buffer.alloc(3000)]), { wanted, pieces: [part.length + 9] });
      const after = process.memoryUsage();
      expect(error).toBeUndefined();
      expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(8e6);
      expect(after.heapUsed - before.heapUsed).toBeLessThan(40e6);
    }
  });
});

describe("values that wait for their next chunk", () => {
  const part = (id: number, key: string): Buffer =>
    taggedChunk(id, object(4, key, Buffer.concat([len(2), str("f"), str("v")])));

  test("as many as 16384", () => {
    const ids = Array.from({ length: 16_385 }, (_, i) => part(i + 1, `k${i}`));
    expect(feedFlow(rdb(ids.slice(0, -1))).error).toBeUndefined();
    const { error } = feedFlow(rdb(ids));
    expect(error?.code).toBe("LIMIT_EXCEEDED");
    expect(error?.message).toContain("16385 values wait");
    expect(error?.context["key"]).toBe("k16384");
  });

  test("with keys of as many bytes as one string may have", () => {
    const limits = { stringBytes: 1000 };
    const third = (i: number): Buffer => part(i, String(i).repeat(333));
    expect(feedFlow(rdb([third(1), third(2), third(3)]), { limits }).error).toBeUndefined();
    expect(feedFlow(rdb([third(1), third(2), third(3), part(4, "k")]), { limits }).error).toBeUndefined();
    expect(feedFlow(rdb([third(1), third(2), third(3), part(4, "kk")]), { limits }).error?.code).toBe("LIMIT_EXCEEDED");
  });

  test("those that ended do not count", () => {
    const limits = { stringBytes: 1000 };
    const rest = Buffer.concat([str("g"), str("w")]);
    const flow = Array.from({ length: 100 }, (_, i) => [
      part(1, String(i).padEnd(600, "k")),
      taggedChunk(1, rest),
    ]).flat();
    expect(decodeFlow(fullSync(flow), { limits }).events).toHaveLength(100 * 5 + 2);
  });
});
