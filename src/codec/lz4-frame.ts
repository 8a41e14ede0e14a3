/**
 * LZ4 frames, whole ones, from memory to memory. Facts: lz4's doc/lz4_Frame_format.md. Dragonfly writes one frame per blob, with its content
 * size, linked blocks over 64 KiB and no checksums (docs/protocol.md §4); everything else of the format is read too, except dictionaries and
 * the legacy frame.
 *
 * The decoder owns one output buffer and reuses it: what `decompress` returns is valid until the next call on the same decoder.
 * `decompressFresh` gives a buffer that the caller owns, for a blob inside a blob. Nothing of the input is kept. A failed call leaves no state.
 */
import { corrupt, overLimit } from "./codec-error.ts";
import { OUTPUT_FULL, viewOf, type BlockInput, type BlockOutput, type Lz4BlockDecoder } from "./lz4-block.ts";
import { parseLz4Header, type Lz4Header } from "./lz4-header.ts";
import { threadBlockDecoder } from "./lz4-kernel-decoder.ts";
import { xxh32 } from "./xxh32.ts";

const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const UNCOMPRESSED_FLAG = 0x80000000;
/** A byte of an LZ4 block stands for at most 255 bytes of output: a header that promises more lies. */
const MAX_RATIO = 255;
/** A larger output buffer is given up after its blob, so that one huge value does not stay in memory. */
const KEEP_BYTES = 16 * 1024 * 1024;
/** First guess where a frame does not say its size. */
const GROW_FROM_BYTES = 64 * 1024;

const EMPTY = Buffer.alloc(0);

/** What one call works on. */
type Job = {
  readonly blocks: Lz4BlockDecoder;
  readonly input: BlockInput;
  readonly header: Lz4Header;
  readonly end: number;
  readonly limitBytes: number;
  output: BlockOutput;
  /** Bytes written so far. */
  size: number;
};

export class Lz4FrameDecoder {
  #output: BlockOutput = noOutput();
  readonly #blocks: Lz4BlockDecoder;

  /** @param blocks decodes the blocks; by default this thread's fastest */
  constructor(blocks: Lz4BlockDecoder = threadBlockDecoder()) {
    this.#blocks = blocks;
  }

  /** The content of the frame `src[start, end)`, in this decoder's buffer: valid until the next call. */
  decompress(src: Buffer, start: number, end: number, limitBytes: number): Buffer {
    const job = this.#run(src, start, end, limitBytes, this.#output);
    this.#output = job.output.out.length > KEEP_BYTES ? noOutput() : job.output;
    return job.output.out.subarray(0, job.size);
  }

  /** The same in a new buffer, which is the caller's. */
  decompressFresh(src: Buffer, start: number, end: number, limitBytes: number): Buffer {
    const job = this.#run(src, start, end, limitBytes, noOutput());
    return job.output.out.subarray(0, job.size);
  }

  #run(src: Buffer, start: number, end: number, limitBytes: number, output: BlockOutput): Job {
    const at = skipSkippable(src, start, start, end);
    const header = parseLz4Header(src, at, end, start);
    const { contentSize } = header;
    checkContentSize(contentSize, end - at, limitBytes, at - start);
    const input = { src, view: viewOf(src), base: start };
    const job: Job = { blocks: this.#blocks, input, header, end, limitBytes, output, size: 0 };
    ensureRoom(job, contentSize ?? Math.min(GROW_FROM_BYTES, limitBytes));
    this.#blocks.begin(header.blockMaxBytes);
    runJob(job);
    return job;
  }
}

function noOutput(): BlockOutput {
  return { out: EMPTY, view: viewOf(EMPTY) };
}

/** Before anything is allocated: the size must be within the limit and one that a frame of this length can have. */
function checkContentSize(
  contentSize: number | undefined,
  frameBytes: number,
  limitBytes: number,
  inputOffset: number,
): void {
  if (contentSize === undefined) return;
  if (contentSize > limitBytes) throw overLimit("lz4", contentSize, limitBytes, inputOffset);
  if (contentSize > frameBytes * MAX_RATIO)
    throw corrupt("lz4", `no frame of this length holds ${contentSize} bytes`, inputOffset);
}

/** Makes the output buffer hold at least `needed` bytes, which the caller has checked against the limit. */
function ensureRoom(job: Job, needed: number): void {
  const old = job.output.out;
  if (needed <= old.length) return;
  const out = Buffer.allocUnsafeSlow(Math.max(needed, 64));
  old.copy(out, 0, 0, job.size);
  job.output = { out, view: viewOf(out) };
}

