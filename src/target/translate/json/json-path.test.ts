import { expect, test } from "vitest";
import { parseJsonPath, type PathStep } from "./json-path.ts";

/** `a` a member, `1` or `1..2` elements (both ends included), `*` all, `..` a descent. */
function show(step: PathStep): string {
  if (step.kind === "member") return `'${step.name}'`;
  if (step.kind === "range") return step.first === step.last ? `${step.first}` : `${step.first}..${step.last}`;
  return step.kind === "every" ? "*" : "..";
}

const END = 0x7fffffff;

test.each<[string, string]>([
  ["$.a.b", "'a' 'b'"],
  [".a.b", "'a' 'b'"],
  ["a.b", "'a' 'b'"],
  ["[0].a", "0 'a'"],
  ["$['a']", "'a'"],
  ['$["a"]["b"]', "'a' 'b'"],
  ["$['a.b.7']", "'a.b.7'"],
  ["$ [ 'a' ] . b", "'a' 'b'"],
  ["$.a-b._c", "'a-b' '_c'"],
  ["$.héé.日本", "'héé' '日本'"],
  ["$.10.-5", "'10' '-5'"],
  ["$['10']", "'10'"],
  ["$.1234567890", "'1234567890'"],
  ["$.*", "*"],
  ["$[*]", `0..${END}`],
  ["$.[0]", "0"],
  ["$[-1]", "-1"],
  ["$[1:3]", "1..2"],
  ["$[:2]", "0..1"],
  ["$[2:]", `2..${END}`],
  ["$[0:-1]", "0..-2"],
  ["$..a", ".. 'a'"],
  ["..a", ".. 'a'"],
  ["$..*", ".. *"],
  ["$..[0]", ".. 0"],
  ["$.a..['b'][1:2].*", "'a' .. 'b' 1 *"],
  ["$ ", ""],
])("%s", (path, steps) => {
  expect(parseJsonPath(path)).toMatchObject({ isRoot: false });
  expect(parseJsonPath(path)?.steps.map(show).join(" ")).toBe(steps);
});

test.each(["", ".", "$"])("%j is the whole document", (path) => {
  expect(parseJsonPath(path)).toEqual({ steps: [], isRoot: true, hasBrackets: false });
});

test.each(
  [
    "$.",
    "$..",
    "$...a",
    "$a",
    "$.a b",
    "$.a$",
    "$[",
    "$[]",
    "$[a]",
    "$['a'",
    "$['a\"]",
    "$['']",
    "$['a b']",
    "$['a/b']",
    "$[0",
    "$[:]",
  ].concat([
    "$[0,1]",
    "$['a','b']",
    "$[1234567890]",
    "$[0:1:2]",
    "$[?(@.x>1)]",
    "$[(@.length-1)]",
    "$.a()",
    "max($.a)",
    "$.a~",
    " ",
    "$.a.",
  ]),
)("%j is not read", (path) => {
  expect(parseJsonPath(path)).toBeUndefined();
});

test("it tells whether there are brackets, and is bounded in length", () => {
  expect([parseJsonPath("$.a")?.hasBrackets, parseJsonPath("a[0]")?.hasBrackets]).toEqual([false, true]);
  expect(parseJsonPath(`$.${"a".repeat(8190)}`)).toBeDefined();
  expect(parseJsonPath(`$.${"a".repeat(8191)}`)).toBeUndefined();
  expect(parseJsonPath(`$.${"é".repeat(4096)}`)).toBeUndefined();
});
