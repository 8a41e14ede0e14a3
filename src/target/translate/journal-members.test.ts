/** Deadlines of fields and members in the journal, by plan. What journal entries do to deadlines that are kept. */
import { describe, expect, test } from "vitest";
import type { FeatureChoice } from "../features.ts";
import { REDIS_74 } from "../../../test/support/capabilities.ts";
import {
  JournalTranslation,
  type JournalTranslationOptions,
  type Word,
} from "../../../test/support/journal-translation.ts";
import { takeCommandLines } from "../../../test/support/parse-commands.ts";

/** Half a second into a second: Dragonfly counts from its beginning. */
const NOW = 1_700_000_000_500;
const at = (seconds: number): number => 1_700_000_000_000 + seconds * 1000;

function converting(options: JournalTranslationOptions = {}): JournalTranslation {
  return new JournalTranslation({ now: NOW, plan: { fieldTtl: "convert", memberTtl: "convert" }, ...options });
}

function native(options: JournalTranslationOptions = {}): JournalTranslation {
  const plan = { fieldTtl: "native", memberTtl: "convert" } as const;
  return new JournalTranslation({ now: NOW, plan, capabilities: REDIS_74, ...options });
}

/** `key member seconds`, those that may not exist with a question mark. */
function kept({ members }: JournalTranslation): string[] {
  return [...members.entries()].map(
    ({ db, key, member, deadlineMs, certain }) =>
      `${db === 0 ? "" : `${db}:`}${key.toString()} ${member.toString()} ${(deadlineMs - at(0)) / 1000}${certain ? "" : "?"}`,
  );
}

function release(translation: JournalTranslation, upToMs: number): string[] {
  translation.members.release(translation.encoder, upToMs);
  return takeCommandLines(translation.encoder);
}

function run(translation: JournalTranslation, entries: readonly (readonly Word[])[]): string[] {
  return entries.flatMap((entry) => translation.lines(...entry));
}

const SADDEX = ["SADDEX", "s", "10", "m", "n"];
const HSETEX = ["HSETEX", "h", "10", "f", "1", "g", "2"];

