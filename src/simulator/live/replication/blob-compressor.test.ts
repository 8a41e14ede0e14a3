/** Frames against real ones (the same header for the same content) and against other decoders. */
import { zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { decompressFrameSync } from "lz4-napi";
import { decompress as lzfDecompressOracle } from "lzfjs";
import { describe, expect, test } from "vitest";
import { openRecording } from "../../../../test/support/recordings.ts";
import { SeededRandom } from "../../../../test/support/test-writer.ts";
import { Lz4FrameDecoder } from "../../../codec/lz4-frame.ts";
import { lzfDecompress } from "../../../codec/lzf.ts";
import { wrapBlob } from "./blob-compressor.ts";
import { lz4Frame } from "./lz4-frame-encoder.ts";
import { lzfCompress } from "./lzf-compress.ts";

const LZ4_OPCODE = 202;
const ZSTD_OPCODE = 201;
const LZ4_HEADER_BYTES = 15;
const LIMIT = 1 << 24;

/** Recorded frames, found by opcode, length and magic. */
function recordedFrames(name: string, opcode: number, magic: string): Buffer[] {
  const frames: Buffer[] = [];
  for (const { master } of openRecording(name).first.flows) {
    for (let at = master.indexOf(magic, 0, "latin1"); at >= 0; at = master.indexOf(magic, at + 1, "latin1")) {
      if (master[at - 6] === opcode && master[at - 5] === 0x80)
        frames.push(master.subarray(at, at + master.readUInt32BE(at - 4)));
      else if (master[at - 3] === opcode) frames.push(master.subarray(at, at + (master.readUInt16BE(at - 2) & 0x3fff)));
    }
  }
  return frames;
}

/** Text with repetitions, or noise. */
const content = fc
  .tuple(
    fc.integer({ min: 1, max: 200_000 }),
    fc.integer({ min: 1, max: 256 }),
    fc.integer({ min: 1, max: 70_000 }),
    fc.integer(),
  )
  .map(([size, alphabet, distance, seed]) => {
    const bytes = Buffer.alloc(size);
    let state = seed;
    for (let i = 0; i < size; i++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
      const random = (state >>> 16) & 0xff;
      bytes[i] = i >= distance && random > 40 ? (bytes[i - distance] ?? 0) : random % alphabet;
    }
    return bytes;
  });

describe("LZ4 frames", () => {
  test.each(["dragonfly-1.40.1/types", "dragonfly-1.40.1/big", "dragonfly-1.27.4/types"])(
    "the headers of %s",
    (name) => {
      const frames = recordedFrames(name, LZ4_OPCODE, "\x04\x22\x4d\x18");
      const linked = frames.filter((frame) => ((frame[4] ?? 0) & 0x20) === 0);
      expect(frames.length).toBeGreaterThan(3);
      expect(linked.length).toBeGreaterThan(0);
      for (const frame of frames) {
        const bytes = decompressFrameSync(frame);
        const ours = lz4Frame(bytes);
        expect(ours.subarray(0, LZ4_HEADER_BYTES).equals(frame.subarray(0, LZ4_HEADER_BYTES))).toBe(true);
        // About as good as the real compressor.
        expect(ours.length).toBeLessThan(frame.length * 1.2);
      }
    },
  );

  test("come back from our decoder and from another one", () => {
    const decoder = new Lz4FrameDecoder();
    fc.assert(
      fc.property(content, (bytes) => {
        const frame = lz4Frame(bytes);
        expect(decoder.decompress(frame, 0, frame.length, LIMIT).equals(bytes)).toBe(true);
        expect(decompressFrameSync(frame).equals(bytes)).toBe(true);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test.each([1, 4, 5, 12, 13, 65_535, 65_536, 65_537, 131_073])("of %i bytes", (size) => {
    const bytes = Buffer.alloc(size, "ab");
    expect(decompressFrameSync(lz4Frame(bytes)).equals(bytes)).toBe(true);
  });
});

describe("ZSTD frames", () => {
  test("have the recorded descriptor and content size", () => {
    const frames = recordedFrames("dragonfly-1.40.1/zstd", ZSTD_OPCODE, "\x28\xb5\x2f\xfd");
    expect(frames.length).toBeGreaterThan(5);
    for (const frame of frames) {
      const bytes = zstdDecompressSync(frame);
      const blob = wrapBlob(bytes, 2);
      const ours = blob.subarray(blob.indexOf("\x28\xb5\x2f\xfd", 0, "latin1"));
      const head = (frame[4] ?? 0) >>> 6 === 1 ? 7 : 9;
      expect(ours.subarray(0, head).toString("hex")).toBe(frame.subarray(0, head).toString("hex"));
    }
  });
});

describe("what is worth compressing", () => {
  const text = Buffer.from("some text ".repeat(100));

  test("a blob by its mode", () => {
    expect([0, 1, 2, 3].map((mode) => wrapBlob(text, mode as 0 | 1 | 2 | 3)[0])).toEqual([
      text[0],
      text[0],
      ZSTD_OPCODE,
      LZ4_OPCODE,
    ]);
  });

  test("not one under 256 bytes, over 1 MiB, or that hardly shrinks", () => {
    const random = new SeededRandom(3);
    const noise = Buffer.from(Array.from({ length: 4000 }, () => random.below(256)));
    expect(wrapBlob(text.subarray(0, 255), 3)).toHaveLength(255);
    expect(wrapBlob(text.subarray(0, 256), 3)[0]).toBe(LZ4_OPCODE);
    expect(wrapBlob(Buffer.alloc(1024 * 1024 + 1), 3)).toHaveLength(1024 * 1024 + 1);
    expect(wrapBlob(Buffer.alloc(1024 * 1024), 3)[0]).toBe(LZ4_OPCODE);
    expect(wrapBlob(noise, 3).equals(noise)).toBe(true);
  });
});

describe("LZF strings", () => {
  test("come back from our decoder and from another one", () => {
    fc.assert(
      fc.property(content, (bytes) => {
        const compressed = lzfCompress(bytes, bytes.length);
        if (compressed === undefined) return;
        const out = Buffer.alloc(bytes.length);
        lzfDecompress(compressed, 0, compressed.length, out, 0, bytes.length);
        expect(out.equals(bytes)).toBe(true);
        expect(Buffer.from(lzfDecompressOracle(compressed)).subarray(0, bytes.length).equals(bytes)).toBe(true);
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  test("only when they get small enough", () => {
    const text = Buffer.from("abcdefgh".repeat(10));
    const size = lzfCompress(text, text.length)?.length ?? 0;
    expect(size).toBeGreaterThan(0);
    expect(lzfCompress(text, size + 1)).toHaveLength(size);
    expect(lzfCompress(text, size)).toBeUndefined();
  });
});
