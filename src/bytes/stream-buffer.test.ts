import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StreamBuffer } from "./stream-buffer.ts";

const NORMAL = 1000;

function bufferBytes(buffer: StreamBuffer): number {
  return buffer.cursor.buf.length;
}

test("gives what was appended, in order, however much is read at a time", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3000), fc.nat(3000))), (steps) => {
      const buffer = new StreamBuffer(NORMAL);
      const { cursor } = buffer;
      let written = 0;
      let read = 0;
      for (const [put, take] of steps) {
        const chunk = Buffer.from(Uint8Array.from({ length: put }, (_, i) => (written + i) % 251));
        buffer.append(chunk);
        chunk.fill(0xdd);
        written += put;
        expect(cursor.offset).toBe(read);
        expect(buffer.pendingBytes).toBe(written - read);
        for (let n = Math.min(take, written - read); n > 0; n--, read++) expect(cursor.u8()).toBe(read % 251);
        // What is read and not committed is read again.
        const uncommitted = Math.min(7, written - read);
        cursor.skip(uncommitted);
        cursor.pos -= uncommitted;
        cursor.commit();
      }
    }),
  );
});

test("rewinding after more has come gives the bytes from the mark on", () => {
  const buffer = new StreamBuffer(16);
  buffer.append(Buffer.from("0123456789"));
  buffer.cursor.skip(4);
  buffer.cursor.commit();
  buffer.cursor.skip(3);
  buffer.cursor.rewind();
  buffer.append(Buffer.from("abcdefghijkl"));
  expect(buffer.cursor.buf.toString("latin1", buffer.cursor.pos, buffer.cursor.end)).toBe("456789abcdefghijkl");
  expect(buffer.cursor.offset).toBe(4);
});

describe("its size", () => {
  test("stays normal while what is pending stays small", () => {
    const buffer = new StreamBuffer(NORMAL);
    for (let i = 0; i < 1000; i++) {
      buffer.append(Buffer.alloc(300));
      buffer.cursor.skip(300);
      buffer.cursor.commit();
    }
    expect(bufferBytes(buffer)).toBe(NORMAL);
    expect(buffer.cursor.offset).toBe(300_000);
  });

  test("grows with what arrives, not with what is awaited, and by few moves", () => {
    const buffer = new StreamBuffer(NORMAL);
    const sizes = new Set<number>();
    buffer.cursor.wanted = 1e9;
    for (let i = 0; i < 1000; i++) {
      buffer.append(Buffer.alloc(100));
      sizes.add(bufferBytes(buffer));
      expect(bufferBytes(buffer)).toBeLessThanOrEqual(Math.max(NORMAL, 2 * 100 * (i + 1)));
    }
    expect(sizes.size).toBeLessThan(12);
    expect(buffer.hasWanted).toBe(false);
  });

  test("shrinks back once a large element is done", () => {
    const buffer = new StreamBuffer(NORMAL);
    buffer.append(Buffer.alloc(100_000));
    expect(bufferBytes(buffer)).toBeGreaterThanOrEqual(100_000);
    buffer.cursor.skip(99_500);
    buffer.cursor.commit();
    buffer.append(Buffer.from("x"));
    expect(bufferBytes(buffer)).toBe(NORMAL);
    expect(buffer.pendingBytes).toBe(501);
    expect(buffer.cursor.buf[buffer.cursor.end - 1]).toBe(0x78);
  });
});

test("hasWanted says whether another try makes sense", () => {
  const buffer = new StreamBuffer(NORMAL);
  expect(buffer.hasWanted).toBe(true);
  buffer.cursor.wanted = 3;
  buffer.append(Buffer.alloc(2));
  expect(buffer.hasWanted).toBe(false);
  buffer.append(Buffer.alloc(1));
  expect(buffer.hasWanted).toBe(true);
});
