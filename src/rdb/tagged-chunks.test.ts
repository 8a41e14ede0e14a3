/** Values in tagged chunks, with other things in between, and every wrong form of them. */
import { describe, expect, test } from "vitest";
import { expectEvents, type RecordedEvent } from "../../test/support/event-recorder.ts";
import {
  ALL_BODIES,
  BY_BYTE,
  decodeFlow,
  feedFlow,
  type FeedOptions,
  type Pieces,
  WHOLE,
} from "../../test/support/feed-flow.ts";
import { SeededRandom } from "../../test/support/hostile.ts";
import { command, select } from "../../test/support/journal-builder.ts";
import {
  bytes,
  dfMask,
  eof,
  expireMs,
  fullSync,
  journalBlob,
  len,
  lz4Blob,
  object,
  rdb,
  selectDb,
  string,
  str,
  taggedChunk,
  vectorIndex,
  wire,
  zstdBlob,
} from "../../test/support/rdb-builder.ts";
import { chunks, cutValue, type Piece, pieceEvents } from "../../test/support/rdb-chunks.ts";
import { SAMPLES } from "../../test/support/rdb-samples.ts";
import { body, countMin, hash, list, set } from "../../test/support/rdb-values.ts";

const END: readonly RecordedEvent[] = [["fullSyncEnd"], ["snapshotEnd", 1]];
const WAYS: readonly Pieces[] = [WHOLE, BY_BYTE, [3, 1, 40]];

const HASH = hash([1, 2, 3, 4].map((i) => [wire(`f${i}`), wire(`v${i}`)]));
const LIST = list([1, 2, 3].map((i) => wire(`item ${i}`)));
const SET = set([1, 2, 3].map((i) => wire(`member ${i}`)));
const cut = (key: string, value = HASH, partCounts: readonly number[] = [1, 1, 1]): Piece[] =>
  cutValue(value, { key, partCounts });

function expectFlow(parts: readonly Buffer[], events: readonly RecordedEvent[], options: FeedOptions = {}): void {
  for (const pieces of WAYS) {
    expectEvents(decodeFlow(fullSync(parts), { ...options, pieces, pauses: new SeededRandom(5) }).events, [
      ...events,
      ...END,
    ]);
  }
}

/** Things that may come between two chunks. */
const BETWEEN: readonly (readonly [Buffer, readonly RecordedEvent[]])[] = [
  [string("other", "1"), [["string", "other", { type: 0 }, "1"]]],
  [
    journalBlob(1, [select(4), command(["DEL", "other"])]),
    [["command", { db: 4, txid: 0, lsn: -1 }, ["DEL", "other"]]],
  ],
  [
    lz4Blob(Buffer.concat([string("x", "1"), object(4, "h", body(HASH))])),
    [["string", "x", { type: 0 }, "1"], ...pieceEvents(cut("h", HASH, [9]))],
  ],
  [taggedChunk(77, object(2, "whole", body(SET))), pieceEvents(cut("whole", SET, [9]))],
];