describe("kept by df2redis", () => {
  test.each<[readonly Word[], string[], string[]]>([
    [SADDEX, ["SADD s m n"], ["s m 10", "s n 10"]],
    [HSETEX, ["HSET h f 1 g 2"], ["h f 10", "h g 10"]],
    [["HSETEX", "h", "EX", "10", "FIELDS", "1", "f", "1"], ["HSET h f 1"], ["h f 10"]],
    [["HSETEX", "h", "PX", "1500", "FIELDS", "1", "f", "1"], ["HSET h f 1"], ["h f 2"]],
    [["HSETEX", "h", "PXAT", at(7) - 1, "FIELDS", "1", "f", "1"], ["HSET h f 1"], ["h f 7"]],
    [["HSETEX", "h", "KEEPTTL", "10", "f", "1"], ["HSET h f 1"], ["h f 10"]],
    [["HEXPIRE", "h", "10", "FIELDS", "2", "f", "g"], [], ["h f 10?", "h g 10?"]],
    [["HEXPIRE", "h", "10", "nx", "FIELDS", "1", "f"], [], ["h f 10?"]],
    [["HEXPIRE", "h", "10", "XX", "FIELDS", "1", "f"], [], []],
    [["HEXPIRE", "h", "10", "GT", "FIELDS", "1", "f"], [], []],
    [["HEXPIRE", "h", "10", "LT", "FIELDS", "1", "f"], [], ["h f 10?"]],
    [["HEXPIRE", "h", "0", "FIELDS", "2", "f", "g"], ["HDEL h f g"], []],
    [["HEXPIRE", "h", "0", "NX", "FIELDS", "2", "f", "g"], ["HDEL h f", "HDEL h g"], []],
    [["HEXPIRE", "h", "0", "XX", "FIELDS", "1", "f"], [], []],
    [["HGETEX", "h", "EX", "10", "FIELDS", "1", "f"], [], ["h f 10?"]],
    [["HGETEX", "h", "EX", "0", "FIELDS", "1", "f"], ["HDEL h f"], []],
    [["HGETEX", "h", "EXAT", at(-5) / 1000, "FIELDS", "1", "f"], [], ["h f -5?"]],
    [["HGETEX", "h", "PERSIST", "FIELDS", "1", "f"], [], []],
    [["HGETEX", "h", "FIELDS", "1", "f"], [], []],
    [["FIELDEXPIRE", "k", "10", "a", "b"], [], ["k a 10?", "k b 10?"]],
  ])("%j", (entry, lines, expected) => {
    const translation = converting();
    expect(translation.lines(...entry)).toEqual(lines);
    expect(kept(translation)).toEqual(expected);
    expect(translation.unrunnable).toEqual([]);
  });

  test("is told once per key", () => {
    const translation = converting();
    run(translation, [SADDEX, SADDEX, HSETEX, ["HEXPIRE", "h", "20", "FIELDS", "1", "f"]]);
    expect(translation.losses).toEqual(["memberTtlKept 0 s", "fieldTtlKept 0 h"]);
  });

  test("above the limit the deadline is lost, and counted", () => {
    const translation = converting({ members: { limit: 1 } });
    translation.lines(...SADDEX);
    expect(kept(translation)).toEqual(["s m 10"]);
    expect(translation.losses).toEqual(["memberTtlKept 0 s", "memberTtl 0 s"]);
  });

  test("is deleted when it is due", () => {
    const translation = converting();
    run(translation, [SADDEX, HSETEX]);
    expect(release(translation, at(9))).toEqual([]);
    expect(release(translation, at(10))).toEqual(["SREM s m n", "HDEL h f g"]);
  });

  test.each<[string, readonly Word[], string]>([
    ["key", ["SADD", "s", "m"], "SREM s m"],
    ["member", ["SADDEX", "s", "60", "m"], ""],
    ["field", ["HEXPIRE", "h", "60", "FIELDS", "1", "f"], ""],
  ])("a %s that passes its deadline on the target before its renewal arrives is not lost: %j", (_what, renewal) => {
    const translation = converting();
    run(translation, [SADDEX, HSETEX]);
    translation.now = NOW + 30_000;
    translation.lines(...renewal);
    const released = release(translation, at(30)).join(" ");
    const [, key, ...rest] = renewal;
    expect(released).not.toMatch(new RegExp(`${String(key)}.* ${String(rest.at(-1))}\\b`));
  });
});

