import { describe, expect, test } from "vitest";
import { takeCommandLines, takeCommands } from "../../../test/support/parse-commands.ts";
import { REDIS_62, REDIS_70, REDIS_72 } from "../../../test/support/capabilities.ts";
import { objectHeader, translatorKit } from "../../../test/support/snapshot-translation.ts";
import { Slice } from "../../bytes/slice.ts";
import { Crc64 } from "../../codec/crc64.ts";
import type { ValueKind } from "../../rdb/rdb-handler.ts";

const DEADLINE = 1_893_456_000_123;
const s = (text: string | Uint8Array): Slice => Slice.from(text);

describe("strings", () => {
  test("become SET, with their deadline to the ms", () => {
    const { translator, encoder, counts } = translatorKit();
    translator.string(objectHeader({ key: "a" }), s("1"));
    translator.string(objectHeader({ key: "b", expireAtMs: DEADLINE }), s(""));
    translator.string(objectHeader({ key: "", expireAtMs: 7 }), s("x"));
    translator.string(objectHeader({ key: "e", expireAtMs: 999_999_999_999 }), s("x"));
    translator.string(objectHeader({ key: "f", expireAtMs: 10_000_000_000_000 }), s("x"));
    expect(takeCommandLines(encoder)).toEqual([
      "SET a 1",
      `SET b  PXAT ${DEADLINE}`,
      "SET  x PXAT 7",
      "SET e x PXAT 999999999999",
      "SET f x PXAT 10000000000000",
    ]);
    expect(counts).toEqual({ string: 5 });
  });

  test("of any size are copied byte for byte", () => {
    const { translator, encoder } = translatorKit();
    const sizes = [0, 1, 7, 8, 9, 15, 16, 100, 199, 200, 201, 4095, 4096, 4097, 70_000];
    const values = sizes.map((size) => Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 7 + size) & 0xff)));
    for (const value of values) {
      // Within other bytes, so that copying too much or too little shows.
      const around = Buffer.concat([Buffer.from("<<<"), value, Buffer.from(">>>")]);
      const slice = new Slice().set(around, 3, 3 + value.length);
      translator.string({ ...objectHeader(), key: slice }, slice);
    }
    const commands = takeCommands(encoder);
    expect(commands.map(([name, key, value]) => [name?.toString(), key, value])).toEqual(
      values.map((v) => ["SET", v, v]),
    );
  });

  test("select their database, once for neighbours", () => {
    const { translator, encoder } = translatorKit();
    for (const db of [0, 5, 5, 1, 0]) translator.string(objectHeader({ db }), s("v"));
    const expected = [
      "SET key v",
      "SELECT 5",
      "SET key v",
      "SET key v",
      "SELECT 1",
      "SET key v",
      "SELECT 0",
      "SET key v",
    ];
    expect(takeCommandLines(encoder)).toEqual(expected);
  });

  test.each([0, -2, -1_000_000])("a deadline of %i deletes the key, since SET would refuse it", (expireAtMs) => {
    const { translator, encoder } = translatorKit();
    translator.string(objectHeader({ expireAtMs }), s("v"));
    translator.body(objectHeader({ type: 2, expireAtMs }), s(Buffer.from("010161", "hex")));
    expect(takeCommandLines(encoder)).toEqual(["DEL key", "DEL key"]);
  });
});

