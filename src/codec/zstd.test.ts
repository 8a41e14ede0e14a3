import { constants, zstdCompressSync } from "node:zlib";
import { decompress as fzstdDecompress } from "fzstd";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectTypedError, mutate, SeededRandom, truncations, typedErrorOr } from "../../test/support/hostile.ts";
import { zstdDecompress } from "./zstd.ts";

const LIMIT = 64 * 1024 * 1024;

type Form = { readonly checksum?: boolean; readonly contentSize?: boolean; readonly level?: number };

function compress(content: Buffer, form: Form = {}): Buffer {
  return zstdCompressSync(content, {
    ...(form.contentSize === false ? {} : { pledgedSrcSize: content.length }),
    params: {
      [constants.ZSTD_c_checksumFlag]: form.checksum === true ? 1 : 0,
      [constants.ZSTD_c_contentSizeFlag]: form.contentSize === false ? 0 : 1,
      [constants.ZSTD_c_compressionLevel]: form.level ?? 3,
    },
  });
}

function text(bytes: number): Buffer {
  const random = new SeededRandom(bytes);
  let out = "";
  while (out.length < bytes) out += `user:${random.below(10_000)}=${random.below(1e6)};`;
  return Buffer.from(out.slice(0, bytes));
}

function decode(frame: Buffer, limitBytes = LIMIT): Buffer {
  const padded = Buffer.concat([Buffer.alloc(5, 0xee), frame, Buffer.alloc(9, 0xee)]);
  return zstdDecompress(padded, 5, 5 + frame.length, limitBytes);
}

/** A frame of raw blocks by hand: header bytes behind the magic, then the content. */
function rawFrame(header: readonly number[], content: Buffer, after: readonly number[] = []): Buffer {
  const block = (content.length << 3) | 1;
  const head = [0x28, 0xb5, 0x2f, 0xfd, ...header, block & 0xff, (block >> 8) & 0xff, block >> 16];
  return Buffer.concat([Buffer.from(head), content, Buffer.from(after)]);
}

const FORMS: Form[] = [
  {},
  { checksum: true },
  { contentSize: false },
  { contentSize: false, checksum: true },
  { level: 1 },
  { level: 19 },
];
const SIZES = [0, 1, 30, 255, 256, 300, 65_791, 65_792, 400_000];

describe.each(FORMS)("a ZSTD frame with %o", (form) => {
  test.each(SIZES)("of %d bytes", (size) => {
    const content = text(size);
    const frame = compress(content, form);
    expect(decode(frame).equals(content)).toBe(true);
    expect(Buffer.from(fzstdDecompress(frame)).equals(content)).toBe(true);
  });
});

describe("content size fields", () => {
  const content = text(300);

  test.each([
    ["one byte", rawFrame([0x20, 100], content.subarray(0, 100)), 100],
    ["two bytes, counted from 256", rawFrame([0x60, 44, 0], content), 300],
    ["four bytes", rawFrame([0xa0, 44, 1, 0, 0], content), 300],
    ["eight bytes", rawFrame([0xe0, 44, 1, 0, 0, 0, 0, 0, 0], content), 300],
    ["four bytes behind a window", rawFrame([0x80, 0x58, 44, 1, 0, 0], content), 300],
    ["none", rawFrame([0x00, 0x58], content), 300],
    ["a dictionary id of 0", rawFrame([0x61, 0, 44, 0], content), 300],
  ])("%s", (_name, frame, size) => {
    expect(decode(frame).equals(content.subarray(0, size))).toBe(true);
  });
});

describe("limits", () => {
  test("a content size over the limit is refused", () => {
    const frame = compress(text(400_000));
    expect(decode(frame, 400_000).length).toBe(400_000);
    expect(expectTypedError(() => decode(frame, 399_999), "LIMIT_EXCEEDED").context).toMatchObject({
      length: 400_000,
      limitBytes: 399_999,
    });
    expectTypedError(() => decode(rawFrame([0xe0, 0, 0, 0, 0, 0, 0, 0, 0xff], text(10))), "LIMIT_EXCEEDED");
  });

  test("without a content size the output is cut off at the limit", () => {
    const frame = compress(text(400_000), { contentSize: false });
    expect(decode(frame, 400_000).length).toBe(400_000);
    expectTypedError(() => decode(frame, 399_999), "LIMIT_EXCEEDED");
  });

  test("a window far over the limit is refused", () => {
    expectTypedError(() => decode(rawFrame([0x00, 0x88], text(10))), "LIMIT_EXCEEDED");
  });

  test("a content size that the blocks cannot hold is refused before anything is allocated", () => {
    const before = process.memoryUsage().arrayBuffers;
    expectTypedError(() => decode(rawFrame([0xa0, 0, 0, 0, 2], text(10))), "STREAM_CORRUPT");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });
});

describe("what the format forbids", () => {
  const good = compress(text(1000), { checksum: true });

  test.each([
    ["another magic", Buffer.concat([Buffer.from([0x27]), good.subarray(1)])],
    ["a reserved header bit", rawFrame([0x28, 10], text(10))],
    ["a dictionary", rawFrame([0x21, 7, 10], text(10))],
    ["trailing bytes", Buffer.concat([good, Buffer.from([0])])],
    ["a second frame", Buffer.concat([good, good])],
    ["a reserved block type", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 10, 0x07, 0, 0])],
    ["a smaller content size than the content", rawFrame([0x20, 9], text(10))],
    ["a larger content size than the content", rawFrame([0x20, 11], text(10))],
    [
      "a wrong checksum",
      Buffer.concat([good.subarray(0, good.length - 1), Buffer.from([(good.at(-1) as number) ^ 1])]),
    ],
  ])("%s", (_name, frame) => {
    expectTypedError(() => decode(frame), "STREAM_CORRUPT");
  });
});

describe("hostile input", () => {
  test.each(FORMS)("%o, cut at each byte", (form) => {
    const frame = compress(text(2000), form);
    for (const cut of truncations(frame)) expectTypedError(() => decode(cut), "STREAM_CORRUPT");
  });

  test.each(FORMS)("%o, mutated", (form) => {
    const frame = compress(text(2000), form);
    const random = new SeededRandom(21);
    for (let i = 0; i < 1500; i++) {
      const out = typedErrorOr(() => decode(mutate(frame, random), 100_000));
      if (out !== undefined) expect(out.length).toBeLessThanOrEqual(100_000);
    }
  });
});

test("what zlib compresses comes back, and fzstd agrees", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 3000 }),
      fc.integer({ min: 1, max: 30 }),
      fc.boolean(),
      fc.boolean(),
      (bytes, repeats, checksum, contentSize) => {
        const content = Buffer.alloc(bytes.length * repeats, bytes);
        const frame = compress(content, { checksum, contentSize });
        expect(decode(frame).equals(content)).toBe(true);
        expect(Buffer.from(fzstdDecompress(frame)).equals(content)).toBe(true);
      },
    ),
  );
});
