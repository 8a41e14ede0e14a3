import { compressFrameSync, decompressFrameSync } from "lz4-napi";
import { describe, expect, test } from "vitest";
import {
  buildLz4Frame,
  lz4Header,
  lz4Sequence,
  wrapLz4Blocks,
  type Lz4BuildOptions,
} from "../../test/support/lz4-builder.ts";
import { expectTypedError, mutate, SeededRandom, truncations, typedErrorOr } from "../../test/support/hostile.ts";
import { PLAIN_BLOCKS } from "./lz4-block.ts";
import { Lz4FrameDecoder } from "./lz4-frame.ts";
import { Lz4KernelDecoder, threadBlockDecoder } from "./lz4-kernel-decoder.ts";

const LIMIT = 64 * 1024 * 1024;

function jsonLines(bytes: number, seed = 1): Buffer {
  const random = new SeededRandom(seed);
  let text = "";
  while (text.length < bytes)
    text += `{"id":${random.below(1e6)},"user":"user:${random.below(1e4)}","tags":["a","b${random.below(9)}"]}\n`;
  return Buffer.from(text.slice(0, bytes));
}

const CONTENTS: [string, Buffer][] = [
  ["nothing", Buffer.alloc(0)],
  ["one byte", Buffer.from("x")],
  ["a short text", Buffer.from("hello hello hello hello hello")],
  ["a run of one byte", Buffer.alloc(70_000, 7)],
  [
    "runs of each short period",
    Buffer.concat(Array.from({ length: 40 }, (_, period) => Buffer.alloc(501, jsonLines(period + 1)))),
  ],
  ["noise", new SeededRandom(3).bytes(70_001)],
  ["JSON over several blocks", jsonLines(300_000)],
];

const FORMS: [string, Lz4BuildOptions][] = [
  ["linked blocks, size, no checksum: as Dragonfly writes", {}],
  ["independent blocks", { linked: false }],
  ["no content size", { contentSize: false }],
  ["every checksum", { blockChecksums: true, contentChecksum: true }],
  ["every checksum, no size", { blockChecksums: true, contentChecksum: true, contentSize: false, linked: false }],
  ["every second block uncompressed", { stored: (index) => index % 2 === 1 }],
  ["small blocks", { blockBytes: 1000 }],
  ["blocks of 4 MiB", { blockBytes: 4 * 1024 * 1024, sizeCode: 7 }],
];

const plain = new Lz4FrameDecoder(PLAIN_BLOCKS);

/** Decodes a frame that stands between other bytes, with the kernel and in plain TypeScript: both must do the same, errors included. */
function decode(frame: Buffer, limitBytes = LIMIT, decoder = new Lz4FrameDecoder()): Buffer {
  const padded = Buffer.concat([Buffer.alloc(3, 0xee), frame, Buffer.alloc(70, 0xee)]);
  const expected = outcome(() => plain.decompress(padded, 3, 3 + frame.length, limitBytes));
  const got = outcome(() => decoder.decompress(padded, 3, 3 + frame.length, limitBytes));
  if (!(expected instanceof Buffer)) expect(String(got)).toBe(String(expected));
  else expect(got instanceof Buffer && got.equals(expected)).toBe(true);
  if (!(got instanceof Buffer)) throw got;
  return Buffer.from(got);
}

function outcome(run: () => Buffer): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

test("the default is the kernel", () => {
  expect(threadBlockDecoder()).toBeInstanceOf(Lz4KernelDecoder);
  expect(threadBlockDecoder()).toBe(threadBlockDecoder());
});

describe.each(FORMS)("an LZ4 frame with %s", (_form, options) => {
  test.each(CONTENTS)("of %s", (_name, content) => {
    const frame = buildLz4Frame(content, options);
    expect(decode(frame).equals(content)).toBe(true);
    expect(new Lz4FrameDecoder().decompressFresh(frame, 0, frame.length, LIMIT).equals(content)).toBe(true);
    // The builder is right too: lz4-napi (lz4_flex) reads its frames.
    expect(decompressFrameSync(frame).equals(content)).toBe(true);
  });
});

