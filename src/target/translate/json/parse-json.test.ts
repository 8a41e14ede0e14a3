import { describe, expect, test } from "vitest";
import { parseJson } from "./parse-json.ts";
import { printJson } from "./print-json.ts";

/** Its text as it would be printed, or what is wrong with it. */
function read(text: string, ignoreRest = false): string {
  const parsed = parseJson(text, { ignoreRest });
  return parsed.problem ?? printJson(parsed.content);
}

test.each([
  [' { "b" : [ 1 , true ] , "a" : null } ', '{"a":null,"b":[1,true]}'],
  ['"a\\/\\u0041\\n\\"\\\\"', '"a/A\\n\\"\\\\"'],
  ['"\\ud83d\\ude00"', '"😀"'],
  ["[-0,1.0,1E5,1e-400,12345678901234567890]", "[-0,1.0,1E5,1e-400,12345678901234567890]"],
  ['{"a":1,"a":{"b":2}}', '{"a":1}'],
  ["[]", "[]"],
  ["\t\n\r 1", "1"],
])("reads %s", (text, printed) => {
  expect(read(text)).toBe(printed);
});

test.each(
  [
    "",
    " ",
    "{",
    "[1,]",
    "[,1]",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "{a:1}",
    "{1:1}",
    "01",
    "1.",
    ".5",
    "+1",
    "- 1",
    "1e",
    "tru",
    "nul",
  ].concat(["NaN", "'a'", '"', '"\\', '"\\q"', '"\\u12"', '"\n"', "/*c*/1", "[1}", "\f1", "\u00a01", "[1 2]"]),
)("refuses %j", (text) => {
  expect([read(text), read(text, true)]).toEqual(["invalid", "invalid"]);
});

test.each(["1 2", "1x", "true]", '{"a":1}}', "[] // c", '"a"b'])(
  "what follows a value is not looked at on demand: %s",
  (text) => {
    expect(read(text)).toBe("invalid");
    expect(read(text, true)).not.toBe("invalid");
  },
);

test.each(['"\\ud800"', '"\\udc00x"', '["\\ud800\\ud800"]', '{"\\ud800":1}'])("half a pair is no text: %s", (text) => {
  expect(read(text)).toBe("surrogate");
});

describe("members are printed in the order of their UTF-8", () => {
  test.each([
    ['{"b":1,"a":2,"":3,"aa":4}', '{"":3,"a":2,"aa":4,"b":1}'],
    ['{"é":1,"z":2,"Z":3}', '{"Z":3,"z":2,"é":1}'],
    ['{"😀":1,"\ue000":2,"\ud7ff":3}', '{"\ud7ff":3,"\ue000":2,"😀":1}'],
    ['{"10":1,"9":2,"1":3}', '{"1":3,"10":1,"9":2}'],
  ])("%s", (text, printed) => {
    expect(read(text)).toBe(printed);
  });
});
