/**
 * Moves the deadlines that a recording's stable journal sets near the time it was made, so that it can be replayed as if it happened now: those
 * that were in the future then are so again. Only decimal texts of 13 digits change, into others of 13 digits, so every offset stays.
 */
import { type ArgumentVisitor, indexJournal } from "../../src/simulator/journal-index.ts";
import type { RecordedFlow, Recording } from "../../src/simulator/recording.ts";

/** Recordings set other deadlines from here on; those stay. */
const FAR_MS = Date.UTC(2029, 11, 1);

export function shiftedDeadline(deadlineMs: number | null, shiftMs: number): number | null {
  return deadlineMs === null || deadlineMs >= FAR_MS ? deadlineMs : deadlineMs + shiftMs;
}

/** A copy of the recording with its near deadlines `shiftMs` later. */
export function shiftDeadlines(recording: Recording, shiftMs: number): Recording {
  const flows = recording.first.flows.map((flow) => shiftFlow(flow, shiftMs));
  return { ...recording, first: { ...recording.first, flows } };
}

function shiftFlow(flow: RecordedFlow, shiftMs: number): RecordedFlow {
  const master = Buffer.from(flow.master);
  const range = { start: flow.stableStart, end: master.length, startLsn: flow.journal.startLsn };
  const write = (deadlineMs: number, at: number): void => void master.write(String(deadlineMs + shiftMs), at, "latin1");
  indexJournal(master, range, deadlineVisitor(master, write));
  return { ...flow, master };
}

/** Shows each near deadline and its offset. PEXPIREAT and RESTORE have it as their second argument, SET behind the word PXAT. */
function deadlineVisitor(bytes: Buffer, found: (deadlineMs: number, at: number) => void): ArgumentVisitor {
  let name = "";
  let previous = "";
  return (index, start, end) => {
    const text = end - start <= 16 ? bytes.toString("latin1", start, end) : "";
    if (index === 0) name = text;
    const isDeadline =
      name === "SET" ? previous === "PXAT" : index === 2 && (name === "PEXPIREAT" || name === "RESTORE");
    if (isDeadline && /^\d{13}$/.test(text) && Number(text) < FAR_MS) found(Number(text), start);
    previous = text;
  };
}

/** The recording as if it happened now: its first near deadline is at `firstMs`. */
export function shiftToFuture(
  recording: Recording,
  firstMs: number,
): { readonly recording: Recording; readonly shiftMs: number } {
  const deadlines = recording.first.flows.flatMap(nearDeadlines);
  const shiftMs = firstMs - Math.min(...deadlines);
  return { recording: shiftDeadlines(recording, shiftMs), shiftMs };
}

function nearDeadlines(flow: RecordedFlow): number[] {
  const found: number[] = [];
  const range = { start: flow.stableStart, end: flow.master.length, startLsn: flow.journal.startLsn };
  indexJournal(
    flow.master,
    range,
    deadlineVisitor(flow.master, (deadlineMs) => found.push(deadlineMs)),
  );
  return found;
}
