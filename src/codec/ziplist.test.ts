import { describe, expect, test } from "vitest";
import { buildZiplist, elementText, type Element } from "../../test/support/codec-builders.ts";
import { expectTypedError } from "../../test/support/hostile.ts";
import { Slice } from "../bytes/slice.ts";
import { ZiplistReader } from "./ziplist.ts";

function read(body: Buffer): string[] {
  const reader = new ZiplistReader().reset(body, 0, body.length);
  const out = new Slice();
  const found: string[] = [];
  while (reader.next(out)) found.push(out.toLatin1());
  return found;
}

/** A ziplist of ready entries. */
function wrap(entries: Buffer, count: number, tail: number): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt32LE(entries.length + 11, 0);
  head.writeUInt32LE(tail, 4);
  head.writeUInt16LE(count, 8);
  return Buffer.concat([head, entries, Buffer.from([0xff])]);
}

const INTEGERS = [
  0n,
  12n,
  13n,
  -1n,
  127n,
  -128n,
  128n,
  -129n,
  32767n,
  -32768n,
  32768n,
  -32769n,
  8388607n,
  -8388608n,
  8388608n,
  -8388609n,
];
const WIDE = [2n ** 31n - 1n, -(2n ** 31n), 2n ** 31n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];
const LENGTHS = [0, 1, 63, 64, 250, 251, 252, 253, 254, 16383, 16384, 70_000];

describe("ZiplistReader", () => {
  test("the example of Redis's own description", () => {
    // src/ziplist.c: the elements "2" and "5", then "Hello World".
    expect(read(Buffer.from("0f0000000c0000000200 00f3 02f6 ff".replaceAll(" ", ""), "hex"))).toEqual(["2", "5"]);
    const three = Buffer.from(
      "1c0000000e0000000300 00f3 02f6 020b48656c6c6f20576f726c64 ff".replaceAll(" ", ""),
      "hex",
    );
    expect(read(three)).toEqual(["2", "5", "Hello World"]);
  });

  test.each([...INTEGERS, ...WIDE])("the integer %d", (value) => {
    expect(read(buildZiplist([value, Buffer.from("x")]))).toEqual([value.toString(), "x"]);
  });

  test.each(LENGTHS)("a string of %d bytes", (length) => {
    const text = Buffer.alloc(length, "0123456789");
    expect(read(buildZiplist([text, 1n]))).toEqual([text.toString(), "1"]);
  });

  test("a count of 65535 says nothing", () => {
    const elements: Element[] = Array.from({ length: 70_000 }, (_, i) => BigInt(i));
    const body = buildZiplist(elements);
    expect(new ZiplistReader().reset(body, 0, body.length).count).toBe(-1);
    expect(read(body)).toEqual(elements.map(elementText));
  });

  test("one without elements", () => {
    expect(read(buildZiplist([]))).toEqual([]);
  });

  test.each([
    ["a total length that is one off", changed(buildZiplist([1n]), 0, 14)],
    ["no terminator", changed(buildZiplist([1n]), 12, 0xfe)],
    ["a count that is too high", buildZiplist([1n], { count: 2 })],
    ["a count that is too low", buildZiplist([1n, 2n], { count: 1 })],
    ["a wrong tail offset", changed(buildZiplist([1n, 2n]), 4, 10)],
    ["a wrong tail offset without elements", changed(buildZiplist([]), 4, 11)],
    ["a length of the element before where there is none", wrap(Buffer.from([1, 0xf1]), 1, 10)],
    ["a wrong length of the element before", wrap(Buffer.from([0, 0xf1, 3, 0xf1]), 2, 12)],
    ["a wrong wide length of the element before", wrap(Buffer.from([0, 0xf1, 254, 2, 0, 0, 1, 0xf1]), 2, 12)],
    ["a wide length that is cut off", wrap(Buffer.from([0, 0xf1, 254, 2, 0, 0]), 2, 12)],
    ["a terminator in the middle", wrap(Buffer.from([0, 0xf1, 0xff, 0xf1]), 2, 12)],
    ["no encoding", wrap(Buffer.from([0]), 1, 10)],
    ["an unknown encoding", wrap(Buffer.from([0, 0xc1, 0, 0]), 1, 10)],
    ["a 32-bit string with bits that must be zero", wrap(Buffer.from([0, 0x81, 0, 0, 0, 1, 0x61]), 1, 10)],
    ["a string past the end", wrap(Buffer.from([0, 5, 0x61]), 1, 10)],
    ["a huge string", wrap(Buffer.from([0, 0x80, 0xff, 0xff, 0xff, 0xff, 0x61]), 1, 10)],
    ["an integer past the end", wrap(Buffer.from([0, 0xe0, 1, 2]), 1, 10)],
  ])("%s is refused", (_name, body) => {
    expectTypedError(() => read(body), "STREAM_CORRUPT");
  });
});

function changed(bytes: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = byte;
  return copy;
}
