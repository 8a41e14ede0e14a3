import { describe, expect, test } from "vitest";
import { REDIS_70 } from "../../../test/support/capabilities.ts";
import { JournalTranslation, type JournalTranslationOptions } from "../../../test/support/journal-translation.ts";
import type { FeatureChoice } from "../features.ts";
import type { TargetCapabilities } from "../capabilities.ts";

const MODULE: TargetCapabilities = { ...REDIS_70, commands: new Set([...REDIS_70.commands, "JSON.SET"]) };
const MODULE_WITHOUT_SCRIPTS: TargetCapabilities = { ...REDIS_70, commands: new Set(["JSON.SET"]) };
const OTHER_COMMANDS = [
  ["JSON.ARRAPPEND", "k", "$.a", "1"],
  ["JSON.ARRINSERT", "k", "$.a", "0", "1"],
  ["JSON.ARRPOP", "k"],
  ["JSON.ARRTRIM", "k", "$.a", "0", "1"],
  ["JSON.CLEAR", "k"],
  ["JSON.DEL", "k", "$.a"],
  ["JSON.FORGET", "k", ".a"],
  ["JSON.MERGE", "k", "$", "{}"],
  ["JSON.NUMINCRBY", "k", "$.a", "1"],
  ["JSON.NUMMULTBY", "k", "$.a", "2"],
  ["JSON.SET", "k", "$.a", "1", "NX"],
  ["JSON.STRAPPEND", "k", "$.a", '"x"'],
  ["JSON.TOGGLE", "k", "$.a"],
];

function translation(json: FeatureChoice, options: Omit<JournalTranslationOptions, "plan"> = {}): JournalTranslation {
  return new JournalTranslation({ capabilities: json === "native" ? MODULE : REDIS_70, ...options, plan: { json } });
}

/** Lines with the script itself left out. */
function lines(kit: JournalTranslation, ...words: readonly string[]): string[] {
  return kit
    .commands(words)
    .map((args) => args.map((arg, i) => (i === 1 && isScript(arg) ? "…" : arg.toString())).join(" "));
}

const isScript = (arg: Buffer): boolean => arg.includes("redis.call");

describe("native", () => {
  test.each([
    [["JSON.SET", "k", "$", "{}"], "EVAL … 1 k {}  0"],
    [["JSON.SET", "k", ".", "[1]", "NX"], "EVAL … 1 k [1] NX 0"],
    [["json.set", "k", "", "[1]", "xx"], "EVAL … 1 k [1] XX 0"],
  ])("%j takes the place of whatever is there", (words, expected) => {
    expect(lines(translation("native"), ...words)).toEqual([expected]);
  });

  test.each(OTHER_COMMANDS.map((words) => [words]))("%j goes out as it is", (words) => {
    const kit = translation("native");
    expect(kit.lines(...words)).toEqual([words.join(" ")]);
    expect(kit.losses).toEqual([]);
  });

  test.each([[["JSON.DEL", "k"]], [["JSON.DEL", "k", "$"]], [["JSON.FORGET", "k", "."]]])(
    "%j deletes the key, of whatever type",
    (words) => {
      expect(translation("native").lines(...words)).toEqual(["DEL k"]);
    },
  );

  test("JSON.MSET goes key by key", () => {
    const kit = translation("native");
    expect(lines(kit, "JSON.MSET", "a", "$", "1", "b", "$.x", "2", "c", ".", "3")).toEqual([
      "EVAL … 1 a 1  0",
      "JSON.SET b $.x 2",
      "EVAL … 1 c 3  0",
    ]);
  });

  test("where scripts are not allowed, the key is deleted first", () => {
    const kit = translation("native", { capabilities: MODULE_WITHOUT_SCRIPTS });
    expect(kit.lines("JSON.SET", "k", ".", "{}")).toEqual(["DEL k", "JSON.SET k $ {}"]);
    expect(kit.lines("JSON.SET", "k", "$", "{}", "XX")).toEqual(["JSON.SET k $ {} XX"]);
  });
});

