/** Every opcode of a flow's RDB stream, whole and in pieces. */
import { describe, expect, test } from "vitest";
import { expectEvents, type RecordedEvent } from "../../test/support/event-recorder.ts";
import { BY_BYTE, decodeFlow, feedFlow, WHOLE } from "../../test/support/feed-flow.ts";
import { SeededRandom } from "../../test/support/hostile.ts";
import { command, select } from "../../test/support/journal-builder.ts";
import {
  aux,
  blobEnd,
  bytes,
  dfMask,
  EOF_TOKEN,
  eof,
  expireMs,
  expireSeconds,
  freq,
  fullSync,
  fullSyncEnd,
  function2,
  idle,
  journalBlob,
  journalOffset,
  len,
  lenAs,
  lz4Blob,
  moduleAux,
  moduleItem,
  object,
  rdb,
  resizeDb,
  selectDb,
  shardDocIndex,
  slotInfo,
  string,
  u32le,
  vectorIndex,
  wire,
  wireInteger,
  wireLzf,
  zstdBlob,
} from "../../test/support/rdb-builder.ts";

const END: readonly RecordedEvent[] = [["fullSyncEnd"], ["snapshotEnd", 1]];
const HNSW = vectorIndex("idx", [[[1, 2], []], [[]], [[0], [1], [2, 1]]]);
const DOCS = shardDocIndex(3, "idx", [
  ["doc:1", 1],
  ["doc:2", 70_000],
]);
const MODULE = moduleAux("search-ix", [
  moduleItem(1, lenAs(64, 5)),
  moduleItem(5, wire("text").wire),
  moduleItem(4, Buffer.alloc(8)),
]);

