/**
 * Encodes commands as RESP arrays into one growing buffer, for one ordered connection. `take()` hands the filled batch over
 * and goes on with another buffer; a batch keeps its bytes until its replies are in, so that an error reply can be
 * attributed (`CommandBatch.describe`) without an object per command on the way out.
 *
 * Use: `select(db)`, `begin(argc)`, then exactly `argc` calls of `arg*`. Every argument is copied before the call returns.
 */
import type { Slice } from "../bytes/slice.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { CommandBatch } from "./command-batch.ts";

const CR = 13;
const LF = 10;
const DOLLAR = 36;
const STAR = 42;
/** Word-wise copying beats a byte loop from 8 bytes on; the call of `Buffer.copy` pays from about 200 (measured on Node 24). */
const NATIVE_COPY_BYTES = 200;

const SHORT_TEXT = 48;

const SET = Buffer.from("*3\r\n$3\r\nSET\r\n");
const SET_VIEW = new DataView(SET.buffer, SET.byteOffset, SET.length);
const SET_WITH_DEADLINE = Buffer.from("*5\r\n$3\r\nSET\r\n");
const PXAT = Buffer.from("$4\r\nPXAT\r\n");
/** Room for everything of a SET but key and value: both prefixes, three length lines, the deadline's digits. */
const SET_OVERHEAD_BYTES = 128;

export class CommandEncoder {
  /** LSN to attribute the following commands to; -1 for snapshot data. Exact below 2^53. */
  lsn = -1;
  /** Flow to attribute the following commands to. */
  flow = 0;
  /** Databases of the server: `select` refuses the others, since writes behind a refused SELECT would go into the wrong one. */
  databases = Number.POSITIVE_INFINITY;
  #db: number;
  #batch: CommandBatch;
  #pool: CommandBatch[] = [];
  readonly #batchBytes: number;
  /** The buffer that was copied from last, and a view over it: most arguments of a batch lie in one buffer. */
  #source: Buffer = SET;
  #sourceView: DataView = SET_VIEW;

  /** @param batchBytes size of a pooled buffer; a batch may grow above it for a large value. */
  constructor(batchBytes: number, db = 0) {
    this.#batchBytes = batchBytes;
    this.#db = db;
    this.#batch = new CommandBatch(batchBytes);
  }

  get byteLength(): number {
    return this.#batch.length;
  }

  get commandCount(): number {
    return this.#batch.count;
  }

