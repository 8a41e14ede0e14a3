import { describe, expect, test } from "vitest";
import { takeCommandLines } from "../../../test/support/parse-commands.ts";
import { REDIS_62, REDIS_70 } from "../../../test/support/capabilities.ts";
import { objectHeader, translatorKit } from "../../../test/support/snapshot-translation.ts";
import { Slice } from "../../bytes/slice.ts";
import type { StreamMeta } from "../../rdb/rdb-handler.ts";
import type { SnapshotTranslatorOptions } from "./snapshot-translator.ts";

const s = (text: string): Slice => Slice.from(text);
const META: StreamMeta = { length: "3", lastId: "9-0", firstId: "1-1", maxDeletedId: "2-0", entriesAdded: "5" };
const DEADLINE = 1_893_456_000_123;
const NO_SCRIPTS: Partial<SnapshotTranslatorOptions> = { capabilities: { ...REDIS_70, commands: new Set() } };

function kitWithEntries(ids: readonly string[], options: Partial<SnapshotTranslatorOptions> = {}) {
  const kit = translatorKit(options);
  const value = kit.translator.begin(objectHeader({ db: 2 }), "stream", 1);
  for (const id of ids) kit.translator.streamEntry(value, id, [s("f"), s("v"), s("left over")], 2);
  return { ...kit, value };
}

