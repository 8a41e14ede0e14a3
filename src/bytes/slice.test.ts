import { describe, expect, test } from "vitest";
import { Slice } from "./slice.ts";

const around = Buffer.from("<<hello>>");
const hello = (): Slice => new Slice().set(around, 2, 7);

test("is a view: bytes, text, copies", () => {
  const slice = hello();
  expect(slice.length).toBe(5);
  expect(slice.toText()).toBe("hello");
  expect(slice.toLatin1()).toBe("hello");
  expect(slice.view().buffer).toBe(around.buffer);
  const copy = slice.toBuffer();
  copy[0] = 0x48;
  expect(slice.toText()).toBe("hello");
  expect(new Slice().copyFrom(slice).toText()).toBe("hello");
  expect(Slice.from("ä").toLatin1()).toBe("\u00c3\u00a4");
  expect(Slice.from(Uint8Array.of(1, 2)).toBuffer()).toEqual(Buffer.of(1, 2));
});

test.each([0, -1, 42, Number.MAX_SAFE_INTEGER, -(2n ** 63n), 2n ** 64n - 1n])("the decimal text of %i", (value) => {
  expect(new Slice().setInteger(value).toText()).toBe(String(value));
});

test("scratch space is reused, and is not the bytes of others", () => {
  const slice = hello();
  const first = slice.scratch(10);
  expect(slice.length).toBe(10);
  expect(first).not.toBe(around);
  expect(slice.scratch(20)).toBe(first);
  expect(slice.scratch(100).length).toBeGreaterThanOrEqual(100);
});

describe("release", () => {
  test("lets go of large buffers only", () => {
    const slice = hello();
    slice.release(around.buffer.byteLength);
    expect(slice.toText()).toBe("hello");
    slice.set(Buffer.alloc(101), 0, 1).release(100);
    expect(slice.buf.length).toBe(0);
    expect(slice.length).toBe(0);
    const scratch = slice.scratch(101);
    slice.release(100);
    expect(slice.scratch(101)).not.toBe(scratch);
  });

  test("lets go of everything when nothing is to be kept", () => {
    const slice = hello();
    slice.release();
    expect(slice.buf.length).toBe(0);
  });
});

test("compares without case, ASCII letters only", () => {
  expect(Slice.from("FlushAll").equalsIgnoreCase("FLUSHALL")).toBe(true);
  expect(Slice.from("FLUSHAL").equalsIgnoreCase("FLUSHALL")).toBe(false);
  expect(Slice.from("FLUSHALLX").equalsIgnoreCase("FLUSHALL")).toBe(false);
  expect(Slice.from("DF-VER").equalsIgnoreCase("DF-VER")).toBe(true);
  expect(Slice.from("DF\rVER").equalsIgnoreCase("DF-VER")).toBe(false);
});