  /** Makes the following commands run in `db`, with a SELECT when the connection is in another one. @throws TARGET_UNSUITABLE */
  select(db: number): void {
    if (db === this.#db) return;
    if (db >= this.databases) {
      throw new Df2RedisError(
        "TARGET_UNSUITABLE",
        `the source has data in database ${db}, but the target has only ${this.databases} databases (0 to ${this.databases - 1})`,
        { context: { db } },
      );
    }
    this.#db = db;
    this.begin(2);
    this.argText("SELECT");
    this.argInt(db);
  }

  /** Starts a command of `argc` arguments, its name included. */
  begin(argc: number): void {
    const batch = this.#batch;
    batch.startCommand(this.lsn, this.#db, this.flow);
    batch.reserve(16);
    batch.buf[batch.length++] = STAR;
    batch.writeDigits(argc);
  }

  arg(value: Slice): void {
    this.argRange(value.buf, value.start, value.end);
  }

  argBytes(value: Uint8Array): void {
    const size = value.length;
    const batch = this.#header(size);
    batch.buf.set(value, batch.length);
    this.#finish(batch, size);
  }

  argRange(buf: Buffer, start: number, end: number): void {
    const size = end - start;
    const batch = this.#header(size);
    this.#copy(batch, buf, start, end);
    this.#finish(batch, 0);
  }

  /** `SET key value [PXAT deadlineMs]` with one reservation: the hot path of a snapshot. @param deadlineMs Unix ms, or -1 */
  set(key: Slice, value: Slice, deadlineMs: number): void {
    const batch = this.#batch;
    batch.startCommand(this.lsn, this.#db, this.flow);
    batch.reserve(key.end - key.start + (value.end - value.start) + SET_OVERHEAD_BYTES);
    const prefix = deadlineMs === -1 ? SET : SET_WITH_DEADLINE;
    this.#constant(batch, prefix);
    this.#reserved(batch, key);
    this.#reserved(batch, value);
    if (deadlineMs === -1) return;
    this.#constant(batch, PXAT);
    this.argInt(deadlineMs);
  }

  /** Starts a command with bytes that stand ready in RESP form: the array header, the name, maybe more arguments. */
  beginEncoded(prefix: Buffer): void {
    const batch = this.#batch;
    batch.startCommand(this.lsn, this.#db, this.flow);
    batch.reserve(prefix.length);
    this.#constant(batch, prefix);
  }

  /** Arguments that stand ready in RESP form. */
  encodedArgs(buf: Buffer, start: number, end: number): void {
    const batch = this.#batch;
    batch.reserve(end - start);
    this.#copy(batch, buf, start, end);
  }

  /** As `encodedArgs`, for a short constant. */
  constantArgs(bytes: Buffer): void {
    const batch = this.#batch;
    batch.reserve(bytes.length);
    this.#constant(batch, bytes);
  }

  /** `text` as UTF-8. For option words, ids and numbers in text form. */
  argText(text: string): void {
    if (text.length <= SHORT_TEXT && this.#argAscii(text)) return;
    const size = Buffer.byteLength(text);
    const batch = this.#header(size);
    batch.buf.write(text, batch.length, size, "utf8");
    this.#finish(batch, size);
  }

  /** An integer below 2^53 in decimal. */
  argInt(value: number): void {
    if (value >= 1e12 && value < 1e13) this.#argUnixMs(value);
    else this.argText(String(value));
  }

  /** A bulk argument of `size` bytes that the caller fills in: returns its buffer and where it starts. Valid until the next call. */
  argReserve(size: number): { readonly buf: Buffer; readonly at: number } {
    const batch = this.#header(size);
    const at = batch.length;
    this.#finish(batch, size);
    return { buf: batch.buf, at };
  }

  /** A whole command of text arguments: for control commands, not for the data path. */
  command(...args: readonly (string | Uint8Array)[]): void {
    this.begin(args.length);
    for (const a of args) {
      if (typeof a === "string") this.argText(a);
      else this.argBytes(a);
    }
  }

  /** The commands since the last call, or undefined when there are none. The receiver gives the batch back by `release`. */
  take(): CommandBatch | undefined {
    const batch = this.#batch;
    if (batch.count === 0) return undefined;
    this.#source = SET;
    this.#sourceView = SET_VIEW;
    this.#batch = this.#pool.pop() ?? new CommandBatch(this.#batchBytes);
    return batch;
  }

  /** Takes back a batch whose replies are all in. */
  release(batch: CommandBatch): void {
    if (batch.buf.length > 2 * this.#batchBytes || this.#pool.length >= 32) return;
    batch.reset();
    this.#pool.push(batch);
  }

  /** After a reconnect the new connection is in database 0. */
  forgetDatabase(): void {
    this.#db = 0;
  }

  /** `text` when it is all ASCII: cheaper than a native call. Otherwise nothing is written, and false. */
  #argAscii(text: string): boolean {
    const before = this.#batch.length;
    const batch = this.#header(text.length);
    const out = batch.buf;
    const at = batch.length;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c > 0x7f) {
        batch.length = before;
        return false;
      }
      out[at + i] = c;
    }
    this.#finish(batch, text.length);
    return true;
  }

  /** 13 digits, which every deadline from 2001 to 2286 has. */
  #argUnixMs(value: number): void {
    const batch = this.#header(13);
    const out = batch.buf;
    const at = batch.length;
    const high = Math.floor(value / 1e7);
    writeFixedDigits(out, at, 6, high);
    writeFixedDigits(out, at + 6, 7, value - high * 1e7);
    this.#finish(batch, 13);
  }

  /** One bulk argument; the caller has reserved room. */
  #reserved(batch: CommandBatch, value: Slice): void {
    batch.buf[batch.length++] = DOLLAR;
    batch.writeDigits(value.end - value.start);
    this.#copy(batch, value.buf, value.start, value.end);
    this.#finish(batch, 0);
  }

  /** Appends a short constant, which must not displace the source view. The caller has reserved room. */
  #constant(batch: CommandBatch, bytes: Buffer): void {
    const out = batch.buf;
    let at = batch.length;
    for (let i = 0; i < bytes.length; i++) out[at++] = bytes[i] as number;
    batch.length = at;
  }

  /** Appends `buf[start, end)`; the caller has reserved room. */
  #copy(batch: CommandBatch, buf: Buffer, start: number, end: number): void {
    const out = batch.buf;
    let at = batch.length;
    batch.length = at + end - start;
    if (end - start >= NATIVE_COPY_BYTES) {
      buf.copy(out, at, start, end);
      return;
    }
    let from = start;
    if (end - start >= 8) {
      if (buf !== this.#source) {
        this.#source = buf;
        this.#sourceView = new DataView(buf.buffer, buf.byteOffset, buf.length);
      }
      const source = this.#sourceView;
      const target = batch.view;
      // V8 keeps these 64-bit integers in registers: nothing is allocated once the code is optimised.
      for (; from + 8 <= end; from += 8, at += 8) target.setBigUint64(at, source.getBigUint64(from, true), true);
    }
    for (; from < end; from++) out[at++] = buf[from] as number;
  }

  #header(size: number): CommandBatch {
    const batch = this.#batch;
    batch.reserve(size + 18);
    batch.buf[batch.length++] = DOLLAR;
    batch.writeDigits(size);
    return batch;
  }

  #finish(batch: CommandBatch, size: number): void {
    let at = batch.length + size;
    batch.buf[at++] = CR;
    batch.buf[at++] = LF;
    batch.length = at;
  }
}

/** The last `count` decimal digits of a 31-bit integer. */
function writeFixedDigits(out: Buffer, at: number, count: number, value: number): void {
  let rest = value | 0;
  for (let i = at + count - 1; i >= at; i--) {
    const next = (rest / 10) | 0;
    out[i] = 48 + rest - next * 10;
    rest = next;
  }
}