const OPCODES: readonly (readonly [string, Buffer, readonly RecordedEvent[]])[] = [
  ["AUX", aux("redis-ver", "6.2"), [["aux", "redis-ver", "6.2"]]],
  ["AUX with an integer", aux("ctime", wireInteger(1_700_000_000, 4)), [["aux", "ctime", "1700000000"]]],
  ["AUX with LZF", aux("lua", wireLzf("-".repeat(500))), [["aux", "lua", "-".repeat(500)]]],
  ["SELECTDB", Buffer.concat([selectDb(5), string("k", "v")]), [["string", "k", { type: 0, db: 5 }, "v"]]],
  [
    "SELECTDB, the highest",
    Buffer.concat([selectDb(65_535), string("k", "v")]),
    [["string", "k", { type: 0, db: 65_535 }, "v"]],
  ],
  ["RESIZEDB", resizeDb(1_000_000, 3), []],
  [
    "EXPIRETIME_MS",
    Buffer.concat([expireMs(1_893_456_000_123), string("k", "v")]),
    [["string", "k", { type: 0, expireAtMs: 1_893_456_000_123 }, "v"]],
  ],
  [
    "EXPIRETIME",
    Buffer.concat([expireSeconds(1_893_456_000), string("k", "v")]),
    [["string", "k", { type: 0, expireAtMs: 1_893_456_000_000 }, "v"]],
  ],
  [
    "EXPIRETIME past 2038",
    Buffer.concat([expireSeconds(4_000_000_000), string("k", "v")]),
    [["string", "k", { type: 0, expireAtMs: 4_000_000_000_000 }, "v"]],
  ],
  ["DF_MASK, sticky", Buffer.concat([dfMask(1), string("k", "v")]), [["string", "k", { type: 0, sticky: true }, "v"]]],
  [
    "DF_MASK, flags",
    Buffer.concat([dfMask(2, 0xffff_ffff), string("k", "v")]),
    [["string", "k", { type: 0, mcFlags: 0xffff_ffff }, "v"]],
  ],
  [
    "DF_MASK, flags of 0",
    Buffer.concat([dfMask(2, 0), string("k", "v")]),
    [["string", "k", { type: 0, mcFlags: 0 }, "v"]],
  ],
  [
    "DF_MASK, both",
    Buffer.concat([dfMask(3, 42), string("k", "v")]),
    [["string", "k", { type: 0, sticky: true, mcFlags: 42 }, "v"]],
  ],
  ["IDLE", Buffer.concat([idle(100_000), string("k", "v")]), [["string", "k", { type: 0 }, "v"]]],
  ["FREQ", Buffer.concat([freq(254), string("k", "v")]), [["string", "k", { type: 0 }, "v"]]],
  ["SLOT_INFO", slotInfo(16_383, 70_000, 2), []],
  ["FUNCTION2", function2("#!lua name=lib\n"), []],
  ["MODULE_AUX", MODULE, []],
  ["VECTOR_INDEX", HNSW, []],
  ["VECTOR_INDEX without nodes", vectorIndex("idx", []), []],
  ["SHARD_DOC_INDEX", DOCS, []],
  ["SHARD_DOC_INDEX without documents", shardDocIndex(0, "idx", []), []],
  ["LZ4 blob", lz4Blob(string("k", "v")), [["string", "k", { type: 0 }, "v"]]],
  ["ZSTD blob", zstdBlob(string("k", "v")), [["string", "k", { type: 0 }, "v"]]],
  ["empty blobs", Buffer.concat([lz4Blob(Buffer.alloc(0)), zstdBlob(Buffer.alloc(0))]), []],
  [
    "blob in blob",
    lz4Blob(Buffer.concat([zstdBlob(string("k", "v")), string("l", "w")])),
    [
      ["string", "k", { type: 0 }, "v"],
      ["string", "l", { type: 0 }, "w"],
    ],
  ],
  [
    "blob end",
    Buffer.concat([blobEnd(), lz4Blob(Buffer.concat([string("k", "v"), blobEnd()]))]),
    [["string", "k", { type: 0 }, "v"]],
  ],
  [
    "JOURNAL_BLOB",
    journalBlob(2, [select(3), command(["SET", "a", "1"], { txid: 9 }), command(["DEL", "b"])]),
    [
      ["command", { db: 3, txid: 9, lsn: -1 }, ["SET", "a", "1"]],
      ["command", { db: 3, txid: 0, lsn: -1 }, ["DEL", "b"]],
    ],
  ],
  [
    "JOURNAL_BLOB in a blob",
    lz4Blob(journalBlob(1, [command(["DEL", "b"])])),
    [["command", { db: 0, txid: 0, lsn: -1 }, ["DEL", "b"]]],
  ],
];

describe.each(OPCODES)("%s", (_name, part, events) => {
  const flow = fullSync([string("before", "1"), part, string("after", "2")]);
  const last = events.at(-1);
  const db = last?.[0] === "string" ? (last[2] as { readonly db?: number }).db : undefined;
  const after: RecordedEvent = ["string", "after", { type: 0, ...(db === undefined ? {} : { db }) }, "2"];
  const expected = [["string", "before", { type: 0 }, "1"], ...events, after, ...END] as RecordedEvent[];

  test("whole, byte by byte and in random pieces with pauses", () => {
    for (const pieces of [WHOLE, BY_BYTE, [5], [13, 1, 200]]) {
      expectEvents(decodeFlow(flow, { pieces }).events, expected);
      expectEvents(decodeFlow(flow, { pieces, pauses: new SeededRandom(7) }).events, expected);
    }
  });

  test("as the whole content of a blob", () => {
    for (const blob of [lz4Blob, zstdBlob]) {
      const packed = fullSync([string("before", "1"), blob(part), string("after", "2")]);
      for (const pieces of [WHOLE, BY_BYTE]) expectEvents(decodeFlow(packed, { pieces }).events, expected);
    }
  });

  test("cut anywhere it waits for more", () => {
    for (let end = 0; end < flow.length; end++)
      expect(feedFlow(flow.subarray(0, end)).error, `cut at ${end}`).toBeUndefined();
  });
});

