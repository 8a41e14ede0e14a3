/** The sound streams that the mutation test spoils: parts of recorded flows, and built flows of every object type, opcode and journal op. */
import type { RecordedFlow } from "../../src/simulator/recording.ts";
import type { FlowStart } from "../../src/source/flow-decoder.ts";
import * as journal from "../support/journal-builder.ts";
import * as build from "../support/rdb-builder.ts";
import { chunks, cutValue } from "../support/rdb-chunks.ts";
import { SAMPLES } from "../support/rdb-samples.ts";
import { body, hash } from "../support/rdb-values.ts";
import { openRecording, recordingNames } from "../support/recordings.ts";

export type BaseStream = {
  readonly name: string;
  readonly start: FlowStart;
  /** Never touched by a mutation: without it nearly every mutant would end at its first byte. */
  readonly head: Buffer;
  readonly content: Buffer;
  /** What follows in a sound stream. */
  readonly tail: Buffer;
};

const FULL: FlowStart = { kind: "full", eofToken: build.EOF_TOKEN };
const END = build.fullSync([]).subarray(9);
const MOST_BYTES = 24 * 1024;

function full(name: string, content: Buffer, version = 9): BaseStream {
  return { name, start: FULL, head: build.rdb([], version), content, tail: END };
}

function stable(name: string, content: Buffer, lsn: number): BaseStream {
  return { name, start: { kind: "partial", lsn }, head: Buffer.alloc(0), content, tail: Buffer.alloc(0) };
}

function builtValues(): BaseStream[] {
  return SAMPLES.flatMap(({ name, value, version }) => {
    const whole = Buffer.concat([build.expireMs(1_893_456_000_123), build.object(value.type, "key", body(value))]);
    const pieces = chunks(7, cutValue(value, { key: "key", partCounts: [0, 1, 2, 1] }));
    const between = build.string("between", "x");
    return [
      full(name, whole, version),
      full(`${name}, in chunks`, Buffer.concat(pieces.flatMap((piece) => [piece, between])), version),
    ];
  });
}

function builtOpcodes(): BaseStream {
  const content = [
    build.aux("lua", build.wireLzf("-".repeat(200))),
    build.selectDb(3),
    build.resizeDb(100, 5),
    build.slotInfo(1, 2, 3),
    build.function2("#!lua"),
    build.moduleAux("search-ix", [build.moduleItem(5, build.str("text"))]),
    build.vectorIndex("idx", [[[1, 2], [3]], [[]]]),
    build.shardDocIndex(0, "idx", [["doc", 1]]),
    build.idle(5),
    build.freq(5),
    build.dfMask(3, 7),
    build.string("k", "v"),
    build.lz4Blob(build.string("packed", "v".repeat(300))),
    build.zstdBlob(build.string("packed", "v".repeat(300))),
    build.journalBlob(2, [journal.select(1), journal.command(["SET", "k", "v"]), journal.command(["DEL", "k"])]),
  ];
  return full("opcodes", Buffer.concat(content));
}

function builtJournal(): BaseStream {
  const dump = Buffer.concat([
    Buffer.of(4),
    body(hash([[build.wire("f"), build.wire("v")]])),
    Buffer.of(9, 0),
    Buffer.alloc(8),
  ]);
  const entries = [
    journal.select(2),
    journal.command(["SET", "k", "v", "PXAT", "1893456000123"]),
    journal.command(["RESTORE", "k", "0", dump, "REPLACE", "ABSTTL"], { txid: 5 }),
    journal.ping(),
    journal.command(["HSETEX", "h", "10", "f", "v"], { op: 11 }),
    journal.exec(5),
    journal.command(["DEL", "k"], { op: 9 }),
    journal.fin(),
    journal.lsnMark(6),
    journal.command(["FLUSHALL"], { txid: 9 }),
    journal.command(["XADD", "s", "1-1", "f", "v"]),
    journal.command(["SADDEX", "s", "10", "a", "b"]),
  ];
  return stable("journal", Buffer.concat(entries), 1);
}

function recorded(name: string, flow: RecordedFlow): BaseStream[] {
  const { master, replyEnd, stableStart, fullSyncEnd } = flow;
  const label = `${name} flow ${flow.flow}`;
  const entries = master.subarray(stableStart, stableStart + MOST_BYTES);
  const journalPart = stable(`${label}, journal`, entries, flow.journal.startLsn);
  if (fullSyncEnd === undefined) return [journalPart];
  const head = master.subarray(replyEnd, replyEnd + 9);
  const snapshotEnd = Math.min(fullSyncEnd, replyEnd + MOST_BYTES);
  return [
    { name: label, start: FULL, head, content: master.subarray(replyEnd + 9, snapshotEnd), tail: Buffer.alloc(0) },
    journalPart,
  ];
}

export function corpus(): BaseStream[] {
  const recordings = recordingNames().flatMap((name) =>
    openRecording(name).first.flows.flatMap((flow) => recorded(name, flow)),
  );
  return [...builtValues(), builtOpcodes(), builtJournal(), ...recordings].filter(({ content }) => content.length > 0);
}
