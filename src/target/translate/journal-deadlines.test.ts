import { describe, expect, test } from "vitest";
import { JournalTranslation } from "../../../test/support/journal-translation.ts";
import { takeCommandLines } from "../../../test/support/parse-commands.ts";
import { REDIS_62, REDIS_70 } from "../../../test/support/capabilities.ts";
import { Slice } from "../../bytes/slice.ts";
import { CommandEncoder } from "../../resp/command-encoder.ts";
import { ALWAYS_MS, NEVER_MS, STAND_IN_BEYOND_MS, STAND_IN_OFFSET_MS } from "./deadline-scripts.ts";
import { HeldDeadlines, type HeldDeadlinesOptions } from "./journal-deadlines.ts";

const NOW = 1_700_000_000_000;
const PAST = NOW - 1000;
const HOUR_MS = 3_600_000;
const key = Slice.from("k");
const BEYOND = NOW + STAND_IN_BEYOND_MS;

const standIn = (deadlineMs: number): number => deadlineMs + STAND_IN_OFFSET_MS;

function held(options: Partial<HeldDeadlinesOptions> = {}): HeldDeadlines {
  return new HeldDeadlines({ clock: () => NOW, ...options });
}

function stable(options: Partial<HeldDeadlinesOptions> = {}): HeldDeadlines {
  const deadlines = held(options);
  deadlines.beginStable();
  return deadlines;
}

function withoutScript(line: string): string {
  return line.replace(/^EVAL .* return n /, "EVAL script ");
}

function releaseLines(deadlines: HeldDeadlines, upToMs: number | "due" | "all", afterMs?: number): string[] {
  const encoder = new CommandEncoder(1 << 16);
  deadlines.release(encoder, upToMs, afterMs);
  return takeCommandLines(encoder).map(withoutScript);
}

