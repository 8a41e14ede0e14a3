import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectCorrupt, needsMore } from "../../test/support/cursor-outcome.ts";
import { len, lenAs } from "../../test/support/rdb-builder.ts";
import { Cursor } from "./cursor.ts";
import { readLen, readLen64 } from "./packed-uint.ts";

function over(bytes: Buffer): Cursor {
  return new Cursor().resetTo(bytes, 0, bytes.length);
}

const EDGES = [0, 1, 63, 64, 127, 128, 16_383, 16_384, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];

test.each(EDGES)("%i in every form that can hold it", (value) => {
  const forms = ([6, 14, 32, 64] as const).filter((form) => value < 2 ** form);
  for (const bytes of [len(value), ...forms.map((form) => lenAs(form, value))]) {
    const cursor = over(bytes);
    expect(readLen(cursor)).toBe(value);
    expect(cursor.pos).toBe(bytes.length);
    expect(readLen64(over(bytes))).toBe(BigInt(value));
  }
});

test("any number below 2^53, and any 64 bits", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      expect(readLen(over(len(value)))).toBe(value);
    }),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
      expect(readLen64(over(lenAs(64, value)))).toBe(value);
    }),
  );
});

describe("refused", () => {
  test.each([2n ** 53n, 2n ** 64n - 1n])("%i as a length, at its first byte", (value) => {
    const cursor = over(lenAs(64, value));
    expect(expectCorrupt(() => readLen(cursor)).context["offset"]).toBe(0);
  });

  test("every other first byte", () => {
    for (let first = 0x82; first <= 0xff; first++) {
      const bytes = Buffer.concat([Buffer.of(first), Buffer.alloc(8)]);
      expect(expectCorrupt(() => readLen(over(bytes))).message).toContain(first.toString(16));
      expectCorrupt(() => readLen64(over(bytes)));
    }
  });
});

test("cut anywhere it waits", () => {
  for (const form of [6, 14, 32, 64] as const) {
    const bytes = lenAs(form, 5);
    for (let end = 0; end < bytes.length; end++) {
      for (const read of [readLen, readLen64]) {
        const cursor = new Cursor();
        cursor.rebase(bytes, 0, end);
        expect(needsMore(() => read(cursor))).toBe(true);
        expect(cursor.wanted).toBeGreaterThan(end);
        expect(cursor.wanted).toBeLessThanOrEqual(bytes.length);
      }
    }
  }
});
