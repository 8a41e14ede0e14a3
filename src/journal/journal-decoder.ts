/**
 * Decodes journal entries, of the stable stream and of journal blobs alike (docs/protocol.md §5). Sans-IO; one instance per sequence of
 * entries, since a SELECT stays in force. It counts the entries that have an LSN and checks the count against each LSN mark.
 *
 * In the stable stream `lsn` is the LSN of the next entry. In a snapshot's blobs entries have no known LSN: `lsn` is -1 there.
 */
import type { Cursor } from "../bytes/cursor.ts";
import { Slice } from "../bytes/slice.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { DecodeLimits } from "../bytes/decode-limits.ts";
import { readLen } from "../bytes/packed-uint.ts";
import { JournalCommand } from "./journal-command.ts";
import type { JournalHandler } from "./journal-handler.ts";
import { OP_COMMAND, OP_EXEC, OP_EXPIRED, OP_FIN, OP_LSN, OP_MULTI_COMMAND, OP_PING, OP_SELECT } from "./opcodes.ts";

/** Databases are numbered with 16 bits (Dragonfly src/server/common_types.h DbIndex). */
const MAX_DB = 0xffff;
/** Slices kept for reuse after an entry with very many arguments. */
const KEPT_SLICES = 4096;
/** Arguments in a larger buffer are let go after their entry: unused slices would keep it alive, however few arguments the next entries have. */
const KEPT_BYTES = 1024 * 1024;

export class JournalDecoder {
  /** LSN of the next entry, -1 when unknown. Exact below 2^53. */
  lsn: number;
  /** Entries with an LSN so far. */
  entries = 0;
  readonly #limits: DecodeLimits;
  readonly #command = new JournalCommand();
  #db = 0;

  constructor(limits: DecodeLimits, lsn = -1) {
    this.#limits = limits;
    this.lsn = lsn;
  }

  /** Reads one op. Commits nothing: the caller commits the cursor after it returns. @throws NEEDS_MORE, STREAM_CORRUPT, LIMIT_EXCEEDED */
  next(cursor: Cursor, handler: JournalHandler): void {
    const op = readLen(cursor);
    switch (op) {
      case OP_SELECT:
        this.#select(cursor);
        break;
      case OP_EXPIRED:
      case OP_COMMAND:
      case OP_MULTI_COMMAND: {
        const command = this.#readCommand(cursor);
        handler.command(command);
        if (cursor.buf.length > KEPT_BYTES) release(command);
        this.#count();
        break;
      }
      case OP_EXEC:
        readLen(cursor);
        readLen(cursor);
        this.#count();
        break;
      case OP_PING:
        this.#count();
        handler.ping();
        break;
      case OP_FIN:
        break;
      case OP_LSN:
        this.#checkMark(cursor);
        break;
      default:
        cursor.corrupt(`${op} is no journal op`);
    }
  }

  #count(): void {
    this.entries++;
    if (this.lsn >= 0) this.lsn++;
  }

  #select(cursor: Cursor): void {
    const db = readLen(cursor);
    if (db > MAX_DB) cursor.corrupt(`database ${db} is impossible`);
    this.#db = db;
  }

  #checkMark(cursor: Cursor): void {
    const mark = readLen(cursor);
    if (this.lsn < 0 || mark === this.lsn - 1) return;
    throw new Df2RedisError(
      "STREAM_CORRUPT",
      `the master marks the last journal entry as LSN ${mark}, but by our count it is ${this.lsn - 1}: entries were lost or doubled`,
      { context: { offset: cursor.offset, lsn: this.lsn } },
    );
  }

  #readCommand(cursor: Cursor): JournalCommand {
    const command = this.#command;
    if (command.args.length > KEPT_SLICES) command.args.length = KEPT_SLICES;
    command.db = this.#db;
    command.lsn = this.lsn;
    command.txid = readLen(cursor);
    readLen(cursor);
    const argc = readLen(cursor);
    const total = readLen(cursor);
    this.#checkLengths(cursor, argc, total);
    // Each argument needs one byte of length at least, so this much must come.
    cursor.need(argc + total);
    command.argc = argc;
    this.#readArguments(cursor, argc, total);
    return command;
  }

  #checkLengths(cursor: Cursor, argc: number, total: number): void {
    const { elements, stringBytes } = this.#limits;
    if (argc === 0) cursor.corrupt("a journal entry has no command");
    if (argc > elements || total > stringBytes || argc > stringBytes) {
      throw new Df2RedisError(
        "LIMIT_EXCEEDED",
        `a journal entry of ${argc} arguments and ${total} bytes is over the limits (advanced.limits.elements, advanced.limits.stringBytes)`,
        { context: { offset: cursor.offset } },
      );
    }
  }

  #readArguments(cursor: Cursor, argc: number, total: number): void {
    const { args } = this.#command;
    let left = total;
    for (let i = 0; i < argc; i++) {
      const size = readLen(cursor);
      left -= size;
      if (left < 0) cursor.corrupt("a journal entry's arguments are longer than it says");
      cursor.need(size);
      let slice = args[i];
      if (slice === undefined) {
        slice = new Slice();
        args.push(slice);
      }
      slice.set(cursor.buf, cursor.pos, cursor.pos + size);
      cursor.pos += size;
    }
    if (left !== 0) cursor.corrupt("a journal entry's arguments are shorter than it says");
  }
}

function release(command: JournalCommand): void {
  for (let i = 0; i < command.argc; i++) command.arg(i).release();
}
