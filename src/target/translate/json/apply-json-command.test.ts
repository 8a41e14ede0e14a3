import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { applyJsonCommand } from "./apply-json-command.ts";
import { jsonDialectOf } from "./json-dialect.ts";
import { MAX_JSON_DEPTH } from "./json-tree.ts";

/** `words` in one line, separated by one blank. What it makes of the document: its text, or what else becomes of it. */
function apply(words: string, text: string | undefined): string {
  const change = applyJsonCommand(words.split(" "), text);
  return change.kind === "set" ? change.text : change.kind;
}

type Vector = readonly [words: string, document: string | undefined, becomes: string];

describe("results of Dragonfly", () => {
  const lines = readFileSync(new URL("../../../../test/fixtures/json-commands.ndjson", import.meta.url), "utf8");
  const vectors = lines
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as readonly [words: readonly string[], document: string, becomes: string]);

  test("there are some of each command", () => {
    expect(new Set(vectors.map(([[name]]) => name)).size).toBe(12);
  });

  /** Made by Dragonfly 1.40's own walk of paths (jsoncons_dfs.cc) with jsoncons 1.5.0, from random documents, paths and arguments. */
  test("random commands on random documents end in the very text that the master prints", () => {
    const seen = vectors.map(([words, document]) => {
      const change = applyJsonCommand(words, document);
      return [words, document, change.kind === "set" ? change.text : document];
    });
    expect(seen).toEqual(vectors);
  });
});

describe("JSON.SET", () => {
  const vectors: readonly Vector[] = [
    // The document itself.
    ['JSON.SET k $ {"b":1,"a":[]}', undefined, '{"a":[],"b":1}'],
    ["json.set k . 1", "[2]", "1"],
    ["JSON.SET k $ 1", "a string that is no document", "1"],
    ["JSON.SET k $ 1 NX", undefined, "1"],
    ["JSON.SET k $ 1 nx", "2", "unchanged"],
    ["JSON.SET k $ 1 XX", undefined, "unchanged"],
    ["JSON.SET k $ 1 xx", "2", "1"],
    ["JSON.SET k $ {", "2", "unchanged"],
    // Dragonfly stops reading at the end of the value, and of equal names the first stays.
    ['JSON.SET k $ {"a":1,"a":2}}x', undefined, '{"a":1}'],
    // Places that are there.
    ["JSON.SET k $.a 5", '{"a":{"b":1}}', '{"a":5}'],
    ["JSON.SET k .a.b 5", '{"a":{"b":1}}', '{"a":{"b":5}}'],
    ["JSON.SET k a.b 5", '{"a":{"b":1}}', '{"a":{"b":5}}'],
    ["JSON.SET k $.a.* 0", '{"a":{"a":1,"b":2,"c":3}}', '{"a":{"a":0,"b":0,"c":0}}'],
    ["JSON.SET k $.a[*] 0", '{"a":[1,2,3]}', '{"a":[0,0,0]}'],
    ["JSON.SET k $..x 0", '{"x":1,"y":[{"x":2},{"z":{"x":3}}]}', '{"x":0,"y":[{"x":0},{"z":{"x":0}}]}'],
    ["JSON.SET k $.a 5 NX", '{"a":1}', "unchanged"],
    ["JSON.SET k $.a 5 XX", '{"a":1}', '{"a":5}'],
    // New members, sorted in.
    ["JSON.SET k $.b [1]", '{"a":2,"c":3}', '{"a":2,"b":[1],"c":3}'],
    ["JSON.SET k $.b 1 NX", '{"a":2}', '{"a":2,"b":1}'],
    ["JSON.SET k $.b 1 XX", '{"a":2}', "unchanged"],
    ["JSON.SET k $['-field2'] 2", '{"field1":1}', '{"-field2":2,"field1":1}'],
    ["JSON.SET k $.a[0].b 1", '{"a":[{}]}', '{"a":[{"b":1}]}'],
    ["JSON.SET k $.x.y 1", "{}", "unchanged"],
    ["JSON.SET k $.x.y 1", '{"x":null}', "unchanged"],
    // New elements: one past the end is added, what lies further is refused.
    ["JSON.SET k $.a[2] 5", '{"a":[1,2]}', '{"a":[1,2,5]}'],
    ["JSON.SET k $.a[3] 5", '{"a":[1,2]}', "unchanged"],
    ["JSON.SET k $.a[-1] 5", '{"a":[1,2]}', '{"a":[1,5]}'],
    ["JSON.SET k $.a[-1] 5", '{"a":[]}', "unchanged"],
    ["JSON.SET k $.a[1:] 5", '{"a":[1]}', "unchanged"],
    // Found by JSON Pointer.
    ["JSON.SET k $.a[0] 5", '{"a":{}}', '{"a":{"0":5}}'],
    ["JSON.SET k $.a.0 5", '{"a":[1,2]}', '{"a":[5,1,2]}'],
    ["JSON.SET k $.a.- 5", '{"a":[1,2]}', '{"a":[1,2,5]}'],
    // No document.
    ["JSON.SET k $.a 1", undefined, "unchanged"],
    ["JSON.SET k $.a 1", "a string", "unrunnable"],
    ["JSON.SET k $.a 1", "", "unrunnable"],
    ["JSON.SET k $.a 1", "1 2", "unrunnable"],
    // Of forms that no master runs.
    ["JSON.SET k $", "1", "unrunnable"],
    ["JSON.SET k $ 1 NX XX", "1", "unrunnable"],
    ["JSON.SET k $ 1 EX", "1", "unrunnable"],
  ];
  test.each(vectors)("%s of %s", (words, document, becomes) => {
    expect(apply(words, document)).toBe(becomes);
  });

  test("a master of 1.27 has its own reading of new places with brackets", () => {
    const set = (path: string, document: string) =>
      applyJsonCommand(["JSON.SET", "k", path, "5"], document, jsonDialectOf("df-v1.27.4"));
    expect(set("$['b']", "{}").kind).toBe("unrunnable");
    expect(set("$.b", "{}")).toEqual({ kind: "set", text: '{"b":5}' });
    expect(set("$['b']", '{"b":1}')).toEqual({ kind: "set", text: '{"b":5}' });
  });
});

