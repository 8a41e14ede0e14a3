import { describe, expect, test } from "vitest";
import { REDIS_70 } from "../../../test/support/capabilities.ts";
import { JournalTranslation } from "../../../test/support/journal-translation.ts";
import { Crc64 } from "../../codec/crc64.ts";

const NOW = 1_700_000_000_000;
const FUTURE = NOW + 3_600_000;
const BODY = Buffer.from("\u0005hello");

function dump(type: number, body: Buffer, version: number): Buffer {
  const bytes = Buffer.concat([Buffer.from([type]), body, Buffer.alloc(10)]);
  bytes.writeUInt16LE(version, bytes.length - 10);
  new Crc64().update(bytes, 0, bytes.length - 8).writeLE(bytes, bytes.length - 8);
  return bytes;
}

const STRING = dump(0, BODY, 9);

function restored(words: (string | number | Buffer)[]): { args: string[]; payload: Buffer | undefined } {
  const [command = []] = new JournalTranslation({ now: NOW }).commands(["RESTORE", "k", ...words]);
  return { args: command.map((arg, i) => (i === 3 ? "dump" : arg.toString())), payload: command[3] };
}

describe("RESTORE", () => {
  test.each([
    [["0", STRING, "REPLACE", "ABSTTL"], "0"],
    [["0", STRING], "0"],
    [[FUTURE, STRING, "REPLACE", "ABSTTL"], String(FUTURE)],
    [[60_000, STRING], String(NOW + 60_000)],
    [[60_000, STRING, "IDLETIME", "7", "FREQ", "3"], String(NOW + 60_000)],
    [[FUTURE, STRING, "absttl", "stick"], String(FUTURE)],
  ])("always replaces, with an absolute deadline: %j", (words, ttl) => {
    expect(restored(words).args).toEqual(["RESTORE", "k", ttl, "dump", "REPLACE", "ABSTTL"]);
  });

  test("strings are set where RESTORE is not used", () => {
    const capabilities = { ...REDIS_70, restorableTypes: new Set<number>() };
    const set = (...words: (string | number | Buffer)[]): string[] =>
      new JournalTranslation({ now: NOW, capabilities }).lines("RESTORE", "k", ...words);
    expect(set("0", STRING)).toEqual(["SET k hello"]);
    expect(set(FUTURE, dump(0, Buffer.from("c2ffffff7f", "hex"), 9), "ABSTTL")[0]).toMatch(
      /^SET k 2147483647 PXAT \d+$/,
    );
    const small = { ...capabilities, maxBulkBytes: 4 };
    expect(() => new JournalTranslation({ now: NOW, capabilities: small }).lines("RESTORE", "k", "0", STRING)).toThrow(
      expect.objectContaining({ code: "VALUE_TOO_LONG" }),
    );
  });

  test("STICK is a loss", () => {
    const translation = new JournalTranslation({ now: NOW });
    translation.commands(["RESTORE", "k", "0", STRING, "REPLACE", "ABSTTL", "STICK"]);
    expect(translation.losses).toEqual(["sticky 0 k"]);
  });

  test("a deadline that is past is held, so that the key ends as absent", () => {
    const translation = new JournalTranslation({ now: NOW });
    const [command] = translation.commands(["RESTORE", "k", NOW - 5, STRING, "REPLACE", "ABSTTL"]);
    expect(Number(command?.[2]?.toString())).toBeGreaterThan(NOW);
    expect(translation.translator.deadlines.size).toBe(1);
  });

  test("a dump of a version that the target loads goes out as it is", () => {
    expect(restored(["0", STRING]).payload).toEqual(STRING);
    expect(restored(["0", dump(0, BODY, 10)]).payload).toEqual(dump(0, BODY, 10));
  });

  test("a newer one of a type that the target loads is stamped with its version", () => {
    expect(restored(["0", dump(0, BODY, 12)]).payload).toEqual(dump(0, BODY, 10));
  });

  test.each([
    [30, 9, 30],
    [31, 9, 31],
    [32, 9, 32],
    [34, 9, 34],
    [21, 9, 21],
    [20, 9, 30],
    [20, 11, 20],
  ])("type %i of version %i is written by the caller, as type %i", (type, version, seenAs) => {
    const translation = new JournalTranslation({ now: NOW });
    const words = ["RESTORE", "k", FUTURE, dump(type, BODY, version), "REPLACE", "ABSTTL", "STICK"];
    expect(translation.commands(words, { db: 0 })).toEqual([]);
    expect(translation.foreign).toEqual([
      { db: 0, key: "k", type: seenAs, body: BODY, expireAtMs: FUTURE, sticky: true },
    ]);
  });

  test("a foreign dump without a deadline says -1", () => {
    const translation = new JournalTranslation({ now: NOW });
    translation.commands(["RESTORE", "k", "0", dump(30, BODY, 9), "REPLACE", "ABSTTL"]);
    expect(translation.foreign[0]?.expireAtMs).toBe(-1);
  });

  test("a collection without members is a key that does not exist", () => {
    expect(
      new JournalTranslation().lines("RESTORE", "k", "0", dump(4, Buffer.from([0]), 9), "REPLACE", "ABSTTL"),
    ).toEqual(["DEL k"]);
  });

  test("an empty string is a value", () => {
    expect(restored(["0", dump(0, Buffer.from([0]), 9)]).args[0]).toBe("RESTORE");
  });

  test("what is no dump is left to the target's judgement", () => {
    expect(new JournalTranslation().lines("RESTORE", "k", "0", "short")).toEqual(["RESTORE k 0 short"]);
    expect(new JournalTranslation().lines("RESTORE", "k")).toEqual(["RESTORE k"]);
  });
});
