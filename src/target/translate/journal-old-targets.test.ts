import { describe, expect, test } from "vitest";
import { REDIS_62, REDIS_70 } from "../../../test/support/capabilities.ts";
import { JournalTranslation } from "../../../test/support/journal-translation.ts";

/** What an entry becomes, scripts shortened. */
function on(capabilities: typeof REDIS_70, entry: string): string[] {
  const translation = new JournalTranslation({ capabilities });
  return translation
    .lines(...entry.split(" "))
    .map((line) => line.replace(/^EVAL .* return 0 (end return 0 )?/, "EVAL … "));
}

describe("passes where the target knows it, and is rewritten before 7.0", () => {
  test.each([
    ["LMPOP 2 a b LEFT", "EVAL … 2 a b LEFT 1"],
    ["LMPOP 1 a RIGHT COUNT 3", "EVAL … 1 a RIGHT 3"],
    ["ZMPOP 1 z MIN", "EVAL … 1 z MIN 1"],
    ["ZMPOP 2 z y max count 2", "EVAL … 2 z y max 2"],
    ["XGROUP SETID s g 1-1 ENTRIESREAD 3", "XGROUP SETID s g 1-1"],
    ["XGROUP CREATE s g $ MKSTREAM ENTRIESREAD 3", "XGROUP CREATE s g $ MKSTREAM"],
    ["XGROUP DESTROY s ENTRIESREAD", "XGROUP DESTROY s ENTRIESREAD"],
    ["XSETID s 5-0 ENTRIESADDED 3 MAXDELETEDID 2-0", "XSETID s 5-0"],
    ["XCLAIM s g c 0 1-1 2 JUSTID", "EVAL … 1 s g c 0 1-1 2 JUSTID"],
    ["XAUTOCLAIM s g c 0 0-0 COUNT 7 JUSTID", "EVAL … 1 s g c 0 0-0 7 JUSTID"],
  ])("%s", (entry, older) => {
    expect(on(REDIS_70, entry)).toEqual([entry]);
    expect(on(REDIS_62, entry).map((line) => line.trimEnd())).toEqual([older]);
  });

  test.each(["LMPOP 2 a LEFT", "LMPOP x", "ZMPOP 1 z MIN COUNT", "ZMPOP 0 MIN", "XAUTOCLAIM s g c 0", "XCLAIM s g"])(
    "what is cut short or unknown goes out as it is: %s",
    (entry) => {
      expect(on(REDIS_62, entry)).toEqual([entry]);
    },
  );
});
