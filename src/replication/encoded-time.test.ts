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

test("what waited in the systems' buffers while there was no room counts as old until it was read for a while", () => {
  const time = new EncodedTime();
  time.decoded({ nowMs: 1000, needsMore: true, offset: 100, pendingBytes: 0 });
  time.decoded({ nowMs: 2000, needsMore: false, offset: 150, pendingBytes: 1000 });
  // Room again after five seconds: the decoder has emptied its own buffer, not that of the socket.
  time.decoded({ nowMs: 7000, needsMore: true, offset: 1150, pendingBytes: 0 });
  expect(time.upTo(7000)).toBe(2000);
  expect(time.upTo(7100)).toBe(3100);
  expect(time.upTo(7500)).toBe(7500);
});

test("many short times without room add up, and none goes back", () => {
  const time = new EncodedTime();
  time.decoded({ nowMs: 0, needsMore: true, offset: 0, pendingBytes: 0 });
  for (let cycle = 0; cycle < 100; cycle++) {
    time.decoded({ nowMs: 100 * cycle, needsMore: false, offset: 200 * cycle, pendingBytes: 100 });
    time.decoded({ nowMs: 100 * cycle + 99, needsMore: true, offset: 200 * cycle + 100, pendingBytes: 0 });
  }
  expect(time.upTo(9999)).toBeLessThan(2000);
  expect(time.upTo(9999)).toBeGreaterThanOrEqual(0);
});

test("nothing waits for longer than a master waits", () => {
  const time = new EncodedTime();
  time.decoded({ nowMs: 0, needsMore: false, offset: 0, pendingBytes: 9 });
  time.decoded({ nowMs: 3_600_000, needsMore: true, offset: 9, pendingBytes: 0 });
  expect(time.upTo(3_600_000)).toBe(3_570_000);
  expect(time.upTo(3_603_000)).toBe(3_603_000);
});