describe("what stands before a key", () => {
  test("is for that key alone, the database for all that follow", () => {
    const flow = fullSync([
      selectDb(2),
      expireMs(7),
      dfMask(3, 8),
      idle(1),
      freq(2),
      string("a", ""),
      string("b", ""),
      selectDb(0),
      object(1, "c", len(0)),
    ]);
    expectEvents(decodeFlow(flow).events, [
      ["string", "a", { type: 0, db: 2, expireAtMs: 7, sticky: true, mcFlags: 8 }, ""],
      ["string", "b", { type: 0, db: 2 }, ""],
      ["begin", "c", { type: 1 }, "list", 0],
      ["end", "c"],
      ...END,
    ]);
  });

  test("holds from a blob to the object behind it", () => {
    const flow = fullSync([lz4Blob(Buffer.concat([selectDb(3), string("a", "")])), string("b", "")]);
    expectEvents(decodeFlow(flow).events, [
      ["string", "a", { type: 0, db: 3 }, ""],
      ["string", "b", { type: 0, db: 3 }, ""],
      ...END,
    ]);
  });

  test.each([0, -5, 1, 2 ** 53 - 1])("a deadline of %i ms is told as it is", (deadline) => {
    const flow = fullSync([expireMs(deadline), string("a", "")]);
    expect(decodeFlow(flow).events[0]).toEqual(["string", "a", { type: 0, expireAtMs: deadline }, ""]);
  });

  test("-1 ms is no deadline", () => {
    expect(decodeFlow(fullSync([expireMs(-1), string("a", "")])).events[0]).toEqual(["string", "a", { type: 0 }, ""]);
  });
});

describe("the end", () => {
  test("journal blobs may follow FULLSYNC_END", () => {
    const flow = Buffer.concat([
      rdb([string("a", ""), fullSyncEnd(), journalBlob(1, [command(["DEL", "a"])]), journalOffset(2 ** 40), eof()]),
      Buffer.from(EOF_TOKEN),
    ]);
    expectEvents(decodeFlow(flow).events, [
      ["string", "a", { type: 0 }, ""],
      ["fullSyncEnd"],
      ["command", { db: 0, txid: 0, lsn: -1 }, ["DEL", "a"]],
      ["snapshotEnd", 2 ** 40],
    ]);
  });

  test("FULLSYNC_END and JOURNAL_OFFSET may stand in a blob", () => {
    const flow = Buffer.concat([
      rdb([lz4Blob(Buffer.concat([fullSyncEnd(), journalOffset(5)])), eof()]),
      Buffer.from(EOF_TOKEN),
    ]);
    expectEvents(decodeFlow(flow).events, [["fullSyncEnd"], ["snapshotEnd", 5]]);
  });

  test("a checksum is not looked at", () => {
    const end = Buffer.concat([bytes(255), Buffer.alloc(8, 0xab)]);
    expect(decodeFlow(Buffer.concat([rdb([journalOffset(1), end]), Buffer.from(EOF_TOKEN)])).events).toEqual([
      ["snapshotEnd", 1],
    ]);
  });
});

