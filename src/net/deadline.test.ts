import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deadline } from "./deadline.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test.each([
  [20, 5],
  [2000, 500],
  [60_000, 1000],
])("a deadline of %d ms is missed only at the second look, %d ms later", (timeoutMs, graceMs) => {
  const onMissed = vi.fn<() => void>();
  new Deadline(timeoutMs, onMissed);
  vi.advanceTimersByTime(timeoutMs + graceMs - 1);
  expect(onMissed).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onMissed).toHaveBeenCalledOnce();
});

test.each([0, 99, 100, 124])("what comes after %d ms of 100, the second look included, is in time", (ms) => {
  const onMissed = vi.fn<() => void>();
  const deadline = new Deadline(100, onMissed);
  vi.advanceTimersByTime(ms);
  deadline.met();
  vi.advanceTimersByTime(10_000);
  expect(onMissed).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
