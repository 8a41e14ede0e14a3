/** Journal entries of the stable stream: every op, the counting of LSNs, and every wrong form. */
import { describe, expect, test } from "vitest";
import { expectEvents, type RecordedEvent } from "../../test/support/event-recorder.ts";
import {
  BY_BYTE,
  decodeFlow,
  type FedFlow,
  feedFlow,
  type FeedOptions,
  randomPieces,
  WHOLE,
} from "../../test/support/feed-flow.ts";
import { mutate, SeededRandom } from "../../test/support/hostile.ts";
import { command, exec, fin, lsnMark, ping, select } from "../../test/support/journal-builder.ts";
import { bytes, fullSync, journalBlob, len, lenAs, str } from "../../test/support/rdb-builder.ts";
import { Cursor } from "../bytes/cursor.ts";
import { DEFAULT_DECODE_LIMITS } from "../bytes/decode-limits.ts";
import { JournalDecoder } from "./journal-decoder.ts";

const LSN = 1000;
const STABLE: FeedOptions = { start: { kind: "partial", lsn: LSN } };

const told = (db: number, lsn: number, args: readonly string[], txid = 0): RecordedEvent => [
  "command",
  { db, txid, lsn },
  args,
];

function feed(entries: readonly Buffer[], options: FeedOptions = {}): FedFlow {
  return feedFlow(Buffer.concat(entries), { ...STABLE, ...options });
}

/** Entries with all ops and all kinds of arguments, and what they are. */
const ENTRIES: readonly Buffer[] = [
  select(0),
  command(["SET", "k", "v"]),
  command(["DEL", "a", "b"], { txid: 2 ** 40 }),
  select(7),
  command(["MSET", "k", ""], { txid: 5, op: 11 }),
  exec(5),
  command(["DEL", "gone"], { op: 9 }),
  lsnMark(LSN + 4),
  ping(),
  fin(),
  lsnMark(LSN + 5),
  command(["SET", Buffer.alloc(300, 0xfe), Buffer.from([0xc0, 5])]),
  select(65_535),
  command(["FLUSHALL"], { txid: 2 ** 53 - 1 }),
  lsnMark(LSN + 7),
];
const EVENTS: readonly RecordedEvent[] = [
  told(0, LSN, ["SET", "k", "v"]),
  told(0, LSN + 1, ["DEL", "a", "b"], 2 ** 40),
  told(7, LSN + 2, ["MSET", "k", ""], 5),
  told(7, LSN + 4, ["DEL", "gone"]),
  ["ping"],
  told(7, LSN + 6, ["SET", "\u00fe".repeat(300), "\u00c0\u0005"]),
  told(65_535, LSN + 7, ["FLUSHALL"], 2 ** 53 - 1),
];

describe("a stable stream of every op", () => {
  const flow = Buffer.concat(ENTRIES);

  test("whole, byte by byte, in random pieces, with pauses", () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = new SeededRandom(seed);
      const pieces = seed === 0 ? WHOLE : seed === 1 ? BY_BYTE : randomPieces(random, 40);
      const { events, decoder } = decodeFlow(flow, {
        ...STABLE,
        pieces,
        ...(seed % 3 === 2 ? { pauses: random } : {}),
      });
      expectEvents(events, EVENTS);
      expect(decoder.lsn).toBe(LSN + 8);
      expect(decoder.journalEntries).toBe(8);
    }
  });

  test("cut anywhere it waits for more, and has counted what came whole", () => {
    const ends = ENTRIES.map((_, i) => Buffer.concat(ENTRIES.slice(0, i + 1)).length);
    for (let end = 0; end < flow.length; end++) {
      const { error, decoder } = feed([flow.subarray(0, end)]);
      expect(error).toBeUndefined();
      expect(decoder.pendingBytes).toBe(end - Math.max(0, ...ends.filter((whole) => whole <= end)));
    }
  });

  test("changed it is a typed error, a flow that waits, or other entries", () => {
    const random = new SeededRandom(4);
    let refused = 0;
    for (let i = 0; i < 2000; i++) {
      const { error } = feed([mutate(flow, random)], { pieces: randomPieces(random, 100), pauses: random });
      if (error === undefined) continue;
      refused++;
      expect(["STREAM_CORRUPT", "LIMIT_EXCEEDED"]).toContain(error.code);
      expect(error.context["offset"]).toBeTypeOf("number");
    }
    expect(refused).toBeGreaterThan(500);
  });
});