describe("what entries do to deadlines that are kept", () => {
  const BEFORE = [SADDEX, HSETEX];
  const ALL = ["s m 10", "s n 10", "h f 10", "h g 10"];

  test.each<[readonly Word[], string[]]>([
    [["SADD", "s", "m"], ALL],
    [
      ["SREM", "s", "m"],
      ["s n 10", "h f 10", "h g 10"],
    ],
    [
      ["SADDEX", "s", "20", "m"],
      ["s m 20", "s n 10", "h f 10", "h g 10"],
    ],
    [["SADDEX", "s", "KEEPTTL", "20", "m"], ALL],
    [
      ["SMOVE", "s", "t", "m"],
      ["s n 10", "h f 10", "h g 10"],
    ],
    [["SMOVE", "s", "s", "m"], ALL],
    [["SMOVE", "x", "s", "m"], ALL],
    [
      ["HSET", "h", "f", "9"],
      ["s m 10", "s n 10", "h g 10"],
    ],
    [
      ["HMSET", "h", "x", "f", "g", "9"],
      ["s m 10", "s n 10", "h f 10"],
    ],
    [["HSETNX", "h", "f", "9"], ALL],
    [["HINCRBY", "h", "f", "1"], ALL],
    [["HINCRBYFLOAT", "h", "f", "1"], ALL],
    [
      ["HDEL", "h", "f", "x"],
      ["s m 10", "s n 10", "h g 10"],
    ],
    [
      ["HSETEX", "h", "20", "f", "9"],
      ["s m 10", "s n 10", "h f 20", "h g 10"],
    ],
    [["HSETEX", "h", "KEEPTTL", "20", "f", "9"], ALL],
    [["HSETEX", "h", "NX", "20", "f", "9"], ALL],
    [["HSETEX", "h", "FNX", "EX", "20", "FIELDS", "1", "f", "9"], ALL],
    [
      ["HSETEX", "h", "FXX", "EX", "20", "FIELDS", "1", "f", "9"],
      ["s m 10", "s n 10", "h f 20", "h g 10"],
    ],
    [["HSETEX", "h", "FXX", "KEEPTTL", "FIELDS", "1", "f", "9"], ALL],
    [
      ["HSETEX", "h", "FIELDS", "1", "f", "9"],
      ["s m 10", "s n 10", "h g 10"],
    ],
    [["HSETEX", "h", "KEEPTTL", "FIELDS", "1", "f", "9"], ALL],
    [
      ["HGETEX", "h", "PERSIST", "FIELDS", "1", "f"],
      ["s m 10", "s n 10", "h g 10"],
    ],
    [
      ["HGETEX", "h", "EX", "0", "FIELDS", "1", "f"],
      ["s m 10", "s n 10", "h g 10"],
    ],
    [
      ["HEXPIRE", "h", "20", "FIELDS", "1", "f"],
      ["s m 10", "s n 10", "h f 20", "h g 10"],
    ],
    [["HEXPIRE", "h", "20", "NX", "FIELDS", "1", "f"], ALL],
    [
      ["HEXPIRE", "h", "20", "XX", "FIELDS", "1", "f"],
      ["s m 10", "s n 10", "h f 20", "h g 10"],
    ],
    [
      ["HEXPIRE", "h", "20", "GT", "FIELDS", "1", "f"],
      ["s m 10", "s n 10", "h f 20", "h g 10"],
    ],
    [["HEXPIRE", "h", "20", "LT", "FIELDS", "1", "f"], ALL],
    [["HEXPIRE", "h", "5", "GT", "FIELDS", "1", "f"], ALL],
    [
      ["HEXPIRE", "h", "5", "LT", "FIELDS", "1", "f"],
      ["s m 10", "s n 10", "h f 5", "h g 10"],
    ],
    [
      ["HEXPIRE", "h", "0", "LT", "FIELDS", "1", "f"],
      ["s m 10", "s n 10", "h g 10"],
    ],
    [["HEXPIRE", "h", "0", "GT", "FIELDS", "1", "f"], ALL],
    [
      ["FIELDEXPIRE", "h", "20", "f"],
      ["s m 10", "s n 10", "h f 20", "h g 10"],
    ],
    [
      ["FIELDEXPIRE", "s", "20", "m"],
      ["s m 20", "s n 10", "h f 10", "h g 10"],
    ],
    [
      ["DEL", "x", "s"],
      ["h f 10", "h g 10"],
    ],
    [
      ["UNLINK", "h"],
      ["s m 10", "s n 10"],
    ],
    [
      ["DELEX", "h"],
      ["s m 10", "s n 10"],
    ],
    [
      ["SET", "h", "v"],
      ["s m 10", "s n 10"],
    ],
    [
      ["SETEX", "h", "10", "v"],
      ["s m 10", "s n 10"],
    ],
    [
      ["MSET", "a", "h", "h", "v"],
      ["s m 10", "s n 10"],
    ],
    [
      ["RENAME", "h", "s"],
      ["s f 10", "s g 10"],
    ],
    [
      ["RENAME", "x", "s"],
      ["h f 10", "h g 10"],
    ],
    [
      ["RENAMENX", "h", "i"],
      ["s m 10", "s n 10", "i f 10", "i g 10"],
    ],
    [
      ["COPY", "h", "i"],
      [...ALL, "i f 10", "i g 10"],
    ],
    [
      ["ZUNIONSTORE", "s", "1", "z"],
      ["h f 10", "h g 10"],
    ],
    [
      ["SORT", "l", "STORE", "s"],
      ["h f 10", "h g 10"],
    ],
    [
      ["GEORADIUS", "p", "0", "0", "1", "m", "STORE", "s"],
      ["h f 10", "h g 10"],
    ],
    [
      ["RESTORE", "s", "0", "nonsense that is long enough"],
      ["h f 10", "h g 10"],
    ],
    [["PEXPIREAT", "s", at(100)], ALL],
    [["PERSIST", "s"], ALL],
    [["RPUSH", "l", "m"], ALL],
  ])("%j", (entry, expected) => {
    const translation = converting();
    run(translation, BEFORE);
    translation.lines(...entry);
    expect(kept(translation)).toEqual(expected);
    expect(translation.losses).toEqual(["memberTtlKept 0 s", "fieldTtlKept 0 h"]);
  });

  test.each<[readonly Word[], string[]]>([
    [
      ["HINCRBY", "h", "f", "1"],
      ["HDEL h f", "HINCRBY h f 1"],
    ],
    [
      ["HSETNX", "h", "f", "9"],
      ["HDEL h f", "HSETNX h f 9"],
    ],
    [["SADD", "s", "m"], ["SADD s m"]],
    [["SMOVE", "x", "s", "m"], ["SMOVE x s m"]],
  ])("past its deadline the old one was gone on the source: %j makes a new one", (entry, lines) => {
    const translation = converting();
    run(translation, BEFORE);
    translation.now = at(10);
    expect(translation.lines(...entry)).toEqual(lines);
    const member = entry[0] === "SADD" || entry[0] === "SMOVE" ? "s m" : "h f";
    expect(kept(translation).filter((line) => line.startsWith(member))).toEqual([]);
  });

  test.each<[readonly Word[], string[]]>([
    [
      ["HSETEX", "h", "NX", "20", "f", "9"],
      ["HDEL h f", "HSETNX h f 9"],
    ],
    [
      ["HSETEX", "h", "KEEPTTL", "20", "f", "9"],
      ["HDEL h f", "HSET h f 9"],
    ],
  ])("past its deadline, %j sets a new one", (entry, lines) => {
    const translation = converting();
    run(translation, BEFORE);
    translation.now = at(10);
    expect(translation.lines(...entry)).toEqual(lines);
    expect(kept(translation)).toContain("h f 30");
  });

  test.each<[readonly Word[], string]>([
    [["HSETNX", "h", "f", "9"], "fieldTtl 0 h"],
    [["HINCRBY", "h", "f", "1"], "fieldTtl 0 h"],
    [["SADD", "s", "m"], "memberTtl 0 s"],
    [["SMOVE", "x", "s", "m"], "memberTtl 0 s"],
  ])(
    "%j may have made what HEXPIRE or FIELDEXPIRE did not find: it stays for good, and that is counted",
    (entry, loss) => {
      const translation = converting();
      run(translation, [
        ["HEXPIRE", "h", "10", "FIELDS", "1", "f"],
        ["FIELDEXPIRE", "s", "10", "m"],
      ]);
      translation.lines(...entry);
      expect(kept(translation).filter((line) => line.endsWith("Infinity?"))).toHaveLength(1);
      translation.lines(...entry);
      expect(translation.losses.slice(2)).toEqual([loss]);
    },
  );

  test.each<[readonly Word[], string]>([
    [["SADDEX", "s", "KEEPTTL", "10", "m"], "memberTtl 0 s"],
    [["HSETEX", "h", "NX", "10", "f", "1"], "fieldTtl 0 h"],
    [["HSETEX", "h", "FNX", "EX", "10", "FIELDS", "1", "f", "1"], "fieldTtl 0 h"],
    [["HSETEX", "h", "FXX", "EX", "10", "FIELDS", "1", "f", "1"], "fieldTtl 0 h"],
  ])("%j of what may be there without a deadline keeps none, and that is counted", (entry, loss) => {
    const translation = converting();
    translation.lines(...entry);
    translation.lines(...entry);
    expect(kept(translation)).toHaveLength(1);
    expect(release(translation, at(1e9))).toEqual([]);
    expect(translation.losses).toEqual([loss]);
  });

  test.each<[string, readonly Word[], string]>([
    ["stays unknown", ["HSETEX", "h", "KEEPTTL", "1", "f", "1"], "h f Infinity?"],
    ["stays unknown", ["HEXPIRE", "h", "1", "XX", "FIELDS", "1", "f"], "h f Infinity?"],
    ["stays unknown", ["HEXPIRE", "h", "1", "NX", "FIELDS", "1", "f"], "h f Infinity?"],
    ["is the new one, or ends before", ["HEXPIRE", "h", "30", "LT", "FIELDS", "1", "f"], "h f 30?"],
    ["is the new one", ["HSETEX", "h", "30", "f", "1"], "h f 30"],
    ["is the new one", ["HEXPIRE", "h", "30", "FIELDS", "1", "f"], "h f 30?"],
  ])("an unknown deadline %s after %j", (_what, entry, expected) => {
    const translation = converting();
    translation.lines("HSETEX", "h", "NX", "10", "f", "1");
    translation.lines(...entry);
    expect(kept(translation)).toEqual([expected]);
  });

  test("a key of FIELDEXPIRE is known as a hash or a set by the next command", () => {
    const translation = converting();
    run(translation, [
      ["FIELDEXPIRE", "a", "10", "m"],
      ["FIELDEXPIRE", "b", "10", "m"],
      ["FIELDEXPIRE", "c", "10", "m"],
      ["SADD", "a", "x"],
      ["HSET", "b", "x", "1"],
    ]);
    const lines = release(translation, at(10));
    expect(lines.slice(0, 2)).toEqual(["SREM a m", "HDEL b m"]);
    expect(lines[2]).toMatch(/^EVAL .*'TYPE'.* 1 c 1 1 m$/);
  });
});