describe("frames of lz4-napi", () => {
  test.each(CONTENTS)("of %s", (_name, content) => {
    for (const options of [{}, { contentChecksum: true }, { blockChecksums: true, contentChecksum: true }]) {
      expect(decode(compressFrameSync(content, options)).equals(content)).toBe(true);
    }
  });
});

describe("the output buffer", () => {
  const first = buildLz4Frame(Buffer.from("first content, first content"));
  const second = buildLz4Frame(Buffer.from("SECOND CONTENT, SECOND CONTEN"));

  test("is used again by the next call", () => {
    const decoder = new Lz4FrameDecoder();
    const held = decoder.decompress(first, 0, first.length, LIMIT);
    decoder.decompress(second, 0, second.length, LIMIT);
    expect(held.toString()).toBe("SECOND CONTENT, SECOND CONTE");
  });

  test("is the caller's when asked for a fresh one", () => {
    const decoder = new Lz4FrameDecoder();
    const held = decoder.decompressFresh(first, 0, first.length, LIMIT);
    const other = decoder.decompress(second, 0, second.length, LIMIT);
    decoder.decompressFresh(second, 0, second.length, LIMIT);
    expect(held.toString()).toBe("first content, first content");
    expect(other.toString()).toBe("SECOND CONTENT, SECOND CONTEN");
  });

  test("is not spoilt by a bad frame", () => {
    const decoder = new Lz4FrameDecoder();
    const good = buildLz4Frame(jsonLines(100_000));
    const random = new SeededRandom(5);
    for (let i = 0; i < 50; i++) typedErrorOr(() => decode(mutate(good, random), LIMIT, decoder));
    expect(decode(good, LIMIT, decoder).equals(jsonLines(100_000))).toBe(true);
  });

  test("is given up after a huge frame", () => {
    const decoder = new Lz4FrameDecoder();
    const huge = buildLz4Frame(Buffer.alloc(20 * 1024 * 1024, 1), { sizeCode: 7, blockBytes: 4 * 1024 * 1024 });
    const large = decoder.decompress(huge, 0, huge.length, LIMIT);
    expect(large.length).toBe(20 * 1024 * 1024);
    expect(decoder.decompress(first, 0, first.length, LIMIT).buffer).not.toBe(large.buffer);
  });
});