describe.each(SAMPLES.filter(({ value }) => value.parts.length > 1))(
  "$name, each part in a chunk of its own",
  ({ value, version }) => {
    const type = version < 10 && value.type === 20 ? 30 : value.type;
    const pieces = cutValue(
      { ...value, type: value.type },
      { key: "key", partCounts: [0, ...value.parts.map(() => 1)] },
    );
    const events = pieceEvents(pieces);

    test("in a row", () => {
      for (const ways of WAYS) {
        const fed = decodeFlow(fullSync(chunks(9, pieces), { version }), { pieces: ways, wanted: ALL_BODIES });
        expectEvents(fed.events, [...events, ...END]);
        expect(type).toBe(value.type);
      }
    });

    test("with other things in between", () => {
      const parts = chunks(9, pieces).flatMap((chunk, i) => [chunk, BETWEEN[i % BETWEEN.length]?.[0] ?? bytes()]);
      const expected = pieces.flatMap((piece, i) => [...piece.events, ...(BETWEEN[i % BETWEEN.length]?.[1] ?? [])]);
      for (const ways of [WHOLE, [7, 30, 2]]) {
        const fed = decodeFlow(fullSync(parts, { version }), { pieces: ways, pauses: new SeededRandom(3) });
        expectEvents(fed.events, [...expected, ...END]);
      }
    });

    test("each chunk in a blob of its own", () => {
      const parts = chunks(9, pieces).map((chunk, i) => (i % 2 === 0 ? lz4Blob(chunk) : zstdBlob(chunk)));
      expectEvents(decodeFlow(fullSync(parts, { version })).events, [...events, ...END]);
    });

    test("each chunk's content as a blob, where it cannot be mistaken", () => {
      const parts = pieces.map((piece, i) =>
        taggedChunk(
          9,
          piece.startsRaw ? piece.content : i % 2 === 0 ? lz4Blob(piece.content) : zstdBlob(piece.content),
        ),
      );
      expectEvents(decodeFlow(fullSync(parts, { version })).events, [...events, ...END]);
      const packed = parts.map((part) => lz4Blob(part));
      expectEvents(decodeFlow(fullSync(packed, { version })).events, [...events, ...END]);
    });
  },
);