describe("bodies", () => {
  test("become RESTORE, verbatim, with type, version and checksum", () => {
    const { translator, encoder, counts } = translatorKit();
    const body = Buffer.from("0201610162", "hex");
    const bytes = Buffer.concat([Buffer.from("xx"), body, Buffer.from("yy")]);
    translator.body(objectHeader({ type: 2, db: 3 }), new Slice().set(bytes, 2, 2 + body.length));
    translator.body(objectHeader({ type: 4, db: 3, expireAtMs: DEADLINE }), s(body));
    const [select, first, second] = takeCommands(encoder);
    expect(select?.join(" ")).toBe("SELECT 3");
    const payload = (type: number): Buffer => {
      const covered = Buffer.concat([Buffer.from([type]), body, Buffer.from([10, 0])]);
      const whole = Buffer.concat([covered, Buffer.alloc(8)]);
      new Crc64().update(covered, 0, covered.length).writeLE(whole, covered.length);
      return whole;
    };
    const text = (value: string): Buffer => Buffer.from(value);
    const rest = [text("REPLACE"), text("ABSTTL")];
    expect(first).toEqual([text("RESTORE"), text("key"), text("0"), payload(2), ...rest]);
    expect(second).toEqual([text("RESTORE"), text("key"), text(String(DEADLINE)), payload(4), ...rest]);
    expect(counts).toEqual({ set: 1, hash: 1 });
  });

  test("without elements become DEL", () => {
    const { translator, encoder, counts } = translatorKit();
    for (const type of [1, 2, 4, 5, 14, 18]) translator.body(objectHeader({ type }), s(Buffer.of(0)));
    expect(takeCommandLines(encoder)).toEqual(Array.from({ length: 6 }, () => "DEL key"));
    expect(counts).toEqual({ list: 3, set: 1, hash: 1, zset: 1 });
  });

  test("are wanted by what the target loads; streams also where an older type of them is loaded", () => {
    const wanted = (capabilities: typeof REDIS_70): number[] => {
      const { translator } = translatorKit({ capabilities });
      return [2, 7, 15, 16, 18, 19, 20, 21, 30, 31, 32, 34, 37].filter((type) => translator.wantsBody(type));
    };
    expect(wanted(REDIS_62)).toEqual([2, 15, 19, 21]);
    expect(wanted(REDIS_70)).toEqual([2, 15, 16, 18, 19, 21]);
    expect(wanted(REDIS_72)).toEqual([2, 15, 16, 18, 19, 20, 21]);
  });

  test("a stream of type 21 goes verbatim where it is loaded, else as 19", () => {
    const body = Buffer.from("00000201000000000000", "hex");
    const typeSent = (capabilities: typeof REDIS_70): number | undefined => {
      const { translator, encoder } = translatorKit({ capabilities });
      translator.body(objectHeader({ type: 21 }), s(body));
      const [restore] = takeCommands(encoder);
      return restore?.[3]?.[0];
    };
    expect(typeSent(REDIS_72)).toBe(21);
    expect(typeSent(REDIS_70)).toBe(19);
  });
});

