import { describe, expect, test } from "vitest";
import { keyText, safeText } from "./key-text.ts";

describe("keyText", () => {
  test.each([
    ["plain", Buffer.from("user:1"), "user:1"],
    ["UTF-8", Buffer.from("schlüssel🔑"), "schlüssel🔑"],
    ["not UTF-8", Buffer.from([0x61, 0xff, 0x62, 0xc3]), "a\\xffb\\xc3"],
    [
      "overlong, surrogate, too high",
      Buffer.from("c080eda080f4908080", "hex"),
      "\\xc0\\x80\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80",
    ],
    ["a sequence that is cut", Buffer.from([0xe2, 0x82]), "\\xe2\\x82"],
    ["control characters", Buffer.from("a\n\u001b[2Jb\u007f"), "a\\x0a\\x1b[2Jb\\x7f"],
    ["invisible characters, byte by byte", Buffer.from("a\u202eb"), "a\\xe2\\x80\\xaeb"],
    ["a backslash", Buffer.from("\\xff"), "\\\\xff"],
    ["empty", Buffer.alloc(0), ""],
  ])("%s", (_name, bytes, text) => expect(keyText(bytes)).toBe(text));

  test("long keys are cut and say so", () => {
    expect(keyText(Buffer.alloc(300, "x"), 10)).toBe("xxxxxxxxxx… (300 bytes)");
    expect(keyText(Buffer.alloc(10, "x"), 10)).toBe("xxxxxxxxxx");
  });
});

test("safeText escapes control characters only, so an escaped key stays as it is", () => {
  expect(safeText("a\\xff\u001b]0;x\u0007")).toBe("a\\xff\\x1b]0;x\\x07");
});
