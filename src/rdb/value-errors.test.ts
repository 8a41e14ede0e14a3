/** Values whose bytes make no sense: typed errors that name flow, offset and key, wherever in the value they stand. */
import { describe, expect, test } from "vitest";
import { buildListpack, buildZiplist } from "../../test/support/codec-builders.ts";
import { ALL_BODIES, BY_BYTE, decodeFlow, feedFlow, WHOLE } from "../../test/support/feed-flow.ts";
import {
  bytes,
  double,
  fullSync,
  len,
  lenAs,
  moduleId,
  object,
  rdb,
  str,
  u64le,
  wire,
  wireInteger,
} from "../../test/support/rdb-builder.ts";
import { stream, streamId } from "../../test/support/rdb-streams.ts";
import { body, hashTtl } from "../../test/support/rdb-values.ts";

const b = (text: string): Buffer => Buffer.from(text);
const one = (...parts: readonly Buffer[]): Buffer => Buffer.concat([len(1), ...parts]);
const streamMeta = Buffer.concat([len(0), len(1), len(1), len(0), len(0), len(0), len(0), len(1), len(1)]);

const WRONG: readonly (readonly [string, number, Buffer, string])[] = [
  ["a text score of nan", 3, one(str("m"), bytes(253)), "not a number"],
  ["a text score that is empty", 3, one(str("m"), bytes(0)), "not a number"],
  ["a text score that is a word", 3, one(str("m"), bytes(3), b("one")), "not a number"],
  ["a text score with bytes behind the number", 3, one(str("m"), bytes(4), b("1.5x")), "not a number"],
  ["a score of NaN", 5, one(str("m"), double(Number.NaN)), "not a number"],
  ["a score of -NaN", 5, one(str("m"), u64le(0xfff8_0000_0000_0001n)), "not a number"],
  ["a packed score that is a word", 17, str(buildListpack([b("m"), b("one")])), "not a number"],
  ["a packed score of nan", 12, str(buildZiplist([b("m"), b("nan")])), "not a number"],
  ["a field without its value", 16, str(buildListpack([b("f"), b("v"), b("g")])), "without its value"],
  ["a member without its score", 12, str(buildZiplist([b("m")])), "without its value"],
  ["a listpack that is none", 16, str("nonsense"), "listpack"],
  ["a ziplist that is none", 10, str("nonsense, of some length"), "ziplist"],
  ["an intset that is none", 11, str("nonsense"), "intset"],
  ["a zipmap that is none", 9, str("nonsense"), "zipmap"],
  ["a quicklist node of an unknown container", 18, one(len(3), str("x")), "3 is no container"],
  ["a container of 0", 18, one(len(0), str("x")), "0 is no container"],
  ["a member deadline that is no number", 32, one(str("m"), str("soon")), "deadline"],
  ["a member deadline below -1", 32, one(str("m"), wireInteger(-2, 1).wire), "deadline"],
  ["a member deadline past all time", 32, one(str("m"), str("1".padEnd(13, "0"))), "deadline"],
  ["a field deadline that is empty", 31, one(str("f"), str("v"), str("")), "deadline"],
  ["a stream node with a short id", 15, one(str("short"), str(buildListpack([]))), "5 bytes instead of 16"],
  ["a stream node that is no listpack", 19, one(str(Buffer.alloc(16)), str("nonsense")), "listpack"],
  [
    "a pending entry with a time past all time",
    21,
    Buffer.concat([len(0), streamMeta, str("g"), len(0), len(0), len(0), len(1), Buffer.alloc(16), u64le(2n ** 60n)]),
    "64-bit",
  ],
  ["a Bloom filter of an unknown form", 34, len(1), "unknown form"],
  ["a top-k sketch of an unknown form", 36, len(1), "unknown form"],
  [
    "an empty piece of a filter",
    37,
    Buffer.concat([...[4, 20, 1, 8, 1, 1, 1].map(len), len(10), len(0)]),
    "piece is empty",
  ],
  [
    "a piece longer than its filter",
    37,
    Buffer.concat([...[4, 20, 1, 8, 1, 1, 1].map(len), len(10), len(11)]),
    "longer than the filter",
  ],
  [
    "a second piece longer than what is left",
    37,
    Buffer.concat([...[4, 20, 1, 8, 1, 1, 1].map(len), len(10), str("12345678"), len(3)]),
    "longer than the filter",
  ],
  ["an unknown item of module data", 7, Buffer.concat([lenAs(64, moduleId("ReJSON-RL")), len(9)]), "9 is no item"],
];

describe.each(WRONG)("%s", (_name, type, wrong, message) => {
  test("is refused", () => {
    for (const pieces of [WHOLE, BY_BYTE]) {
      const { error } = feedFlow(rdb([object(type, "the key", wrong)]), { pieces, flow: 9 });
      expect(error?.code).toBe("STREAM_CORRUPT");
      expect(error?.message).toContain(message);
      expect(error?.context).toMatchObject({ flow: 9, key: "the key", offset: expect.any(Number) as number });
    }
  });
});

test("a body is handed on as it is: what is in it is for the target to judge", () => {
  const wrong = str(buildListpack([b("f")]));
  expect(decodeFlow(fullSync([object(16, "k", wrong)]), { wanted: ALL_BODIES }).events[0]).toEqual([
    "body",
    "k",
    { type: 16 },
    wrong.toString("latin1"),
  ]);
});

test("the latest deadline of a member is exact in ms", () => {
  const value = hashTtl([[wire("f"), wire("v"), wire("9".repeat(12))]]);
  expect(decodeFlow(fullSync([object(31, "k", body(value))])).events[1]).toEqual([
    "hashFieldTtl",
    "k",
    "f",
    "v",
    1_675_209_600_000 + 999_999_999_999_000,
  ]);
});

test("a stream's counters use all 64 bits", () => {
  const most = 2n ** 64n - 1n;
  const value = stream({ type: 19, nodes: [], groups: [], lastId: streamId(most, most), entriesAdded: most });
  expect(decodeFlow(fullSync([object(19, "k", body(value))])).events[1]?.[2]).toMatchObject({
    lastId: `${most}-${most}`,
    entriesAdded: String(most),
  });
});
