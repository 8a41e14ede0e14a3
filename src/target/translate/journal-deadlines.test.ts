import { describe, expect, test } from "vitest";
import { JournalTranslation } from "../../../test/support/journal-translation.ts";
import { takeCommandLines } from "../../../test/support/parse-commands.ts";
import { Slice } from "../../bytes/slice.ts";
import { CommandEncoder } from "../../resp/command-encoder.ts";
import { HeldDeadlines } from "./journal-deadlines.ts";

const NOW = 1_700_000_000_000;
const PAST = NOW - 1000;
const WEEK_MS = 7 * 24 * 3600 * 1000;
const key = Slice.from("k");

function held(options: { marginMs?: number; limit?: number } = {}): HeldDeadlines {
  return new HeldDeadlines({ clock: () => NOW, ...options });
}

function releaseLines(deadlines: HeldDeadlines, which: "due" | "all"): string[] {
  const encoder = new CommandEncoder(1 << 16);
  deadlines.release(encoder, which);
  return takeCommandLines(encoder).map((line) => line.replace(/^EVAL .* return 0 /, "EVAL script "));
}

describe("held deadlines", () => {
  test("one that is ahead is written as it is", () => {
    const deadlines = held();
    expect(deadlines.settle(0, key, NOW + 60_000)).toBe(NOW + 60_000);
    expect(deadlines.size).toBe(0);
  });

  test("one that is past, or within the margin, gets a stand-in until it is released", () => {
    const deadlines = held({ marginMs: 500 });
    expect(deadlines.settle(0, key, PAST)).toBe(NOW + WEEK_MS);
    expect(deadlines.settle(0, Slice.from("near"), NOW + 500)).toBe(NOW + WEEK_MS);
    expect(deadlines.settle(0, Slice.from("far"), NOW + 501)).toBe(NOW + 501);
    expect(releaseLines(deadlines, "due")).toEqual([`EVAL script 1 k ${NOW + WEEK_MS} ${PAST}`]);
    expect(releaseLines(deadlines, "due")).toEqual([]);
    expect(releaseLines(deadlines, "all")).toEqual([`EVAL script 1 near ${NOW + WEEK_MS} ${NOW + 500}`]);
    expect(deadlines.size).toBe(0);
  });

  test("a renewal ends it", () => {
    const deadlines = held();
    deadlines.settle(0, key, PAST);
    deadlines.settle(0, key, NOW + 60_000);
    expect(releaseLines(deadlines, "all")).toEqual([]);
  });

  test("databases and bytes are kept apart", () => {
    const deadlines = held();
    deadlines.settle(1, Slice.from(Buffer.from([0xff, 0])), PAST);
    deadlines.settle(2, Slice.from(Buffer.from([0xff, 0])), PAST);
    deadlines.forget(2, Slice.from(Buffer.from([0xff, 0])));
    const encoder = new CommandEncoder(1 << 16);
    deadlines.release(encoder, "all");
    const bytes = encoder.take()?.bytes() ?? Buffer.alloc(0);
    expect(bytes.includes(Buffer.from([0x24, 0x32, 13, 10, 0xff, 0, 13, 10]))).toBe(true);
    expect(deadlines.size).toBe(0);
  });

  test("many are released in several commands", () => {
    const deadlines = held();
    for (let i = 0; i < 600; i++) deadlines.settle(0, Slice.from(`k${i}`), PAST);
    expect(deadlines.size).toBe(600);
    expect(releaseLines(deadlines, "all")).toHaveLength(3);
    expect(deadlines.size).toBe(0);
  });

  test("above the limit deadlines go out as they are, and are counted", () => {
    const deadlines = held({ limit: 1 });
    deadlines.settle(0, key, PAST);
    expect(deadlines.settle(0, Slice.from("other"), PAST)).toBe(PAST);
    expect(deadlines.settle(0, key, PAST - 1)).toBe(NOW + WEEK_MS);
    expect(deadlines.overflowed).toBe(1);
    expect(deadlines.size).toBe(1);
  });

  test("a flush forgets a database, or all", () => {
    const deadlines = held();
    for (const db of [0, 1, 2]) deadlines.settle(db, key, PAST);
    deadlines.flushed(1);
    expect(deadlines.size).toBe(2);
    deadlines.flushed(-1);
    expect(deadlines.size).toBe(0);
  });
});

describe("entries and held deadlines", () => {
  const standIn = NOW + WEEK_MS;

  test.each([
    [["SET", "k", "v", "PXAT", PAST], `SET k v PXAT ${standIn}`],
    [["SET", "k", "v", "PXAT", PAST, "STICK"], `SET k v PXAT ${standIn}`],
    [["PEXPIREAT", "k", PAST], `PEXPIREAT k ${standIn}`],
    [["SETEX", "k", "-1", "v"], `SET k v PXAT ${standIn}`],
  ])("%j", (words, expected) => {
    const translation = new JournalTranslation({ now: NOW });
    expect(translation.lines(...words)).toEqual([expected]);
    expect(translation.translator.deadlines.size).toBe(1);
  });

  test.each([[["DEL", "x", "k"]], [["PERSIST", "k"]], [["UNLINK", "k"]], [["DELEX", "k"]]])(
    "%j ends the hold",
    (words) => {
      const translation = new JournalTranslation({ now: NOW });
      translation.lines("PEXPIREAT", "k", PAST);
      translation.lines(...words);
      expect(translation.translator.deadlines.size).toBe(0);
    },
  );

  test.each([[["RENAME", "k", "n"]], [["RENAMENX", "k", "n"]], [["COPY", "k", "n", "REPLACE"]]])(
    "%j takes it along",
    (words) => {
      const translation = new JournalTranslation({ now: NOW });
      translation.lines("PEXPIREAT", "k", PAST);
      translation.lines(...words);
      expect(releaseLines(translation.translator.deadlines, "all").join(" ")).toContain(
        `k n ${standIn} ${PAST} ${standIn} ${PAST}`,
      );
    },
  );

  test("MOVE takes it to the other database", () => {
    const translation = new JournalTranslation({ now: NOW });
    translation.lines("PEXPIREAT", "k", PAST);
    translation.lines("MOVE", "k", "5");
    expect(releaseLines(translation.translator.deadlines, "all")).toContain("SELECT 5");
  });
});
