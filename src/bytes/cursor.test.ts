import { describe, expect, test } from "vitest";
import { expectCorrupt, needsMore } from "../../test/support/cursor-outcome.ts";
import { Cursor } from "./cursor.ts";

const BYTES = Buffer.from("0102030405060708ff00000000000080", "hex");

/** A cursor over what has arrived of more to come. */
function arrived(count: number): Cursor {
  const cursor = new Cursor();
  cursor.rebase(BYTES, 0, count);
  return cursor;
}

const READS: readonly (readonly [string, number, (cursor: Cursor) => unknown, unknown])[] = [
  ["u8", 1, (c) => c.u8(), 1],
  ["u16be", 2, (c) => c.u16be(), 0x0102],
  ["u32le", 4, (c) => c.u32le(), 0x0403_0201],
  ["u32be", 4, (c) => c.u32be(), 0x0102_0304],
  ["u64le", 8, (c) => c.u64le(), 0x0807_0605_0403_0201n],
  ["u64be", 8, (c) => c.u64be(), 0x0102_0304_0506_0708n],
  ["doubleLe", 8, (c) => c.doubleLe(), BYTES.readDoubleLE(0)],
  ["skip", 5, (c) => c.skip(5), undefined],
  ["need", 0, (c) => c.need(16), undefined],
];

describe.each(READS)("%s", (_name, size, read, expected) => {
  test("reads and moves", () => {
    const cursor = arrived(16);
    expect(read(cursor)).toBe(expected);
    expect(cursor.pos).toBe(size);
  });

  test("waits for exactly the bytes that are missing, from the mark on", () => {
    const wanted = size === 0 ? 16 : size;
    const cursor = arrived(3 + wanted - 1);
    cursor.skip(2);
    cursor.commit();
    cursor.skip(1);
    expect(needsMore(() => read(cursor))).toBe(true);
    expect(cursor.wanted).toBe(1 + wanted);
    cursor.rewind();
    expect(cursor.pos).toBe(2);
    cursor.commit();
    expect(cursor.wanted).toBe(0);
  });

  test("is corrupt where no more can come", () => {
    const wanted = size === 0 ? 16 : size;
    const cursor = new Cursor().resetTo(BYTES, 4, 4 + wanted - 1, 100);
    expect(expectCorrupt(() => read(cursor)).context["offset"]).toBe(104);
  });
});

test("peek does not move", () => {
  const cursor = arrived(1);
  expect(cursor.peek()).toBe(1);
  expect(cursor.pos).toBe(0);
  cursor.skip(1);
  expect(needsMore(() => cursor.peek())).toBe(true);
  expect(cursor.wanted).toBe(2);
});

describe("i64leNumber", () => {
  test.each([0n, 1n, -1n, 2n ** 32n, -(2n ** 32n), 2n ** 53n - 1n, -(2n ** 53n) + 1n, 1_893_456_000_123n])(
    "%i is exact",
    (value) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(value);
      expect(new Cursor().resetTo(bytes, 0, 8).i64leNumber()).toBe(Number(value));
    },
  );

  test.each([2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)])("%i is refused", (value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    const cursor = new Cursor().resetTo(bytes, 0, 8, 7);
    expect(expectCorrupt(() => cursor.i64leNumber()).context["offset"]).toBe(7);
  });
});

describe("a limit", () => {
  test("that lies beyond what has arrived: waits up to it, corrupt across it", () => {
    const cursor = arrived(4);
    cursor.limitTo(6);
    expect(needsMore(() => cursor.need(6))).toBe(true);
    expectCorrupt(() => cursor.need(7));
    expect(cursor.end).toBe(4);
  });

  test("before it hides the rest, and gives it back", () => {
    const cursor = arrived(16);
    cursor.limitTo(3);
    expect(cursor.end).toBe(3);
    expectCorrupt(() => cursor.need(4));
    cursor.limitTo(Number.POSITIVE_INFINITY);
    expect(cursor.end).toBe(16);
  });

  test("moves with the bytes", () => {
    const cursor = arrived(8);
    cursor.limitTo(12);
    cursor.skip(5);
    cursor.commit();
    cursor.rebase(BYTES.subarray(5), 5, 11);
    expect([cursor.pos, cursor.mark, cursor.hardEnd, cursor.end, cursor.base, cursor.offset]).toEqual([
      0, 0, 7, 7, 5, 5,
    ]);
  });
});

test("resetTo forgets everything", () => {
  const cursor = arrived(2);
  needsMore(() => cursor.need(9));
  cursor.resetTo(BYTES, 3, 9, 50);
  expect([cursor.pos, cursor.mark, cursor.end, cursor.hardEnd, cursor.wanted, cursor.offset]).toEqual([
    3, 3, 9, 9, 0, 53,
  ]);
});
