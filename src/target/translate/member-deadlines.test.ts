import { describe, expect, test } from "vitest";
import { takeCommandLines } from "../../../test/support/parse-commands.ts";
import { Slice } from "../../bytes/slice.ts";
import { CommandEncoder } from "../../resp/command-encoder.ts";
import { MemberDeadlines, type MemberDeadlinesOptions } from "./member-deadlines.ts";
import { FIELD, MEMBER, UNSURE_EITHER } from "./member-policy.ts";

const AT = 1_700_000_000_000;
const KEY = Slice.from("k");
const m = Slice.from("m");

function kept(options: MemberDeadlinesOptions = {}): MemberDeadlines {
  return new MemberDeadlines(options);
}

function releaseLines(members: MemberDeadlines, upToMs: number): string[] {
  const encoder = new CommandEncoder(1 << 16);
  members.release(encoder, upToMs);
  return takeCommandLines(encoder).map((line) => line.replace(/^EVAL .* return n /, "EVAL script "));
}

function armLines(members: MemberDeadlines, which: "settled" | "all"): string[] {
  const encoder = new CommandEncoder(1 << 16);
  members.armFields(encoder, which);
  return takeCommandLines(encoder);
}

describe("deadlines of members", () => {
  test("members are deleted when they are due, not before", () => {
    const members = kept();
    members.set(0, KEY, m, AT, MEMBER);
    members.set(3, Slice.from("h"), Slice.from("f"), AT + 1000, FIELD);
    expect(releaseLines(members, AT - 1)).toEqual([]);
    expect(releaseLines(members, AT + 999)).toEqual(["SREM k m"]);
    expect(releaseLines(members, AT + 1000)).toEqual(["SELECT 3", "HDEL h f"]);
    expect(members.size).toBe(0);
  });

  test("seconds are whole: a fraction is rounded up", () => {
    const members = kept();
    members.set(0, KEY, m, AT + 1, MEMBER);
    expect(members.deadlineOf(0, KEY, m)).toBe(AT + 1000);
    expect(releaseLines(members, AT + 999)).toEqual([]);
  });

  test("a renewal replaces the deadline", () => {
    const members = kept();
    members.set(0, KEY, m, AT, MEMBER);
    members.set(0, KEY, m, AT + 5000, MEMBER);
    expect(members.size).toBe(1);
    expect(releaseLines(members, AT + 4000)).toEqual([]);
    expect(releaseLines(members, AT + 5000)).toEqual(["SREM k m"]);
  });

  test("members of one key go together, in batches", () => {
    const members = kept();
    for (let i = 0; i < 600; i++) members.set(0, KEY, Slice.from(`m${i}`), AT, MEMBER);
    members.set(0, Slice.from("other"), m, AT, MEMBER);
    const lines = releaseLines(members, AT);
    expect(lines.map((line) => line.split(" ").length - 2)).toEqual([256, 256, 88, 1]);
  });

  test("a key of unknown type is asked by a script", () => {
    const members = kept({ plan: { fieldTtl: "native", memberTtl: "convert" } });
    members.set(0, KEY, m, AT, UNSURE_EITHER);
    expect(releaseLines(members, AT)).toEqual(["EVAL script 1 k 0 1 m"]);
  });

  test("what is dropped is not released; bytes are kept apart", () => {
    const members = kept();
    const [a, b] = [Slice.from(Buffer.from([0xff, 0x61])), Slice.from(Buffer.from([0xfe, 0x61]))];
    members.set(0, KEY, a, AT, MEMBER);
    members.set(0, KEY, b, AT, MEMBER);
    expect(members.drop(0, KEY, a)).toBe(true);
    expect(members.drop(0, KEY, a)).toBe(false);
    expect(members.drop(1, KEY, b)).toBe(false);
    const encoder = new CommandEncoder(4096);
    members.release(encoder, AT);
    expect(
      encoder
        .take()
        ?.bytes()
        .includes(Buffer.from([0xfe, 0x61])),
    ).toBe(true);
    expect(members.hasKey(0, KEY)).toBe(false);
  });

  test("keys go, move and are copied", () => {
    const members = kept();
    const [a, b, c] = [Slice.from("a"), Slice.from("b"), Slice.from("c")];
    members.set(0, a, m, AT, MEMBER);
    members.set(0, b, Slice.from("old"), AT, MEMBER);
    members.follow({ db: 0, key: a }, { db: 0, key: b }, "move");
    expect([members.hasKey(0, a), members.deadlineOf(0, b, m), members.size]).toEqual([false, AT, 1]);
    members.follow({ db: 0, key: b }, { db: 4, key: c }, "copy");
    expect([members.deadlineOf(0, b, m), members.deadlineOf(4, c, m)]).toEqual([AT, AT]);
    members.follow({ db: 0, key: b }, { db: 0, key: b }, "move");
    expect(members.deadlineOf(0, b, m)).toBe(AT);
    members.follow({ db: 0, key: Slice.from("none") }, { db: 4, key: c }, "move");
    expect(members.hasKey(4, c)).toBe(false);
    members.dropKey(0, b);
    expect([members.size, releaseLines(members, AT)]).toEqual([0, []]);
  });

  test("a flush forgets a database, or all", () => {
    const members = kept();
    for (const db of [0, 1, 2]) members.set(db, KEY, m, AT, MEMBER);
    members.flushed(1);
    expect([members.size, members.hasKey(1, KEY)]).toEqual([2, false]);
    members.flushed(-1);
    expect([members.size, releaseLines(members, AT)]).toEqual([0, []]);
  });

  test("above the limit a deadline is not taken, and that is told", () => {
    const members = kept({ limit: 1 });
    expect(members.set(0, KEY, m, AT, MEMBER)).toBe(true);
    expect(members.set(0, Slice.from("x"), m, AT, MEMBER)).toBe(false);
    expect(members.set(0, KEY, m, AT + 1000, MEMBER)).toBe(true);
    expect([members.size, members.overflowed, members.hasKey(0, Slice.from("x"))]).toEqual([1, 1, false]);
  });

  test("entries of one run are loaded by the next", () => {
    const members = kept();
    members.set(0, KEY, m, AT, MEMBER);
    members.set(7, KEY, Slice.from(Buffer.from([0xff])), AT + 1000, UNSURE_EITHER);
    const next = kept();
    next.load(members.entries());
    expect([...next.entries()]).toEqual([...members.entries()]);
    expect(next.find(7, KEY, Slice.from(Buffer.from([0xff])))?.certain).toBe(false);
    expect(releaseLines(next, AT)).toEqual(["SREM k m"]);
  });
});

describe("fields that are held back from a target with deadlines of its own", () => {
  const plan = { fieldTtl: "native", memberTtl: "drop" } as const;

  test("those with no renewal under way any more are given to it, then all", () => {
    const members = kept({ plan, isNear: (at) => at <= AT });
    for (const [field, at] of [
      ["a", AT],
      ["b", AT + 1000],
      ["c", AT + 1000],
    ] as const)
      members.set(0, KEY, Slice.from(field), at, FIELD);
    expect(armLines(members, "settled")).toEqual([`HPEXPIREAT k ${AT + 1000} FIELDS 2 b c`]);
    expect(members.size).toBe(1);
    expect(armLines(members, "all")).toEqual([`HPEXPIREAT k ${AT} FIELDS 1 a`]);
    expect([members.size, releaseLines(members, AT)]).toEqual([0, []]);
  });

  test("one that is due meanwhile is deleted", () => {
    const members = kept({ plan });
    members.set(0, KEY, m, AT, FIELD);
    expect(releaseLines(members, AT)).toEqual(["HDEL k m"]);
  });
});