describe("streams as native commands", () => {
  test("entries, counters, a group, its consumers and their pending entries", () => {
    const { translator, encoder, value, losses, counts } = kitWithEntries(["1-1", "3-0", "9-0"]);
    translator.streamMeta(value, META);
    translator.streamGroup(value, s("g"), "3-0", "4");
    translator.streamPending(value, "1-1", 1000, 2);
    translator.streamPending(value, "3-0", 1000, 2);
    translator.streamPending(value, "9-0", 1000, 3);
    translator.streamConsumer(value, s("bob"), 5, 6);
    translator.streamConsumerPending(value, "3-0");
    translator.streamConsumer(value, s("idle"), 5, 6);
    translator.streamConsumer(value, s("alice"), 5, 6);
    translator.streamConsumerPending(value, "1-1");
    translator.streamConsumerPending(value, "9-0");
    translator.streamGroup(value, s("h"), "0-0", "-1");
    translator.end(value);
    expect(takeCommandLines(encoder)).toEqual([
      "SELECT 2",
      "DEL key",
      "XADD key 1-1 f v",
      "XADD key 3-0 f v",
      "XADD key 9-0 f v",
      "XSETID key 9-0 ENTRIESADDED 5",
      "XGROUP CREATE key g 3-0 ENTRIESREAD 4",
      "XGROUP CREATECONSUMER key g bob",
      "XCLAIM key g bob 0 3-0 TIME 1000 RETRYCOUNT 2 FORCE JUSTID",
      "XGROUP CREATECONSUMER key g idle",
      "XGROUP CREATECONSUMER key g alice",
      "XCLAIM key g alice 0 1-1 TIME 1000 RETRYCOUNT 2 FORCE JUSTID",
      "XCLAIM key g alice 0 9-0 TIME 1000 RETRYCOUNT 3 FORCE JUSTID",
      "XGROUP CREATE key h 0-0",
      "XSETID key 9-0 ENTRIESADDED 5 MAXDELETEDID 2-0",
    ]);
    expect(losses).toEqual([]);
    expect(counts).toEqual({ stream: 1 });
  });

  test("a stream without entries is made by a group that goes again; its deadline comes last", () => {
    const { translator, encoder } = translatorKit();
    const value = translator.begin(objectHeader({ expireAtMs: DEADLINE }), "stream", 0);
    translator.streamMeta(value, { ...META, length: "0", firstId: "0-0" });
    translator.end(value);
    expect(takeCommandLines(encoder)).toEqual([
      "DEL key",
      "XGROUP CREATE key df2redis 0 MKSTREAM",
      "XGROUP DESTROY key df2redis",
      "XSETID key 9-0 ENTRIESADDED 5",
      "XSETID key 9-0 ENTRIESADDED 5 MAXDELETEDID 2-0",
      `PEXPIREAT key ${DEADLINE}`,
    ]);
  });

  test("pending entries with one time and count share an XCLAIM, up to the batch's limit", () => {
    const ids = Array.from({ length: 7 }, (_, i) => `${i + 1}-0`);
    const { translator, encoder, value } = kitWithEntries(ids, { nativeBatchElements: 3 });
    translator.streamMeta(value, { ...META, maxDeletedId: "0-0" });
    translator.streamGroup(value, s("g"), "3-0", undefined);
    for (const [i, id] of ids.entries()) translator.streamPending(value, id, i < 5 ? 1000 : 2000, 1);
    translator.streamConsumer(value, s("c"), 5, 6);
    for (const id of ids.slice(0, 2)) translator.streamConsumerPending(value, id);
    translator.pieceEnd(value);
    translator.string(objectHeader({ key: "other", db: 0 }), s("v"));
    for (const id of ids.slice(2)) translator.streamConsumerPending(value, id);
    translator.end(value);
    expect(takeCommandLines(encoder).slice(-7)).toEqual([
      "XGROUP CREATECONSUMER key g c",
      "XCLAIM key g c 0 1-0 2-0 TIME 1000 RETRYCOUNT 1 FORCE JUSTID",
      "SELECT 0",
      "SET other v",
      "SELECT 2",
      "XCLAIM key g c 0 3-0 4-0 5-0 TIME 1000 RETRYCOUNT 1 FORCE JUSTID",
      "XCLAIM key g c 0 6-0 7-0 TIME 2000 RETRYCOUNT 1 FORCE JUSTID",
    ]);
  });

  /** Groups g and h, each with pending entries of two live messages and of three deleted ones. */
  const withTombstones = (options: Partial<SnapshotTranslatorOptions>) => {
    const kit = kitWithEntries(["5-0", "7-0"], options);
    const { translator, value } = kit;
    translator.streamMeta(value, META);
    for (const group of ["g", "h"]) {
      translator.streamGroup(value, s(group), "9-0", undefined);
      for (const id of ["4-0", "5-0", "6-0", "8-0"]) translator.streamPending(value, id, 1, 1);
      translator.streamConsumer(value, s("c"), 5, 6);
      for (const id of ["4-0", "5-0", "6-0", "8-0"]) translator.streamConsumerPending(value, id);
    }
    translator.end(value);
    return { ...kit, lines: takeCommandLines(kit.encoder) };
  };

  test.each([
    ["7.0", REDIS_70, "XSETID key 9-0 ENTRIESADDED 5"],
    ["6.2", REDIS_62, "XSETID key 9-0"],
  ])(
    "pending entries whose message is deleted: stand-ins are claimed and deleted, on %s",
    (_name, capabilities, set) => {
      const { lines, losses } = withTombstones({ capabilities });
      expect(losses).toEqual([]);
      expect(lines.slice(4, 5)).toEqual([set]);
      const words = lines
        .slice(lines.indexOf("UNLINK df2redis:entries:key df2redis:tombstones:key"))
        .map((line) => line.replace(/^EVAL .* return 0 /, "EVAL … "));
      expect(words).toEqual([
        "UNLINK df2redis:entries:key df2redis:tombstones:key",
        "COPY key df2redis:entries:key",
        "PEXPIRE df2redis:entries:key 86400000",
        "RPUSH df2redis:tombstones:key 4-0 6-0 8-0",
        "PEXPIRE df2redis:tombstones:key 86400000",
        "XTRIM key MAXLEN 0",
        "XSETID key 0-0",
        "EVAL … 3 key df2redis:entries:key df2redis:tombstones:key 1000",
        "XCLAIM key g c 0 4-0 6-0 8-0 TIME 1 RETRYCOUNT 1 FORCE JUSTID",
        "XCLAIM key h c 0 4-0 6-0 8-0 TIME 1 RETRYCOUNT 1 FORCE JUSTID",
        "XTRIM key MINID 5-0",
        "EVAL … 2 key df2redis:entries:key 6-0 8-0",
        "UNLINK df2redis:entries:key df2redis:tombstones:key",
        capabilities === REDIS_62 ? set : `${set} MAXDELETEDID 2-0`,
      ]);
    },
  );

  test("pending entries whose message is deleted are counted as lost where the target allows no scripts", () => {
    const { lines, losses } = withTombstones(NO_SCRIPTS);
    const claims = lines.filter((line) => line.startsWith("XCLAIM"));
    expect(claims).toEqual(["g", "h"].map((group) => `XCLAIM key ${group} c 0 5-0 TIME 1 RETRYCOUNT 1 FORCE JUSTID`));
    expect(losses).toEqual(Array.from({ length: 6 }, () => ({ kind: "pendingOfDeleted", db: 2, key: "key" })));
    expect(lines.join()).not.toMatch(/COPY|EVAL|XTRIM/);
  });

  test("pending ids that no message can have are counted as lost", () => {
    const { translator, encoder, value, losses } = kitWithEntries(["5-0"]);
    translator.streamMeta(value, META);
    translator.streamGroup(value, s("g"), "9-0", undefined);
    for (const id of ["0-0", "9-1"]) translator.streamPending(value, id, 1, 1);
    translator.streamConsumer(value, s("c"), 5, 6);
    for (const id of ["0-0", "9-1"]) translator.streamConsumerPending(value, id);
    translator.end(value);
    expect(losses).toHaveLength(2);
    expect(takeCommandLines(encoder).join()).not.toMatch(/COPY|XCLAIM/);
  });

  test("where neither is known whether the messages live nor scripts can tell, they are claimed, and the doubt is reported once", () => {
    const ids = Array.from({ length: 20 }, (_, i) => `${i + 1}-0`);
    const { translator, encoder, value, losses } = kitWithEntries(ids, { streamIdIndexBytes: 20, ...NO_SCRIPTS });
    translator.streamMeta(value, { ...META, lastId: "20-0", maxDeletedId: "15-5" });
    translator.streamGroup(value, s("g"), "20-0", undefined);
    const pending = ["1-0", "14-0", "15-0", "16-0"];
    for (const id of pending) translator.streamPending(value, id, 1, 1);
    translator.streamConsumer(value, s("c"), 5, 6);
    for (const id of pending) translator.streamConsumerPending(value, id);
    translator.end(value);
    expect(takeCommandLines(encoder).at(-2)).toBe(
      "XCLAIM key g c 0 1-0 14-0 15-0 16-0 TIME 1 RETRYCOUNT 1 FORCE JUSTID",
    );
    expect(losses).toEqual([{ kind: "pendingOfDeleted", db: 2, key: "key" }]);
  });

  test("where that is not known and scripts can tell, they do, for those that may have been deleted", () => {
    const ids = Array.from({ length: 20 }, (_, i) => `${i + 1}-0`);
    const { translator, encoder, value, losses } = kitWithEntries(ids, { streamIdIndexBytes: 20 });
    translator.streamMeta(value, { ...META, lastId: "20-0", maxDeletedId: "15-5" });
    translator.streamGroup(value, s("g"), "20-0", undefined);
    const pending = ["1-0", "14-0", "15-0", "16-0"];
    for (const id of pending) translator.streamPending(value, id, 1, 1);
    translator.streamConsumer(value, s("c"), 5, 6);
    for (const id of pending) translator.streamConsumerPending(value, id);
    translator.end(value);
    const lines = takeCommandLines(encoder);
    expect(lines.filter((line) => /^(XCLAIM|RPUSH)/.test(line))).toEqual([
      "XCLAIM key g c 0 1-0 16-0 TIME 1 RETRYCOUNT 1 FORCE JUSTID",
      "RPUSH df2redis:tombstones:key 14-0 15-0",
      "XCLAIM key g c 0 14-0 15-0 TIME 1 RETRYCOUNT 1 FORCE JUSTID",
    ]);
    expect(losses).toEqual([]);
  });

  test("before 7.0 there are no counters", () => {
    const { translator, encoder, value, losses } = kitWithEntries(["4-0"], { capabilities: REDIS_62 });
    translator.streamMeta(value, META);
    translator.streamGroup(value, s("g"), "9-0", "4");
    translator.streamPending(value, "4-0", 1, 1);
    translator.streamConsumer(value, s("c"), 5, 6);
    translator.streamConsumerPending(value, "4-0");
    translator.end(value);
    expect(takeCommandLines(encoder).slice(3)).toEqual([
      "XSETID key 9-0",
      "XGROUP CREATE key g 9-0",
      "XGROUP CREATECONSUMER key g c",
      "XCLAIM key g c 0 4-0 TIME 1 RETRYCOUNT 1 FORCE JUSTID",
    ]);
    expect(losses).toEqual([]);
  });

  test("counters that XSETID would refuse are brought into its range; unknown ones are left out", () => {
    const xsetid = (meta: Partial<StreamMeta>): string | undefined => {
      const { translator, encoder, value } = kitWithEntries(["1-0", "2-0"]);
      translator.streamMeta(value, { ...META, ...meta });
      translator.end(value);
      return takeCommandLines(encoder).at(-1);
    };
    expect(xsetid({ entriesAdded: "1" })).toBe("XSETID key 9-0 ENTRIESADDED 2 MAXDELETEDID 2-0");
    expect(xsetid({ maxDeletedId: "9-1" })).toBe("XSETID key 9-0 ENTRIESADDED 5 MAXDELETEDID 9-0");
    expect(xsetid({ entriesAdded: "18446744073709551614" })).toContain("ENTRIESADDED 18446744073709551614");
    expect(xsetid({ entriesAdded: undefined, maxDeletedId: undefined, firstId: undefined })).toBe("XSETID key 9-0");
  });

  test("pending entries that no consumer has, or of no group, are corrupt", () => {
    const corrupt = expect.objectContaining({ code: "STREAM_CORRUPT" });
    const withPending = () => {
      const kit = kitWithEntries(["1-0", "2-0"]);
      kit.translator.streamMeta(kit.value, META);
      kit.translator.streamGroup(kit.value, s("g"), "9-0", "4");
      kit.translator.streamPending(kit.value, "1-0", 1, 1);
      return kit;
    };
    const ownerless = withPending();
    expect(() => ownerless.translator.end(ownerless.value)).toThrow(corrupt);
    const nextGroup = withPending();
    expect(() => nextGroup.translator.streamGroup(nextGroup.value, s("h"), "9-0", "4")).toThrow(corrupt);
    const foreign = withPending();
    foreign.translator.streamConsumer(foreign.value, s("c"), 1, 1);
    expect(() => foreign.translator.streamConsumerPending(foreign.value, "2-0")).toThrow(corrupt);
  });
});
