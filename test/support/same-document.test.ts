import { expect, test } from "vitest";
import { isSameDocument } from "./same-document.ts";

test.each([
  ["the same text", '{"a":[1,"x",null,true]}', '{"a":[1,"x",null,true]}'],
  ["another order of keys, and spaces", '{"a":1,"b":{"c":2,"d":3}}', ' { "b": {"d":3, "c":2}, "a": 1 } '],
  ["other words for a double", "[1.50, 1e2, 1.0, -0]", "[1.5, 100.0, 1, 0]"],
  ["other words for a string", '"\\u0061\\/\\u00e9"', '"a/é"'],
  [
    "a whole number beyond doubles",
    "[9007199254740993, -9223372036854775808]",
    "[9007199254740993,-9223372036854775808]",
  ],
])("same: %s", (_what, a, b) => {
  expect(isSameDocument(a, b)).toBe(true);
  expect(isSameDocument(b, a)).toBe(true);
});

test.each([
  ["another value", '{"a":1}', '{"a":2}'],
  ["another order of elements", "[1,2]", "[2,1]"],
  ["a key more", '{"a":1}', '{"a":1,"b":null}'],
  ["a number as a string", "[1]", '["1"]'],
  ["a number as an object of the comparison's", "[1]", '[{"number":1}]'],
  ["the last digit of a whole number", "9007199254740993", "9007199254740992"],
  ["the last bit of a double", "0.1", "0.10000000000000002"],
  ["no JSON", '{"a":1}', '{"a":1'],
  ["no JSON on both sides", "x", "x"],
  ["nothing", "null", ""],
])("not the same: %s", (_what, a, b) => {
  expect(isSameDocument(a, b)).toBe(false);
  expect(isSameDocument(b, a)).toBe(false);
});