describe("JSON.DEL and JSON.FORGET", () => {
  const vectors: readonly Vector[] = [
    ["JSON.DEL k", '{"a":1}', "delete"],
    ["JSON.FORGET k $", "anything", "delete"],
    ["JSON.DEL k .", "[]", "delete"],
    ["JSON.DEL k", undefined, "unchanged"],
    ["JSON.DEL k $.a", undefined, "unchanged"],
    ["JSON.DEL k $.a", '{"a":1,"b":2}', '{"b":2}'],
    ["JSON.FORGET k .a", '{"a":1}', "{}"],
    ["JSON.DEL k $.x", '{"a":1}', "unchanged"],
    ["JSON.DEL k $.arr[0]", '{"arr":[1,2,3]}', '{"arr":[2,3]}'],
    ["JSON.DEL k $[-1]", "[1,2,3]", "[1,2]"],
    ["JSON.DEL k $[1:3]", "[1,2,3,4]", "[1,4]"],
    ["JSON.DEL k $.*", '{"a":1,"b":[2]}', "{}"],
    ["JSON.DEL k $..a", '{"a":{"a":{"a":1}},"b":[{"a":1,"c":2}]}', '{"b":[{"c":2}]}'],
    ["JSON.DEL k $..[0]", "[[1,2],[3,4]]", "[[4]]"],
    ["JSON.DEL k $..*", '{"a":[1]}', "{}"],
  ];
  test.each(vectors)("%s of %s", (words, document, becomes) => {
    expect(apply(words, document)).toBe(becomes);
  });
});

