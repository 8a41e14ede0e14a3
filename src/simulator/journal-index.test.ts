import { describe, expect, test } from "vitest";
import { indexJournal, lsnAt } from "./journal-index.ts";

const SELECT_1 = [6, 1];
/** txid 0, shard count 1, two arguments of 4 bytes. */
const GET_K = [10, 0, 1, 2, 4, 3, 71, 69, 84, 1, 107];
const PING = [13];
const FIN = [14];
const EXEC = [12, 0x40, 0x80, 1];

function index(...entries: readonly (readonly number[])[]) {
  const bytes = Buffer.from(entries.flat());
  return indexJournal(bytes, { start: 0, end: bytes.length, startLsn: 100 });
}

describe("indexJournal", () => {
  test("counts COMMAND, PING and EXEC, and not SELECT, LSN and FIN", () => {
    expect(index(SELECT_1, GET_K, PING, [15, 0x40, 101], FIN, EXEC)).toEqual({
      startLsn: 100,
      ends: [13, 14, 22],
      wrongMarks: [],
    });
  });

  test("finds a mark that disagrees", () => {
    expect(index(GET_K, [15, 0x40, 101]).wrongMarks).toEqual([11]);
  });

  test("reads lengths of every width", () => {
    const long = [
      10,
      0x81,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      9,
      0x80,
      0,
      0,
      0,
      1,
      1,
      0x40,
      64,
      0x40,
      64,
      ...Array.from({ length: 64 }, () => 65),
    ];
    expect(index(long).ends).toEqual([long.length]);
  });

  test("shows every argument", () => {
    const bytes = Buffer.from([...SELECT_1, ...GET_K]);
    const seen: string[] = [];
    indexJournal(bytes, { start: 0, end: bytes.length, startLsn: 0 }, (i, start, end) =>
      seen.push(`${i} ${bytes.toString("latin1", start, end)}`),
    );
    expect(seen).toEqual(["0 GET", "1 k"]);
  });

  test.each([
    ["an unknown op", [9 + 7]],
    ["an argument over the end", [10, 0, 1, 1, 4, 9, 71]],
    ["an integer where a length should be", [6, 0xc0]],
  ])("refuses %s", (_name, bytes) => {
    expect(() => index(bytes)).toThrowError(expect.objectContaining({ code: "STREAM_CORRUPT" }));
  });
});

test("lsnAt counts the entries that end at or before an offset", () => {
  const journal = { startLsn: 100, ends: [10, 20, 20, 30], wrongMarks: [] };
  expect([0, 9, 10, 19, 20, 29, 30, 99].map((offset) => lsnAt(journal, offset))).toEqual([
    100, 100, 101, 101, 103, 103, 104, 104,
  ]);
});
