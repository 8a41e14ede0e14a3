import { expect, test } from "vitest";
import { EncodedTime } from "./encoded-time.ts";

test("an idle flow goes on with the clock", () => {
  const time = new EncodedTime();
  expect(time.upTo(5)).toBe(Number.NEGATIVE_INFINITY);
  time.decoded({ nowMs: 10, needsMore: true, offset: 100, pendingBytes: 0 });
  expect(time.upTo(99)).toBe(99);
});

test("a part of an entry holds it at the moment when the entry began to arrive", () => {
  const time = new EncodedTime();
  time.decoded({ nowMs: 10, needsMore: true, offset: 100, pendingBytes: 7 });
  time.decoded({ nowMs: 20, needsMore: true, offset: 100, pendingBytes: 9 });
  expect(time.upTo(99)).toBe(10);
  time.decoded({ nowMs: 30, needsMore: true, offset: 140, pendingBytes: 3 });
  expect(time.upTo(99)).toBe(30);
});

test("a decoder without room holds it at the moment when it last had room", () => {
  const time = new EncodedTime();
  time.decoded({ nowMs: 10, needsMore: true, offset: 100, pendingBytes: 0 });
  time.decoded({ nowMs: 20, needsMore: false, offset: 150, pendingBytes: 1000 });
  expect(time.upTo(99)).toBe(10);
  time.decoded({ nowMs: 30, needsMore: false, offset: 1150, pendingBytes: 0 });
  expect(time.upTo(99)).toBe(10);
  time.decoded({ nowMs: 40, needsMore: true, offset: 1150, pendingBytes: 0 });
  expect(time.upTo(99)).toBe(99);
});