describe("streamed values", () => {
  test("each kind becomes DEL, its own command, and the deadline last", () => {
    const { translator, encoder, counts } = translatorKit();
    const header = objectHeader({ expireAtMs: DEADLINE });
    const list = translator.begin(header, "list", 2);
    translator.listItem(list, s("a"));
    translator.listItem(list, s(""));
    translator.end(list);
    const set = translator.begin(header, "set", 1);
    translator.setMember(set, s("m"));
    translator.end(set);
    const zset = translator.begin(header, "zset", 2);
    translator.zsetMember(zset, s("m"), s("1.5"));
    translator.zsetMember(zset, s("n"), s("-inf"));
    translator.end(zset);
    const hash = translator.begin(header, "hash", 1);
    translator.hashField(hash, s("f"), s("v"));
    translator.end(hash);
    const wrap = (command: string): string[] => ["DEL key", command, `PEXPIREAT key ${DEADLINE}`];
    expect(takeCommandLines(encoder)).toEqual([
      ...wrap("RPUSH key a "),
      ...wrap("SADD key m"),
      ...wrap("ZADD key 1.5 m -inf n"),
      ...wrap("HSET key f v"),
    ]);
    expect(counts).toEqual({ list: 1, set: 1, zset: 1, hash: 1 });
  });

  test("without elements only delete the key", () => {
    const { translator, encoder } = translatorKit();
    for (const kind of ["list", "set", "zset", "hash", "hashTtl", "setTtl"] as const) {
      translator.end(translator.begin(objectHeader({ key: kind, expireAtMs: DEADLINE }), kind, 0));
    }
    expect(takeCommandLines(encoder)).toEqual([
      "DEL list",
      "DEL set",
      "DEL zset",
      "DEL hash",
      "DEL hashTtl",
      "DEL setTtl",
    ]);
  });

  test("keep their key and database while other values come between their pieces", () => {
    const { translator, encoder } = translatorKit();
    const key = Buffer.from("first");
    const header = objectHeader({ db: 2 });
    const first = translator.begin({ ...header, key: s(key) }, "list", 2);
    key.fill("x");
    translator.listItem(first, s("1"));
    translator.pieceEnd(first);
    const second = translator.begin(objectHeader({ db: 1, key: "second" }), "set", 2);
    translator.setMember(second, s("a"));
    translator.pieceEnd(second);
    translator.string(objectHeader({ key: "third" }), s("v"));
    translator.listItem(first, s("2"));
    translator.end(first);
    translator.setMember(second, s("b"));
    translator.end(second);
    expect(takeCommandLines(encoder)).toEqual([
      "SELECT 2",
      "DEL first",
      "RPUSH first 1",
      "SELECT 1",
      "DEL second",
      "SADD second a",
      "SELECT 0",
      "SET third v",
      "SELECT 2",
      "RPUSH first 2",
      "SELECT 1",
      "SADD second b",
    ]);
  });

  test("a piece without an element deletes the old value and is no batch", () => {
    const { translator, encoder } = translatorKit();
    const value = translator.begin(objectHeader(), "list", 1);
    translator.pieceEnd(value);
    expect(takeCommandLines(encoder)).toEqual(["DEL key"]);
    translator.listItem(value, s("a"));
    translator.end(value);
    expect(takeCommandLines(encoder)).toEqual(["RPUSH key a"]);
  });

  test("go out in batches of the set number of elements", () => {
    const { translator, encoder } = translatorKit({ nativeBatchElements: 3 });
    const value = translator.begin(objectHeader(), "hash", 7);
    for (let i = 0; i < 7; i++) translator.hashField(value, s(`f${i}`), s(`v${i}`));
    expect(encoder.commandCount).toBe(3);
    translator.end(value);
    expect(takeCommandLines(encoder)).toEqual([
      "DEL key",
      "HSET key f0 v0 f1 v1 f2 v2",
      "HSET key f3 v3 f4 v4 f5 v5",
      "HSET key f6 v6",
    ]);
  });

  test("go out in batches once they reach the set size, in order, a large element by itself", () => {
    const { translator, encoder } = translatorKit({ nativeBatchBytes: 100 });
    const value = translator.begin(objectHeader(), "list", 0);
    const items = [10, 30, 30, 30, 101, 5, 300, 400, 1].map((size, i) => String(i).repeat(size));
    for (const item of items) translator.listItem(value, s(item));
    translator.end(value);
    const commands = takeCommands(encoder).slice(1);
    expect(commands.flatMap((args) => args.slice(2).map(String))).toEqual(items);
    expect(commands.map((args) => args.slice(2).map((a) => a.length))).toEqual([
      [10, 30, 30, 30],
      [101],
      [5],
      [300],
      [400],
      [1],
    ]);
  });

  test("a large pair goes out by itself too", () => {
    const { translator, encoder } = translatorKit({ nativeBatchBytes: 50 });
    const value = translator.begin(objectHeader(), "zset", 0);
    translator.zsetMember(value, s("a"), s("1"));
    translator.zsetMember(value, s("b".repeat(60)), s("2"));
    translator.end(value);
    expect(takeCommandLines(encoder)).toEqual(["DEL key", "ZADD key 1 a", `ZADD key 2 ${"b".repeat(60)}`]);
  });
});

