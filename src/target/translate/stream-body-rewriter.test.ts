import { describe, expect, test } from "vitest";
import { Slice } from "../../bytes/slice.ts";
import { olderStreamType, StreamBodyRewriter } from "./stream-body-rewriter.ts";

const hex = (text: string): string => text.replace(/\s/g, "");
const ID = (n: number): string => n.toString(16).padStart(32, "0");
const TIME = (n: number): string => Buffer.from(BigUint64Array.of(BigInt(n)).buffer).toString("hex");

type Form = { readonly counters: string; readonly read: (text: string) => string; readonly active: string };
const COUNTERS = "01 01 00 00 4102";
const FORMS: Readonly<Record<15 | 19 | 21, Form>> = {
  15: { counters: "", read: () => "", active: "" },
  19: { counters: COUNTERS, read: (text) => text, active: "" },
  21: { counters: COUNTERS, read: (text) => text, active: "eeeeeeeeeeeeeeee" },
};

/** One node; groups g (its first consumer has a pending entry), 256 and hh; an LZF string and an integer among the names. */
function body(type: 15 | 19 | 21): string {
  const { counters, read, active } = FORMS[type];
  return hex(`
    01 10 ${ID(1)} c3 04 4100 61620000 02 01 02 ${counters} 03
    0167 01 02 ${read("81 ffffffffffffffff")} 01 ${ID(1)} ${TIME(5)} 03  02 0163 ${TIME(7)} ${active} 01 ${ID(1)}  c02a ${TIME(8)} ${active} 00
    c10100 00 00 ${read("00")} 00 00
    026868 00 00 ${read("7fff")} 00 01 0164 ${TIME(9)} ${active} 00`);
}

const PAIRS = [
  [21, 19],
  [21, 15],
  [19, 15],
] as const;

function rewrite(input: string, [from, to]: readonly [number, number], before = 0): string {
  const bytes = Buffer.concat([Buffer.alloc(before, 0xaa), Buffer.from(input, "hex"), Buffer.alloc(3, 0xbb)]);
  const slice = new Slice().set(bytes, before, bytes.length - 3);
  const rewriter = new StreamBodyRewriter();
  const size = rewriter.scan(slice, from, to);
  const out = Buffer.alloc(size + 8, 0xcc);
  rewriter.write(slice, out, 4);
  expect(out.subarray(0, 4).toString("hex") + out.subarray(4 + size).toString("hex")).toBe("cccccccccccccccc");
  return out.subarray(4, 4 + size).toString("hex");
}

describe.each(PAIRS)("a stream body of type %i as type %i", (from, to) => {
  test("loses what that type has no place for, and nothing else", () => {
    expect(rewrite(body(from), [from, to])).toBe(body(to));
    expect(rewrite(body(from), [from, to], 5)).toBe(body(to));
  });

  test("hundreds of consumers", () => {
    const whole = (type: 15 | 19 | 21): string => {
      const { counters, read, active } = FORMS[type];
      const consumers = Array.from(
        { length: 300 },
        (_, i) => `04${Buffer.from(`c${100 + i}`).toString("hex")}${TIME(i)}${active}00`,
      ).join("");
      return hex(`00 02 01 02 ${counters} 01 0167 00 00 ${read("00")} 00 412c ${consumers}`);
    };
    expect(rewrite(whole(from), [from, to])).toBe(whole(to));
  });

  test("every truncation and every left-over byte is corrupt", () => {
    const whole = body(from);
    const corrupt = expect.objectContaining({ code: "STREAM_CORRUPT" });
    const scan = (text: string): number =>
      new StreamBodyRewriter().scan(Slice.from(Buffer.from(text, "hex")), from, to);
    for (let bytes = 0; bytes < whole.length / 2; bytes++)
      expect(() => scan(whole.slice(0, 2 * bytes))).toThrow(corrupt);
    expect(() => scan(`${whole}00`)).toThrow(corrupt);
  });

  test("a rewriter can be used again after a failure", () => {
    const rewriter = new StreamBodyRewriter();
    const whole = Buffer.from(body(from), "hex");
    expect(() => rewriter.scan(Slice.from(whole.subarray(0, whole.length - 1)), from, to)).toThrow(
      "the data ends inside an element",
    );
    expect(rewriter.scan(Slice.from(whole), from, to)).toBe(body(to).length / 2);
  });
});

test("the newest type that the target loads is taken", () => {
  expect(olderStreamType(21, new Set([15, 19]))).toBe(19);
  expect(olderStreamType(21, new Set([15]))).toBe(15);
  expect(olderStreamType(19, new Set([15]))).toBe(15);
  expect(olderStreamType(21, new Set())).toBeUndefined();
  expect(olderStreamType(15, new Set())).toBeUndefined();
  expect(olderStreamType(18, new Set([15]))).toBeUndefined();
});