describe("SELECT", () => {
  test("stays in force, through entries that are no commands", () => {
    expectEvents(feed([select(3), ping(), exec(), command(["A"]), command(["B"])]).events, [
      ["ping"],
      told(3, LSN + 2, ["A"]),
      told(3, LSN + 3, ["B"]),
    ]);
  });

  test("begins at database 0", () => {
    expectEvents(feed([command(["A"])]).events, [told(0, LSN, ["A"])]);
  });

  test("stays in force from one journal blob to the next, and does not reach the stable journal", () => {
    const flow = Buffer.concat([
      fullSync([journalBlob(1, [select(3), command(["A"])]), journalBlob(1, [command(["B"])])]),
      command(["C"]),
    ]);
    expectEvents(decodeFlow(flow).events, [
      told(3, -1, ["A"]),
      told(3, -1, ["B"]),
      ["fullSyncEnd"],
      ["snapshotEnd", 1],
      told(0, 1, ["C"]),
    ]);
  });
});

describe("LSN marks", () => {
  test.each([
    ["too high", [command(["A"]), lsnMark(LSN + 1)]],
    ["too low", [command(["A"]), lsnMark(LSN - 1)]],
    ["that counts a SELECT", [select(0), command(["A"]), lsnMark(LSN + 1)]],
    ["that counts a FIN", [command(["A"]), fin(), lsnMark(LSN + 1)]],
    ["that does not count a PING", [command(["A"]), ping(), lsnMark(LSN)]],
    ["that does not count an EXEC", [command(["A"]), exec(), lsnMark(LSN)]],
    ["that counts a mark", [command(["A"]), lsnMark(LSN), lsnMark(LSN + 1)]],
  ])("one %s ends the flow", (_name, entries) => {
    const { error } = feed(entries, { flow: 4 });
    expect(error?.code).toBe("STREAM_CORRUPT");
    expect(error?.message).toMatch(/^flow 4, offset \d+: the master marks the last journal entry as LSN/);
    expect(error?.context).toMatchObject({ flow: 4, lsn: expect.any(Number) as number });
  });

  test("may come twice, and before any entry", () => {
    expect(feed([lsnMark(LSN - 1), command(["A"]), lsnMark(LSN), lsnMark(LSN)]).error).toBeUndefined();
  });

  test("say nothing in a snapshot's journal blobs, where the LSN is not known", () => {
    const flow = fullSync([journalBlob(1, [command(["A"]), lsnMark(12_345)])]);
    expect(decodeFlow(flow).decoder.journalEntries).toBe(1);
  });

  test("are checked after a full sync from its JOURNAL_OFFSET on", () => {
    const head = fullSync([journalBlob(1, [command(["A"])])], { lsn: 50 });
    expect(decodeFlow(Buffer.concat([head, command(["B"]), lsnMark(50)])).decoder.lsn).toBe(51);
    expect(feedFlow(Buffer.concat([head, command(["B"]), lsnMark(51)])).error?.code).toBe("STREAM_CORRUPT");
  });
});

describe("wrong forms are typed errors", () => {
  test.each([
    ["an unknown op", [bytes(16)], "16 is no journal op"],
    ["op 0", [bytes(0)], "0 is no journal op"],
    ["a database over 65535", [select(65_536)], "database 65536"],
    ["an entry without a command", [command([])], "has no command"],
    ["arguments longer than they say", [command(["SET", "k", "v"], { total: 4 })], "longer than it says"],
    ["arguments shorter than they say", [command(["SET", "k", "v"], { total: 6 }), ping()], "shorter than it says"],
    [
      "an argument of an integer encoding",
      [bytes(10), len(0), len(1), len(1), len(1), bytes(0xc0, 1)],
      "starts no length",
    ],
    ["a txid of 2^53", [command(["A"], { txid: 2n ** 53n })], "impossible"],
    ["a total of 2^64 - 1", [command(["A"], { total: 2n ** 64n - 1n })], "impossible"],
  ])("%s", (_name, entries, message) => {
    for (const pieces of [WHOLE, BY_BYTE]) {
      const { error } = feed(entries, { pieces });
      expect(error?.code).toBe("STREAM_CORRUPT");
      expect(error?.message).toContain(message);
    }
  });

  test("one argument that is too long is told before its bytes come", () => {
    const entry = Buffer.concat([
      bytes(10),
      len(0),
      len(1),
      len(2),
      len(10),
      str("SETEX"),
      lenAs(32, 2 ** 31),
      Buffer.alloc(10),
    ]);
    expect(feed([entry]).error?.message).toContain("longer than it says");
  });
});

