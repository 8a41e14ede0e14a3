import { describe, expect, test } from "vitest";
import { REDIS_70 } from "../../../test/support/capabilities.ts";
import { JournalTranslation } from "../../../test/support/journal-translation.ts";

const NOW = 1_700_000_000_123;

/** The words behind the script. */
function words(...entry: readonly string[]): string | undefined {
  const [command] = new JournalTranslation({ now: NOW }).commands(["CL.THROTTLE", "k", ...entry]);
  return command?.slice(2).join(" ");
}

describe("CL.THROTTLE", () => {
  test.each([
    [["9", "10", "60"], "1 k 1700000000 123000000 6 0 60 0"],
    [["0", "3", "1"], "1 k 1700000000 123000000 0 333333333 0 333333333"],
    [["9", "10", "60", "5"], "1 k 1700000000 123000000 30 0 60 0"],
    [["9", "10", "60", "0"], "1 k 1700000000 123000000 0 0 60 0"],
    [["99", "1", "86400", "3"], "1 k 1700000000 123000000 259200 0 8640000 0"],
  ])("%j takes the cost and the bucket in seconds and ns", (entry, expected) => {
    expect(words(...entry)).toBe(expected);
  });

  test("is counted as converted", () => {
    const kit = new JournalTranslation();
    kit.lines("CL.THROTTLE", "k", "9", "10", "60");
    expect(kit.losses).toEqual(["throttleAsNumber 0 k"]);
  });

  test("is a loss where scripts are not allowed", () => {
    const kit = new JournalTranslation({ capabilities: { ...REDIS_70, commands: new Set() } });
    expect(kit.lines("CL.THROTTLE", "k", "9", "10", "60")).toEqual([]);
    expect(kit.losses).toEqual(["throttle 0 k"]);
  });

  test.each([[["9", "10"]], [["9", "0", "60"]], [["9", "x", "60"]], [["9", "10", "60", "x"]], [["-1", "10", "60"]]])(
    "%j is recorded, not guessed at",
    (entry) => {
      const kit = new JournalTranslation();
      expect(kit.lines("CL.THROTTLE", "k", ...entry)).toEqual([]);
      expect(kit.unrunnable).toHaveLength(1);
      expect(kit.losses).toEqual([]);
    },
  );
});
