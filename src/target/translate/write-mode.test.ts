import { describe, expect, test } from "vitest";
import { REDIS_62, REDIS_72 } from "../../../test/support/capabilities.ts";
import { JournalTranslation } from "../../../test/support/journal-translation.ts";
import { takeCommands } from "../../../test/support/parse-commands.ts";
import { objectHeader, translatorKit } from "../../../test/support/snapshot-translation.ts";
import { Slice } from "../../bytes/slice.ts";
import { bodyLimitBytesFor, capabilitiesFor } from "./write-mode.ts";

const MIB = 1024 * 1024;
const names = (kit: ReturnType<typeof translatorKit>): string[] =>
  takeCommands(kit.encoder).map((command) => String(command[0]));
const zeros = (bytes: number): Slice => Slice.from(Buffer.alloc(bytes));

describe("the write mode", () => {
  test("commands: nothing is restored, and what comes with the version stays", () => {
    const { restorableTypes, commands, rdbVersion } = capabilitiesFor("commands", REDIS_72);
    expect([...restorableTypes]).toEqual([]);
    expect(commands).toEqual(new Set(["EVAL", "SCRIPT", "LMPOP", "PEXPIRETIME"]));
    expect(rdbVersion).toBe(11);
    const { translator } = translatorKit({ capabilities: REDIS_62, writeMode: "commands" });
    expect([2, 15, 19, 21].filter((type) => translator.wantsBody(type))).toEqual([]);
  });

  test.each(["auto", "restore"] as const)("%s: the target is as it is", (mode) => {
    expect(capabilitiesFor(mode, REDIS_72)).toBe(REDIS_72);
  });

  test("bodies are as large as the limit, or as the target takes with what stands around them", () => {
    const small = { ...REDIS_72, maxBulkBytes: 4 * MIB };
    expect(bodyLimitBytesFor("auto", MIB, small)).toBe(MIB);
    expect(bodyLimitBytesFor("auto", 64 * MIB, small)).toBe(4 * MIB - 11);
    expect(bodyLimitBytesFor("restore", MIB, small)).toBe(4 * MIB - 11);
    expect(bodyLimitBytesFor("commands", MIB, small)).toBe(0);
  });
});

describe("what is longer than the target takes", () => {
  const capabilities = { ...REDIS_72, maxBulkBytes: 100_000 };
  const tooLong = expect.objectContaining({
    code: "VALUE_TOO_LONG",
    message:
      'key "key" of database 0 holds 100001 bytes in one piece, and the target takes at most 100000 (proto-max-bulk-len)',
  });

  test("a string ends the run before it is sent, and names the setting", () => {
    const kit = translatorKit({ capabilities });
    kit.translator.string(objectHeader(), zeros(100_000));
    expect(() => kit.translator.string(objectHeader(), zeros(100_001))).toThrow(tooLong);
    expect(names(kit)).toEqual(["SET"]);
  });

  test("a string that is too long for RESTORE alone is set", () => {
    const kit = translatorKit({ capabilities, writeMode: "restore" });
    for (const size of [0, 100_000 - 16, 100_000 - 15]) kit.translator.string(objectHeader(), zeros(size));
    expect(names(kit)).toEqual(["RESTORE", "RESTORE", "SET"]);
  });

  test("an argument of a journal entry, too", () => {
    const translation = new JournalTranslation({ capabilities });
    const long = Buffer.alloc(100_001);
    for (const words of [
      ["SET", "key", long],
      ["RPUSH", "key", "a", long, "b"],
      ["RESTORE", "key", 0, long],
    ])
      expect(() => translation.translate(words)).toThrow(tooLong);
    const half = Buffer.alloc(60_000);
    expect(translation.commands(["RPUSH", "key", half, half])).toHaveLength(1);
  });

  test("an element or a field of a collection, too", () => {
    const { translator } = translatorKit({ capabilities });
    const list = translator.begin(objectHeader(), "list", 1);
    expect(() => translator.listItem(list, zeros(100_001))).toThrow(tooLong);
    const hash = translator.begin(objectHeader(), "hash", 1);
    expect(() => translator.hashField(hash, zeros(1), zeros(100_001))).toThrow(tooLong);
    const stream = translator.begin(objectHeader(), "stream", 1);
    expect(() => translator.streamEntry(stream, "1-1", [zeros(1), zeros(100_001)], 2)).toThrow(tooLong);
  });
});
