import { expect, test } from "vitest";
import { jsonDialectOf, LATEST_JSON_DIALECT } from "./json-dialect.ts";
import { calculate, numberKind, parseOperand, printDouble } from "./json-numbers.ts";

test.each([
  ["0", "integer"],
  ["-0", "integer"],
  ["18446744073709551615", "integer"],
  ["18446744073709551616", "wide"],
  ["-9223372036854775808", "integer"],
  ["-9223372036854775809", "wide"],
  ["1.0", "double"],
  ["1e2", "double"],
  ["0e999", "double"],
  ["5e-324", "double"],
  ["1e-400", "wide"],
  ["1e400", "wide"],
])("%s is %s", (text, kind) => {
  expect(numberKind(text)).toBe(kind);
});

/** As jsoncons 1.5.0 prints them. */
test.each([
  [0, "0.0"],
  [-0, "0.0"],
  [1, "1.0"],
  [-123456.5, "-123456.5"],
  [0.0001, "0.0001"],
  [0.00001, "1e-05"],
  [1.1000000000000001e-5, "1.1000000000000001e-05"],
  [1e16, "10000000000000000.0"],
  [10000000000000002, "10000000000000002.0"],
  [1e17, "1e+17"],
  [1.2345678901234567e19, "1.2345678901234567e+19"],
  [1.5e100, "1.5e+100"],
  [5e-324, "5e-324"],
])("%d prints as %s", (value, text) => {
  expect(printDouble(value)).toBe(text);
  expect(Number(text)).toBe(value + 0);
});

test.each([
  ["1", { value: 1, isDouble: false }],
  ["-1.", { value: -1, isDouble: true }],
  [".5", { value: 0.5, isDouble: true }],
  ["1e2", { value: 100, isDouble: false }],
  ["+inf", { value: Infinity, isDouble: false }],
  ["-Infinity", { value: -Infinity, isDouble: false }],
  ["+1", undefined],
  [" 1", undefined],
  ["nan", undefined],
  ["0x10", undefined],
  ["", undefined],
])("operand %j", (word, operand) => {
  expect(parseOperand(word)).toEqual(operand);
});

test("results outside of what an integer holds", () => {
  const add = (text: string, value: number) => calculate(text, "add", { value, isDouble: false }, LATEST_JSON_DIALECT);
  expect(add("18446744073709551615", 0)).toBe("unknown");
  expect(add("-9223372036854775808", -1)).toEqual({ text: "-9223372036854775808" });
  expect(add("-9223372036854775808", -4096)).toBe("overflow");
  expect(add("100000000000000000000", 1)).toBe("unknown");
});

test("dialects by version", () => {
  const of = (version: string | undefined) => Object.values(jsonDialectOf(version));
  expect(["df-v1.27.4", "v1.28.0", "df-v1.37.2", "v1.38.0", "2.0", "df-dev", undefined].map(of)).toEqual([
    [false, false],
    [false, true],
    [false, true],
    [true, true],
    [true, true],
    [true, true],
    [true, true],
  ]);
});