describe("wrong forms are typed errors that name flow and offset", () => {
  const head = rdb([string("before", "1")]);
  const WRONG: readonly (readonly [string, Buffer, string])[] = [
    ["an unknown opcode", Buffer.concat([head, bytes(199)]), "199 is no opcode"],
    ["an unknown object type", Buffer.concat([head, bytes(22)]), "22 is no opcode"],
    ["module data of version 1", Buffer.concat([head, bytes(6)]), "6 is no opcode"],
    ["another magic", Buffer.from("RDDIS0009"), "does not start with REDIS"],
    ["a version of no digits", Buffer.from("REDIS00x9"), "RDB version 00x9"],
    ["a version too old", Buffer.from("REDIS0004"), "RDB version 0004"],
    ["a version too new", Buffer.from("REDIS0014"), "RDB version 0014"],
    ["a database over 65535", Buffer.concat([head, selectDb(65_536)]), "database 65536"],
    ["a deadline that is not exact", Buffer.concat([head, expireMs(2n ** 60n)]), "64-bit integer"],
    ["a negative LSN", Buffer.concat([head, journalOffset(-1)]), "negative LSN"],
    ["a length that starts a string encoding", Buffer.concat([head, bytes(254, 0xc0)]), "0xc0 starts no length"],
    ["a length of an unknown form", Buffer.concat([head, bytes(254, 0x82)]), "0x82 starts no length"],
    [
      "a length of 2^53",
      Buffer.concat([head, bytes(1), string("", "").subarray(1, 2), lenAs(64, 2n ** 53n)]),
      "impossible",
    ],
    ["an unknown string encoding", Buffer.concat([head, bytes(0, 0xc4)]), "0xc4 starts no string"],
    ["an unknown encoding in a skipped string", Buffer.concat([head, bytes(245, 0xff)]), "0xff starts no string"],
    [
      "a vector index of too many levels",
      Buffer.concat([head, bytes(222), wire("i").wire, len(0), len(1), Buffer.alloc(12), u32le(65)]),
      "level 65",
    ],
    [
      "a vector index of too many links",
      Buffer.concat([head, bytes(222), wire("i").wire, len(0), len(1), Buffer.alloc(16), u32le(1_000_001)]),
      "1000001 links",
    ],
    [
      "an unknown item of module data",
      Buffer.concat([head, bytes(247), lenAs(64, 1), len(2), len(1), bytes(6)]),
      "no item of module data",
    ],
    [
      "a journal blob of more entries than it says",
      Buffer.concat([head, journalBlob(1, [command(["A"]), command(["B"])])]),
      "of 1 entries holds 2",
    ],
    [
      "a journal blob of fewer entries than it says",
      Buffer.concat([head, journalBlob(2, [command(["A"])])]),
      "of 2 entries holds 1",
    ],
    [
      "a journal blob cut in an entry",
      Buffer.concat([head, journalBlob(1, [command(["SET", "a", "b"]).subarray(0, -1)])]),
      "ends inside an element",
    ],
    ["EOF in a blob", Buffer.concat([head, lz4Blob(eof())]), "ends inside a blob"],
    ["a blob that is no LZ4 frame", Buffer.concat([head, bytes(202), wire("no frame at all").wire]), "lz4"],
    ["a blob that is no ZSTD frame", Buffer.concat([head, bytes(201), wire("no frame at all").wire]), "zstd"],
    [
      "blobs five deep",
      Buffer.concat([head, [1, 2, 3, 4, 5].reduce((inner) => lz4Blob(inner), string("k", "v"))]),
      "4 deep",
    ],
    ["a vector index that ends with its blob", Buffer.concat([head, lz4Blob(HNSW.subarray(0, 7 + 44))]), "inside"],
  ];

  test.each(WRONG)("%s", (_name, flow, message) => {
    for (const pieces of [WHOLE, BY_BYTE]) {
      const { error } = feedFlow(flow, { flow: 12, pieces });
      expect(error?.code).toBe("STREAM_CORRUPT");
      expect(error?.message).toContain(message);
      expect(error?.message).toMatch(/^flow 12, offset \d+/);
      expect(error?.context["flow"]).toBe(12);
      expect(error?.context["offset"]).toBeGreaterThanOrEqual(0);
      expect(error?.context["offset"]).toBeLessThanOrEqual(flow.length);
    }
  });

  test("four blobs in each other are read", () => {
    const flow = fullSync([[1, 2, 3, 4].reduce((inner) => lz4Blob(inner), string("k", "v"))]);
    expect(decodeFlow(flow).events[0]).toEqual(["string", "k", { type: 0 }, "v"]);
  });

  test("a long key is cut short in the message and in the context", () => {
    const key = "k".repeat(500);
    const { error } = feedFlow(rdb([bytes(0), wire(key).wire, bytes(0xc4)]));
    expect(error?.message.length).toBeLessThan(300);
    expect(error?.context["key"]).toBe(`${"k".repeat(128)}… (500 bytes)`);
  });
});