describe("arrays", () => {
  const vectors: readonly Vector[] = [
    ['JSON.ARRAPPEND k $.a 3 "x"', '{"a":[1]}', '{"a":[1,3,"x"]}'],
    ["JSON.ARRAPPEND k . 3", "[]", "[3]"],
    ["JSON.ARRAPPEND k $.* 3", '{"a":[],"b":{},"c":[1]}', '{"a":[3],"b":{},"c":[1,3]}'],
    ["JSON.ARRAPPEND k $.a 3", '{"a":1}', "unchanged"],
    ["JSON.ARRAPPEND k $.a 3", undefined, "unchanged"],
    ["JSON.ARRAPPEND k $.a 3 x", '{"a":[]}', "unchanged"],
    ["JSON.ARRAPPEND k $.a", '{"a":[]}', "unrunnable"],
    ["JSON.ARRINSERT k $ 0 8 9", "[1]", "[8,9,1]"],
    ["JSON.ARRINSERT k $ -1 8 9", "[1,2]", "[1,8,9,2]"],
    ["JSON.ARRINSERT k $ 2 8", "[1,2]", "[1,2,8]"],
    ["JSON.ARRINSERT k $ 3 8", "[1,2]", "unchanged"],
    ["JSON.ARRINSERT k $ -3 8", "[1,2]", "unchanged"],
    // As a whole.
    ["JSON.ARRINSERT k $[*] 1 8", "[[1],[]]", "unchanged"],
    ["JSON.ARRINSERT k $ x 8", "[1,2]", "unrunnable"],
    ["JSON.ARRINSERT k $ 0", "[1,2]", "unrunnable"],
    ["JSON.ARRPOP k", "[1,2,3]", "[1,2]"],
    ["JSON.ARRPOP k $ 0", "[1,2,3]", "[2,3]"],
    ["JSON.ARRPOP k $ -2", "[1,2,3]", "[1,3]"],
    ["JSON.ARRPOP k $ 9", "[1,2,3]", "[1,2]"],
    ["JSON.ARRPOP k $ -9", "[1,2,3]", "[2,3]"],
    ["JSON.ARRPOP k $", "[]", "unchanged"],
    ["JSON.ARRPOP k $ 2147483648", "[1]", "unrunnable"],
    ["JSON.ARRTRIM k $ 1 2", "[1,2,3,4]", "[2,3]"],
    ["JSON.ARRTRIM k $ -2 -1", "[1,2,3,4]", "[3,4]"],
    ["JSON.ARRTRIM k $ -9 0", "[1,2,3,4]", "[1]"],
    ["JSON.ARRTRIM k $ 1 99", "[1,2,3,4]", "[2,3,4]"],
    ["JSON.ARRTRIM k $ 2 1", "[1,2,3,4]", "[]"],
    ["JSON.ARRTRIM k $ 9 9", "[1,2,3,4]", "[]"],
    ["JSON.ARRTRIM k $ 0 0", "[]", "unchanged"],
    ["JSON.ARRTRIM k $ 0", "[]", "unrunnable"],
  ];
  test.each(vectors)("%s of %s", (words, document, becomes) => {
    expect(apply(words, document)).toBe(becomes);
  });
});

describe("values", () => {
  const vectors: readonly Vector[] = [
    ["JSON.CLEAR k", '{"a":1}', "{}"],
    [
      "JSON.CLEAR k $.*",
      '{"a":[1],"b":{"c":1},"d":1.5,"e":"s","f":true,"g":null}',
      '{"a":[],"b":{},"d":0,"e":"s","f":true,"g":null}',
    ],
    ["JSON.CLEAR k $", '"s"', "unchanged"],
    ["JSON.TOGGLE k $.*", '{"a":true,"b":false,"c":1}', '{"a":false,"b":true,"c":1}'],
    ["JSON.TOGGLE k .a", '{"a":1}', "unchanged"],
    ['JSON.STRAPPEND k $.* "y"', '{"a":"x","b":1}', '{"a":"xy","b":1}'],
    ['JSON.STRAPPEND k "y"', '"x"', '"xy"'],
    ["JSON.STRAPPEND k $.a y", '{"a":"x"}', "unchanged"],
    ["JSON.STRAPPEND k $.a 1", '{"a":"x"}', "unchanged"],
    ['JSON.STRAPPEND k "é\\u00e9"', '"\\u0000"', '"\\u0000éé"'],
    ['JSON.MERGE k $ {"m":1}', '{"a":6}', '{"a":6,"m":1}'],
    ['JSON.MERGE k $ {"a":null,"x":null}', '{"a":6,"b":{"c":1}}', '{"b":{"c":1}}'],
    ['JSON.MERGE k $ {"b":{"c":null,"d":{"e":null,"f":2}}}', '{"b":{"c":1}}', '{"b":{"d":{"f":2}}}'],
    ["JSON.MERGE k $.b [1]", '{"b":{"c":1}}', '{"b":[1]}'],
    ["JSON.MERGE k $ null", '{"b":1}', "null"],
    ["JSON.MERGE k $.x 1", '{"b":1}', "unchanged"],
    ['JSON.MERGE k $ {"a":null}', undefined, '{"a":null}'],
    ["JSON.MERGE k $.a 1", undefined, "unchanged"],
    ["JSON.MERGE k $", "{}", "unrunnable"],
  ];
  test.each(vectors)("%s of %s", (words, document, becomes) => {
    expect(apply(words, document)).toBe(becomes);
  });
});

