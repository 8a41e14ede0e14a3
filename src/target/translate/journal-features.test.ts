import { describe, expect, test } from "vitest";
import { REDIS_70 } from "../../../test/support/capabilities.ts";
import { JournalTranslation, type JournalTranslationOptions } from "../../../test/support/journal-translation.ts";
import type { TargetCapabilities } from "../capabilities.ts";

const SEARCH: TargetCapabilities = { ...REDIS_70, commands: new Set(["FT.CREATE", "SCRIPT", "EVAL"]) };
const WITHOUT_SCRIPTS: TargetCapabilities = { ...REDIS_70, commands: new Set(["FT.CREATE"]) };

const SKETCHES = [
  ["bloom", ["BF.ADD", "BF.LOADCHUNK", "BF.MADD", "BF.RESERVE"]],
  ["cuckoo", ["CF.ADD", "CF.ADDNX", "CF.COMPACT", "CF.DEL", "CF.INSERT", "CF.INSERTNX", "CF.RESERVE"]],
  ["cms", ["CMS.INCRBY", "CMS.INITBYDIM", "CMS.INITBYPROB", "CMS.MERGE"]],
  ["topk", ["TOPK.ADD", "TOPK.INCRBY", "TOPK.RESERVE"]],
] as const;

describe.each(SKETCHES)("%s", (feature, names) => {
  test.each(names)("%s is a loss when dropped", (name) => {
    const kit = new JournalTranslation({ plan: { [feature]: "drop" } });
    expect(kit.lines(name, "k", "x")).toEqual([]);
    expect(kit.losses).toEqual([`${feature} 0 k`]);
  });

  test.each(names)("%s ends the run when it must not be lost", (name) => {
    const kit = new JournalTranslation({ plan: { [feature]: "fail" } });
    expect(() => kit.translate([name, "k", "x"], { db: 5 })).toThrow(
      expect.objectContaining({ code: "FEATURE_UNSUPPORTED", context: { feature, db: 5, key: "k" } }),
    );
  });
});

describe("sticky keys", () => {
  const ENTRIES = [
    [["STICK", "k"], []],
    [["SET", "k", "v", "STICK"], ["SET k v"]],
  ] as const;

  test.each(ENTRIES)("%j is a loss when dropped", (words, expected) => {
    const kit = new JournalTranslation({ plan: { sticky: "drop" } });
    expect(kit.lines(...words)).toEqual(expected);
    expect(kit.losses).toEqual(["sticky 0 k"]);
  });

  test.each(ENTRIES)("%j ends the run when it must not be lost", (words) => {
    const kit = new JournalTranslation({ plan: { sticky: "fail" } });
    expect(() => kit.translate(words)).toThrow(
      expect.objectContaining({ code: "FEATURE_UNSUPPORTED", context: { feature: "sticky", db: 0, key: "k" } }),
    );
  });

  test("RESTORE … STICK ends the run, too", () => {
    const kit = new JournalTranslation({ plan: { sticky: "fail" } });
    const dump = Buffer.from("0001610900", "hex");
    expect(() => kit.translate(["RESTORE", "k", "0", Buffer.concat([dump, Buffer.alloc(8)]), "STICK"])).toThrow(
      /sticky keys/,
    );
  });

  test("memcache flags are a loss whatever the plan says: no target has them", () => {
    const kit = new JournalTranslation({ plan: { sticky: "fail" } });
    expect(kit.lines("SET", "k", "v", "_MCFLAGS", "7")).toEqual(["SET k v"]);
    expect(kit.losses).toEqual(["memcacheFlags 0 k"]);
  });
});

