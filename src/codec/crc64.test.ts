import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Crc64 } from "./crc64.ts";

const MASK = (1n << 64n) - 1n;

/** The definition, bit by bit. */
function slowCrc64(bytes: Uint8Array): string {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
  }
  return (crc & MASK).toString(16).padStart(16, "0");
}

describe("Crc64", () => {
  test("the check value", () => {
    expect(new Crc64().update(Buffer.from("123456789"), 0, 9).toHex()).toBe("e9c6d914c4b8d9ca");
  });

  test("nothing is 0", () => {
    expect(new Crc64().toHex()).toBe("0000000000000000");
  });

  test("equals the definition for any bytes, cut anywhere", () => {
    const crc = new Crc64();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
        const middle = Math.min(cut, bytes.length);
        expect(crc.reset().update(bytes, 0, middle).update(bytes, middle, bytes.length).toHex()).toBe(slowCrc64(bytes));
      }),
    );
  });

  test("byte by byte", () => {
    const crc = new Crc64();
    for (const byte of Buffer.from("123456789")) crc.updateByte(byte);
    expect(crc.toHex()).toBe("e9c6d914c4b8d9ca");
  });

  test("writes its bytes little-endian and knows them again", () => {
    const crc = new Crc64().update(Buffer.from("123456789"), 0, 9);
    const out = Buffer.alloc(10, 0xee);
    crc.writeLE(out, 1);
    expect(out.toString("hex")).toBe("eecad9b8c414d9c6e9ee");
    expect(crc.equalsLE(out, 1)).toBe(true);
    expect(crc.updateByte(0).equalsLE(out, 1)).toBe(false);
  });
});
