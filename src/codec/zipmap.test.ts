import { describe, expect, test } from "vitest";
import { buildZipmap } from "../../test/support/codec-builders.ts";
import { expectTypedError } from "../../test/support/hostile.ts";
import { Slice } from "../bytes/slice.ts";
import { ZipmapReader } from "./zipmap.ts";

function read(body: Buffer): string[] {
  const reader = new ZipmapReader().reset(body, 0, body.length);
  const out = new Slice();
  const found: string[] = [];
  while (reader.next(out)) found.push(out.toLatin1());
  return found;
}

describe("ZipmapReader", () => {
  test("the example of Redis's own description", () => {
    expect(read(Buffer.from("\x02\x03foo\x03\x00bar\x05hello\x05\x00world\xff", "latin1"))).toEqual([
      "foo",
      "bar",
      "hello",
      "world",
    ]);
  });

  test("unused bytes behind a value are left out", () => {
    expect(read(Buffer.from("\x01\x03foo\x02\x01bar\xff", "latin1"))).toEqual(["foo", "ba"]);
  });

  test.each([0, 1, 252, 253, 254, 255, 256, 70_000])("a field and a value of %d bytes", (length) => {
    const text = Buffer.alloc(length, "0123456789");
    expect(read(buildZipmap([[text, text]]))).toEqual([text.toString(), text.toString()]);
  });

  test("a count of 254 says nothing", () => {
    const pairs = Array.from({ length: 300 }, (_, i): [Buffer, Buffer] => [Buffer.from(`f${i}`), Buffer.from(`v${i}`)]);
    const body = buildZipmap(pairs);
    expect(new ZipmapReader().reset(body, 0, body.length).count).toBe(-1);
    expect(read(body)).toEqual(pairs.flat().map(String));
  });

  test("the count is of fields and values", () => {
    const body = buildZipmap([[Buffer.from("f"), Buffer.from("v")]]);
    expect(new ZipmapReader().reset(body, 0, body.length).count).toBe(2);
  });

  test.each([
    ["nothing but a count", "\x00"],
    ["no terminator", "\x01\x03foo\x03\x00bar"],
    ["a count that is too high", "\x02\x03foo\x03\x00bar\xff"],
    ["a count that is too low", "\x01\x03foo\x03\x00bar\x01a\x01\x00b\xff"],
    ["a field without a value", "\x01\x03foo\xff"],
    ["a value without its free byte", "\x01\x03foo\x00\xff"],
    ["a field past the end", "\x01\x09foo\xff"],
    ["a value past the end", "\x01\x03foo\x04\x00bar\xff"],
    ["free bytes past the end", "\x01\x03foo\x03\x01bar\xff"],
    ["a terminator in the middle", "\x01\x03foo\x03\x00bar\xffx\xff"],
    ["a terminator for a value", "\x01\x03foo\xff\x00bar\xff"],
    ["a short length in the long form", "\x01\xfe\x03\x00\x00\x00foo\x03\x00bar\xff"],
    ["a long length that is cut off", "\x01\xfe\x03\x00\x00\xff"],
    ["a huge length", "\x01\xfe\xff\xff\xff\xfffoo\xff"],
  ])("%s is refused", (_name, body) => {
    expectTypedError(() => read(Buffer.from(body, "latin1")), "STREAM_CORRUPT");
  });
});