describe("scripts", () => {
  test("are loaded", () => {
    const kit = new JournalTranslation({ plan: { lua: "native" } });
    expect(kit.lines("SCRIPT", "load", "return 1")).toEqual(["SCRIPT LOAD return 1"]);
    expect(kit.losses).toEqual([]);
  });

  test("are loaded as the client wrote them, not as --lua_auto_async keeps them", () => {
    const kit = new JournalTranslation({ plan: { lua: "native" } });
    expect(kit.lines("SCRIPT", "LOAD", "redis.acall('SET','a',1) redis.apcall('GET','a') return redis.array")).toEqual([
      "SCRIPT LOAD redis.call('SET','a',1) redis.pcall('GET','a') return redis.array",
    ]);
  });

  test("of any bytes are copied", () => {
    const kit = new JournalTranslation({ plan: { lua: "native" } });
    const body = Buffer.from("return '\xff\x00é' redis.acall()", "latin1");
    const [command] = kit.commands(["SCRIPT", "LOAD", body]);
    expect(command?.[2]).toEqual(Buffer.from("return '\xff\x00é' redis.call()", "latin1"));
  });

  test("that are dropped are a loss", () => {
    const kit = new JournalTranslation({ plan: { lua: "drop" } });
    expect(kit.lines("SCRIPT", "LOAD", "return 1")).toEqual([]);
    expect(kit.losses).toEqual(["lua -1 LOAD"]);
  });

  test("that must not be lost end the run", () => {
    const kit = new JournalTranslation({ plan: { lua: "fail" } });
    expect(() => kit.translate(["SCRIPT", "LOAD", "return 1"])).toThrow(
      expect.objectContaining({ code: "FEATURE_UNSUPPORTED", context: { feature: "lua" } }),
    );
  });

  test.each([[["SCRIPT", "FLUSH"]], [["SCRIPT", "FLAGS", "0".repeat(40), "disable-atomicity"]], [["SCRIPT", "LOAD"]]])(
    "%j changes nothing",
    (words) => {
      const kit = new JournalTranslation({ plan: { lua: "fail" } });
      expect(kit.lines(...words)).toEqual([]);
    },
  );
});

describe("search", () => {
  const CREATE = "FT.CREATE idx ON HASH PREFIX 1 doc: SCHEMA n NUMERIC BLOCKSIZE 1000 SORTABLE BLOCKSIZE TEXT".split(
    " ",
  );
  const ENTRIES = [CREATE, ["FT.ALTER", "idx", "SCHEMA", "ADD", "f", "TAG"], ["FT.SYNUPDATE", "idx", "g", "a"]];

  function kitOf(options: JournalTranslationOptions): JournalTranslation {
    return new JournalTranslation({ capabilities: SEARCH, ...options });
  }

  test("an index is created anew, without Dragonfly's own words", () => {
    const [command = []] = kitOf({ plan: { search: "native" } }).commands(CREATE);
    const [name, script, ...words] = command.map((arg) => arg.toString());
    expect(name).toBe("EVAL");
    expect(script).toContain("FT.CREATE");
    expect(words.join(" ")).toBe("0 idx ON HASH PREFIX 1 doc: SCHEMA n NUMERIC SORTABLE BLOCKSIZE TEXT");
  });

  test("where scripts are not allowed, it is created", () => {
    const kit = kitOf({ plan: { search: "native" }, capabilities: WITHOUT_SCRIPTS });
    expect(kit.lines("FT.CREATE", "idx", "NX", "SCHEMA", "nx", "TEXT")).toEqual(["FT.CREATE idx SCHEMA nx TEXT"]);
  });

  test.each(ENTRIES.slice(1).map((words) => [words]))("%j goes out as it is", (words) => {
    expect(kitOf({ plan: { search: "native" } }).lines(...words)).toEqual([words.join(" ")]);
  });

  test("a dropped index never takes documents along: its DD deletes what is not journaled", () => {
    for (const search of ["native", "drop"] as const) {
      const kit = kitOf({ plan: { search } });
      const native = search === "native";
      expect(kit.lines("FT.DROPINDEX", "idx")).toEqual(native ? ["FT.DROPINDEX idx"] : []);
      expect(kit.unrunnable).toEqual([]);
      expect(kit.lines("FT.DROPINDEX", "idx", "dd")).toEqual(native ? ["FT.DROPINDEX idx"] : []);
      expect(kit.unrunnable).toHaveLength(1);
      expect(kit.unrunnable[0]).toMatch(/^FT\.DROPINDEX: .*they were left$/);
    }
  });

  test.each([...ENTRIES, ["FT.DROPINDEX", "idx"]].map((words) => [words]))(
    "%j: drop is a loss, fail ends the run",
    (words) => {
      const kit = kitOf({ plan: { search: "drop" } });
      expect(kit.lines(...words)).toEqual([]);
      expect(kit.losses).toEqual(["search 0 idx"]);
      expect(() => kitOf({ plan: { search: "fail" } }).translate(words)).toThrow(
        expect.objectContaining({ code: "FEATURE_UNSUPPORTED", context: { feature: "search", db: 0, key: "idx" } }),
      );
    },
  );

  test.each(["native", "drop", "fail"] as const)("what every flow carries is for one of them: %s", (search) => {
    const kit = kitOf({ plan: { search }, carriesGlobals: false });
    for (const words of [...ENTRIES, ["FT.DROPINDEX", "idx", "DD"]]) expect(kit.lines(...words)).toEqual([]);
    expect([...kit.losses, ...kit.unrunnable]).toEqual([]);
  });
});
