import fc from "fast-check";
import { expect, test } from "vitest";
import { journalCommand } from "../../../test/support/journal-translation.ts";
import { COMMAND_KEYS, commandKeys, forEachSortPattern } from "./command-keys.ts";

const WORDS = [
  "STORE",
  "STOREDIST",
  "BY",
  "GET",
  "LIMIT",
  "*",
  "0",
  "2",
  "-3",
  "4294967296",
  "9007199254740993",
  "x",
  "",
];

test("whatever the words are, each visit is an argument behind the name, and none comes twice", () => {
  const line = fc.array(fc.constantFrom(...WORDS), { maxLength: 12 });
  fc.assert(
    fc.property(fc.constantFrom(...COMMAND_KEYS.map(([name]) => name)), line, (name, words) => {
      const command = journalCommand([name, ...words]);
      const seen: number[] = [];
      commandKeys(command)?.forEach(command, (index) => void seen.push(index));
      if (name === "SORT") forEachSortPattern(command, (index) => void seen.push(index));
      expect(new Set(seen).size).toBe(seen.length);
      for (const index of seen) {
        expect(index).toBeGreaterThan(0);
        expect(index).toBeLessThan(command.argc);
      }
    }),
    { numRuns: 3000 },
  );
});
