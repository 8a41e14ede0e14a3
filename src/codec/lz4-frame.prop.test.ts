import { compressFrameSync, decompressFrameSync } from "lz4-napi";
import fc from "fast-check";
import { expect, test } from "vitest";
import { buildLz4Frame } from "../../test/support/lz4-builder.ts";
import { typedErrorOr } from "../../test/support/hostile.ts";
import { PLAIN_BLOCKS } from "./lz4-block.ts";
import { Lz4FrameDecoder } from "./lz4-frame.ts";

const LIMIT = 1024 * 1024;

/** Pieces repeated at random: literals and matches of every length and distance. */
const content = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 400 })), { maxLength: 30 })
  .map((pieces) =>
    Buffer.concat(pieces.map(([bytes, repeats]) => Buffer.alloc(Math.min(bytes.length * repeats, 5000), bytes))),
  );

test("what lz4-napi compresses comes back", () => {
  const decoder = new Lz4FrameDecoder();
  fc.assert(
    fc.property(content, fc.boolean(), fc.boolean(), (bytes, contentChecksum, blockChecksums) => {
      const frame = compressFrameSync(bytes, { contentChecksum, blockChecksums });
      expect(decoder.decompress(frame, 0, frame.length, LIMIT).equals(bytes)).toBe(true);
    }),
  );
});

test("frames of every form come back, and lz4-napi agrees", () => {
  const decoder = new Lz4FrameDecoder();
  const form = fc.record({
    blockBytes: fc.integer({ min: 20, max: 65536 }),
    linked: fc.boolean(),
    contentSize: fc.boolean(),
    blockChecksums: fc.boolean(),
    contentChecksum: fc.boolean(),
    storedMask: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(content, form, (bytes, { storedMask, ...options }) => {
      const frame = buildLz4Frame(bytes, { ...options, stored: (index) => ((storedMask >> (index & 7)) & 1) === 1 });
      expect(decoder.decompress(frame, 0, frame.length, LIMIT).equals(bytes)).toBe(true);
      expect(decompressFrameSync(frame).equals(bytes)).toBe(true);
    }),
  );
});

test("the kernel and plain TypeScript do the same with changed frames, errors included", () => {
  const kernel = new Lz4FrameDecoder();
  const plain = new Lz4FrameDecoder(PLAIN_BLOCKS);
  const outcome = (decoder: Lz4FrameDecoder, frame: Buffer): string => {
    try {
      return decoder.decompress(frame, 0, frame.length, LIMIT).toString("latin1");
    } catch (error) {
      return String(error);
    }
  };
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(content, fc.boolean(), fc.boolean(), changes, (bytes, linked, contentSize, changed) => {
      const frame = buildLz4Frame(bytes, { linked, contentSize, blockBytes: 4000 });
      const header = contentSize ? 15 : 7;
      for (const [place, byte] of changed) frame[header + (place % (frame.length - header))] = byte;
      expect(outcome(kernel, frame)).toBe(outcome(plain, frame));
    }),
    { numRuns: 1500 },
  );
});

test("where both accept a changed frame, both decode it alike", () => {
  const decoder = new Lz4FrameDecoder();
  fc.assert(
    fc.property(content, fc.nat(), fc.nat(255), (bytes, place, byte) => {
      const frame = buildLz4Frame(bytes);
      frame[15 + (place % (frame.length - 15))] = byte;
      const ours = typedErrorOr(() => decoder.decompress(frame, 0, frame.length, LIMIT));
      if (ours === undefined) return;
      expect(ours.equals(decompressFrameSync(frame))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("noise is a typed error", () => {
  const decoder = new Lz4FrameDecoder();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const frame = Buffer.concat([Buffer.from("04224d18604082", "hex"), noise]);
      typedErrorOr(() => decoder.decompress(frame, 0, frame.length, LIMIT));
    }),
    { numRuns: 1000 },
  );
});
