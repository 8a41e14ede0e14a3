import { describe, expect, test } from "vitest";
import { byteSizeText, parseByteSize } from "./byte-size.ts";

describe("parseByteSize", () => {
  test.each([
    ["0", 0],
    ["10B", 10],
    ["1KiB", 1024],
    ["512 MiB", 512 * 1024 * 1024],
    ["2GiB", 2 * 1024 ** 3],
  ])("%s", (text, bytes) => expect(parseByteSize(text)).toBe(bytes));

  test.each(["", "1MB", "1k", "-1", "1.5MiB", "1  MiB", "MiB", "1TiB"])("refuses %j", (text) => {
    expect(parseByteSize(text)).toBeNaN();
  });
});

test.each([1, 1000, 1024, 1536, 1024 ** 2, 256 * 1024 ** 2, 1024 ** 3])("the text of %i reads back as it", (bytes) => {
  expect(parseByteSize(byteSizeText(bytes))).toBe(bytes);
});
