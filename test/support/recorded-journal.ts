/** The stable journal of a recording, entry by entry, as the product's decoder reads it from the recorded bytes. */
import { DEFAULT_DECODE_LIMITS } from "../../src/bytes/decode-limits.ts";
import type { JournalCommand } from "../../src/journal/journal-command.ts";
import { JournalDecoder } from "../../src/journal/journal-decoder.ts";
import { Cursor } from "../../src/bytes/cursor.ts";
import type { RecordedFlow, Recording } from "../../src/simulator/recording.ts";

export type RecordedEntry = { readonly db: number; readonly txid: number; readonly args: readonly Buffer[] };

/** By flow, in the order of the LSN; what a second part says again is left out. */
export function recordedJournal(recording: Recording): RecordedEntry[][] {
  const second = recording.second?.partial === true ? recording.second.flows : [];
  return recording.first.flows.map((flow) => {
    const byLsn = new Map<number, RecordedEntry>();
    const parts = [flow, ...second.filter((other) => other.flow === flow.flow)];
    for (const part of parts) for (const [lsn, entry] of flowEntries(part)) byLsn.set(lsn, entry);
    return [...byLsn].toSorted(([a], [b]) => a - b).map(([, entry]) => entry);
  });
}

function flowEntries({ master, stableStart, journal }: RecordedFlow): [lsn: number, RecordedEntry][] {
  const entries: [number, RecordedEntry][] = [];
  const decoder = new JournalDecoder(DEFAULT_DECODE_LIMITS, journal.startLsn);
  const cursor = new Cursor().resetTo(master, stableStart, master.length, 0);
  const handler = {
    command: (command: JournalCommand) => void entries.push([command.lsn, copy(command)]),
    ping: () => {},
  };
  while (cursor.pos < master.length) decoder.next(cursor, handler);
  return entries;
}

function copy(command: JournalCommand): RecordedEntry {
  const args = Array.from({ length: command.argc }, (_, i) => Buffer.from(command.arg(i).toBuffer()));
  return { db: command.db, txid: command.txid, args };
}
