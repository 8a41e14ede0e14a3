import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LiveCommands } from "../../../../test/support/live-commands.ts";
import { applyJsonCommand } from "./apply-json-command.ts";
import { parseJson } from "./parse-json.ts";
import { printJson } from "./print-json.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const NAMES = ["a", "b", "c", "0", "é"];
const name = fc.constantFrom(...NAMES);
const scalar = fc.oneof(
  fc.constantFrom(null, true, false, 0, 1, -2, 1.5, 9007199254740991),
  fc.string({ unit: "grapheme", maxLength: 4 }),
);
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: "medium" },
    scalar,
    fc.array(tie("json"), { maxLength: 4 }),
    fc.dictionary(name, tie("json"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const text = json.map((value) => JSON.stringify(value));

/** Lossless: numbers are what the text says. */
function print(document: string): string {
  const parsed = parseJson(document);
  if (parsed.problem !== undefined) throw new Error(parsed.problem);
  return printJson(parsed.content);
}

function becomes(words: readonly string[], document: string): string {
  const change = applyJsonCommand(words, document);
  if (change.kind === "unchanged") return document;
  return change.kind === "set" ? change.text : change.kind;
}

describe("text", () => {
  test("what is read and printed means the same, and is printed the same again", () => {
    fc.assert(
      fc.property(fc.json(), (document) => {
        fc.pre(parseJson(document).problem !== "surrogate");
        const printed = print(document);
        expect(JSON.parse(printed)).toEqual(JSON.parse(document));
        expect(print(printed)).toBe(printed);
      }),
    );
  });

  test("any text is read or refused as JSON.parse does", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"\\n"',
      '"',
      "\\",
      "1",
      "-",
      ".5",
      "e3",
      "0",
      "true",
      "nul",
      " ",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (list) => {
        const document = list.join("");
        expect([document, parseJson(document).problem === undefined]).toEqual([document, isJson(document)]);
      }),
      { numRuns: 2000 },
    );
  });

  test("numbers keep their text", () => {
    const digits = fc.stringMatching(/^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/);
    fc.assert(
      fc.property(digits, (number) => {
        expect(print(`[${number}]`)).toBe(`[${number}]`);
      }),
    );
  });
});

function isJson(document: string): boolean {
  try {
    JSON.parse(document);
    return true;
  } catch {
    return false;
  }
}

