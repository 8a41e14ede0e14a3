import { describe, expect, test } from "vitest";
import { Slice } from "../../bytes/slice.ts";
import { isEmptyBody } from "./restore-empty-body.ts";

const EMPTY_LISTPACK = "07 07000000 0000 ff".replace(/ /g, "");
const ONE_LISTPACK = "09 09000000 0100 0101 ff".replace(/ /g, "");
const EMPTY_ZIPLIST = "0b 0b000000 0a000000 0000 ff".replace(/ /g, "");
const ONE_ZIPLIST = "0d 0d000000 0a000000 0100 00f2 ff".replace(/ /g, "");
const LZF_STRING = "c3 02 40c8 0061".replace(/ /g, "");

function empty(type: number, hex: string): boolean {
  // Bytes around the body, so that a read outside it is noticed.
  const bytes = Buffer.concat([Buffer.from("ff00", "hex"), Buffer.from(hex, "hex"), Buffer.from("00000000", "hex")]);
  return isEmptyBody(type, new Slice().set(bytes, 2, bytes.length - 4));
}

describe("isEmptyBody", () => {
  test.each([1, 2, 3, 4, 5, 14, 18])("type %i without elements", (type) => {
    expect(empty(type, "00")).toBe(true);
    expect(empty(type, "4000")).toBe(true);
    expect(empty(type, "8000000000")).toBe(true);
  });

  test.each([1, 2, 3, 4, 5])("type %i with an element", (type) => {
    expect(empty(type, "010161")).toBe(false);
    expect(empty(type, "80000000010161")).toBe(false);
  });

  test.each([16, 17, 20])("type %i, a listpack", (type) => {
    expect(empty(type, EMPTY_LISTPACK)).toBe(true);
    expect(empty(type, ONE_LISTPACK)).toBe(false);
    expect(empty(type, LZF_STRING)).toBe(false);
  });

  test.each([10, 12, 13])("type %i, a ziplist", (type) => {
    expect(empty(type, EMPTY_ZIPLIST)).toBe(true);
    expect(empty(type, ONE_ZIPLIST)).toBe(false);
  });

  test("an intset", () => {
    expect(empty(11, "080200000000000000")).toBe(true);
    expect(empty(11, "0a02000000010000000500")).toBe(false);
    // 65536 members: the count's low half is zero.
    expect(empty(11, "0a02000000000001000500")).toBe(false);
  });

  test("a zipmap", () => {
    expect(empty(9, "0200ff")).toBe(true);
    expect(empty(9, "07010161010062ff")).toBe(false);
  });

  test("a quicklist whose nodes are all empty", () => {
    expect(empty(18, `0202${EMPTY_LISTPACK}02${EMPTY_LISTPACK}`)).toBe(true);
    expect(empty(18, `0202${EMPTY_LISTPACK}010161`)).toBe(false);
    expect(empty(18, `0202${EMPTY_LISTPACK}02${ONE_LISTPACK}`)).toBe(false);
    expect(empty(14, `02${EMPTY_ZIPLIST}${EMPTY_ZIPLIST}`)).toBe(true);
    expect(empty(14, `02${EMPTY_ZIPLIST}${ONE_ZIPLIST}`)).toBe(false);
  });

  test.each([15, 19, 21])("a stream of type %i is never empty in this sense", (type) => {
    expect(empty(type, "00000000000000000000")).toBe(false);
  });

  test("a body that ends too early is corrupt", () => {
    expect(() => empty(16, "0907")).toThrow(expect.objectContaining({ code: "STREAM_CORRUPT" }));
    expect(() => empty(4, "")).toThrow(expect.objectContaining({ code: "STREAM_CORRUPT" }));
  });
});