describe("held deadlines", () => {
  test("while the flow catches up, those within reach get a stand-in that tells the true one", () => {
    const deadlines = held({ withinMs: HOUR_MS });
    expect(deadlines.settle(0, key, PAST)).toBe(standIn(PAST));
    expect(deadlines.settle(0, key, NOW + HOUR_MS)).toBe(standIn(NOW + HOUR_MS));
    expect(deadlines.settle(0, key, NOW + HOUR_MS + 1)).toBe(NOW + HOUR_MS + 1);
    expect(deadlines.size).toBe(0);
  });

  test("once it has caught up, those that are past or within the margin", () => {
    const deadlines = stable({ marginMs: 500 });
    expect(deadlines.settle(0, key, PAST)).toBe(standIn(PAST));
    expect(deadlines.settle(0, Slice.from("near"), NOW + 500)).toBe(standIn(NOW + 500));
    expect(deadlines.settle(0, Slice.from("far"), NOW + 501)).toBe(NOW + 501);
    expect(releaseLines(deadlines, "due")).toEqual([`EVAL script 1 k ${BEYOND} ${NOW} ${NEVER_MS}`]);
    expect(releaseLines(deadlines, NOW + 499)).toEqual([]);
    expect(releaseLines(deadlines, NOW + 500)).toEqual([`EVAL script 1 near ${BEYOND} ${NOW + 500} ${NEVER_MS}`]);
    expect(deadlines.size).toBe(0);
  });

  test("at the end of catching up all are released, those ahead too", () => {
    const deadlines = held();
    deadlines.settle(0, key, NOW + HOUR_MS);
    deadlines.beginStable();
    expect(releaseLines(deadlines, "due")).toEqual([]);
    expect(releaseLines(deadlines, "all")).toEqual([`EVAL script 1 k ${BEYOND} ${ALWAYS_MS} ${NEVER_MS}`]);
  });

  test("at the end of catching up what may be renewed still stays held, behind and ahead of now", () => {
    const deadlines = held();
    for (const [name, at] of [
      ["past", NOW - 9000],
      ["just", NOW - 500],
      ["near", NOW + 500],
      ["ahead", NOW + 9000],
    ] as const)
      deadlines.settle(0, Slice.from(name), at);
    deadlines.beginStable();
    expect(releaseLines(deadlines, NOW - 2000, NOW + 1000)).toEqual([
      `EVAL script 2 past ahead ${BEYOND} ${NOW - 2000} ${NOW + 1000}`,
    ]);
    expect(releaseLines(deadlines, NOW - 500)).toEqual([`EVAL script 1 just ${BEYOND} ${NOW - 500} ${NEVER_MS}`]);
    expect(deadlines.size).toBe(1);
  });

  test("every stand-in is known as such, every true deadline of a Dragonfly is not", () => {
    const deadlines = held({ withinMs: 9 * 365 * 24 * HOUR_MS });
    const farthestMs = NOW + (2 ** 28 - 1) * 1000;
    expect(farthestMs).toBeLessThan(BEYOND);
    for (const deadlineMs of [-5, 0, 1, PAST, NOW, farthestMs])
      expect(deadlines.settle(0, key, deadlineMs)).toBeGreaterThan(BEYOND);
  });

  test("never: every deadline goes out as it is", () => {
    const deadlines = held({ hold: "never" });
    expect(deadlines.settle(0, key, PAST)).toBe(PAST);
    expect(deadlines.settle(0, key, -5)).toBe(1);
    expect(deadlines.isHolding).toBe(false);
    expect(deadlines.size).toBe(0);
  });

  test("without EVAL nothing could be armed, so nothing is held", () => {
    const deadlines = held({ commands: new Set(["RESTORE"]) });
    expect(deadlines.canHold).toBe(false);
    expect(deadlines.settle(0, key, PAST)).toBe(PAST);
  });

  test("a renewal ends it", () => {
    const deadlines = stable();
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

  test("above the limit they are held all the same, and a scan has to arm them", () => {
    const deadlines = held({ limit: 1 });
    deadlines.settle(0, key, PAST);
    expect(deadlines.overflowed).toBe(false);
    expect(deadlines.settle(0, Slice.from("other"), PAST)).toBe(standIn(PAST));
    expect(deadlines.overflowed).toBe(true);
    expect(deadlines.size).toBe(1);
  });

  test("a key that changes its name may be missed by that scan, so the list has it", () => {
    const deadlines = held({ limit: 1 });
    deadlines.settle(0, key, PAST);
    deadlines.settle(0, Slice.from("other"), PAST);
    deadlines.release(new CommandEncoder(4096), "all");
    deadlines.follow(0, Slice.from("other"), 0, Slice.from("renamed"));
    expect(releaseLines(deadlines, "all")[0]).toContain(" 1 renamed ");
  });

  test("a name that may not have been followed keeps the later deadline of both", () => {
    const deadlines = held();
    deadlines.settle(0, key, PAST);
    deadlines.settle(1, key, NOW + HOUR_MS);
    deadlines.follow(0, key, 1, key);
    expect(releaseLines(deadlines, NOW)).toEqual([`EVAL script 1 k ${BEYOND} ${NOW} ${NEVER_MS}`]);
    expect(deadlines.size).toBe(1);
    expect(releaseLines(deadlines, "all")[0]).toBe("SELECT 1");
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
  test.each([
    [["SET", "k", "v", "PXAT", PAST], `SET k v PXAT ${standIn(PAST)}`],
    [["SET", "k", "v", "PXAT", PAST, "STICK"], `SET k v PXAT ${standIn(PAST)}`],
    [["PEXPIREAT", "k", PAST], `PEXPIREAT k ${standIn(PAST)}`],
    [["SETEX", "k", "-1", "v"], `SET k v PXAT ${standIn(PAST)}`],
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
      expect(releaseLines(translation.translator.deadlines, "due").join(" ")).toContain(" 2 k n ");
    },
  );

  test("MOVE takes it to the other database", () => {
    const translation = new JournalTranslation({ now: NOW });
    translation.lines("PEXPIREAT", "k", PAST);
    translation.lines("MOVE", "k", "5");
    expect(releaseLines(translation.translator.deadlines, "due")).toContain("SELECT 5");
  });

  test("a condition is compared with true deadlines, and leaves the list alone", () => {
    const translation = new JournalTranslation({ now: NOW });
    translation.lines("PEXPIREAT", "k", PAST);
    const [line] = translation.lines("PEXPIREAT", "k", NOW + HOUR_MS, "GT");
    expect(line).toMatch(new RegExp(`^EVAL .*PEXPIRETIME.* 1 k ${BEYOND} ${NOW + HOUR_MS} ${NOW + HOUR_MS} GT$`));
    expect(translation.translator.deadlines.size).toBe(1);
  });

  test("a target without PEXPIRETIME reads PTTL and the clock", () => {
    const [line] = new JournalTranslation({ now: NOW, capabilities: REDIS_62 }).lines("PEXPIREAT", "k", NOW, "LT");
    expect(line).toContain("'PTTL'");
  });

  test("where nothing is held, conditions go out as they are", () => {
    const translation = new JournalTranslation({ now: NOW, deadlines: { hold: "never" }, capabilities: REDIS_70 });
    expect(translation.lines("PEXPIREAT", "k", PAST, "GT")).toEqual([`PEXPIREAT k ${PAST} GT`]);
  });
});
