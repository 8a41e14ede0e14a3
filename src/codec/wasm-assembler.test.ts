import { describe, expect, test } from "vitest";
import { instantiateKernel, KERNEL_CORRUPT, KERNEL_FULL } from "./lz4-kernel.ts";
import { add, assembleModule, constant, local, subtract } from "./wasm-assembler.ts";

declare const WebAssembly: {
  validate(bytes: Uint8Array<ArrayBuffer>): boolean;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

function run(body: readonly number[], ...args: number[]): number {
  const bytes = assembleModule({ name: "f", parameters: 2, locals: 0, body, memoryBytes: 1 });
  expect(WebAssembly.validate(bytes)).toBe(true);
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as {
    readonly f: (...args: number[]) => number;
  };
  return f(...args);
}

describe("assembleModule", () => {
  test.each([0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, 65536, 2 ** 31 - 1, -(2 ** 31)])(
    "the constant %d",
    (value) => {
      expect(run(constant(value))).toBe(value);
    },
  );

  test("expressions nest", () => {
    expect(run(subtract(add(local(0).get, constant(5)), local(1).get), 10, 3)).toBe(12);
  });
});

describe("the LZ4 kernel", () => {
  test("stays inside what it was given, and says why it stopped", () => {
    const { memory, decode } = instantiateKernel(65536);
    const bytes = Buffer.from(memory.buffer);
    // Four literals, a match of eight, five literals.
    const block = Buffer.from([0x44, 0x61, 0x62, 0x63, 0x64, 4, 0, 0x50, 0x31, 0x32, 0x33, 0x34, 0x35]);
    block.copy(bytes, 0);
    expect(decode(0, block.length, 1000, 2000, 1000)).toBe(1017);
    expect(bytes.toString("latin1", 1000, 1017)).toBe("abcdabcdabcd12345");
    expect(decode(0, block.length, 1000, 1017, 1000)).toBe(1017);
    expect(decode(0, block.length, 1000, 1016, 1000)).toBe(KERNEL_FULL);
    expect(decode(0, block.length, 1000, 1011, 1000)).toBe(KERNEL_FULL);
    expect(decode(0, block.length, 1000, 2000, 1001)).toBe(KERNEL_CORRUPT);
    for (let end = 0; end < block.length; end++)
      expect(decode(0, end, 1000, 2000, 1000)).toBe(end === 5 ? 1004 : KERNEL_CORRUPT);
  });
});