function skipSkippable(src: Buffer, base: number, from: number, end: number): number {
  let at = from;
  while (end - at >= 4 && (src.readUInt32LE(at) & SKIPPABLE_MASK) === (SKIPPABLE_MAGIC & SKIPPABLE_MASK)) {
    if (end - at < 8) throw corrupt("lz4", "a skippable frame has no length", at - base);
    const size = src.readUInt32LE(at + 4);
    if (size > end - at - 8) throw corrupt("lz4", "a skippable frame is cut off", at - base);
    at += 8 + size;
  }
  return at;
}

function runJob(job: Job): void {
  const { src, base } = job.input;
  const { end } = job;
  let at = job.header.end;
  for (;;) {
    if (end - at < 4) throw corrupt("lz4", "the frame ends without its end mark", at - base);
    const word = src.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    at = runBlock(job, at, word);
  }
  at = checkContent(job, at);
  at = skipSkippable(src, base, at, end);
  if (at !== end) throw corrupt("lz4", "bytes follow the frame", at - base);
}

/** Decodes the block whose size word was `word` and returns where the next begins. */
function runBlock(job: Job, at: number, word: number): number {
  const { src, base } = job.input;
  const { header } = job;
  const size = word >= UNCOMPRESSED_FLAG ? word - UNCOMPRESSED_FLAG : word;
  if (size > header.blockMaxBytes)
    throw corrupt("lz4", `a block of ${size} bytes where ${header.blockMaxBytes} is the most`, at - 4 - base);
  const trailer = header.blockChecksums ? 4 : 0;
  if (size + trailer > job.end - at) throw corrupt("lz4", "a block is cut off", at - base);
  const blockEnd = at + size;
  if (header.blockChecksums && src.readUInt32LE(blockEnd) !== xxh32(src, at, blockEnd)) {
    throw corrupt("lz4", "a block's checksum is wrong", blockEnd - base);
  }
  if (word >= UNCOMPRESSED_FLAG) copyBlock(job, at, size);
  else decodeBlock(job, at, blockEnd);
  return blockEnd + trailer;
}

function copyBlock(job: Job, at: number, size: number): void {
  const { src, base } = job.input;
  if (size > allowedEnd(job, size) - job.size) throw tooLong(job, at - base);
  growFor(job, size);
  const { out } = job.output;
  src.copy(out, job.size, at, at + size);
  if (job.header.linkedBlocks) job.blocks.stored(out, job.size, job.size + size);
  job.size += size;
}

function decodeBlock(job: Job, start: number, end: number): void {
  const { header } = job;
  // The ratio bounds what a small block of a frame without a size can make us allocate.
  const most = Math.min(header.blockMaxBytes, (end - start) * MAX_RATIO);
  const limit = allowedEnd(job, most);
  growFor(job, limit - job.size);
  const lowest = header.linkedBlocks ? 0 : job.size;
  const size = job.blocks.decode(job.input, job.output, { start, end, at: job.size, limit, lowest });
  if (size === OUTPUT_FULL)
    throw limit - job.size < most ? tooLong(job, start - job.input.base) : tooLongBlock(job, start);
  job.size = size;
}

/** Where output of at most `most` more bytes must end: never past the announced size, or past the limit where there is none. */
function allowedEnd(job: Job, most: number): number {
  return Math.min(job.size + most, job.header.contentSize ?? job.limitBytes);
}

function growFor(job: Job, more: number): void {
  const needed = job.size + more;
  if (needed <= job.output.out.length) return;
  ensureRoom(job, Math.min(Math.max(needed, job.output.out.length * 2), job.limitBytes));
}

function tooLong(job: Job, inputOffset: number): Error {
  if (job.header.contentSize === undefined) return overLimit("lz4", job.limitBytes + 1, job.limitBytes, inputOffset);
  return corrupt("lz4", `more than the announced ${job.header.contentSize} bytes`, inputOffset);
}

function tooLongBlock(job: Job, start: number): Error {
  return corrupt("lz4", `a block holds more than ${job.header.blockMaxBytes} bytes`, start - job.input.base);
}

function checkContent(job: Job, at: number): number {
  const { src, base } = job.input;
  const { header, output, size } = job;
  if (header.contentSize !== undefined && size !== header.contentSize) {
    throw corrupt("lz4", `${size} bytes where ${header.contentSize} were announced`, at - base);
  }
  if (!header.contentChecksum) return at;
  if (job.end - at < 4) throw corrupt("lz4", "the content checksum is cut off", at - base);
  if (src.readUInt32LE(at) !== xxh32(output.out, 0, size))
    throw corrupt("lz4", "the content checksum is wrong", at - base);
  return at + 4;
}
