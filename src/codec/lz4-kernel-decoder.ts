/**
 * Feeds the WebAssembly kernel. One instance serves every decoder of a thread: a WebAssembly memory reserves gigabytes of address space, so
 * there must not be one per flow. A frame is decoded in one go, and `begin` forgets everything, so frames of different flows do not meet,
 * and a bad frame leaves nothing behind.
 *
 * Layout of its memory: [one block's input, slack][up to 64 KiB of history … output of the blocks, slack]. Each block's output is copied to
 * the caller's buffer; no view of this memory leaves the class. It holds at most 9 MiB, whatever a header says.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import {
  decodeLz4Block,
  OUTPUT_FULL,
  PLAIN_BLOCKS,
  type BlockBounds,
  type BlockInput,
  type BlockOutput,
  type Lz4BlockDecoder,
} from "./lz4-block.ts";
import { instantiateKernel, KERNEL_CORRUPT, KERNEL_FULL, SLACK_BYTES, type KernelExports } from "./lz4-kernel.ts";

const PAGE_BYTES = 65536;
/** A match reaches back 65535 bytes. */
const WINDOW_BYTES = 65536;
/** Blocks are put behind each other in this much room before the window has to be moved to its front. */
const RUN_BYTES = 1024 * 1024;
const SMALLEST_BLOCK_BYTES = 65536;

export class Lz4KernelDecoder implements Lz4BlockDecoder {
  readonly #kernel: KernelExports;
  #memory: Buffer;
  /** Where history and output begin and end in the memory. */
  #outputStart = 0;
  #outputEnd = 0;
  /** Where this frame's history begins, and where the next block's output goes. */
  #lowest = 0;
  #at = 0;

  constructor() {
    this.#kernel = instantiateKernel(layout(SMALLEST_BLOCK_BYTES).bytes);
    this.#memory = Buffer.from(this.#kernel.memory.buffer);
  }

  begin(blockMaxBytes: number): void {
    const { outputStart, outputEnd, bytes } = layout(blockMaxBytes);
    if (bytes > this.#memory.length) {
      this.#kernel.memory.grow(Math.ceil((bytes - this.#memory.length) / PAGE_BYTES));
      this.#memory = Buffer.from(this.#kernel.memory.buffer);
    }
    this.#outputStart = outputStart;
    this.#outputEnd = outputEnd;
    this.#lowest = outputStart;
    this.#at = outputStart;
  }

  decode(input: BlockInput, output: BlockOutput, bounds: BlockBounds): number {
    const { start, end, at, limit, lowest } = bounds;
    const memory = this.#memory;
    this.#makeRoom(limit - at);
    const from = this.#at;
    // Independent blocks have no history: `lowest` is where this block begins.
    const floor = lowest === at ? from : this.#lowest;
    input.src.copy(memory, 0, start, end);
    const to = this.#kernel.decode(0, end - start, from, from + limit - at, floor);
    if (to === KERNEL_FULL) return OUTPUT_FULL;
    if (to === KERNEL_CORRUPT) return explain(input, output, bounds);
    memory.copy(output.out, at, from, to);
    this.#at = to;
    return at + to - from;
  }

  stored(out: Buffer, start: number, end: number): void {
    this.#makeRoom(end - start);
    out.copy(this.#memory, this.#at, start, end);
    this.#at += end - start;
  }

  /** Moves the window to the front when `bytes` more would not fit behind it. */
  #makeRoom(bytes: number): void {
    if (bytes <= this.#outputEnd - this.#at) return;
    const window = Math.max(this.#lowest, this.#at - WINDOW_BYTES);
    this.#memory.copyWithin(this.#outputStart, window, this.#at);
    this.#at = this.#outputStart + this.#at - window;
    this.#lowest = this.#outputStart;
  }
}

function layout(blockMaxBytes: number): { outputStart: number; outputEnd: number; bytes: number } {
  const outputStart = blockMaxBytes + SLACK_BYTES;
  const outputEnd = outputStart + WINDOW_BYTES + Math.max(blockMaxBytes, RUN_BYTES);
  return { outputStart, outputEnd, bytes: outputEnd + SLACK_BYTES };
}

/** The plain decoder throws with the reason and the offset. */
function explain(input: BlockInput, output: BlockOutput, bounds: BlockBounds): never {
  decodeLz4Block(input, output, bounds);
  throw new Df2RedisError("INTERNAL", "lz4: the kernel refused a block that the plain decoder takes");
}

let shared: Lz4BlockDecoder | undefined;

/** The fastest decoder that this thread can have: plain TypeScript where WebAssembly is switched off. */
export function threadBlockDecoder(): Lz4BlockDecoder {
  shared ??= createBlockDecoder();
  return shared;
}

function createBlockDecoder(): Lz4BlockDecoder {
  try {
    return new Lz4KernelDecoder();
  } catch {
    return PLAIN_BLOCKS;
  }
}
