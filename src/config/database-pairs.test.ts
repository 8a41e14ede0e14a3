import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DatabaseRule, DATABASES_PATTERN, parseDatabasePairs } from "./database-pairs.ts";
import { loadConfig } from "./load-config.ts";

const YAML = "source: s:1\ntarget: t:2\n";

type Given = { readonly yaml?: string; readonly env?: Record<string, string>; readonly flags?: Record<string, string> };

function load({ yaml = "", env = {}, flags = {} }: Given): readonly DatabaseRule[] {
  return loadConfig({ file: "a.yaml", env, flags: { ...flags }, readFile: () => YAML + yaml }).databases;
}

function rule(source: number | undefined, target: number, prefix = ""): DatabaseRule {
  return { source, target, prefix };
}

describe("text", () => {
  test.each<[string, DatabaseRule[]]>([
    ["0=1", [rule(0, 1)]],
    ["1=0,2=0:two:,*=3:db{db}:", [rule(1, 0), rule(2, 0, "two:"), rule(undefined, 3, "db{db}:")]],
    ["  1 = 0 ,\t2 = 5 : x y :  , * = 7 ", [rule(1, 0), rule(2, 5, "x y :"), rule(undefined, 7)]],
    ["1=0:", [rule(1, 0, "")]],
    ["1=0::", [rule(1, 0, ":")]],
    ["1=0:a=b", [rule(1, 0, "a=b")]],
    ["1=0:{user}:", [rule(1, 0, "{user}:")]],
    ["1=0:üñ*", [rule(1, 0, "üñ*")]],
    ["007=010", [rule(7, 10)]],
  ])("%s", (text, expected) => {
    expect(text).toMatch(DATABASES_PATTERN);
    expect(parseDatabasePairs(text)).toEqual(expected);
  });

  test.each([
    "",
    ",",
    "1",
    "1=",
    "=1",
    "1=0,",
    "1=0,,2=1",
    "a=0",
    "1=b",
    "-1=0",
    "1=-1",
    "1=0 2=0",
    "1=x:p",
    "**=0",
    "1=*",
    "123456=0",
    "1=0;2=1",
  ])("%j is not accepted", (text) => {
    expect(text).not.toMatch(DATABASES_PATTERN);
  });

  test("whatever rules are written, the same are read", () => {
    const number = fc.integer({ min: 0, max: 99_999 });
    const prefix = fc.string({ maxLength: 12 }).map((text) => text.replaceAll(/[,\s]/g, "_"));
    const rules = fc.array(fc.record({ source: fc.option(number, { nil: undefined }), target: number, prefix }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(rules, (given) => {
        const text = given.map((one) => `${one.source ?? "*"}=${one.target}:${one.prefix}`).join(", ");
        expect(text).toMatch(DATABASES_PATTERN);
        expect(parseDatabasePairs(text)).toEqual(given);
      }),
    );
  });

  test("a long hostile text is refused at once", () => {
    const before = performance.now();
    expect(`${" ".repeat(50_000)}1=0:${" ".repeat(50_000)},x`).not.toMatch(DATABASES_PATTERN);
    expect(performance.now() - before).toBeLessThan(1000);
  });
});

describe("where it can stand", () => {
  const EXPECTED = [rule(1, 0), rule(2, 0, "two:"), rule(undefined, 3, "db{db}:")];
  const TEXT = "1=0, 2=0:two:, *=3:db{db}:";

  test.each<[string, Given]>([
    ["a flag", { flags: { databases: TEXT } }],
    ["the environment", { env: { DF2REDIS_DATABASES: TEXT } }],
    ["YAML as text", { yaml: `databases: "${TEXT}"\n` }],
    ["YAML as a mapping", { yaml: `databases:\n  1: 0\n  2: "0:two:"\n  "*": "3:db{db}:"\n` }],
    ["a mapping with single quotes", { yaml: `databases:\n  '1': '0'\n  '2': '0:two:'\n  '*': '3:db{db}:'\n` }],
    [
      "a mapping with plain words where YAML takes them",
      { yaml: `databases:\n  1: 0\n  2: 0:two:x\n  "*": 3:db{db}:y\n` },
    ],
    ["a flow mapping", { yaml: `databases: {1: 0, 2: "0:two:", "*": "3:db{db}:"}\n` }],
  ])("%s", (name, given) => {
    const expected = name.includes("plain words")
      ? [rule(1, 0), rule(2, 0, "two:x"), rule(undefined, 3, "db{db}:y")]
      : EXPECTED;
    expect(load(given)).toEqual(expected);
  });

  test("a flag wins over the environment, that over the file; they are not mixed", () => {
    const yaml = "databases: {1: 2}\n";
    const env = { DF2REDIS_DATABASES: "3=4" };
    expect(load({ yaml, env, flags: { databases: "5=6" } })).toEqual([rule(5, 6)]);
    expect(load({ yaml, env })).toEqual([rule(3, 4)]);
    expect(load({ yaml })).toEqual([rule(1, 2)]);
  });

  test("an unquoted * is an alias to YAML, and refused", () => {
    expect(() => load({ yaml: "databases:\n  *: 0\n" })).toThrow(/a\.yaml/);
  });

  test("a prefix cannot smuggle in further pairs from a mapping", () => {
    expect(() => load({ yaml: `databases: {1: "0:a, b"}\n` })).toThrow(/databases: .* is not accepted/);
  });

  test.each([
    "databases: [1, 2]\n",
    "databases: {1: [0]}\n",
    "databases: {}\n",
    "databases: {1: }\n",
    "databases: true\n",
    "databases: 5\n",
  ])("%j is a mistake", (yaml) => {
    expect(() => load({ yaml })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });

  test("no key, or an empty one: each database keeps its number", () => {
    expect(load({})).toEqual([]);
    expect(load({ yaml: "databases:\n" })).toEqual([]);
  });
});
