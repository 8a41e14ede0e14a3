/**
 * Just enough of a WebAssembly assembler to write one small function in readable form: each helper returns the bytes of an expression or a
 * statement, nested as in the source of any language. Control flow is structured, so no branch label is ever counted by hand. Everything is
 * an i32 unless a name says otherwise. Facts: the WebAssembly core specification, "Binary Format".
 */
export type Code = readonly number[];

const I32 = 0x7f;
const I64 = 0x7e;
const FUNCTION_TYPE = 0x60;
const NO_RESULT = 0x40;
const END = 0x0b;
const PAGE_BYTES = 65536;
const MAGIC_AND_VERSION = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

function unsigned(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  do {
    const byte = rest & 0x7f;
    rest >>>= 7;
    out.push(rest === 0 ? byte : byte | 0x80);
  } while (rest !== 0);
  return out;
}

function signed(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0);
    out.push(done ? byte : byte | 0x80);
    if (done) return out;
  }
}

/** A local variable of the function: a parameter, or one behind them. */
export type Local = { readonly get: Code; set(value: Code): Code; add(value: Code): Code };

export function local(index: number): Local {
  const get = [0x20, ...unsigned(index)];
  const set = (value: Code): Code => [...value, 0x21, ...unsigned(index)];
  return { get, set, add: (value) => set(add(get, value)) };
}

export function constant(value: number): Code {
  return [0x41, ...signed(value)];
}

function binary(opcode: number): (left: Code, right: Code) => Code {
  return (left, right) => [...left, ...right, opcode];
}

export const add: (left: Code, right: Code) => Code = binary(0x6a);
export const subtract: (left: Code, right: Code) => Code = binary(0x6b);
export const and: (left: Code, right: Code) => Code = binary(0x71);
export const or: (left: Code, right: Code) => Code = binary(0x72);
export const xor: (left: Code, right: Code) => Code = binary(0x73);
export const shiftLeft: (left: Code, right: Code) => Code = binary(0x74);
export const shiftRight: (left: Code, right: Code) => Code = binary(0x76);
export const equal: (left: Code, right: Code) => Code = binary(0x46);
export const lessUnsigned: (left: Code, right: Code) => Code = binary(0x49);
export const greaterUnsigned: (left: Code, right: Code) => Code = binary(0x4b);
export const notLessUnsigned: (left: Code, right: Code) => Code = binary(0x4f);
export const lessSigned: (left: Code, right: Code) => Code = binary(0x48);

/** Loads and stores carry an alignment (0: any) and a constant offset. */
export function load8(address: Code): Code {
  return [...address, 0x2d, 0, 0];
}

export function load16(address: Code): Code {
  return [...address, 0x2f, 0, 0];
}

export function store8(address: Code, value: Code): Code {
  return [...address, ...value, 0x3a, 0, 0];
}

/** Moves 8 bytes, unaligned, `offset` bytes behind both addresses. */
export function move64(to: Code, from: Code, offset = 0): Code {
  return [...to, ...from, 0x29, 0, ...unsigned(offset), 0x37, 0, ...unsigned(offset)];
}

/** 64-bit values: a shift's distance is a constant. */
export function load64(address: Code, offset = 0): Code {
  return [...address, 0x29, 0, ...unsigned(offset)];
}

export function store64(address: Code, value: Code): Code {
  return [...address, ...value, 0x37, 0, 0];
}

export function shiftRight64(value: Code, distance: number): Code {
  return [...value, 0x42, ...signed(distance), 0x88];
}

export const xor64: (left: Code, right: Code) => Code = binary(0x85);

/** The low 32 bits. */
export function low32(value: Code): Code {
  return [...value, 0xa7];
}

export function copy(to: Code, from: Code, length: Code): Code {
  return [...to, ...from, ...length, 0xfc, 0x0a, 0, 0];
}

export function when(condition: Code, then: readonly Code[], otherwise: readonly Code[] = []): Code {
  return [...condition, 0x04, NO_RESULT, ...then.flat(), 0x05, ...otherwise.flat(), END];
}

/** Runs the body, and again as long as the condition is not 0. */
export function repeatWhile(body: readonly Code[], condition: Code): Code {
  return [0x03, NO_RESULT, ...body.flat(), ...condition, 0x0d, 0, END];
}

/** Only a `giveBack` inside ends it. */
export function forever(body: readonly Code[]): Code {
  return [0x03, NO_RESULT, ...body.flat(), 0x0c, 0, END, 0x00];
}

export function giveBack(value: Code): Code {
  return [...value, 0x0f];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function exported(name: string, kind: number): number[] {
  return [...unsigned(name.length), ...Buffer.from(name), kind, 0];
}

export type FunctionModule = {
  readonly name: string;
  readonly parameters: number;
  readonly locals: number;
  /** Locals of 64 bits, behind the others. */
  readonly longLocals?: number;
  readonly body: Code;
  readonly memoryBytes: number;
};

/** The bytes of a module that exports its memory as `memory` and one function, of i32 parameters to an i32. */
export function assembleModule(module: FunctionModule): Uint8Array<ArrayBuffer> {
  const type = [
    FUNCTION_TYPE,
    ...unsigned(module.parameters),
    ...Array.from({ length: module.parameters }, () => I32),
    1,
    I32,
  ];
  const locals = [2, ...unsigned(module.locals), I32, ...unsigned(module.longLocals ?? 0), I64];
  const body = [...locals, ...module.body, END];
  const pages = Math.ceil(module.memoryBytes / PAGE_BYTES);
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, [1, ...type]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...unsigned(pages)]),
    ...section(7, [2, ...exported("memory", 2), ...exported(module.name, 0)]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}