describe("what cannot be carried", () => {
  test("deadlines of fields and members, once per key, the elements themselves carried", () => {
    const { translator, encoder, losses, counts } = translatorKit();
    const hash = translator.begin(objectHeader({ key: "h", db: 1 }), "hashTtl", 3);
    translator.hashFieldTtl(hash, s("f"), s("1"), -1);
    translator.hashFieldTtl(hash, s("g"), s("2"), 0);
    translator.hashFieldTtl(hash, s("i"), s("3"), DEADLINE);
    translator.end(hash);
    const set = translator.begin(objectHeader({ key: "s", db: 1 }), "setTtl", 2);
    translator.setMemberTtl(set, s("m"), DEADLINE);
    translator.setMemberTtl(set, s("n"), DEADLINE);
    translator.end(set);
    const none = translator.begin(objectHeader({ key: "n", db: 1 }), "setTtl", 1);
    translator.setMemberTtl(none, s("m"), -1);
    translator.end(none);
    expect(takeCommandLines(encoder)).toEqual([
      "SELECT 1",
      "DEL h",
      "HSET h f 1 g 2 i 3",
      "DEL s",
      "SADD s m n",
      "DEL n",
      "SADD n m",
    ]);
    expect(losses).toEqual([
      { kind: "fieldTtl", db: 1, key: "h" },
      { kind: "memberTtl", db: 1, key: "s" },
    ]);
    expect(counts).toEqual({ hash: 1, set: 2 });
  });

  test.each([
    ["json", "json"],
    ["bloom", "bloom"],
    ["cuckoo", "cuckoo"],
    ["cms", "cms"],
    ["topk", "topk"],
    ["module", "moduleData"],
  ] as const)("a value of kind %s is reported, and an older value of its key deleted", (kind: ValueKind, loss) => {
    const { translator, encoder, losses, counts } = translatorKit();
    const value = translator.begin(objectHeader({ db: 4, expireAtMs: DEADLINE, sticky: true }), kind, 1);
    translator.json(value, s("{}"));
    translator.sketchParameters(value, [1]);
    translator.sketchBytes(value, 0, 1, s("x"));
    translator.pieceEnd(value);
    translator.sketchItem(value, s("i"), 3);
    translator.end(value);
    expect(takeCommandLines(encoder)).toEqual(["SELECT 4", "DEL key"]);
    expect(losses).toEqual([{ kind: loss, db: 4, key: "key" }]);
    expect(counts).toEqual({ [kind]: 1 });
  });

  test("stickiness and memcache flags, whichever way the object comes", () => {
    const { translator, encoder, losses } = translatorKit();
    translator.string(objectHeader({ key: "a", sticky: true }), s("v"));
    translator.string(objectHeader({ key: "b", mcFlags: 4_294_967_295 }), s("v"));
    translator.string(objectHeader({ key: "c", mcFlags: 0 }), s("v"));
    translator.body(objectHeader({ key: "d", type: 2, sticky: true, mcFlags: 1 }), s(Buffer.from("010161", "hex")));
    translator.end(translator.begin(objectHeader({ key: "e", sticky: true }), "list", 0));
    expect(losses.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      "sticky a",
      "memcacheFlags b",
      "sticky d",
      "memcacheFlags d",
      "sticky e",
    ]);
    expect(takeCommands(encoder).map(([name]) => name?.toString())).toEqual(["SET", "SET", "SET", "RESTORE", "DEL"]);
  });

  test("scripts and search indices, of no database; other AUX fields are no loss", () => {
    const seen: string[] = [];
    const { translator, encoder, losses } = translatorKit({ onAux: (key) => seen.push(key.toText()) });
    const names = ["redis-ver", "lua", "search-index", "search-synonyms", "shard-id", "constructor"];
    for (const name of names) translator.aux(s(name), s("secret"));
    expect(losses).toEqual([
      { kind: "lua", db: -1, key: "lua" },
      { kind: "search", db: -1, key: "search-index" },
      { kind: "search", db: -1, key: "search-synonyms" },
    ]);
    expect(seen).toEqual(names);
    expect(takeCommands(encoder)).toEqual([]);
  });
});

test("isFull is the writer's answer", () => {
  let full = false;
  const { translator } = translatorKit({ isFull: () => full });
  expect(translator.isFull()).toBe(false);
  full = true;
  expect(translator.isFull()).toBe(true);
});
