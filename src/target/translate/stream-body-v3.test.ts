import { describe, expect, test } from "vitest";
import { Slice } from "../../bytes/slice.ts";
import { StreamBodyV3 } from "./stream-body-v3.ts";

const hex = (text: string): string => text.replace(/\s/g, "");
const ID = (n: number): string => n.toString(16).padStart(32, "0");
const TIME = (n: number): string => Buffer.from(BigUint64Array.of(BigInt(n)).buffer).toString("hex");
const META = "02 01 02 01 01 00 00 02";
const ACTIVE = "eeeeeeeeeeeeeeee";

/** One node, `consumers` of group g (the first has a pending entry), and an LZF string and an integer among the names. */
function body(active: string): string {
  return hex(`
    01 10 ${ID(1)} c3 04 4100 61620000 ${META} 03
    0167 01 02 81 ffffffffffffffff 01 ${ID(1)} ${TIME(5)} 03  02 0163 ${TIME(7)} ${active} 01 ${ID(1)}  c02a ${TIME(8)} ${active} 00
    c10100 00 00 00 00 00
    026868 00 00 00 00 01 0164 ${TIME(9)} ${active} 00`);
}

function convert(input: string, before = 0): string {
  const bytes = Buffer.concat([Buffer.alloc(before, 0xaa), Buffer.from(input, "hex"), Buffer.alloc(3, 0xbb)]);
  const slice = new Slice().set(bytes, before, bytes.length - 3);
  const v3 = new StreamBodyV3();
  const size = v3.scan(slice);
  const out = Buffer.alloc(size + 8, 0xcc);
  v3.writeAsV2(slice, out, 4);
  expect(out.subarray(0, 4).toString("hex") + out.subarray(4 + size).toString("hex")).toBe("cccccccccccccccc");
  return out.subarray(4, 4 + size).toString("hex");
}

describe("a stream body of type 21 as type 19", () => {
  test("loses the active time of each consumer and nothing else", () => {
    expect(convert(body(ACTIVE))).toBe(body(""));
    expect(convert(body(ACTIVE), 5)).toBe(body(""));
  });

  test("without groups it stays as it is", () => {
    expect(convert(hex(`00 ${META} 00`))).toBe(hex(`00 ${META} 00`));
  });

  test("hundreds of consumers", () => {
    const consumers = (active: string): string =>
      Array.from(
        { length: 300 },
        (_, i) => `04${Buffer.from(`c${100 + i}`).toString("hex")}${TIME(i)}${active}00`,
      ).join("");
    const whole = (active: string): string => hex(`00 ${META} 01 0167 00 00 00 00 412c ${consumers(active)}`);
    expect(convert(whole(ACTIVE))).toBe(whole(""));
  });

  test("every truncation and every left-over byte is corrupt", () => {
    const whole = body(ACTIVE);
    const corrupt = expect.objectContaining({ code: "STREAM_CORRUPT" });
    for (let bytes = 0; bytes < whole.length / 2; bytes++) {
      expect(() => new StreamBodyV3().scan(Slice.from(Buffer.from(whole.slice(0, 2 * bytes), "hex")))).toThrow(corrupt);
    }
    expect(() => new StreamBodyV3().scan(Slice.from(Buffer.from(`${whole}00`, "hex")))).toThrow(corrupt);
  });

  test("can be used again after a failure", () => {
    const v3 = new StreamBodyV3();
    const whole = Buffer.from(body(ACTIVE), "hex");
    expect(() => v3.scan(Slice.from(whole.subarray(0, whole.length - 1)))).toThrow("the data ends inside an element");
    expect(v3.scan(Slice.from(whole))).toBe(whole.length - 24);
  });
});
