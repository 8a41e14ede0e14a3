import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Slice } from "../bytes/slice.ts";
import { readInt64LE, setDecimal, setInt64LE } from "./decimal.ts";

const EDGES = [
  0,
  9,
  10,
  127,
  999_999_999,
  1_000_000_000,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  10 ** 15,
  9_007_199_000_000_000,
  9_006_999_999_999_999,
];

describe("setDecimal", () => {
  test.each([...EDGES, Number.MAX_SAFE_INTEGER, 2 ** 53])("±%d", (value) => {
    const out = new Slice();
    setDecimal(out, value);
    expect(out.toLatin1()).toBe(String(value));
    setDecimal(out, -value);
    expect(out.toLatin1()).toBe(value === 0 ? "0" : String(-value));
  });

  test("any safe integer", () => {
    const out = new Slice();
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        setDecimal(out, value);
        expect(out.toLatin1()).toBe(String(value));
      }),
      { numRuns: 2000 },
    );
  });

  test("each multiple of a billion and its neighbours, where division rounds", () => {
    const out = new Slice();
    for (let billions = 9_007_199; billions > 9_005_000; billions--) {
      for (const value of [billions * 1e9 - 1, billions * 1e9, billions * 1e9 + 1]) {
        setDecimal(out, value);
        expect(out.toLatin1()).toBe(String(value));
      }
    }
  });
});

describe("64-bit integers", () => {
  const EDGES_64 = [
    0n,
    -1n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 53n + 1n,
    -(2n ** 53n),
    -(2n ** 53n) - 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ];

  function bytesOf(value: bigint): Buffer {
    const buf = Buffer.alloc(9, 0xee);
    buf.writeBigInt64LE(value, 1);
    return buf;
  }

  test.each(EDGES_64)("%d", (value) => {
    const out = new Slice();
    setInt64LE(out, bytesOf(value), 1);
    expect(out.toLatin1()).toBe(value.toString());
    expect(BigInt(readInt64LE(bytesOf(value), 1))).toBe(value);
  });

  test("a number where it is exact, a bigint elsewhere", () => {
    expect(readInt64LE(bytesOf(2n ** 53n - 1n), 1)).toBe(Number.MAX_SAFE_INTEGER);
    expect(readInt64LE(bytesOf(2n ** 53n), 1)).toBe(2n ** 53n);
  });

  test("any", () => {
    const out = new Slice();
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        setInt64LE(out, bytesOf(value), 1);
        expect(out.toLatin1()).toBe(value.toString());
      }),
    );
  });
});
