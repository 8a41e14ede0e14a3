/** Trimming a stream, and how it stands in the journal: as MINID of the first entry that is left, since replicas must cut at the same place. */
import { bytesOf, type OptionReader } from "./arguments.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { compareIds, idText, parseId } from "./stream-ids.ts";
import type { StreamId, StreamValue } from "./values.ts";

export type Trim =
  | { readonly by: "MAXLEN"; readonly length: number; readonly approx: boolean }
  | { readonly by: "MINID"; readonly id: StreamId; readonly approx: boolean };

/** With `~` only whole nodes go. */
const NODE_ENTRIES = 100;

const MAXLEN = Buffer.from("MAXLEN");
const MINID = Buffer.from("MINID");
const ZERO = Buffer.from("0");

/** Reads what follows the word MAXLEN or MINID. */
export function readTrim(by: "MAXLEN" | "MINID", reader: OptionReader): Trim {
  const approx = reader.takes("~");
  if (!approx) reader.takes("=");
  const threshold = reader.next();
  const trim: Trim =
    by === "MAXLEN" ? { by, length: trimLength(threshold), approx } : { by, id: parseId(threshold), approx };
  if (reader.takes("LIMIT")) {
    if (!approx) throw syntaxError();
    reader.nextInteger();
  }
  return trim;
}

function trimLength(bytes: Buffer): number {
  const length = Number(bytes.toString("latin1"));
  if (!Number.isSafeInteger(length) || length < 0)
    throw new CommandError("ERR value is not an integer or out of range");
  return length;
}

/** How many entries went. The caller has announced the change. */
export function trimStream(stream: StreamValue, trim: Trim): number {
  const { entries } = stream;
  const exact = trim.by === "MAXLEN" ? Math.max(0, entries.length - trim.length) : countBefore(stream, trim.id);
  const count = trim.approx ? Math.floor(exact / NODE_ENTRIES) * NODE_ENTRIES : exact;
  if (count > 0) stream.entries = entries.slice(count);
  return count;
}

function countBefore({ entries }: StreamValue, id: StreamId): number {
  const at = entries.findIndex((entry) => compareIds(entry.id, id) >= 0);
  return at < 0 ? entries.length : at;
}

/** Whether a replica could not repeat this trimming from the words of the client. */
export function isRewritten(trim: Trim): boolean {
  return trim.approx || trim.by === "MAXLEN";
}

/** The words that cut a replica's stream to what this one holds now. */
export function trimWords(stream: StreamValue): readonly [Buffer, Buffer] {
  const [first] = stream.entries;
  return first === undefined ? [MAXLEN, ZERO] : [MINID, bytesOf(idText(first.id))];
}