describe("chunks and blobs", () => {
  const [a, b, c, d] = cut("a");
  const [e, f, g] = cut("b", LIST);
  if (!a || !b || !c || !d || !e || !f || !g) throw new Error("too few pieces");

  test("three values in each other's gaps", () => {
    const [h, i, j] = cut("c", SET);
    if (!h || !i || !j) throw new Error("too few pieces");
    const order: readonly (readonly [number, Piece])[] = [
      [1, a],
      [2, e],
      [3, h],
      [2, f],
      [1, b],
      [1, c],
      [3, i],
      [2, g],
      [3, j],
      [1, d],
    ];
    expectFlow(
      order.map(([id, piece]) => taggedChunk(id, piece.content)),
      pieceEvents(order.map(([, piece]) => piece)),
    );
  });

  test("many chunks of different values in one blob", () => {
    const content = [
      taggedChunk(1, a.content),
      taggedChunk(2, e.content),
      string("s", ""),
      taggedChunk(1, b.content),
      taggedChunk(2, f.content),
    ];
    const rest = [taggedChunk(1, c.content), taggedChunk(2, g.content), lz4Blob(taggedChunk(1, d.content))];
    const events = [
      ...a.events,
      ...e.events,
      ["string", "s", { type: 0 }, ""] as const,
      ...pieceEvents([b, f, c, g, d]),
    ];
    expectFlow([lz4Blob(Buffer.concat(content)), ...rest], events);
  });

  test("a blob in a chunk in a blob", () => {
    const nested = lz4Blob(taggedChunk(1, zstdBlob(a.content)));
    const rest = [b, c, d].map((piece) => lz4Blob(taggedChunk(1, lz4Blob(piece.content))));
    expectFlow([nested, ...rest], pieceEvents([a, b, c, d]));
  });

  test("a continuation may go on behind a blob in its chunk", () => {
    const mixed = taggedChunk(1, Buffer.concat([lz4Blob(b.content), c.content]));
    const events = [...a.events, ...b.events, ...c.events, ...d.events];
    expectFlow([taggedChunk(1, a.content), mixed, taggedChunk(1, d.content)], events);
  });

  test("an id may be used again after its value's end", () => {
    expectFlow(
      [...chunks(5, [a, b, c, d]), ...chunks(5, cut("b", LIST)), ...chunks(5, cut("a"))],
      [...pieceEvents([a, b, c, d]), ...pieceEvents(cut("b", LIST)), ...pieceEvents(cut("a"))],
    );
  });

  test("the highest id", () => {
    expectFlow(chunks(0xffff_ffff, [a, b, c, d]), pieceEvents([a, b, c, d]));
  });

  test("raw counters may start with a blob's opcode", () => {
    const counters = countMin(2, 2, [201n, 202n, 201n + (5n << 8n), 202n + (1n << 8n)]);
    const pieces = cutValue(counters, { key: "cms", partCounts: [0, 1, 1, 1, 1] });
    expectFlow(chunks(1, pieces), pieceEvents(pieces));
  });

  test("database, deadline and mask are those at the first chunk", () => {
    const lead = Buffer.concat([expireMs(1234), dfMask(3, 9)]);
    const attributes = { db: 2, expireAtMs: 1234, sticky: true, mcFlags: 9 };
    const [first, ...rest] = cutValue(HASH, { key: "a", partCounts: [1, 1], lead, attributes });
    const others = [selectDb(7), expireMs(99), string("s", "")];
    if (first === undefined) throw new Error("no pieces");
    const flow = [
      selectDb(2),
      taggedChunk(1, first.content),
      ...others,
      ...rest.map((piece) => taggedChunk(1, piece.content)),
      string("t", ""),
    ];
    expectFlow(flow, [
      ...first.events,
      ["string", "s", { type: 0, db: 7, expireAtMs: 99 }, ""],
      ...pieceEvents(rest),
      ["string", "t", { type: 0, db: 7 }, ""],
    ]);
  });

  test("a whole value or string may stand in one chunk, and its body is taken", () => {
    const parts = [
      taggedChunk(1, object(4, "h", body(HASH))),
      taggedChunk(2, string("s", "v")),
      taggedChunk(3, lz4Blob(object(1, "l", body(LIST)))),
    ];
    const bodies: RecordedEvent[] = [
      ["body", "h", { type: 4 }, body(HASH).toString("latin1")],
      ["string", "s", { type: 0 }, "v"],
      ["body", "l", { type: 1 }, body(LIST).toString("latin1")],
    ];
    expectFlow(parts, bodies, { wanted: ALL_BODIES });
    expectFlow(parts, [
      ...pieceEvents(cut("h", HASH, [9])),
      ["string", "s", { type: 0 }, "v"],
      ...pieceEvents(cut("l", LIST, [9])),
    ]);
  });

  test("a value without elements ends with its chunk", () => {
    const events: RecordedEvent[] = [
      ["begin", "e", { type: 1 }, "list", 0],
      ["end", "e"],
    ];
    expectFlow(
      [taggedChunk(1, object(1, "e", len(0))), taggedChunk(2, lz4Blob(object(1, "e", len(0))))],
      [...events, ...events],
    );
  });

  test("untagged pieces simply follow each other", () => {
    const content = object(4, "a", body(HASH));
    expectFlow(
      [content.subarray(0, 9), content.subarray(9, 14), content.subarray(14)],
      pieceEvents(cut("a", HASH, [9])),
    );
  });
});

