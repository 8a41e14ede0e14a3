import { expect, test } from "vitest";
import { RateMeter } from "./rate-meter.ts";

test("one reading is no rate", () => {
  expect(new RateMeter().add(0, 100)).toBe(0);
});

test("the rate is that of the window, not of the whole run", () => {
  const meter = new RateMeter(1000);
  for (let ms = 0; ms <= 2000; ms += 500) meter.add(ms, ms);
  expect(meter.add(2500, 2000)).toBe(500);
  expect(meter.add(3000, 2000)).toBe(0);
});

test("a first reading above 0 does not count as growth", () => {
  const meter = new RateMeter(1000);
  meter.add(100, 1_000_000);
  expect(meter.add(600, 1_000_050)).toBe(100);
});

test("readings far apart give the rate between them", () => {
  const meter = new RateMeter(1000);
  meter.add(0, 0);
  expect(meter.add(10_000, 50)).toBe(5);
});

test("a clock that stands still or a counter that falls gives 0", () => {
  const meter = new RateMeter();
  meter.add(5, 10);
  expect(meter.add(5, 20)).toBe(0);
  expect(meter.add(6, 1)).toBe(0);
});
