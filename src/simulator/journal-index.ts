/**
 * Where each entry of a recorded journal ends, so that the simulator knows at every byte which LSN a replica can have reached. A small walk of
 * its own over the entries (docs/protocol.md §5): it checks the product's decoder and so must not share code with it.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";

const SELECT = 6;
const EXPIRED = 9;
const COMMAND = 10;
const MULTI_COMMAND = 11;
const EXEC = 12;
const PING = 13;
const FIN = 14;
const LSN = 15;

export type JournalIndex = {
  readonly startLsn: number;
  /** Offsets just past each entry that counts for the LSN, ascending. */
  readonly ends: readonly number[];
  /** LSN marks that disagree with the count; empty in a sound recording. */
  readonly wrongMarks: readonly number[];
};

/** Called for every argument of every command, the name being argument 0. */
export type ArgumentVisitor = (index: number, start: number, end: number) => void;

/** Walks the entries in `bytes[start, end)`. */
export function indexJournal(
  bytes: Buffer,
  range: { readonly start: number; readonly end: number; readonly startLsn: number },
  visit: ArgumentVisitor = () => {},
): JournalIndex {
  const reader = new Reader(bytes, range.start, range.end);
  const ends: number[] = [];
  const wrongMarks: number[] = [];
  while (reader.at < range.end) {
    const opAt = reader.at;
    const op = reader.uint();
    if (op === SELECT) reader.uint();
    else if (op === LSN) {
      // A mark carries the LSN of the entry just before it.
      if (reader.uint() !== range.startLsn + ends.length - 1) wrongMarks.push(opAt);
    } else if (op === COMMAND || op === MULTI_COMMAND || op === EXPIRED) readCommand(reader, visit);
    else if (op === EXEC) reader.uints(2);
    else if (op !== PING && op !== FIN) throw corrupt(opAt, `journal op ${op}`);
    if (op !== SELECT && op !== LSN && op !== FIN) ends.push(reader.at);
  }
  return { startLsn: range.startLsn, ends, wrongMarks };
}

/** The LSN that a replica has reached at most when it was sent the first `offset` bytes. */
export function lsnAt(index: JournalIndex, offset: number): number {
  let low = 0;
  let high = index.ends.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((index.ends[middle] ?? Infinity) <= offset) low = middle + 1;
    else high = middle;
  }
  return index.startLsn + low;
}

/** txid, shard count, argument count, total bytes, then the arguments. */
function readCommand(reader: Reader, visit: ArgumentVisitor): void {
  reader.uints(2);
  const argc = reader.uint();
  reader.uint();
  for (let i = 0; i < argc; i++) {
    const size = reader.uint();
    const start = reader.at;
    reader.skip(size);
    visit(i, start, reader.at);
  }
}

class Reader {
  at: number;
  readonly #bytes: Buffer;
  readonly #end: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  skip(count: number): void {
    if (this.at + count > this.#end) throw corrupt(this.at, "an entry over the recording's end");
    this.at += count;
  }

  uints(count: number): void {
    for (let i = 0; i < count; i++) this.uint();
  }

  /** The packed unsigned integer of docs/protocol.md §3. */
  uint(): number {
    const at = this.at;
    this.skip(1);
    const first = this.#bytes.readUInt8(at);
    if (first < 0x40) return first;
    if (first < 0x80) {
      this.skip(1);
      return ((first & 0x3f) << 8) | this.#bytes.readUInt8(at + 1);
    }
    if (first === 0x80) {
      this.skip(4);
      return this.#bytes.readUInt32BE(at + 1);
    }
    if (first !== 0x81) throw corrupt(at, `length byte ${first}`);
    this.skip(8);
    return Number(this.#bytes.readBigUInt64BE(at + 1));
  }
}

function corrupt(offset: number, what: string): Df2RedisError {
  return new Df2RedisError("STREAM_CORRUPT", `The recorded journal holds ${what} at offset ${offset}.`, {
    context: { offset },
  });
}
