/**
 * The inner loop of CRC-64 in WebAssembly, where 64-bit integers are whole: what crc64.ts does, with half the table look-ups. It works inside its
 * own memory only: the tables, the checksum so far, and the bytes that the caller puts behind them.
 */
import {
  and,
  assembleModule,
  constant,
  giveBack,
  lessUnsigned,
  load64,
  load8,
  local,
  low32,
  notLessUnsigned,
  repeatWhile,
  shiftLeft,
  shiftRight64,
  store64,
  subtract,
  when,
  xor,
  xor64,
  type Code,
} from "./wasm-assembler.ts";

const SLICES = 8;
const ENTRY_BYTES = 8;
const TABLE_BYTES = 256 * ENTRY_BYTES;

/** Where the checksum stands in the kernel's memory, behind the tables: 8 bytes, little-endian. */
export const CRC_AT = SLICES * TABLE_BYTES;
/** Where the input goes. */
export const INPUT_AT = CRC_AT + ENTRY_BYTES;
/** Most bytes of one call. */
export const INPUT_BYTES = 2 * 65536 - INPUT_AT;

/** What is used of the global of this name, for which @types/node has no types. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

export type Crc64Kernel = {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Takes the bytes [start, end) of the memory into the checksum at CRC_AT. The result is of no use. */
  update(start: number, end: number): number;
};

const at = local(0);
const end = local(1);
const crc = local(2);
const word = local(3);
const PARAMETERS = 2;
const LONG_LOCALS = 2;

/** Byte `byte` of `word`, as the offset of a table's entry. */
function entryOffset(byte: number): Code {
  const shifted = byte === 0 ? shiftLeft(low32(word.get), constant(3)) : low32(shiftRight64(word.get, 8 * byte - 3));
  return and(shifted, constant(0xff * ENTRY_BYTES));
}

/** All eight bytes of `word`; combined as a tree, since each step of a chain would wait for the one before. */
function combine(first: number, count: number): Code {
  if (count === 1) return load64(entryOffset(first), (SLICES - 1 - first) * TABLE_BYTES);
  const half = count / 2;
  return xor64(combine(first, half), combine(first + half, half));
}

const takeWords: Code = repeatWhile(
  [word.set(xor64(crc.get, load64(at.get))), crc.set(combine(0, SLICES)), at.add(constant(SLICES))],
  notLessUnsigned(subtract(end.get, at.get), constant(SLICES)),
);

const nextByte: Code = and(xor(low32(crc.get), load8(at.get)), constant(0xff));

const takeBytes: Code = repeatWhile(
  [crc.set(xor64(shiftRight64(crc.get, 8), load64(shiftLeft(nextByte, constant(3))))), at.add(constant(1))],
  lessUnsigned(at.get, end.get),
);

const update: Code = [
  crc.set(load64(constant(CRC_AT))),
  when(notLessUnsigned(subtract(end.get, at.get), constant(SLICES)), [takeWords]),
  when(lessUnsigned(at.get, end.get), [takeBytes]),
  store64(constant(CRC_AT), crc.get),
  giveBack(at.get),
].flat();

/** A new kernel with a memory of its own. @param entry the halves of a table's entry: what `byte` does when `slice` bytes follow it */
export function instantiateCrc64Kernel(
  entry: (slice: number, byte: number) => readonly [low: number, high: number],
): Crc64Kernel {
  const memoryBytes = INPUT_AT + INPUT_BYTES;
  const bytes = assembleModule({
    name: "update",
    parameters: PARAMETERS,
    locals: 0,
    longLocals: LONG_LOCALS,
    body: update,
    memoryBytes,
  });
  const kernel = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Crc64Kernel;
  const tables = new DataView(kernel.memory.buffer);
  for (let i = 0; i < SLICES * 256; i++) {
    const [low, high] = entry(i >> 8, i & 0xff);
    tables.setInt32(i * ENTRY_BYTES, low, true);
    tables.setInt32(i * ENTRY_BYTES + 4, high, true);
  }
  return kernel;
}