describe("limits", () => {
  test("a content size over the limit is refused before anything is allocated", () => {
    const frame = buildLz4Frame(Buffer.from("x".repeat(100)), { lieAboutSize: 2n ** 40n });
    expect(expectTypedError(() => decode(frame), "LIMIT_EXCEEDED").context).toMatchObject({
      length: 2 ** 40,
      limitBytes: LIMIT,
    });
    expectTypedError(() => decode(buildLz4Frame(Buffer.from("x"), { lieAboutSize: 2n ** 64n - 1n })), "LIMIT_EXCEEDED");
  });

  test("a content size that the frame cannot hold is refused before anything is allocated", () => {
    const frame = buildLz4Frame(Buffer.from("x".repeat(100)), { lieAboutSize: 60_000_000n });
    const before = process.memoryUsage().arrayBuffers;
    expectTypedError(() => decode(frame), "STREAM_CORRUPT");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  test("exactly the limit is let through, one more is not", () => {
    const content = jsonLines(100_000);
    for (const options of [{}, { contentSize: false }, { contentSize: false, stored: () => true }]) {
      const frame = buildLz4Frame(content, options);
      expect(decode(frame, 100_000).equals(content)).toBe(true);
      expectTypedError(() => decode(frame, 99_999), "LIMIT_EXCEEDED");
    }
  });

  test("the real size must be the announced one", () => {
    const content = jsonLines(1000);
    for (const stored of [() => true, () => false]) {
      for (const lie of [999n, 1001n]) {
        expectTypedError(() => decode(buildLz4Frame(content, { lieAboutSize: lie, stored })), "STREAM_CORRUPT");
      }
    }
  });

  test("a block must not hold more than the header's block size", () => {
    const block = lz4Sequence(Buffer.from("abcd"), { offset: 4, length: 65_540 });
    const frame = wrapLz4Blocks([Buffer.concat([block, lz4Sequence(Buffer.from("12345"))])]);
    expect(expectTypedError(() => decode(frame), "STREAM_CORRUPT").message).toContain("65536");
  });
});

describe("what the format forbids", () => {
  const good = buildLz4Frame(jsonLines(1000), { blockChecksums: true, contentChecksum: true });
  const body = Buffer.concat([Buffer.alloc(4)]);

  test.each([
    ["another magic", Buffer.concat([Buffer.from([0x02, 0x21, 0x4c, 0x18]), good.subarray(4)])],
    ["another version", Buffer.concat([lz4Header(0x80, 0x40), body])],
    ["a reserved FLG bit", Buffer.concat([lz4Header(0x42, 0x40), body])],
    ["a reserved BD bit", Buffer.concat([lz4Header(0x40, 0x41), body])],
    ["a block size code below 4", Buffer.concat([lz4Header(0x40, 0x30), body])],
    ["a dictionary", Buffer.concat([lz4Header(0x41, 0x40), body])],
    ["no end mark", good.subarray(0, good.length - 8)],
    ["trailing bytes", Buffer.concat([good, Buffer.from([0])])],
    ["a second frame", Buffer.concat([good, good])],
    ["a skippable frame that is cut off", Buffer.concat([good, Buffer.from([0x50, 0x2a, 0x4d, 0x18, 9, 0, 0, 0, 1])])],
    [
      "match offset 0",
      wrapLz4Blocks([
        Buffer.concat([lz4Sequence(Buffer.from("abcd"), { offset: 0, length: 4 }), lz4Sequence(Buffer.from("12345"))]),
      ]),
    ],
    [
      "a match before the start",
      wrapLz4Blocks([
        Buffer.concat([lz4Sequence(Buffer.from("abcd"), { offset: 5, length: 4 }), lz4Sequence(Buffer.from("12345"))]),
      ]),
    ],
    ["a block that ends with a match", wrapLz4Blocks([lz4Sequence(Buffer.from("abcd"), { offset: 4, length: 8 })])],
  ])("%s", (_name, frame) => {
    expectTypedError(() => decode(frame), "STREAM_CORRUPT");
  });

  test("a match across independent blocks", () => {
    const content = Buffer.alloc(2000, jsonLines(700));
    const linked = buildLz4Frame(content, { blockBytes: 1000 });
    const flg = (linked[4] as number) | 0x20;
    const lying = Buffer.concat([lz4Header(flg, 0x40, 2000n), linked.subarray(15)]);
    expect(decode(linked).equals(content)).toBe(true);
    expect(expectTypedError(() => decode(lying)).message).toContain("window");
  });

  test("a wrong checksum of header, block and content", () => {
    for (const at of [14, good.length - 9, good.length - 1]) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] as number) ^ 1;
      expect(expectTypedError(() => decode(bad), "STREAM_CORRUPT").message).toContain("checksum");
    }
  });

  test("skippable frames before and after are passed over", () => {
    const skippable = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    expect(decode(Buffer.concat([skippable, skippable, good, skippable])).equals(jsonLines(1000))).toBe(true);
  });
});

