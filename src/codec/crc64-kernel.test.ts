import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CRC_AT, INPUT_AT, INPUT_BYTES, instantiateCrc64Kernel } from "./crc64-kernel.ts";
import { Crc64 } from "./crc64.ts";

/** Bytes without a pattern that a checksum could hide. */
function noise(length: number, seed = 1): Buffer {
  const out = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    out[i] = state >>> 16;
  }
  return out;
}

describe("the CRC-64 kernel", () => {
  const plain = new Crc64(false);
  const fast = new Crc64();

  test("gives the check value by itself", () => {
    // One byte at a time needs the first table only: its entries, by the definition.
    const table = (_slice: number, byte: number): [number, number] => {
      let crc = BigInt(byte);
      for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
      return [Number(crc & 0xffff_ffffn), Number(crc >> 32n)];
    };
    const kernel = instantiateCrc64Kernel(table);
    const bytes = Buffer.from(kernel.memory.buffer);
    bytes.write("123456789", INPUT_AT, "latin1");
    for (let at = INPUT_AT; at < INPUT_AT + 9; at++) kernel.update(at, at + 1);
    expect(bytes.readBigUInt64LE(CRC_AT).toString(16)).toBe("e9c6d914c4b8d9ca");
  });

  test("agrees with the plain form at every length up to 600", () => {
    const bytes = noise(603);
    for (let end = 3; end <= bytes.length; end++) {
      expect(fast.reset().update(bytes, 3, end).toHex()).toBe(plain.reset().update(bytes, 3, end).toHex());
    }
  });

  test.each([INPUT_BYTES - 1, INPUT_BYTES, INPUT_BYTES + 1, 3 * INPUT_BYTES + 77])(
    "takes %d bytes in pieces that fit its memory",
    (length) => {
      const bytes = noise(length);
      expect(fast.reset().update(bytes, 0, length).toHex()).toBe(plain.reset().update(bytes, 0, length).toHex());
    },
  );

  test("goes on from any state, and others from its own", () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.nat(2000), fc.nat(2000), fc.integer(), (a, b, c, seed) => {
        const bytes = noise(a + b + c, seed);
        const whole = plain.reset().update(bytes, 0, bytes.length).toHex();
        const pieces = fast
          .reset()
          .update(bytes, 0, a)
          .update(bytes, a, a + b)
          .update(bytes, a + b, bytes.length);
        expect(pieces.toHex()).toBe(whole);
      }),
    );
  });

  test("two checksums of one thread do not meet", () => {
    const bytes = noise(4000);
    const other = new Crc64();
    fast.reset().update(bytes, 0, 1000);
    other.update(bytes, 1000, 3000);
    fast.update(bytes, 1000, 4000);
    expect(fast.toHex()).toBe(plain.reset().update(bytes, 0, 4000).toHex());
    expect(other.toHex()).toBe(plain.reset().update(bytes, 1000, 3000).toHex());
  });
});
