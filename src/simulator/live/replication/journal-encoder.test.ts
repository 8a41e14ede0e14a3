/** Journal entries against real bytes: every entry of every recorded stable stream is decoded and encoded again. */
import { describe, expect, test } from "vitest";
import { openRecording, recordingNames } from "../../../../test/support/recordings.ts";
import { Cursor } from "../../../bytes/cursor.ts";
import { DEFAULT_DECODE_LIMITS } from "../../../bytes/decode-limits.ts";
import { readLen } from "../../../bytes/packed-uint.ts";
import { JournalDecoder } from "../../../journal/journal-decoder.ts";
import { OP_COMMAND, OP_EXPIRED, OP_LSN } from "../../../journal/opcodes.ts";
import type { JournalRecord } from "../shard.ts";
import { encodeCommand, encodeLsnMark, encodePing, type JournalForm } from "./journal-encoder.ts";
import { rdbProfile } from "./rdb-profile.ts";

const ops = { commands: 0, pings: 0, marks: 0 };

/** What stands behind op and txid; the decoder does not tell it. */
function shardCountAt(bytes: Buffer, start: number): number {
  const cursor = new Cursor().resetTo(bytes, start, bytes.length);
  readLen(cursor);
  readLen(cursor);
  return readLen(cursor);
}

/** The same stream from our encoder; it must have come to the same end at every entry. */
function encodeAgain(bytes: Buffer, startLsn: number, form: JournalForm): Buffer {
  const cursor = new Cursor().resetTo(bytes, 0, bytes.length);
  const decoder = new JournalDecoder(DEFAULT_DECODE_LIMITS, startLsn);
  const parts: Buffer[] = [];
  while (cursor.pos < bytes.length) {
    const op = bytes[cursor.pos];
    const isCommand = op === OP_COMMAND || op === OP_EXPIRED;
    const shardCount = isCommand ? shardCountAt(bytes, cursor.pos) : 1;
    decoder.next(cursor, {
      command: ({ db, txid, argc, args }) => {
        ops.commands++;
        const record: JournalRecord = {
          db,
          txid,
          shardCount,
          expired: op === OP_EXPIRED,
          args: args.slice(0, argc).map((arg) => arg.toBuffer()),
        };
        parts.push(encodeCommand(record, form));
      },
      ping: () => {
        ops.pings++;
        parts.push(encodePing());
      },
    });
    if (op === OP_LSN) {
      ops.marks++;
      parts.push(encodeLsnMark(decoder.lsn - 1));
    }
    cursor.commit();
  }
  return Buffer.concat(parts);
}

describe.each(recordingNames())("%s", (name) => {
  test("its stable journal, byte for byte", () => {
    const recording = openRecording(name);
    for (const flow of [...recording.first.flows, ...(recording.second?.flows ?? [])]) {
      const bytes = flow.master.subarray(flow.stableStart);
      expect(encodeAgain(bytes, flow.journal.startLsn, rdbProfile(recording.manifest.dragonfly)).equals(bytes)).toBe(
        true,
      );
    }
  });
});

test("there were entries of every kind", () => {
  expect(ops.commands).toBeGreaterThan(5000);
  expect(ops.pings).toBeGreaterThan(0);
  expect(ops.marks).toBeGreaterThan(30);
});