describe("numbers", () => {
  const vectors: readonly Vector[] = [
    ["JSON.NUMINCRBY k $ 5", "1", "6"],
    ["JSON.NUMINCRBY k $ -3", "1", "-2"],
    ["JSON.NUMINCRBY k $ 1.5", "1.5", "3.0"],
    ["JSON.NUMINCRBY k $ 1.5", "1", "2.5"],
    ["JSON.NUMINCRBY k $ 0.0", "1", "1.0"],
    // An exponent does not make a double, so the fraction is cut off.
    ["JSON.NUMINCRBY k $ 5e-1", "1", "1"],
    ["JSON.NUMINCRBY k $ 1", "1e2", "101.0"],
    ["JSON.NUMMULTBY k $.* 2", '{"a":2,"b":[2],"c":0.25,"d":"2"}', '{"a":4,"b":[2],"c":0.5,"d":"2"}'],
    // By way of a double.
    ["JSON.NUMINCRBY k $ 2", "9007199254740993", "9007199254740994"],
    ["JSON.NUMINCRBY k $ 0", "9223372036854775807", "9223372036854775808"],
    ["JSON.NUMINCRBY k $ -9223372036854775808", "-9223372036854775808", "unchanged"],
    ["JSON.NUMINCRBY k $ 1", "18446744073709551615", "unrunnable"],
    ["JSON.NUMMULTBY k $ 1e308", "1e308", "unchanged"],
    ["JSON.NUMINCRBY k $ inf", "1", "unchanged"],
    ["JSON.NUMMULTBY k $ inf", "0", "unrunnable"],
    ["JSON.NUMINCRBY k $ 1x", "1", "unchanged"],
    ["JSON.NUMINCRBY k $", "1", "unrunnable"],
    ["JSON.NUMINCRBY k $.a 1", '{"a":"1"}', "unchanged"],
    ["JSON.NUMINCRBY k $.a 1", undefined, "unchanged"],
  ];
  test.each(vectors)("%s of %s", (words, document, becomes) => {
    expect(apply(words, document)).toBe(becomes);
  });

  test("below zero, masters before 1.38 gave what their processor makes of it", () => {
    const add = (by: string) => applyJsonCommand(["JSON.NUMINCRBY", "k", "$", by], "1", jsonDialectOf("v1.37.2"));
    expect(add("-2").kind).toBe("unrunnable");
    expect(add("-1")).toEqual({ kind: "set", text: "0" });
    expect(add("-2.0")).toEqual({ kind: "set", text: "-1.0" });
  });

  test("what is not touched keeps its text", () => {
    const numbers = "9007199254740993,1.0,1e400,-0,0.10,123456789012345678901234567890,1E+2";
    expect(apply("JSON.SET k $.b 1.50", `{"a":[${numbers}]}`)).toBe(`{"a":[${numbers}],"b":1.50}`);
  });
});

