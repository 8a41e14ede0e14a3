import { describe, expect, test } from "vitest";
import {
  buildListpack,
  elementText,
  listpackElement,
  wrapListpack,
  type Element,
} from "../../test/support/codec-builders.ts";
import { expectTypedError } from "../../test/support/hostile.ts";
import { Slice } from "../bytes/slice.ts";
import { ListpackReader, STEP_INTEGER, STEP_STRING } from "./listpack.ts";

function read(body: Buffer): string[] {
  const reader = new ListpackReader().reset(body, 0, body.length);
  const out = new Slice();
  const found: string[] = [];
  while (reader.next(out)) found.push(out.toLatin1());
  return found;
}

const INTEGERS = [
  0n,
  127n,
  128n,
  -1n,
  4095n,
  -4096n,
  4096n,
  -4097n,
  32767n,
  -32768n,
  32768n,
  -32769n,
  8388607n,
  -8388608n,
  8388608n,
  -8388609n,
];
const WIDE = [
  2n ** 31n - 1n,
  -(2n ** 31n),
  2n ** 31n,
  -(2n ** 31n) - 1n,
  2n ** 53n,
  -(2n ** 53n) - 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
/** Each side of each limit of the forms of a string and of the length behind it. */
const LENGTHS = [
  0, 1, 63, 64, 125, 126, 127, 128, 4095, 4096, 16377, 16378, 16379, 70_000, 2_097_145, 2_097_146, 2_097_147,
];

describe("ListpackReader", () => {
  test("bytes written by hand", () => {
    const body = Buffer.from("1200000004000501826162 03c0ff02 f1000403ff".replaceAll(" ", ""), "hex");
    body.writeUInt32LE(body.length, 0);
    expect(read(body)).toEqual(["5", "ab", "255", "1024"]);
  });

  test.each([...INTEGERS, ...WIDE])("the integer %d", (value) => {
    expect(read(buildListpack([value]))).toEqual([value.toString()]);
  });

  test.each(LENGTHS)("a string of %d bytes", (length) => {
    const text = Buffer.alloc(length, "0123456789");
    expect(read(buildListpack([text, 1n]))).toEqual([text.toString(), "1"]);
  });

  test("an element of 16383 bytes has a length of three bytes behind it, as Redis writes it", () => {
    expect(listpackElement(Buffer.alloc(16378)).subarray(16383).toString("hex")).toBe("00ffff");
  });

  test("a count of 65535 says nothing", () => {
    const elements: Element[] = Array.from({ length: 70_000 }, (_, i) => BigInt(i));
    const body = buildListpack(elements);
    expect(new ListpackReader().reset(body, 0, body.length).count).toBe(-1);
    expect(read(body)).toEqual(elements.map(elementText));
    expect(read(buildListpack([1n], 65535))).toEqual(["1"]);
  });

  test("strings are views of the body, integers are not", () => {
    const body = buildListpack([Buffer.from("text"), 300n]);
    const reader = new ListpackReader().reset(body, 0, body.length);
    const text = new Slice();
    const integer = new Slice();
    reader.next(text);
    reader.next(integer);
    expect(text.buf).toBe(body);
    expect(integer.buf).not.toBe(body);
  });

  test("steps tell kind and value", () => {
    const body = buildListpack([Buffer.from("text"), -300n, 2n ** 60n]);
    const reader = new ListpackReader().reset(body, 0, body.length);
    expect(reader.step()).toBe(STEP_STRING);
    expect(body.toString("latin1", reader.stringStart, reader.stringEnd)).toBe("text");
    expect([reader.step(), reader.integer]).toEqual([STEP_INTEGER, -300]);
    expect([reader.step(), reader.integer]).toEqual([STEP_INTEGER, 2n ** 60n]);
  });

  const element = listpackElement(Buffer.from("abc"));
  const long = listpackElement(Buffer.alloc(200));

  test.each([
    ["a total length that is one off", changed(buildListpack([1n]), 0, 10)],
    ["no terminator", changed(buildListpack([1n]), 8, 0xfe)],
    ["a count that is too high", buildListpack([1n], 2)],
    ["a count that is too low", buildListpack([1n, 2n], 1)],
    ["a terminator in the middle", wrapListpack([element, Buffer.from([0xff])], 1)],
    ["an unknown encoding", wrapListpack([Buffer.from([0xf5, 1])], 1)],
    ["a string past the end", wrapListpack([Buffer.from([0x85, 0x61, 0x62])], 1)],
    ["a huge string", wrapListpack([Buffer.from([0xf0, 0xff, 0xff, 0xff, 0xff, 0x61])], 1)],
    ["an integer past the end", wrapListpack([Buffer.from([0xf4, 1, 2, 3])], 1)],
    ["a wrong length behind an element", wrapListpack([changed(element, 4, 5)], 1)],
    ["a wrong long length behind an element", wrapListpack([changed(long, long.length - 1, 0x81)], 1)],
    ["a long length that has no end", wrapListpack([changed(long, long.length - 2, 0x81)], 1)],
    ["an element without a length behind it", wrapListpack([Buffer.from([1])], 1)],
  ])("%s is refused", (_name, body) => {
    expectTypedError(() => read(body), "STREAM_CORRUPT");
  });
});

function changed(bytes: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = byte;
  return copy;
}
