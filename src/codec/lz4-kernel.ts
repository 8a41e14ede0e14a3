/**
 * The inner loop of LZ4 in WebAssembly: what lz4-block.ts does, some times faster. Facts: lz4's doc/lz4_Block_format.md.
 *
 * It works inside its own memory only, where the caller has put the block. Every length is checked against `end` and `limit` before bytes are
 * moved; short moves take SLACK_BYTES more than asked for, so that much room must stand behind the input and behind `limit`. It says that a
 * block is bad, not why: the plain decoder says that.
 */
import {
  add,
  and,
  assembleModule,
  constant,
  copy,
  equal,
  forever,
  giveBack,
  greaterUnsigned,
  lessSigned,
  lessUnsigned,
  load16,
  load8,
  local,
  move64,
  notLessUnsigned,
  or,
  repeatWhile,
  shiftRight,
  store8,
  subtract,
  when,
  type Code,
  type Local,
} from "./wasm-assembler.ts";

/** How far a move of 16 bytes at a time can pass its end, and what a short pattern writes ahead. */
export const SLACK_BYTES = 32;
/** The block holds more than fits before `limit`. */
export const KERNEL_FULL = -1;
/** The block is not a block. */
export const KERNEL_CORRUPT = -2;

/** Longer literals and far matches go to memory.copy, which has a price per call. */
const LONG_COPY = 64;

/** What is used of the global of this name, for which @types/node has no types. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

export type KernelExports = {
  /** `grow` adds pages of 64 KiB and makes every view of `buffer` useless. */
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  /** Decodes the block at [start, end) to `at`, at most up to `limit`, with matches down to `lowest`. Returns where its output ends, or KERNEL_…. */
  readonly decode: (start: number, end: number, at: number, limit: number, lowest: number) => number;
};

const [ip, end, op, limit, lowest, token, length, byte, offset, from, copyEnd] = Array.from(
  { length: 11 },
  (_, index) => local(index),
) as [Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local];
const PARAMETERS = 5;
const LOCALS = 6;

/** A length of 15 goes on in the bytes that follow, as long as they are 255. Blocks of at most 4 MiB cannot make it overflow. */
const readMoreLength: Code = when(equal(length.get, constant(15)), [
  repeatWhile(
    [
      when(notLessUnsigned(ip.get, end.get), [giveBack(constant(KERNEL_CORRUPT))]),
      byte.set(load8(ip.get)),
      ip.add(constant(1)),
      length.add(byte.get),
    ],
    equal(byte.get, constant(255)),
  ),
]);

const refuseIfFull: Code = when(greaterUnsigned(length.get, subtract(limit.get, op.get)), [
  giveBack(constant(KERNEL_FULL)),
]);

/** Moves 16 bytes from `source` to `op` and goes on by 16, until `copyEnd` is reached or passed. */
function moveBy16(source: Local): Code {
  return repeatWhile(
    [move64(op.get, source.get), move64(op.get, source.get, 8), op.add(constant(16)), source.add(constant(16))],
    lessUnsigned(op.get, copyEnd.get),
  );
}

const copyLiterals: readonly Code[] = [
  when(greaterUnsigned(length.get, subtract(end.get, ip.get)), [giveBack(constant(KERNEL_CORRUPT))]),
  refuseIfFull,
  copyEnd.set(add(op.get, length.get)),
  when(
    greaterUnsigned(length.get, constant(LONG_COPY)),
    [copy(op.get, ip.get, length.get)],
    [from.set(ip.get), moveBy16(from)],
  ),
  op.set(copyEnd.get),
  ip.add(length.get),
];

const readOffset: readonly Code[] = [
  when(lessUnsigned(subtract(end.get, ip.get), constant(2)), [giveBack(constant(KERNEL_CORRUPT))]),
  offset.set(load16(ip.get)),
  ip.add(constant(2)),
  from.set(subtract(op.get, offset.get)),
  when(or(equal(offset.get, constant(0)), lessSigned(from.get, lowest.get)), [giveBack(constant(KERNEL_CORRUPT))]),
];

const moveBy8: Code = repeatWhile(
  [move64(op.get, from.get), op.add(constant(8)), from.add(constant(8))],
  lessUnsigned(op.get, copyEnd.get),
);

/**
 * A match closer than 8 bytes repeats a short pattern: its first 8 bytes one by one, then 8 at a time from the nearest whole number of
 * patterns that is at least 8 bytes back.
 */
const repeatPattern: readonly Code[] = [
  byte.set(constant(0)),
  repeatWhile(
    [store8(add(op.get, byte.get), load8(add(from.get, byte.get))), byte.add(constant(1))],
    lessUnsigned(byte.get, constant(8)),
  ),
  op.add(constant(8)),
  byte.set(offset.get),
  when(lessUnsigned(byte.get, constant(8)), [repeatWhile([byte.add(offset.get)], lessUnsigned(byte.get, constant(8)))]),
  from.set(subtract(op.get, byte.get)),
  when(lessUnsigned(op.get, copyEnd.get), [moveBy8]),
];

const copyMatch: readonly Code[] = [
  copyEnd.set(add(op.get, length.get)),
  when(
    notLessUnsigned(offset.get, constant(16)),
    [
      when(
        and(greaterUnsigned(length.get, constant(LONG_COPY)), notLessUnsigned(offset.get, length.get)),
        [copy(op.get, from.get, length.get)],
        [moveBy16(from)],
      ),
    ],
    [when(notLessUnsigned(offset.get, constant(8)), [moveBy8], repeatPattern)],
  ),
  op.set(copyEnd.get),
];

const decode: Code = forever([
  when(notLessUnsigned(ip.get, end.get), [giveBack(constant(KERNEL_CORRUPT))]),
  token.set(load8(ip.get)),
  ip.add(constant(1)),
  length.set(shiftRight(token.get, constant(4))),
  readMoreLength,
  ...copyLiterals,
  when(equal(ip.get, end.get), [giveBack(op.get)]),
  ...readOffset,
  length.set(and(token.get, constant(15))),
  readMoreLength,
  length.add(constant(4)),
  refuseIfFull,
  ...copyMatch,
]);

/** A new kernel with a memory of its own. */
export function instantiateKernel(memoryBytes: number): KernelExports {
  const bytes = assembleModule({ name: "decode", parameters: PARAMETERS, locals: LOCALS, body: decode, memoryBytes });
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as KernelExports;
}