describe("what is not known is told", () => {
  test.each([
    ["JSON.NUMPOWBY k $ 2", "the command"],
    ["JSON.MSET k $ 2", "the command"],
    ["SET k 2", "the command"],
    ["JSON.SET", "arguments"],
    ["JSON.DEL k $.a[?(@.x>1)]", "path"],
    ["JSON.DEL k $['a','b']", "path"],
    ["JSON.DEL k $[0,1]", "path"],
    ["JSON.DEL k $[0:2:1]", "path"],
    ['JSON.SET k $.a "\\ud800"', "surrogate"],
  ])("%s", (words, why) => {
    const change = applyJsonCommand(words.split(" "), '{"a":1}');
    expect(change).toEqual({ kind: "unrunnable", why: expect.stringContaining(why) as string });
  });

  test("reasons have no values in them", () => {
    const secret = "hunter2";
    const told = [
      applyJsonCommand(["JSON.SET", secret, `$.${secret}[?]`, secret], secret),
      applyJsonCommand(["JSON.SET", secret, "$.a", `"${secret}\\ud800"`], secret),
      applyJsonCommand(["JSON.SET", secret, "$.a", "1"], secret),
      applyJsonCommand([secret, secret], secret),
    ];
    expect(told.map(({ kind }) => kind)).toEqual(Array.from(told, () => "unrunnable"));
    expect(JSON.stringify(told)).not.toContain(secret);
  });

  test("no words at all", () => {
    expect(applyJsonCommand([], "{}").kind).toBe("unrunnable");
  });

  test("places within one another, where the master works on memory that it has freed", () => {
    expect(apply("JSON.SET k $..a 1", '{"a":{"b":{"a":2}}}')).toBe("unrunnable");
    expect(apply("JSON.ARRAPPEND k $..a 1", '{"a":[{"a":[]}]}')).toBe("unrunnable");
    expect(apply("JSON.CLEAR k $..*", '{"a":{"b":{"c":1}}}')).toBe("unrunnable");
    // These only look like it.
    expect(apply("JSON.SET k $..a 1", '{"a":{"b":2}}')).toBe('{"a":1}');
    expect(apply("JSON.NUMINCRBY k $..* 1", '{"a":{"b":{"c":1}}}')).toBe('{"a":{"b":{"c":2}}}');
    expect(apply("JSON.ARRAPPEND k $..a 1", '{"a":[0],"b":{"a":[]}}')).toBe('{"a":[0,1],"b":{"a":[1]}}');
  });

  test("a place to which a path leads twice is changed twice", () => {
    expect(apply("JSON.NUMINCRBY k $..a..b 1", '{"a":{"a":{"b":1}}}')).toBe('{"a":{"a":{"b":3}}}');
  });
});

describe("hostile input", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

  test("nesting is bounded, in values and in documents", () => {
    expect(apply(`JSON.SET k $ ${nested(MAX_JSON_DEPTH)}`, undefined)).toBe(nested(MAX_JSON_DEPTH));
    expect(apply(`JSON.SET k $ ${nested(MAX_JSON_DEPTH + 1)}`, undefined)).toBe("unrunnable");
    expect(apply(`JSON.SET k $ ${nested(1_000_000)}`, undefined)).toBe("unrunnable");
    expect(apply("JSON.ARRPOP k $..*", nested(1_000_000))).toBe("unrunnable");
    expect(apply("JSON.TOGGLE k $..*", nested(MAX_JSON_DEPTH))).toBe("unchanged");
  });

  test("a path with many ways to the same places ends", () => {
    const chain = `${'{"a":'.repeat(200)}1${"}".repeat(200)}`;
    expect(apply(`JSON.TOGGLE k $${"..a".repeat(100)}`, chain)).toBe("unrunnable");
    expect(apply(`JSON.DEL k $${"..a".repeat(100)}.b`, chain)).toBe("unrunnable");
  });

  test("a value is not copied without end", () => {
    const value = `[${"0,".repeat(20_000)}0]`;
    expect(apply(`JSON.SET k $[*] ${value}`, value)).toBe("unrunnable");
  });

  test("long arrays", () => {
    const ones = `[${"1,".repeat(300_000)}1]`;
    expect(apply("JSON.CLEAR k $.*", ones)).toBe(ones.replaceAll("1", "0"));
    expect(apply("JSON.CLEAR k $.a[*]", `{"a":${ones}}`)).toBe(`{"a":${ones.replaceAll("1", "0")}}`);
    expect(apply("JSON.TOGGLE k $[*].a", ones)).toBe("unchanged");
    expect(apply("JSON.DEL k $[*]", ones)).toBe("[]");
    expect(apply(`JSON.ARRINSERT k $ 0${" 2".repeat(200_000)}`, "[1]")).toBe(`[${"2,".repeat(200_000)}1]`);
    expect(apply(`JSON.ARRAPPEND k $${" 2".repeat(200_000)}`, "[1]")).toBe(`[1${",2".repeat(200_000)}]`);
  });

  test("long paths", () => {
    expect(apply(`JSON.TOGGLE k $${".a".repeat(5000)}`, "{}")).toBe("unrunnable");
  });

  test("names of the prototype are names", () => {
    const document = '{"__proto__":{"x":1},"constructor":2}';
    expect(apply("JSON.NUMINCRBY k $.__proto__.x 1", document)).toBe('{"__proto__":{"x":2},"constructor":2}');
    expect(apply("JSON.SET k $.toString 1", "{}")).toBe('{"toString":1}');
  });
});