describe("wrong forms are typed errors that name flow, offset and key", () => {
  const [a, b, c, d] = cut("the key");
  if (!a || !b || !c || !d) throw new Error("too few pieces");
  const first = taggedChunk(6, a.content);
  const begun = Buffer.concat([first, taggedChunk(6, b.content)]);
  const whole = object(4, "the key", body(HASH));
  const WRONG: readonly (readonly [string, readonly Buffer[], string, string | undefined])[] = [
    ["id 0", [taggedChunk(0, a.content)], "no id", undefined],
    ["size 0", [taggedChunk(6, bytes())], "no content", undefined],
    ["a chunk in a chunk", [taggedChunk(6, taggedChunk(7, a.content))], "stands in another", undefined],
    [
      "a chunk in a blob in a chunk",
      [taggedChunk(6, lz4Blob(taggedChunk(7, a.content)))],
      "stands in another",
      undefined,
    ],
    [
      "bytes behind the last element",
      [begun, taggedChunk(6, Buffer.concat([c.content, d.content, bytes(0)]))],
      "goes on after",
      "the key",
    ],
    [
      "bytes behind a value in one chunk",
      [taggedChunk(6, Buffer.concat([whole, bytes(0)]))],
      "goes on after",
      "the key",
    ],
    [
      "an object behind a string in one chunk",
      [taggedChunk(6, Buffer.concat([string("the key", "v"), string("t", "v")]))],
      "goes on after",
      "the key",
    ],
    [
      "bytes behind the last element in a blob",
      [begun, taggedChunk(6, lz4Blob(Buffer.concat([c.content, d.content, bytes(0)])))],
      "goes on after",
      "the key",
    ],
    [
      "bytes behind a blob with the last element",
      [begun, taggedChunk(6, Buffer.concat([lz4Blob(Buffer.concat([c.content, d.content])), string("t", "v")]))],
      "goes on after",
      undefined,
    ],
    [
      "bytes behind a blob with a whole value",
      [taggedChunk(6, Buffer.concat([lz4Blob(whole), string("t", "v")]))],
      "goes on after",
      undefined,
    ],
    [
      "bytes behind a blob with a string",
      [taggedChunk(6, Buffer.concat([lz4Blob(string("s", "v")), string("t", "v")]))],
      "goes on after",
      undefined,
    ],
    ["EOF with an incomplete value", [begun, eof()], "1 values are incomplete", "the key"],
    ["EOF in a chunk", [taggedChunk(6, eof())], "inside a blob or a chunk", undefined],
    [
      "a chunk longer than its blob",
      [lz4Blob(taggedChunk(6, a.content, a.content.length + 1))],
      "longer than the blob",
      undefined,
    ],
    [
      "a chunk that ends in an element",
      [begun, taggedChunk(6, c.content.subarray(0, -1))],
      "ends inside an element",
      "the key",
    ],
    [
      "a first chunk that ends in an element",
      [taggedChunk(6, a.content.subarray(0, -1)), string("t", "v")],
      "ends inside an element",
      "the key",
    ],
    [
      "a chunk that ends in a key",
      [taggedChunk(6, a.content.subarray(0, 4)), string("t", "v")],
      "ends inside an element",
      undefined,
    ],
    [
      "a blob that ends in an element of a chunk",
      [first, taggedChunk(6, lz4Blob(b.content.subarray(0, -1)))],
      "ends inside an element",
      "the key",
    ],
    [
      "a blob that is corrupt in a chunk",
      [first, taggedChunk(6, Buffer.concat([bytes(202), str("no frame")]))],
      "lz4",
      "the key",
    ],
    [
      "an index that goes on behind its chunk",
      [taggedChunk(6, vectorIndex("i", [[[1]]]).subarray(0, 5)), string("t", "v")],
      "inside",
      undefined,
    ],
    ["an untagged value that ends in a blob", [lz4Blob(whole.subarray(0, -1))], "ends inside an element", "the key"],
    [
      "an untagged value that a blob ends between two elements",
      [lz4Blob(whole.subarray(0, -6))],
      "ends inside a value",
      "the key",
    ],
  ];

  test.each(WRONG)("%s", (_name, parts, message, key) => {
    const flow = rdb(parts);
    for (const wanted of [ALL_BODIES, (): boolean => false]) {
      for (const pieces of WAYS) {
        const { error } = feedFlow(flow, { pieces, flow: 2, wanted });
        expect(error?.code).toBe("STREAM_CORRUPT");
        expect(error?.message).toContain(message);
        expect(error?.context["flow"]).toBe(2);
        expect(error?.context["offset"]).toBeGreaterThan(9);
        if (key !== undefined) expect(error?.context["key"]).toBe(key);
        if (key !== undefined) expect(error?.message).toContain(key);
      }
    }
  });

  test("EOF waits for all values: their number is told", () => {
    const { error } = feedFlow(rdb([taggedChunk(1, a.content), taggedChunk(2, a.content), eof()]));
    expect(error?.message).toContain("2 values are incomplete");
  });
});
