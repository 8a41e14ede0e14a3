import { describe, expect, test } from "vitest";
import { Slice } from "../../bytes/slice.ts";
import { CommandIndex } from "./journal-command-index.ts";
import { JOURNAL_COMMANDS } from "./journal-command-table.ts";

const index = new CommandIndex(JOURNAL_COMMANDS.map(([name]) => [name, name]));

describe("the index of command names", () => {
  test("finds every name in any case", () => {
    for (const [name] of JOURNAL_COMMANDS) {
      expect(index.find(Slice.from(name))).toBe(name);
      expect(index.find(Slice.from(name.toLowerCase()))).toBe(name);
    }
  });

  test.each(["", "S", "SE", "SETT", "SET ", "ZZZ", "JSONXSET", "\u0013ET", "GET", "é"])(
    "finds nothing for %j",
    (name) => {
      expect(index.find(Slice.from(name))).toBeUndefined();
    },
  );

  test("tells apart what hashes alike: bytes that differ in the case bit only", () => {
    const odd = new CommandIndex([["A.B", 1]]);
    expect(odd.find(Slice.from("A\u000eB"))).toBeUndefined();
    expect(odd.find(Slice.from("a.b"))).toBe(1);
  });
});
