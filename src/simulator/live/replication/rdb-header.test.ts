/** Headers against real bytes: from a recorded header's own numbers ours must come out the same. */
import { describe, expect, test } from "vitest";
import { KeyspaceCollector } from "../../../../test/support/keyspace-collector.ts";
import { openRecording, recordingNames } from "../../../../test/support/recordings.ts";
import { Cursor } from "../../../bytes/cursor.ts";
import { DEFAULT_DECODE_LIMITS } from "../../../bytes/decode-limits.ts";
import { RdbDecoder } from "../../../rdb/rdb-decoder.ts";
import { rdbHeader } from "./rdb-header.ts";

const NO_EVENTS = { journalBlob: () => {}, fullSyncEnd: () => {}, journalOffset: () => {} };

describe.each(recordingNames())("%s", (name) => {
  test("its flows' headers, byte for byte", () => {
    const { manifest, first } = openRecording(name);
    for (const { flow, master, replyEnd, stableStart } of first.flows) {
      const recorded = master.subarray(replyEnd, stableStart);
      const handler = new KeyspaceCollector();
      new RdbDecoder(new Cursor().resetTo(recorded, 0, recorded.length), {
        handler,
        events: NO_EVENTS,
        limits: DEFAULT_DECODE_LIMITS,
        bodyLimitBytes: 0,
      }).decode();
      const aux = new Map(handler.auxFields);
      const ours = rdbHeader({
        dragonflyVersion: manifest.dragonfly,
        flow,
        shardCount: first.flows.length,
        nowMs: Number(aux.get("ctime")) * 1000,
        usedBytes: Number(aux.get("used-mem")),
        tableBytes: Number(aux.get("table-mem") ?? 0),
        scripts: handler.auxFields.filter(([key]) => key === "lua").map(([, script]) => script),
      });
      expect(recorded.subarray(0, ours.length).toString("hex")).toBe(ours.toString("hex"));
      expect(handler.auxFields).toHaveLength(ours.toString("latin1").split("\xfa").length - 1);
    }
  });
});
