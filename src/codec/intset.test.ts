import { describe, expect, test } from "vitest";
import { buildIntset } from "../../test/support/codec-builders.ts";
import { expectTypedError } from "../../test/support/hostile.ts";
import { Slice } from "../bytes/slice.ts";
import { IntsetReader } from "./intset.ts";

function read(body: Buffer): string[] {
  const reader = new IntsetReader().reset(body, 0, body.length);
  const out = new Slice();
  const found: string[] = [];
  while (reader.next(out)) found.push(out.toLatin1());
  return found;
}

const SORTED: [number, bigint[]][] = [
  [2, [-32768n, -1n, 0n, 1n, 32767n]],
  [4, [-(2n ** 31n), -32769n, 0n, 5n, 2n ** 31n - 1n]],
  [
    8,
    [-(2n ** 63n), -(2n ** 53n) - 1n, -(2n ** 32n), -1n, 0n, 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n],
  ],
];

describe("IntsetReader", () => {
  test.each(SORTED)("of %d-byte integers", (width, values) => {
    expect(read(buildIntset(values, width))).toEqual(values.map(String));
  });

  test("one without members", () => {
    expect(read(buildIntset([], 2))).toEqual([]);
  });

  test.each(SORTED)("of %d-byte integers, out of order or with a double, is refused", (width, values) => {
    for (let i = 1; i < values.length; i++) {
      const swapped = values.with(i, values[i - 1] as bigint).with(i - 1, values[i] as bigint);
      expect(expectTypedError(() => read(buildIntset(swapped, width)), "STREAM_CORRUPT").message).toContain(
        "ascending",
      );
      expectTypedError(() => read(buildIntset(values.with(i, values[i - 1] as bigint), width)), "STREAM_CORRUPT");
    }
  });

  test.each([
    ["a width of 3", Buffer.from([3, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3])],
    ["a count that is too high", Buffer.from([2, 0, 0, 0, 2, 0, 0, 0, 1, 0])],
    ["a count that is too low", Buffer.from([2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 2, 0])],
    ["a huge count", Buffer.from([8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0])],
    ["half a header", Buffer.from([2, 0, 0, 0])],
  ])("%s is refused", (_name, body) => {
    expectTypedError(() => read(body), "STREAM_CORRUPT");
  });
});