describe("MOVE, which is journaled also when its new place was taken", () => {
  test("to a place of which nothing is known: no deadline of either key is trusted any more, and that is counted", () => {
    const translation = converting();
    run(translation, [SADDEX, ["MOVE", "s", "1"]]);
    expect(kept(translation)).toEqual(["s m Infinity?", "s n Infinity?", "1:s m Infinity?", "1:s n Infinity?"]);
    expect(release(translation, at(3600))).toEqual([]);
    expect(translation.losses).toContain("memberTtl 0 s");
  });

  test("to a key that has deadlines of its own, so nothing was moved", () => {
    const translation = converting();
    run(translation, [SADDEX]);
    translation.translate(["SADDEX", "s", "20", "o"], { db: 1 });
    run(translation, [["MOVE", "s", "1"]]);
    expect(kept(translation)).toEqual(["s m 10", "s n 10", "1:s o 20"]);
  });
});

describe("sources of other releases", () => {
  test("before 1.36 an increment takes the deadline of a field away", () => {
    const translation = converting({ sourceVersion: "df-v1.35.1" });
    run(translation, [HSETEX, ["HINCRBY", "h", "f", "1"], ["HINCRBYFLOAT", "h", "g", "1"]]);
    expect(kept(translation)).toEqual([]);
    expect(native({ sourceVersion: "df-v1.35.1" }).lines("HINCRBY", "h", "f", "1")).toEqual([
      "HINCRBY h f 1",
      "HPERSIST h FIELDS 1 f",
    ]);
    expect(native({ sourceVersion: "df-v1.35.1" }).lines("HINCRBYFLOAT", "h", "f", "1")[0]).not.toContain("HPEXPIRE");
    expect(native({ sourceVersion: "df-v1.36.0" }).lines("HINCRBY", "h", "f", "1")).toEqual(["HINCRBY h f 1"]);
  });

  test("before 1.28 SADDEX leaves a member that is there as it is", () => {
    const translation = converting({ sourceVersion: "df-v1.27.4" });
    run(translation, [SADDEX]);
    expect(translation.lines("SADDEX", "s", "20", "m")).toEqual(["SADD s m"]);
    expect(kept(translation)).toEqual(["s m Infinity?", "s n Infinity?"]);
    expect(translation.losses).toEqual(["memberTtl 0 s"]);
  });
});

