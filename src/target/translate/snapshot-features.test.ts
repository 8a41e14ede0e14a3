import { describe, expect, test } from "vitest";
import { DROP_ALL, REDIS_70 } from "../../../test/support/capabilities.ts";
import { takeCommandLines, takeCommands } from "../../../test/support/parse-commands.ts";
import { objectHeader, translatorKit, type TranslatorKit } from "../../../test/support/snapshot-translation.ts";
import { Slice } from "../../bytes/slice.ts";
import type { ValueKind } from "../../rdb/rdb-handler.ts";
import type { TargetCapabilities } from "../capabilities.ts";
import type { FeatureChoice, FeaturePlan } from "../features.ts";
import type { SnapshotTranslatorOptions } from "./snapshot-translator.ts";

const DEADLINE = 1_893_456_000_123;
const SKETCHES = ["bloom", "cuckoo", "cms", "topk"] as const;
const MODULES: TargetCapabilities = { ...REDIS_70, commands: new Set(["JSON.SET", "FT.CREATE", "EVAL", "SCRIPT"]) };
const s = (text: string): Slice => Slice.from(text);

function kitOf(plan: Partial<FeaturePlan>, options: Partial<SnapshotTranslatorOptions> = {}): TranslatorKit {
  return translatorKit({ capabilities: MODULES, plan: { ...DROP_ALL, ...plan }, ...options });
}

/** The commands that a document becomes. */
function document(kit: TranslatorKit, header: Parameters<typeof objectHeader>[0] = {}, text = '{"a":1}'): string[] {
  const value = kit.translator.begin(objectHeader(header), "json", 1);
  kit.translator.json(value, s(text));
  kit.translator.end(value);
  return takeCommandLines(kit.encoder);
}

const refusal = (feature: string): unknown =>
  expect.objectContaining({ code: "FEATURE_UNSUPPORTED", context: { feature, db: 4, key: "key" } });

describe("JSON documents", () => {
  test("native: take the place of what was there, their deadline last", () => {
    const kit = kitOf({ json: "native" });
    expect(document(kit)).toEqual(["DEL key", 'JSON.SET key $ {"a":1}']);
    expect(document(kit, { db: 4, expireAtMs: DEADLINE })).toEqual([
      "SELECT 4",
      "DEL key",
      'JSON.SET key $ {"a":1}',
      `PEXPIREAT key ${DEADLINE}`,
    ]);
    expect(kit.losses).toEqual([]);
    expect(kit.counts).toEqual({ json: 2 });
  });

  test("convert: a string with the text and the deadline", () => {
    const kit = kitOf({ json: "convert" });
    expect(document(kit)).toEqual(['SET key {"a":1}']);
    expect(document(kit, { db: 4, expireAtMs: DEADLINE })).toEqual(["SELECT 4", `SET key {"a":1} PXAT ${DEADLINE}`]);
    expect(kit.losses).toEqual([
      { kind: "jsonAsText", db: 0, key: "key" },
      { kind: "jsonAsText", db: 4, key: "key" },
    ]);
  });

  test.each([0, -5])("convert: a deadline of %i deletes the key, since SET would refuse it", (expireAtMs) => {
    expect(document(kitOf({ json: "convert" }), { expireAtMs })).toEqual(["DEL key"]);
  });

  test("a deadline that was settled after the beginning counts", () => {
    const kit = kitOf({ json: "convert" });
    const value = kit.translator.begin(objectHeader(), "json", 1);
    value.expireAtMs = DEADLINE;
    kit.translator.json(value, s("1"));
    kit.translator.end(value);
    expect(takeCommandLines(kit.encoder)).toEqual([`SET key 1 PXAT ${DEADLINE}`]);
  });

  test("select their database again when other values came between", () => {
    const kit = kitOf({ json: "convert" });
    const value = kit.translator.begin(objectHeader({ db: 4 }), "json", 1);
    kit.translator.string(objectHeader({ db: 1, key: "other" }), s("v"));
    kit.translator.json(value, s("1"));
    kit.translator.end(value);
    expect(takeCommandLines(kit.encoder)).toEqual(["SELECT 1", "SET other v", "SELECT 4", "SET key 1"]);
  });

  test.each(["native", "convert"] as const)("%s: of any size and bytes, copied", (json) => {
    const text = `"${"é".repeat(200_000)}"`;
    const kit = kitOf({ json });
    const value = kit.translator.begin(objectHeader(), "json", 1);
    const bytes = Buffer.from(text);
    kit.translator.json(value, Slice.from(bytes));
    bytes.fill(0);
    kit.translator.end(value);
    expect(takeCommands(kit.encoder).at(-1)?.at(-1)?.toString()).toBe(text);
  });

  test.each(["native", "convert"] as const)("%s: one that is longer than the target takes ends the run", (json) => {
    const kit = kitOf({ json }, { capabilities: { ...MODULES, maxBulkBytes: 4 } });
    expect(() => document(kit)).toThrow(expect.objectContaining({ code: "VALUE_TOO_LONG" }));
  });

  test("drop: the key is deleted, and the document a loss", () => {
    const kit = kitOf({ json: "drop" });
    expect(document(kit, { sticky: true })).toEqual(["DEL key"]);
    expect(kit.losses).toEqual([{ kind: "json", db: 0, key: "key" }]);
  });

  test("fail: ends the run before anything is written", () => {
    const kit = kitOf({ json: "fail" });
    expect(() => kit.translator.begin(objectHeader({ db: 4 }), "json", 1)).toThrow(refusal("json"));
    expect(takeCommands(kit.encoder)).toEqual([]);
  });
});

