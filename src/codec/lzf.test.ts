import fc from "fast-check";
import { compress, decompress } from "lzfjs";
import { describe, expect, test } from "vitest";
import { expectTypedError, mutate, SeededRandom, truncations, typedErrorOr } from "../../test/support/hostile.ts";
import { checkLzfLengths, lzfDecompress } from "./lzf.ts";

/** Decodes into the middle of a larger buffer, whose other bytes must stay as they were. */
function decode(bytes: Buffer, length: number): Buffer {
  const padded = Buffer.concat([Buffer.alloc(4, 0xee), bytes, Buffer.alloc(300, 0xee)]);
  const out = Buffer.alloc(length + 20, 0x11);
  try {
    lzfDecompress(padded, 4, 4 + bytes.length, out, 10, length);
  } finally {
    expect(out.subarray(0, 10).equals(Buffer.alloc(10, 0x11))).toBe(true);
    expect(out.subarray(10 + length).equals(Buffer.alloc(10, 0x11))).toBe(true);
  }
  return out.subarray(10, 10 + length);
}

function text(bytes: number): Buffer {
  const random = new SeededRandom(bytes);
  let out = "";
  while (out.length < bytes) out += `user:${random.below(1000)}=${"x".repeat(random.below(400))};`;
  return Buffer.from(out.slice(0, bytes));
}

describe("lzfDecompress", () => {
  test.each([
    ["literals", Buffer.from("\x02abc"), "abc"],
    ["a short reference", Buffer.from([0, 0x61, 0x20, 0]), "aaaa"],
    ["a long overlapping reference", Buffer.from([1, 0x61, 0x62, 0xe0, 255, 1]), `ab${"ab".repeat(132)}`],
    [
      "a reference over the whole distance",
      Buffer.concat([Buffer.from([31]), Buffer.alloc(32, "0123456789"), Buffer.from([0x20, 31])]),
      `${"0123456789".repeat(3)}01012`,
    ],
  ])("%s", (_name, bytes, expected) => {
    expect(decode(bytes, expected.length).toString()).toBe(expected);
  });

  test.each([4, 100, 5000, 70_000])("a text of %d bytes as lzfjs compresses it", (size) => {
    expect(decode(compress(text(size)), size).equals(text(size))).toBe(true);
  });

  test("any bytes as lzfjs compresses them", () => {
    const content = fc
      .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.integer({ min: 1, max: 60 })), {
        minLength: 1,
        maxLength: 12,
      })
      .map((pieces) => Buffer.concat(pieces.map(([bytes, repeats]) => Buffer.alloc(bytes.length * repeats, bytes))));
    fc.assert(
      fc.property(content, (bytes) => {
        expect(decode(compress(bytes), bytes.length).equals(bytes)).toBe(true);
      }),
    );
  });

  test("where both accept changed bytes, both decode them alike", () => {
    const random = new SeededRandom(31);
    const good = compress(text(600));
    let accepted = 0;
    for (let i = 0; i < 5000; i++) {
      const bad = mutate(good, random);
      const ours = typedErrorOr(() => decode(bad, 600));
      if (ours === undefined) continue;
      accepted++;
      expect(ours.equals(decompress(bad))).toBe(true);
    }
    expect(accepted).toBeGreaterThan(100);
  });

  test.each([
    ["a reference before the start", Buffer.from([0, 0x61, 0x20, 1]), 4],
    ["a reference as the first thing", Buffer.from([0x20, 0]), 3],
    ["less than announced", Buffer.from([0, 0x61]), 2],
    ["more literals than announced", Buffer.from("\x02abc"), 2],
    ["a longer reference than announced", Buffer.from([0, 0x61, 0x20, 0]), 3],
    ["nothing", Buffer.alloc(0), 1],
  ])("%s", (_name, bytes, length) => {
    expectTypedError(() => decode(bytes, length), "STREAM_CORRUPT");
  });

  test("cut at each byte", () => {
    const good = compress(text(900));
    for (const cut of truncations(good)) expectTypedError(() => decode(cut, 900), "STREAM_CORRUPT");
    for (let end = 0; end < good.length; end++)
      expectTypedError(() => lzfDecompress(good, 0, end, Buffer.alloc(900), 0, 900), "STREAM_CORRUPT");
  });

  test("an output buffer that is too small is our own mistake", () => {
    expect(() => lzfDecompress(Buffer.from("\x02abc"), 0, 4, Buffer.alloc(4), 2, 3)).toThrow(
      expect.objectContaining({ code: "INTERNAL" }),
    );
  });
});

describe("checkLzfLengths", () => {
  test("lets through what can be", () => {
    expect(() => checkLzfLengths(3, 264, 264)).not.toThrow();
    expect(() => checkLzfLengths(4, 3, 1000)).not.toThrow();
  });

  test.each([
    [10, 1001, 1000, "LIMIT_EXCEEDED"],
    [10, 881, 1000, "STREAM_CORRUPT"],
    [0, 1, 1000, "STREAM_CORRUPT"],
    [5, 0, 1000, "STREAM_CORRUPT"],
  ])("%d bytes cannot become %d under a limit of %d", (compressed, expected, limit, code) => {
    expectTypedError(() => checkLzfLengths(compressed, expected, limit), code);
  });
});
