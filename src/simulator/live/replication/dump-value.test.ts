/** Dumps against real ones: those that stand in RESTORE entries of recorded journals, and one that DUMP answered. */
import { expect, test } from "vitest";
import { KeyspaceCollector } from "../../../../test/support/keyspace-collector.ts";
import { openRecording, recordingNames } from "../../../../test/support/recordings.ts";
import { Cursor } from "../../../bytes/cursor.ts";
import { DEFAULT_DECODE_LIMITS } from "../../../bytes/decode-limits.ts";
import { JournalDecoder } from "../../../journal/journal-decoder.ts";
import { RdbDecoder } from "../../../rdb/rdb-decoder.ts";
import type { Value } from "../values.ts";
import { dumpValue } from "./dump-value.ts";
import { rdbProfile } from "./rdb-profile.ts";
import { rdbEnd } from "./rdb-header.ts";

const FOOTER_BYTES = 10;
const LZF = 0xc3;
const NO_EVENTS = { journalBlob: () => {}, fullSyncEnd: () => {}, journalOffset: () => {} };

/** Every dump that a recording's journals hold. */
function recordedDumps(name: string): Buffer[] {
  const dumps: Buffer[] = [];
  for (const { master, stableStart, journal } of openRecording(name).first.flows) {
    const cursor = new Cursor().resetTo(master, stableStart, master.length);
    const decoder = new JournalDecoder(DEFAULT_DECODE_LIMITS, journal.startLsn);
    while (cursor.pos < master.length) {
      decoder.next(cursor, {
        command: (command) => {
          if (command.arg(0).toText() === "RESTORE") dumps.push(command.arg(3).toBuffer());
        },
        ping: () => {},
      });
      cursor.commit();
    }
  }
  return dumps;
}

/** By the product's decoder, in a stream around the dump's type and body. */
function valueIn(dump: Buffer): Value | undefined {
  const type = dump.subarray(0, 1);
  const stream = Buffer.concat([
    Buffer.from("REDIS0009"),
    type,
    Buffer.from([1, 0x6b]),
    dump.subarray(1, -FOOTER_BYTES),
    rdbEnd(),
  ]);
  const handler = new KeyspaceCollector();
  const cursor = new Cursor().resetTo(stream, 0, stream.length);
  new RdbDecoder(cursor, { handler, events: NO_EVENTS, limits: DEFAULT_DECODE_LIMITS, bodyLimitBytes: 0 }).decode();
  return handler.objects[0]?.entry.value;
}

test("dumps in recorded journals", () => {
  let compared = 0;
  let exact = 0;
  for (const name of recordingNames()) {
    const { manifest } = openRecording(name);
    const profile = rdbProfile(manifest.dragonfly);
    const lzf = !manifest.flags.includes("--compression_mode=0");
    for (const dump of recordedDumps(name)) {
      const value = valueIn(dump);
      // Deleted entries of a stream leave traces in its nodes.
      if (value === undefined || (value.type === "stream" && value.entries.length < value.entriesAdded)) continue;
      compared++;
      const ours = dumpValue(value, { profile, lzf });
      if (ours.equals(dump)) exact++;
      else {
        // Only a compressed string may differ: liblzf finds other references.
        expect([ours.includes(LZF), dump.includes(LZF)]).toEqual([true, true]);
        expect(valueIn(ours)).toEqual(value);
      }
    }
  }
  expect(exact).toBeGreaterThan(100);
  expect(compared - exact).toBeLessThan(exact / 4);
});

test("what DUMP answered for xxxxx", () => {
  expect(dumpValue({ type: "string", bytes: Buffer.from("xxxxx") }).toString("hex")).toBe(
    "0005787878787809007e3fddcd8ccd025c",
  );
});

test("strings are compressed by LZF unless that is switched off", () => {
  const value: Value = { type: "string", bytes: Buffer.from("abcdefgh".repeat(500)) };
  expect(dumpValue(value)[1]).toBe(0xc3);
  expect(dumpValue(value, { lzf: false })[1]).toBe(0x4f);
  expect(valueIn(dumpValue(value))).toEqual(value);
});