describe("by the target itself", () => {
  test.each<[readonly Word[], (string | RegExp)[]]>([
    [HSETEX, ["HSET h f 1 g 2", `HPEXPIREAT h ${at(10)} FIELDS 2 f g`]],
    [["HSETEX", "h", "FIELDS", "1", "f", "1"], ["HSET h f 1"]],
    [["HSETEX", "h", "KEEPTTL", "10", "f", "1"], [new RegExp(`^EVAL .* 1 h always 1 ${at(10)} f 1$`)]],
    [["HSETEX", "h", "NX", "10", "f", "1"], [new RegExp(`^EVAL .* 1 h eachNew 0 ${at(10)} f 1$`)]],
    [["HSETEX", "h", "FXX", "KEEPTTL", "FIELDS", "1", "f", "1"], [/^EVAL .* 1 h allOld 1 {2}f 1$/]],
    [["HEXPIRE", "h", "10", "FIELDS", "2", "f", "g"], [`HPEXPIREAT h ${at(10)} FIELDS 2 f g`]],
    [["HEXPIRE", "h", "10", "GT", "FIELDS", "1", "f"], [`HPEXPIREAT h ${at(10)} GT FIELDS 1 f`]],
    [["HEXPIRE", "h", "0", "XX", "FIELDS", "1", "f"], ["HPEXPIREAT h 1 XX FIELDS 1 f"]],
    [["HEXPIRE", "h", "0", "FIELDS", "1", "f"], ["HDEL h f"]],
    [["HGETEX", "h", "PX", "9500", "FIELDS", "1", "f"], [`HPEXPIREAT h ${at(10)} FIELDS 1 f`]],
    [["HGETEX", "h", "PERSIST", "FIELDS", "1", "f"], ["HPERSIST h FIELDS 1 f"]],
    [["HINCRBYFLOAT", "h", "f", "1.5"], [/^EVAL .*HPEXPIRETIME.* 1 h f 1.5$/]],
    [["FIELDEXPIRE", "k", "10", "a", "b"], [new RegExp(`^EVAL .*'TYPE'.* 1 k ${at(10)} a b$`)]],
  ])("%j", (entry, expected) => {
    const translation = native();
    const lines = translation.lines(...entry);
    expect(lines).toHaveLength(expected.length);
    for (const [i, line] of expected.entries())
      expect(lines[i]).toEqual(typeof line === "string" ? line : expect.stringMatching(line));
    expect(translation.losses.filter((loss) => loss.startsWith("fieldTtl "))).toEqual([]);
  });

  test("what is near is held, and the target's older deadline taken away", () => {
    const translation = native({ isCatchingUp: true });
    expect(translation.lines(...HSETEX)).toEqual(["HSET h f 1 g 2"]);
    expect(translation.lines("HEXPIRE", "h", "20", "FIELDS", "1", "f")).toEqual(["HPERSIST h FIELDS 1 f"]);
    expect(kept(translation)).toEqual(["h f 20", "h g 10"]);
    expect(translation.losses).toEqual([]);
    translation.translator.deadlines.beginStable();
    translation.members.armFields(translation.encoder, "settled");
    expect(takeCommandLines(translation.encoder)).toEqual([
      `HPEXPIREAT h ${at(20)} FIELDS 1 f`,
      `HPEXPIREAT h ${at(10)} FIELDS 1 g`,
    ]);
  });

  test("conditions on what is held are decided here, the rest by the target", () => {
    const translation = native({ isCatchingUp: true });
    translation.lines("HSETEX", "h", "10", "f", "1");
    expect(translation.lines("HEXPIRE", "h", "20", "NX", "FIELDS", "2", "f", "x")).toEqual([
      `HPEXPIREAT h ${at(20)} NX FIELDS 1 x`,
    ]);
    translation.lines("HEXPIRE", "h", "20", "GT", "FIELDS", "1", "f");
    expect(kept(translation)).toEqual(["h f 20"]);
  });

  test("a held deadline of what may not exist goes to the target, which knows", () => {
    const translation = native({ isCatchingUp: true });
    translation.lines("HEXPIRE", "h", "20", "FIELDS", "1", "f");
    expect(translation.lines("HINCRBY", "h", "f", "1")).toEqual([`HPEXPIREAT h ${at(20)} FIELDS 1 f`, "HINCRBY h f 1"]);
    expect(kept(translation)).toEqual([]);
  });

  test("no room to hold: the target gets it at once", () => {
    const translation = native({ isCatchingUp: true, members: { limit: 1 } });
    expect(translation.lines(...HSETEX)).toEqual(["HSET h f 1 g 2", `HPEXPIREAT h ${at(10)} FIELDS 2 f g`]);
  });

  test("what FIELDEXPIRE said of a hash is not kept as well, once that is known", () => {
    const translation = native();
    translation.lines("FIELDEXPIRE", "h", "10", "f");
    expect(kept(translation)).toEqual(["h f 10?"]);
    translation.lines("HSET", "h", "x", "1");
    expect(kept(translation)).toEqual([]);
  });
});