describe.each(SKETCHES)("%s", (feature) => {
  function sketch(choice: FeatureChoice): TranslatorKit {
    const kit = kitOf({ [feature]: choice });
    const value = kit.translator.begin(objectHeader({ db: 4 }), feature, 1);
    kit.translator.sketchParameters(value, [1, 2]);
    kit.translator.sketchBytes(value, 0, 3, s("abc"));
    kit.translator.end(value);
    return kit;
  }

  test("drop: the key is deleted, and the value a loss", () => {
    const kit = sketch("drop");
    expect(takeCommandLines(kit.encoder)).toEqual(["SELECT 4", "DEL key"]);
    expect(kit.losses).toEqual([{ kind: feature, db: 4, key: "key" }]);
  });

  test("fail: ends the run", () => {
    expect(() => sketch("fail")).toThrow(refusal(feature));
  });
});

describe("sticky keys", () => {
  const header = objectHeader({ db: 4, sticky: true, mcFlags: 3 });

  test.each(["list", "json"] as ValueKind[])("drop: a %s is carried, its stickiness a loss", (kind) => {
    const kit = kitOf({ sticky: "drop", json: "convert" });
    kit.translator.begin(header, kind, 1);
    expect(kit.losses.map((loss) => loss.kind).filter((each) => each !== "jsonAsText")).toEqual([
      "sticky",
      "memcacheFlags",
    ]);
  });

  test("fail: ends the run, whatever the value is", () => {
    const { translator } = kitOf({ sticky: "fail", json: "native" });
    expect(() => translator.string(header, s("v"))).toThrow(refusal("sticky"));
    expect(() => translator.body({ ...header, type: 2 }, s("\u0001\u0001a"))).toThrow(refusal("sticky"));
    expect(() => translator.begin(header, "list", 1)).toThrow(refusal("sticky"));
    expect(() => translator.begin(header, "json", 1)).toThrow(refusal("sticky"));
  });

  test("fail: memcache flags are a loss all the same, and what is dropped as a whole does not end the run", () => {
    const kit = kitOf({ sticky: "fail" });
    kit.translator.string(objectHeader({ mcFlags: 3 }), s("v"));
    kit.translator.begin(header, "json", 1);
    expect(kit.losses.map((loss) => loss.kind)).toEqual(["memcacheFlags", "json"]);
  });
});

describe("scripts", () => {
  function aux(plan: Partial<FeaturePlan>, body: string): TranslatorKit {
    const kit = kitOf(plan);
    kit.translator.aux(s("lua"), s(body));
    return kit;
  }

  test("native: are loaded, as clients know them", () => {
    const kit = aux({ lua: "native" }, "redis.acall('SET',KEYS[1],'1') return 1");
    expect(takeCommandLines(kit.encoder)).toEqual(["SCRIPT LOAD redis.call('SET',KEYS[1],'1') return 1"]);
    expect(kit.losses).toEqual([]);
  });

  test("drop: are a loss", () => {
    const kit = aux({ lua: "drop" }, "return 1");
    expect(takeCommandLines(kit.encoder)).toEqual([]);
    expect(kit.losses).toEqual([{ kind: "lua", db: -1, key: "lua" }]);
  });

  test("fail: end the run", () => {
    expect(() => aux({ lua: "fail" }, "return 1")).toThrow(
      expect.objectContaining({ code: "FEATURE_UNSUPPORTED", context: { feature: "lua" } }),
    );
  });
});

describe("search indices", () => {
  function aux(search: FeatureChoice, options: Partial<SnapshotTranslatorOptions> = {}): TranslatorKit {
    const kit = kitOf({ search }, options);
    kit.translator.aux(s("search-index"), s("idx ON HASH PREFIX 1 a: SCHEMA n AS n NUMERIC BLOCKSIZE 9"));
    kit.translator.aux(s("search-synonyms"), s("idx group hello hi"));
    return kit;
  }

  test("native: are created, and their synonyms", () => {
    const kit = aux("native");
    const [create, synonyms] = takeCommands(kit.encoder).map((args) => args.map(String));
    expect([create?.[0], ...(create?.slice(2) ?? [])].join(" ")).toBe(
      "EVAL 0 idx ON HASH PREFIX 1 a: SCHEMA n AS n NUMERIC",
    );
    expect(synonyms?.join(" ")).toBe("FT.SYNUPDATE idx group hello hi");
    expect(kit.losses).toEqual([]);
  });

  test("native: one that cannot be read is a loss", () => {
    const kit = kitOf({ search: "native" });
    kit.translator.aux(s("search-index"), s("idx ON HASH SCHEMA t AS t TAG SEPARATOR  "));
    expect(takeCommands(kit.encoder)).toEqual([]);
    expect(kit.losses).toEqual([{ kind: "search", db: -1, key: "search-index" }]);
  });

  test("drop: are a loss", () => {
    const kit = aux("drop");
    expect(takeCommands(kit.encoder)).toEqual([]);
    expect(kit.losses.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      "search search-index",
      "search search-synonyms",
    ]);
  });

  test("fail: end the run", () => {
    expect(() => aux("fail")).toThrow(expect.objectContaining({ code: "FEATURE_UNSUPPORTED" }));
  });

  test.each(["native", "drop", "fail"] as const)("%s: are for one flow of those that carry them", (search) => {
    const kit = aux(search, { carriesGlobals: false });
    expect(takeCommands(kit.encoder)).toEqual([]);
    expect(kit.losses).toEqual([]);
  });
});

test("other AUX fields mean nothing", () => {
  const kit = kitOf({ lua: "fail", search: "fail" });
  kit.translator.aux(s("redis-ver"), s("7.2"));
  expect(takeCommands(kit.encoder)).toEqual([]);
});