describe("any words on any document", () => {
  const step = fc.oneof(
    name.map((key) => `.${key}`),
    name.map((key) => `["${key}"]`),
    fc.constantFrom(".*", "[*]", "..*", "..a", "[0]", "[-1]", "[1:]", "[:-1]", "[0:2]", ".", "[", "$", "?", " "),
  );
  const path = fc
    .tuple(fc.constantFrom("$", "", "."), fc.array(step, { maxLength: 4 }))
    .map(([root, steps]) => root + steps.join(""));
  const names = "SET DEL FORGET ARRAPPEND ARRINSERT ARRPOP ARRTRIM CLEAR MERGE NUMINCRBY NUMMULTBY STRAPPEND TOGGLE";
  const command = fc.constantFrom(...names.split(" "));
  const word = fc.oneof(text, fc.constantFrom("0", "-1", "2", "1.5", "NX", "XX", '"s"'), fc.string());

  test("never throws, and gives a document in its printed form", () => {
    fc.assert(
      fc.property(
        command,
        path,
        fc.array(word, { maxLength: 4 }),
        fc.option(fc.oneof(text, fc.string()), { nil: undefined }),
        (...drawn) => {
          const [commandName, where, words, document] = drawn;
          const change = applyJsonCommand([`JSON.${commandName}`, "key", where, ...words], document);
          if (change.kind === "set") expect(print(change.text)).toBe(change.text);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** Places of a document, with the path to each. */
function places(value: Json, path = "$"): { readonly path: string; readonly value: Json }[] {
  const children = Array.isArray(value)
    ? value.flatMap((child: Json, i) => places(child, `${path}[${i}]`))
    : Object.entries(isObject(value) ? value : {}).flatMap(([key, child]) => places(child, `${path}["${key}"]`));
  return [{ path, value }, ...children];
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const located = fc.tuple(json, fc.nat()).map(([document, pick]) => {
  const all = places(document);
  const { path, value } = all[pick % all.length] ?? { path: "$", value: document };
  return { document, path, value };
});

/** The document with another value at the place, by way of another library: that of the language. */
function replaced(document: Json, path: string, value: Json): Json {
  if (path === "$") return value;
  const holder = { root: structuredClone(document) };
  const steps = [
    "root",
    ...[...path.matchAll(/\[(?:"(?<key>[^"]+)"|(?<index>\d+))\]/g)].map(
      ({ groups }) => groups?.["key"] ?? groups?.["index"] ?? "",
    ),
  ];
  let at = holder as Record<string, unknown>;
  for (const key of steps.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[steps.at(-1) ?? ""] = value;
  return holder.root;
}

describe("one place", () => {
  const models: readonly (readonly [command: string, words: readonly string[], model: (value: Json) => Json])[] = [
    ["JSON.SET", ['{"n":[1]}'], () => ({ n: [1] })],
    ["JSON.TOGGLE", [], (value) => (typeof value === "boolean" ? !value : value)],
    [
      "JSON.CLEAR",
      [],
      (value) => (Array.isArray(value) ? [] : isObject(value) ? {} : typeof value === "number" ? 0 : value),
    ],
    ["JSON.STRAPPEND", ['"é"'], (value) => (typeof value === "string" ? `${value}é` : value)],
    ["JSON.NUMINCRBY", ["2"], (value) => (typeof value === "number" ? value + 2 : value)],
    ["JSON.NUMMULTBY", ["2"], (value) => (typeof value === "number" ? value * 2 : value)],
    ["JSON.ARRAPPEND", ["7", "[]"], (value) => (Array.isArray(value) ? [...(value as Json[]), 7, []] : value)],
    ["JSON.ARRINSERT", ["0", "7"], (value) => (Array.isArray(value) ? [7, ...(value as Json[])] : value)],
    ["JSON.ARRPOP", ["0"], (value) => (Array.isArray(value) ? (value as Json[]).slice(1) : value)],
    ["JSON.ARRTRIM", ["1", "2"], (value) => (Array.isArray(value) ? (value as Json[]).slice(1, 3) : value)],
    ["JSON.MERGE", ["[1]"], () => [1]],
    ["JSON.MERGE", ['{"n":1}'], (value) => (isObject(value) ? { ...value, n: 1 } : { n: 1 })],
  ];
  test.each(models)("%s %j", (command, words, model) => {
    fc.assert(
      fc.property(located, ({ document, path, value }) => {
        const end = becomes([command, "key", path, ...words], JSON.stringify(document));
        expect(JSON.parse(end)).toEqual(replaced(document, path, model(value)));
      }),
    );
  });
});

test("the simulated master does the same, on the forms that it knows", () => {
  const live = new LiveCommands();
  const ask = (...words: readonly string[]): unknown => live.ask(words);
  const condition = fc.constantFrom([], [], ["NX"], ["XX"]);
  const end = fc.constantFrom("", "", ".a", ".new", '["b"]');
  fc.assert(
    fc.property(located, end, text, condition, fc.boolean(), ({ document, path }, rest, value, when, deletes) => {
      // It reads paths as latin1.
      fc.pre(!path.includes("é"));
      const start = JSON.stringify(document);
      ask("JSON.SET", "key", "$", start);
      const words = deletes ? ["JSON.DEL", "key", path + rest] : ["JSON.SET", "key", path + rest, value, ...when];
      ask(...words);
      const held = ask("JSON.GET", "key") as string | null;
      const mine = becomes(words, start);
      expect(mine === "delete" ? null : JSON.parse(mine)).toEqual(held === null ? null : JSON.parse(utf8(held)));
    }),
  );
});

function utf8(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString();
}