describe("convert", () => {
  test.each([
    [["JSON.SET", "k", "$", '{"a": 1}'], 'SET k {"a": 1}'],
    [["JSON.SET", "k", ".", "1", "NX"], "SET k 1 NX"],
    [["json.set", "k", "", "1", "xx"], "SET k 1 XX"],
  ])("%j sets a string, without a deadline", (words, expected) => {
    const kit = translation("convert");
    expect(kit.lines(...words)).toEqual([expected]);
    expect(kit.losses).toEqual(["jsonAsText 0 k"]);
    expect(kit.edits).toEqual([]);
  });

  test.each(OTHER_COMMANDS.map((words) => [words]))("%j becomes a change of the string", (words) => {
    const kit = translation("convert");
    kit.translate(words, { db: 2, lsn: 77 });
    expect(kit.edits).toEqual([
      {
        db: 2,
        key: Buffer.from("k"),
        words: expect.any(Array) as unknown,
        lsn: 77,
        change: expect.any(Function) as unknown,
      },
    ]);
    expect(kit.losses).toEqual([]);
  });

  test.each([[["JSON.DEL", "k"]], [["JSON.DEL", "k", "$"]], [["JSON.FORGET", "k", "."]]])(
    "%j deletes the string",
    (words) => {
      const kit = translation("convert");
      expect(kit.lines(...words)).toEqual(["DEL k"]);
      expect(kit.losses).toEqual([]);
    },
  );

  test("the change applies the entry's words, copied", () => {
    const kit = translation("convert");
    kit.translate(["json.numincrby", "k", "$.a", "5"]);
    expect(kit.edits[0]?.words[0]).toBe("JSON.NUMINCRBY");
    expect(kit.edits[0]?.change('{"a":1,"b":"é"}')).toEqual({ kind: "set", text: '{"a":6,"b":"é"}' });
  });

  test("JSON.MSET is a string or a change, key by key", () => {
    const kit = translation("convert");
    expect(kit.lines("JSON.MSET", "a", "$", "1", "b", "$.x", "2", "c", ".", "3")).toEqual(["SET a 1", "SET c 3"]);
    expect(kit.edits.map(({ words }) => words.join(" "))).toEqual(["JSON.SET b $.x 2"]);
    expect(kit.edits[0]?.change('{"x":1}')).toEqual({ kind: "set", text: '{"x":2}' });
    expect(kit.losses).toEqual(["jsonAsText 0 a", "jsonAsText 0 c"]);
  });

  test("JSON.MSET leaves out a change of what it replaces as a whole later", () => {
    const kit = translation("convert");
    expect(kit.lines("JSON.MSET", "a", "$.x", "1", "b", "$.x", "2", "a", "$", "3")).toEqual(["SET a 3"]);
    expect(kit.edits.map(({ key }) => key.toString())).toEqual(["b"]);
  });

  test("JSON.MSET changes what it has set as a whole before", () => {
    const kit = translation("convert");
    expect(kit.lines("JSON.MSET", "a", "$", "{}", "a", "$.x", "1")).toEqual(["SET a {}"]);
    expect(kit.edits).toHaveLength(1);
  });
});

test("a change is made as the source's version makes it", () => {
  const change = (sourceVersion: string): unknown => {
    const kit = translation("convert", { sourceVersion });
    kit.translate(["JSON.NUMINCRBY", "k", "$.a", "-5"]);
    return kit.edits[0]?.change('{"a":1}').kind;
  };
  expect([change("df-v1.40.1"), change("df-v1.37.0")]).toEqual(["set", "unrunnable"]);
});

describe("a deadline", () => {
  const old = (json: FeatureChoice): JournalTranslation => translation(json, { sourceVersion: "df-v1.32.0" });

  test("stays when the source is a master before 1.33", () => {
    expect(old("convert").lines("JSON.SET", "k", "$", "1")).toEqual(["SET k 1 KEEPTTL"]);
    expect(old("convert").lines("JSON.SET", "k", "$", "1", "XX")).toEqual(["SET k 1 XX KEEPTTL"]);
    expect(lines(old("native"), "JSON.SET", "k", "$", "1")).toEqual(["EVAL … 1 k 1  1"]);
  });

  test("goes with a current master", () => {
    expect(translation("convert", { sourceVersion: "df-v1.33.0" }).lines("JSON.SET", "k", "$", "1")).toEqual([
      "SET k 1",
    ]);
    expect(translation("convert").lines("JSON.SET", "k", "$", "1")).toEqual(["SET k 1"]);
  });
});

describe("drop", () => {
  test.each(OTHER_COMMANDS.map((words) => [words]))("%j is a loss", (words) => {
    const kit = translation("drop");
    expect(kit.lines(...words)).toEqual([]);
    expect(kit.losses).toEqual(["json 0 k"]);
    expect(kit.edits).toEqual([]);
  });

  test("a whole document deletes what the target has", () => {
    const kit = translation("drop");
    expect(kit.lines("JSON.SET", "k", "$", "1")).toEqual(["DEL k"]);
    expect(kit.lines("JSON.DEL", "k")).toEqual(["DEL k"]);
    expect(kit.losses).toEqual(["json 0 k", "json 0 k"]);
  });
});

describe("fail", () => {
  test.each(
    [
      ...OTHER_COMMANDS,
      ["JSON.SET", "k", "$", "1"],
      ["JSON.DEL", "k"],
      ["JSON.MSET", "k", "$.a", "1"],
      ["JSON.MSET", "k", "$", "1"],
    ].map((words) => [words]),
  )("%j ends the run", (words) => {
    const kit = translation("fail");
    expect(() => kit.translate(words, { db: 3 })).toThrow(
      expect.objectContaining({ code: "FEATURE_UNSUPPORTED", context: { feature: "json", db: 3, key: "k" } }),
    );
  });
});

describe("entries that are cut short", () => {
  test.each([[["JSON.SET", "k", "$"]], [["JSON.MSET", "k", "$"]]])("%j is recorded, not guessed at", (words) => {
    const kit = translation("convert");
    expect(kit.lines(...words)).toEqual([]);
    expect(kit.unrunnable).toEqual([`${words[0]}: the entry is cut short, so it cannot be told what it did`]);
    expect(translation("native").lines(...words)).toEqual([words.join(" ")]);
  });
});