describe("FIELDEXPIRE, which does not say of what type its key is", () => {
  test.each<[FeatureChoice, FeatureChoice, string[], string[]]>([
    ["drop", "drop", [], ["fieldTtl 0 k"]],
    ["drop", "convert", ["k a 10?"], ["memberTtlKept 0 k", "fieldTtl 0 k"]],
    ["convert", "drop", ["k a 10?"], ["fieldTtlKept 0 k", "memberTtl 0 k"]],
    ["native", "drop", [], ["memberTtl 0 k"]],
    ["native", "convert", ["k a 10?"], ["memberTtlKept 0 k"]],
  ])("fields %s, members %s", (fieldTtl, memberTtl, expected, losses) => {
    const translation = native({ plan: { fieldTtl, memberTtl } });
    translation.lines("FIELDEXPIRE", "k", "10", "a");
    expect([kept(translation), translation.losses]).toEqual([expected, losses]);
  });

  test("without scripts it is lost", () => {
    const translation = converting({ capabilities: { ...REDIS_74, commands: new Set(["RESTORE"]) } });
    expect(translation.lines("FIELDEXPIRE", "k", "10", "a")).toEqual([]);
    expect([kept(translation), translation.losses]).toEqual([[], ["fieldTtl 0 k"]]);
  });
});

