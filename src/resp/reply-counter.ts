/**
 * Counts the replies in a connection's bytes without decoding them: the data path only needs to know how many commands were answered
 * and which of them with an error. Sans-IO; keeps no view of a chunk; allocates for error replies only. A chunk may end anywhere.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";

/** A status or error line, or a length, longer than this is not from a Redis. */
const LINE_LIMIT_BYTES = 64 * 1024;
/** Digits of a length that a number holds exactly. */
const LENGTH_LIMIT = 1e15;

/** RESP3's long error (`!`) is not among them: it comes only after HELLO 3, and skipping one unseen would lose a write in silence. */
const KNOWN_TYPES = "+-:$*_#,(=%~>";

const CR = 13;
const LF = 10;
const PLUS = 43;
const MINUS = 45;
const COLON = 58;
const DOLLAR = 36;
const STAR = 42;
const LETTER_O = 79;
const LETTER_K = 75;

export type ErrorReplyHandler = {
  /**
   * @param index which reply, counted from 0 since the connection began
   * @param element -1 when the reply itself is the error; else which element inside it (EXEC), in wire order
   */
  onErrorReply(index: number, message: string, element: number): void;
};

export class ReplyCounter {
  readonly #handler: ErrorReplyHandler;
  /** Whole replies so far. */
  count = 0;
  #offset = 0;
  /** Elements of the current reply's array that are still to come; 0 between replies. */
  #missing = 0;
  /** The same of arrays inside the current element, all levels together. */
  #innerMissing = 0;
  /** Finished elements of the current reply's array. */
  #element = 0;
  /** Bytes of the current bulk still to be skipped, its CRLF included. */
  #skip = 0;
  /** Type byte of the line that a chunk's end has cut; 0 for none. */
  #type = 0;
  /** Bytes of that line so far, its type byte excluded. */
  #line: number[] = [];

  constructor(handler: ErrorReplyHandler) {
    this.#handler = handler;
  }

  /** @returns how many replies this chunk completed. */
  feed(chunk: Buffer): number {
    const before = this.count;
    const end = chunk.length;
    let at = 0;
    while (at < end) {
      if (this.#skip > 0) at = this.#skipBulk(chunk, at, end);
      else if (this.#type !== 0) at = this.#resumeLine(chunk, at, end);
      else {
        if (this.#missing === 0) at = this.#countPlain(chunk, at, end);
        if (at < end) at = this.#beginLine(chunk, at, end);
      }
    }
    this.#offset += end;
    return this.count - before;
  }

  /** The fast path: runs of `+OK` and `:n` that lie whole in the chunk. Stops at anything else. */
  #countPlain(chunk: Buffer, from: number, end: number): number {
    let at = from;
    let replies = 0;
    while (at + 5 <= end) {
      const type = chunk[at];
      if (type === PLUS) {
        if (chunk[at + 1] !== LETTER_O || chunk[at + 2] !== LETTER_K || chunk[at + 3] !== CR || chunk[at + 4] !== LF)
          break;
        at += 5;
      } else if (type === COLON) {
        // The common answers have one digit; -1 and longer counts are found by the loop.
        let cr = at + 2;
        while (cr < end && isNumeric(chunk[cr] as number)) cr++;
        if (cr + 1 >= end || chunk[cr] !== CR || chunk[cr + 1] !== LF || !isNumeric(chunk[at + 1] as number)) break;
        at = cr + 2;
      } else break;
      replies++;
    }
    this.count += replies;
    return at;
  }

  #beginLine(chunk: Buffer, at: number, end: number): number {
    const cr = chunk.indexOf(CR, at);
    const type = chunk[at] as number;
    if (cr < 0 || cr + 1 >= end) {
      this.#checkType(type, at);
      this.#type = type;
      this.#keep(chunk, at + 1, end);
      return end;
    }
    if (chunk[cr + 1] !== LF) throw this.#violation("a reply line that does not end with CR LF", at);
    this.#endLine(type, chunk, at + 1, cr);
    return cr + 2;
  }

  /** Goes on with a line that began in an earlier chunk. */
  #resumeLine(chunk: Buffer, from: number, end: number): number {
    const lf = chunk.indexOf(LF, from);
    const stop = lf < 0 ? end : lf + 1;
    this.#keep(chunk, from, stop);
    if (lf < 0) return end;
    const line = this.#line;
    const type = this.#type;
    if (line.at(-2) !== CR) throw this.#violation("a reply line that does not end with CR LF", from);
    const bytes = Buffer.from(line);
    this.#line = [];
    this.#type = 0;
    this.#endLine(type, bytes, 0, bytes.length - 2);
    return stop;
  }