describe("limits", () => {
  const limits = { stringBytes: 1000, elements: 20 };
  const entry = (argc: number, total: number): Buffer[] => [bytes(10), len(0), len(1), len(argc), len(total)];

  test("of arguments and bytes just reached: it waits", () => {
    expect(feed(entry(20, 1000), { limits }).error).toBeUndefined();
    const words = Array.from({ length: 20 }, () => "x".repeat(50));
    expect(decodeFlow(command(words), { ...STABLE, limits }).events).toHaveLength(1);
  });

  test.each([
    ["arguments", entry(21, 10), limits],
    ["bytes", entry(2, 1001), limits],
    ["more arguments than a string has bytes", entry(1001, 0), { ...limits, elements: 5000 }],
    ["both absurd", entry(2 ** 40, 2 ** 52), limits],
  ])("exceeded by %s: an error before any of them comes", (_name, entries, given) => {
    expect(feed(entries, { limits: given }).error?.code).toBe("LIMIT_EXCEEDED");
  });

  test("as they are by default: nothing is made for what is only announced", () => {
    const before = process.memoryUsage();
    for (let i = 0; i < 200; i++) expect(feed(entry(100_000_000, 400_000_000)).error).toBeUndefined();
    const after = process.memoryUsage();
    expect(after.heapUsed - before.heapUsed).toBeLessThan(100e6);
    // Each decoder has its own input buffer of 512 KiB.
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(200 * 600_000);
  });
});

describe("the decoder itself", () => {
  test("commits nothing: what it has read can be read again", () => {
    const bytesOfOne = command(["SET", "k", "v"]);
    const cursor = new Cursor().resetTo(bytesOfOne, 0, bytesOfOne.length);
    const journal = new JournalDecoder(DEFAULT_DECODE_LIMITS, 5);
    const lsns: number[] = [];
    const handler = { command: (entry: { lsn: number }) => lsns.push(entry.lsn), ping: () => {} };
    journal.next(cursor, handler);
    cursor.rewind();
    journal.next(cursor, handler);
    expect(lsns).toEqual([5, 6]);
    expect(journal.entries).toBe(2);
  });

  test("arguments that are not the entry's are empty", () => {
    const entries = Buffer.concat([command(["A", "b", "c"]), command(["D"])]);
    const cursor = new Cursor().resetTo(entries, 0, entries.length);
    const journal = new JournalDecoder(DEFAULT_DECODE_LIMITS);
    const seen: string[] = [];
    const handler = {
      command: (entry: { arg(i: number): { toText(): string } }) =>
        seen.push([0, 1, 2].map((i) => entry.arg(i).toText()).join()),
      ping: () => {},
    };
    journal.next(cursor, handler);
    journal.next(cursor, handler);
    expect(seen).toEqual(["A,b,c", "D,,"]);
  });

  test("slices of an entry with very many arguments are not kept for ever", () => {
    const many = command(Array.from({ length: 10_000 }, () => "x"));
    const few = command(["A"]);
    const entries = Buffer.concat([many, few]);
    const cursor = new Cursor().resetTo(entries, 0, entries.length);
    const journal = new JournalDecoder(DEFAULT_DECODE_LIMITS);
    const kept: number[] = [];
    const handler = { command: (entry: { args: readonly unknown[] }) => kept.push(entry.args.length), ping: () => {} };
    journal.next(cursor, handler);
    journal.next(cursor, handler);
    expect(kept).toEqual([10_000, 4096]);
  });
});