describe("refused", () => {
  test.each<[readonly Word[], string]>([
    [SADDEX, "memberTtl"],
    [HSETEX, "fieldTtl"],
    [["HSETEX", "h", "NX", "10", "f", "1"], "fieldTtl"],
    [["HEXPIRE", "h", "10", "FIELDS", "1", "f"], "fieldTtl"],
    [["HGETEX", "h", "EX", "10", "FIELDS", "1", "f"], "fieldTtl"],
    [["FIELDEXPIRE", "h", "10", "f"], "fieldTtl"],
  ])("%j", (entry, feature) => {
    const translation = new JournalTranslation({ now: NOW, plan: { fieldTtl: "fail", memberTtl: "fail" } });
    expect(() => translation.lines(...entry)).toThrow(
      expect.objectContaining({
        code: "FEATURE_UNSUPPORTED",
        context: expect.objectContaining({ feature }) as unknown,
      }),
    );
  });

  test.each<[readonly Word[]]>([
    [["SADDEX", "s", "10"]],
    [["SADDEX", "s", "x", "m"]],
    [["HSETEX", "h", "10", "f"]],
    [["HEXPIRE", "h", "10", "FIELDS", "1"]],
    [["HEXPIRE", "h", "10", "NX", "FIELDS", "1"]],
    [["HGETEX", "h", "EX", "x", "FIELDS", "1", "f"]],
    [["HGETEX", "h", "PERSIST", "FIELDS", "1"]],
    [["FIELDEXPIRE", "h", "10"]],
  ])("%j is cut short", (entry) => {
    const translation = converting();
    expect(translation.lines(...entry)).toEqual([]);
    expect(translation.unrunnable).toHaveLength(1);
  });
});