  #keep(chunk: Buffer, from: number, end: number): void {
    if (this.#line.length + end - from > LINE_LIMIT_BYTES) {
      throw this.#violation(`a reply line of more than ${LINE_LIMIT_BYTES} bytes`, from);
    }
    for (let i = from; i < end; i++) this.#line.push(chunk[i] as number);
  }

  #endLine(type: number, line: Buffer, start: number, end: number): void {
    switch (type) {
      case PLUS:
      case COLON:
      case 0x5f: // _ null
      case 0x23: // # boolean
      case 0x2c: // , double
      case 0x28: // ( big number
        return this.#endElement();
      case MINUS:
        return this.#endError(line.toString("utf8", start, end));
      case DOLLAR:
      case 0x3d: // = verbatim string
        return this.#beginBulk(parseLength(line, start, end), start);
      case STAR:
      case 0x7e: // ~ set
      case 0x3e: // > push
        return this.#beginArray(parseLength(line, start, end), start);
      case 0x25: // % map
        return this.#beginArray(2 * parseLength(line, start, end), start);
      default:
        throw this.#badType(type, start);
    }
  }

  #endError(message: string): void {
    this.#handler.onErrorReply(this.count, message, this.#missing === 0 ? -1 : this.#element);
    this.#endElement();
  }

  /** A scalar, the last byte of a bulk, or an empty array: one element less to wait for. */
  #endElement(): void {
    if (this.#innerMissing > 0 && --this.#innerMissing > 0) return;
    if (this.#missing > 0) {
      this.#element++;
      if (--this.#missing > 0) return;
    }
    this.#element = 0;
    this.count++;
  }

  #beginBulk(size: number, at: number): void {
    if (Number.isNaN(size)) throw this.#violation("a length that is not a number", at);
    if (size < 0) this.#endElement();
    else this.#skip = size + 2;
  }

  #beginArray(size: number, at: number): void {
    if (Number.isNaN(size)) throw this.#violation("a length that is not a number", at);
    if (size <= 0) return this.#endElement();
    if (this.#missing === 0) this.#missing = size;
    else if (this.#innerMissing === 0) this.#innerMissing = size;
    // An inner array is itself one of the missing elements; its children take its place.
    else this.#innerMissing += size - 1;
  }

  #skipBulk(chunk: Buffer, at: number, end: number): number {
    const step = Math.min(this.#skip, end - at);
    this.#checkBulkEnd(chunk, at, step);
    this.#skip -= step;
    if (this.#skip === 0) this.#endElement();
    return at + step;
  }

  /** The last two skipped bytes must be CR LF, else the count would be off from here on. */
  #checkBulkEnd(chunk: Buffer, at: number, step: number): void {
    const left = this.#skip;
    if (left - step >= 2) return;
    const cr = at + left - 2;
    if ((cr >= at && cr < at + step && chunk[cr] !== CR) || (left === step && chunk[at + step - 1] !== LF)) {
      throw this.#violation("a string that does not end where its length says", at);
    }
  }

  #checkType(type: number, at: number): void {
    if (!KNOWN_TYPES.includes(String.fromCharCode(type))) throw this.#badType(type, at);
  }

  #badType(type: number, at: number): Df2RedisError {
    return this.#violation(`a reply that begins with byte 0x${type.toString(16).padStart(2, "0")}`, at);
  }

  #violation(what: string, at: number): Df2RedisError {
    return new Df2RedisError("PROTOCOL_VIOLATION", `The other side sent ${what}.`, {
      context: { offset: this.#offset + at, reply: this.count },
    });
  }
}

/** A digit or a sign. */
function isNumeric(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || byte === MINUS;
}

/** -1 for null; NaN for what is not a length. */
function parseLength(line: Buffer, start: number, end: number): number {
  if (end === start + 2 && line[start] === MINUS && line[start + 1] === 49) return -1;
  if (end === start) return Number.NaN;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (line[i] as number) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = 10 * value + digit;
  }
  return value < LENGTH_LIMIT ? value : Number.NaN;
}