describe("the kernel's memory", () => {
  test("history is kept over many blocks, compressed and not", () => {
    const content = Buffer.alloc(5_000_000, jsonLines(61_000));
    for (const blockBytes of [65_536, 50_001]) {
      const frame = buildLz4Frame(content, { blockBytes, stored: (index) => index % 7 === 3 });
      expect(frame.length).toBeLessThan(1_500_000);
      expect(decode(frame).equals(content)).toBe(true);
    }
  });

  test("a match reaches back 65535 bytes, also where the window was just moved", () => {
    const random = new SeededRandom(71);
    // Blocks of 1100 bytes until the window is about to move, then two that reach back as far as can be.
    const blocks = Array.from({ length: 970 }, () =>
      Buffer.concat([lz4Sequence(random.bytes(1000), { offset: 1000, length: 40 }), lz4Sequence(random.bytes(60))]),
    );
    const far = Buffer.concat([
      lz4Sequence(Buffer.alloc(0), { offset: 65_535, length: 300 }),
      // Long enough for a whole block's room to be asked for.
      lz4Sequence(random.bytes(300)),
    ]);
    for (let at = 940; at < 970; at++) {
      const frame = wrapLz4Blocks([...blocks.slice(0, at), far, far]);
      expect(decode(frame).length).toBe(at * 1100 + 2 * 600);
    }
  });

  test("frames of one thread's decoders do not meet", () => {
    const first = new Lz4FrameDecoder();
    const second = new Lz4FrameDecoder();
    const frame = buildLz4Frame(jsonLines(200_000));
    first.decompress(frame, 0, frame.length, LIMIT);
    // A match before its own start, where the frame before has left its bytes.
    const reaching = wrapLz4Blocks([
      Buffer.concat([lz4Sequence(Buffer.from("abcd"), { offset: 100, length: 8 }), lz4Sequence(Buffer.from("12345"))]),
    ]);
    expect(expectTypedError(() => decode(reaching, LIMIT, second), "STREAM_CORRUPT").message).toContain("window");
  });

  test("each kind of overlap at each length", () => {
    for (let offset = 1; offset <= 40; offset++) {
      for (const length of [4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 66, 200]) {
        const start = jsonLines(offset, offset);
        const frame = wrapLz4Blocks([
          Buffer.concat([lz4Sequence(start, { offset, length }), lz4Sequence(Buffer.from("12345"))]),
        ]);
        const expected = Buffer.concat([Buffer.alloc(offset + length, start), Buffer.from("12345")]);
        expect(decode(frame).equals(expected)).toBe(true);
      }
    }
  });

  test("literals of each length", () => {
    for (let length = 0; length < 300; length++) {
      const content = jsonLines(length, length);
      const frame = wrapLz4Blocks([
        Buffer.concat([lz4Sequence(Buffer.from("wxyz"), { offset: 4, length: 4 }), lz4Sequence(content)]),
      ]);
      expect(decode(frame).equals(Buffer.concat([Buffer.from("wxyzwxyz"), content]))).toBe(true);
    }
  });
});

describe("hostile input", () => {
  const forms = FORMS.map(([name, options]): [string, Buffer] => [
    name,
    buildLz4Frame(jsonLines(3000), { ...options, blockBytes: 1100 }),
  ]);

  test.each(forms)("%s, cut at each byte", (_name, frame) => {
    for (const cut of truncations(frame)) expectTypedError(() => decode(cut), "STREAM_CORRUPT");
    // The rest of the frame stands behind the cut and must not be read.
    for (let end = 0; end < frame.length; end++)
      expectTypedError(() => new Lz4FrameDecoder().decompress(frame, 0, end, LIMIT), "STREAM_CORRUPT");
  });

  test.each(forms)("%s, mutated", (_name, frame) => {
    const random = new SeededRandom(11);
    const decoder = new Lz4FrameDecoder();
    for (let i = 0; i < 3000; i++) {
      const out = typedErrorOr(() => decode(mutate(frame, random), 100_000, decoder));
      if (out !== undefined) expect(out.length).toBeLessThanOrEqual(100_000);
    }
  });

  test("a checksummed frame never decodes to other content", () => {
    const content = jsonLines(3000);
    const frame = buildLz4Frame(content, { blockChecksums: true, contentChecksum: true });
    const random = new SeededRandom(12);
    for (let i = 0; i < 2000; i++) {
      const out = typedErrorOr(() => decode(mutate(frame, random)));
      if (out !== undefined) expect(out.equals(content)).toBe(true);
    }
  });
});
