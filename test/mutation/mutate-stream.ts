/** Spoils a stream, seeded: the same seed gives the same bytes. */
import { lz4Blob, taggedChunk, zstdBlob } from "../support/rdb-builder.ts";
import type { SeededRandom } from "../support/hostile.ts";
import type { BaseStream } from "./corpus.ts";

/** Bytes that mean something: lengths' first bytes, opcodes, types, terminators. */
const BYTES = [
  0, 1, 2, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 200, 201, 202, 203, 210, 211, 220, 222,
  223, 224, 245, 247, 252, 254, 255, 18, 21, 34, 35,
];
const WORDS = [0, 1, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x0100_0000];

type Mutation = (bytes: Buffer, at: number, random: SeededRandom, other: Buffer) => Buffer;

const splice = (bytes: Buffer, at: number, cut: number, put: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);

const MUTATIONS: readonly Mutation[] = [
  // a bit
  (bytes, at, random) => splice(bytes, at, 1, Buffer.of((bytes[at] ?? 0) ^ (1 << random.below(8)))),
  // a byte that means something, another byte, one more or one less
  (bytes, at, random) => splice(bytes, at, 1, Buffer.of(BYTES[random.below(BYTES.length)] ?? 0)),
  (bytes, at, random) => splice(bytes, at, 1, random.bytes(1)),
  (bytes, at, random) => splice(bytes, at, 1, Buffer.of((bytes[at] ?? 0) + (random.below(2) === 0 ? 1 : 255))),
  // a length or number of four or eight bytes, in either order
  (bytes, at, random) => splice(bytes, at, 4, word(random)),
  (bytes, at, random) => splice(bytes, at, 5, Buffer.concat([Buffer.of(0x80), word(random)])),
  (bytes, at, random) => splice(bytes, at, 9, Buffer.concat([Buffer.of(0x81), word(random), word(random)])),
  // gone, doubled, new, from elsewhere
  (bytes, at, random) => splice(bytes, at, 1 + random.below(20), Buffer.alloc(0)),
  (bytes, at, random) => splice(bytes, at, 0, bytes.subarray(at, at + 1 + random.below(40))),
  (bytes, at, random) => splice(bytes, at, 0, random.bytes(1 + random.below(12))),
  (bytes, at, random, other) => {
    const from = random.below(other.length);
    return splice(bytes, at, random.below(60), other.subarray(from, from + 1 + random.below(400)));
  },
  (bytes, at, random, other) => splice(bytes, at, bytes.length, other.subarray(random.below(other.length))),
  // the end
  (bytes, at) => bytes.subarray(0, at),
];

function word(random: SeededRandom): Buffer {
  const out = Buffer.alloc(4);
  const value = WORDS[random.below(WORDS.length)] ?? 0;
  if (random.below(2) === 0) out.writeUInt32BE(value);
  else out.writeUInt32LE(value);
  return out;
}

/** Most of them early in the content, where few things come before and many after. */
function place(length: number, random: SeededRandom): number {
  return random.below(2) === 0 ? random.below(length) : random.below(Math.min(length, 400));
}

function mutateContent(content: Buffer, random: SeededRandom, other: Buffer): Buffer {
  let bytes = content;
  for (let n = 1 + random.below(3); n > 0 && bytes.length > 0; n--) {
    const mutation = MUTATIONS[random.below(MUTATIONS.length)];
    if (mutation !== undefined) bytes = mutation(bytes, place(bytes.length, random), random, other);
  }
  return bytes;
}

/** What is spoiled may stand in a sound blob or chunk, so that what lies behind their checks is reached. */
function wrap(content: Buffer, random: SeededRandom): Buffer {
  switch (random.below(8)) {
    case 0:
      return lz4Blob(content, { stored: () => true });
    case 1:
      return zstdBlob(content);
    case 2:
      return content.length > 0 ? taggedChunk(1 + random.below(3), content) : content;
    case 3:
      return taggedChunk(1, lz4Blob(content, { stored: () => true }));
    default:
      return content;
  }
}

export function mutateStream(base: BaseStream, other: BaseStream, random: SeededRandom): Buffer {
  const { head, tail } = base;
  const content = mutateContent(base.content, random, other.content.length > 0 ? other.content : base.content);
  // Rarely the head too.
  const first = random.below(50) === 0 ? mutateContent(head, random, other.content) : head;
  return Buffer.concat([first, base.start.kind === "full" ? wrap(content, random) : content, tail]);
}
