/** Deadlines of fields and members in a snapshot, by plan. */
import { describe, expect, test } from "vitest";
import { DROP_ALL, REDIS_74 } from "../../../test/support/capabilities.ts";
import { takeCommandLines } from "../../../test/support/parse-commands.ts";
import { objectHeader, translatorKit, type TranslatorKit } from "../../../test/support/snapshot-translation.ts";
import { Slice } from "../../bytes/slice.ts";
import type { FeatureChoice } from "../features.ts";
import { MemberDeadlines } from "./member-deadlines.ts";

const AT = 1_700_000_000_000;
const s = (text: string): Slice => Slice.from(text);

type Kit = TranslatorKit & { readonly members: MemberDeadlines };

function kitOf(choice: FeatureChoice, options: { limit?: number; nearMs?: number } = {}): Kit {
  const plan = { ...DROP_ALL, fieldTtl: choice, memberTtl: choice === "native" ? "convert" : choice } as const;
  const isNear = (at: number): boolean => at <= (options.nearMs ?? 0);
  const members = new MemberDeadlines({
    plan,
    isNear,
    ...(options.limit === undefined ? {} : { limit: options.limit }),
  });
  return { ...translatorKit({ plan, members, capabilities: REDIS_74 }), members };
}

function hash({ translator }: Kit, fields: readonly (readonly [string, number])[], key = "h"): void {
  const value = translator.begin(objectHeader({ key }), "hashTtl", fields.length);
  for (const [field, at] of fields) translator.hashFieldTtl(value, s(field), s("v"), at);
  translator.end(value);
}

function set({ translator }: Kit, members: readonly (readonly [string, number])[], key = "s"): void {
  const value = translator.begin(objectHeader({ key }), "setTtl", members.length);
  for (const [member, at] of members) translator.setMemberTtl(value, s(member), at);
  translator.end(value);
}

const lossesOf = ({ losses }: Kit): string[] => losses.map(({ kind, key }) => `${kind} ${key}`);

describe("a snapshot's deadlines of fields and members", () => {
  test("kept by df2redis, told once per key", () => {
    const kit = kitOf("convert");
    hash(kit, [
      ["f", AT],
      ["g", -1],
      ["i", AT + 1000],
    ]);
    set(kit, [
      ["m", AT],
      ["n", AT],
    ]);
    expect(takeCommandLines(kit.encoder)).toEqual(["DEL h", "HSET h f v g v i v", "DEL s", "SADD s m n"]);
    expect(lossesOf(kit)).toEqual(["fieldTtlKept h", "memberTtlKept s"]);
    expect(kit.members.size).toBe(4);
    kit.members.release(kit.encoder, AT);
    expect(takeCommandLines(kit.encoder)).toEqual(["HDEL h f", "SREM s m n"]);
  });

  test("above the limit: lost, and counted once per key", () => {
    const kit = kitOf("convert", { limit: 1 });
    set(kit, [
      ["m", AT],
      ["n", AT],
      ["o", AT],
    ]);
    expect(lossesOf(kit)).toEqual(["memberTtlKept s", "memberTtl s"]);
    expect(kit.members.overflowed).toBe(2);
  });

  test("left out, and counted once per key", () => {
    const kit = kitOf("drop");
    hash(kit, [
      ["f", AT],
      ["g", AT],
    ]);
    set(kit, [
      ["m", AT],
      ["n", -1],
    ]);
    expect(lossesOf(kit)).toEqual(["fieldTtl h", "memberTtl s"]);
    expect(kit.members.size).toBe(0);
  });

  test("refused, but for values without any", () => {
    const kit = kitOf("fail");
    hash(kit, [["f", -1]]);
    set(kit, [["m", -1]]);
    expect(() => hash(kit, [["f", AT]])).toThrow(expect.objectContaining({ code: "FEATURE_UNSUPPORTED" }));
    expect(() => set(kit, [["m", AT]])).toThrow(expect.objectContaining({ code: "FEATURE_UNSUPPORTED" }));
  });

  test("given to the target behind their fields, a command for each deadline", () => {
    const kit = kitOf("native");
    hash(kit, [
      ["f", AT],
      ["g", -1],
      ["i", AT + 1000],
      ["j", AT],
    ]);
    expect(takeCommandLines(kit.encoder)).toEqual([
      "DEL h",
      "HSET h f v g v i v j v",
      `HPEXPIREAT h ${AT} FIELDS 2 f j`,
      `HPEXPIREAT h ${AT + 1000} FIELDS 1 i`,
    ]);
    expect(lossesOf(kit)).toEqual([]);
  });

  test("a field that may be renewed still is held", () => {
    const kit = kitOf("native", { nearMs: AT });
    hash(kit, [
      ["near", AT],
      ["far", AT + 1000],
    ]);
    expect(takeCommandLines(kit.encoder).slice(2)).toEqual([`HPEXPIREAT h ${AT + 1000} FIELDS 1 far`]);
    expect(kit.members.deadlineOf(0, s("h"), s("near"))).toBe(AT);
    expect(lossesOf(kit)).toEqual([]);
  });

  test("no room to hold: the target gets it at once", () => {
    const kit = kitOf("native", { nearMs: AT, limit: 0 });
    hash(kit, [["near", AT]]);
    expect(takeCommandLines(kit.encoder).at(-1)).toBe(`HPEXPIREAT h ${AT} FIELDS 1 near`);
  });

  test("between two pieces of a value another may come", () => {
    const kit = kitOf("native");
    const { translator } = kit;
    const first = translator.begin(objectHeader({ key: "a" }), "hashTtl", 2);
    translator.hashFieldTtl(first, s("f"), s("v"), AT);
    translator.pieceEnd(first);
    hash(kit, [["x", AT]], "b");
    translator.hashFieldTtl(first, s("g"), s("v"), AT);
    translator.end(first);
    expect(takeCommandLines(kit.encoder)).toEqual([
      "DEL a",
      "HSET a f v",
      `HPEXPIREAT a ${AT} FIELDS 1 f`,
      "DEL b",
      "HSET b x v",
      `HPEXPIREAT b ${AT} FIELDS 1 x`,
      "HSET a g v",
      `HPEXPIREAT a ${AT} FIELDS 1 g`,
    ]);
  });

  test("a deadline never comes before its field, whatever the batches", () => {
    const kit = kitOf("native");
    hash(
      kit,
      Array.from({ length: 3000 }, (_, i) => [`f${i}`, AT + (i % 7) * 1000] as const),
    );
    const there = new Set<string>();
    let given = 0;
    for (const line of takeCommandLines(kit.encoder)) {
      const words = line.split(" ");
      if (words[0] === "HSET") for (let i = 2; i < words.length; i += 2) there.add(words[i] ?? "");
      if (words[0] !== "HPEXPIREAT") continue;
      const fields = words.slice(5);
      expect(fields.length).toBe(Number(words[4]));
      expect(fields.filter((field) => !there.has(field))).toEqual([]);
      given += fields.length;
    }
    expect(given).toBe(3000);
  });

  test("a new value of a key ends the deadlines of the old one", () => {
    for (const replace of [
      (kit: Kit) => set(kit, [["x", -1]]),
      (kit: Kit) => kit.translator.string(objectHeader({ key: "s" }), s("v")),
      (kit: Kit) => kit.translator.body(objectHeader({ key: "s", type: 11 }), Slice.from(Buffer.from([0]))),
    ]) {
      const kit = kitOf("convert");
      set(kit, [["m", AT]]);
      replace(kit);
      expect(kit.members.size).toBe(0);
    }
  });
});
