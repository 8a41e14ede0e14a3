/**
 * Incremental RESP2 decoder (RESP3's types are understood too) for control conversations. Sans-IO: chunks in, replies out. Copies what it
 * is given, so a caller's buffer is free after `push`. After the last reply `takeRemaining` gives back the bytes that belong to whatever
 * follows on the same connection. Every length is checked before anything is allocated for it.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { Reply } from "./reply.ts";

export type ReplyLimits = {
  /** A status, an error, an integer, a length. */
  readonly lineBytes: number;
  /** One whole reply on the wire, nested elements included. */
  readonly replyBytes: number;
  /** Elements of one whole reply, nested ones included. */
  readonly elements: number;
  readonly depth: number;
};

export const DEFAULT_REPLY_LIMITS: ReplyLimits = {
  lineBytes: 64 * 1024,
  replyBytes: 64 * 1024 * 1024,
  elements: 1024 * 1024,
  depth: 16,
};

type OpenArray = { readonly items: Reply[]; missing: number };

const EMPTY = Buffer.alloc(0);
const NULL: Reply = { type: "null" };

export class ReplyDecoder {
  readonly #limits: ReplyLimits;
  #buf: Buffer = EMPTY;
  #start = 0;
  #end = 0;
  /** Where to look for the end of the line that begins at `#start`: what lies before was looked at. */
  #scanned = 0;
  /** Stream offset of `#buf[0]`. */
  #base = 0;
  /** Stream offset where the current reply begins. */
  #replyStart = 0;
  /** Elements that the arrays of the current reply have announced. */
  #elements = 0;
  #open: OpenArray[] = [];
  /** Size of the bulk whose header was read; -1 when none is open. */
  #bulkSize = -1;
  #bulkIsError = false;
  #failure: Df2RedisError | undefined;

  constructor(limits: Partial<ReplyLimits> = {}) {
    this.#limits = { ...DEFAULT_REPLY_LIMITS, ...limits };
  }

  /** Bytes decoded so far. */
  get offset(): number {
    return this.#base + this.#start;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#makeRoom(chunk.length);
    this.#buf.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The next whole reply, or undefined when more bytes are needed. Once it has thrown it throws the same error again. */
  next(): Reply | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#open.length === 0 && this.#bulkSize < 0) this.#replyStart = this.offset;
    for (;;) {
      const value = this.#bulkSize >= 0 ? this.#finishBulk() : this.#element();
      if (value === undefined) return undefined;
      if (value === "opened") continue;
      const whole = this.#place(value);
      if (whole !== undefined) {
        this.#elements = 0;
        return whole;
      }
    }
  }

  /** Takes the bytes after the last whole reply. The decoder is empty afterwards. */
  takeRemaining(): Buffer {
    const rest = Buffer.from(this.#buf.subarray(this.#start, this.#end));
    this.#base += this.#end;
    this.#start = 0;
    this.#end = 0;
    this.#scanned = 0;
    this.#buf = EMPTY;
    return rest;
  }

  #makeRoom(size: number): void {
    if (this.#start === this.#end) this.#rebase(this.#buf);
    if (this.#end + size <= this.#buf.length) return;
    const held = this.#end - this.#start;
    this.#rebase(
      held + size <= this.#buf.length / 2 ? this.#buf : Buffer.allocUnsafeSlow(Math.max(4096, 2 * (held + size))),
    );
  }

  #rebase(target: Buffer): void {
    this.#buf.copy(target, 0, this.#start, this.#end);
    this.#base += this.#start;
    this.#scanned = Math.max(0, this.#scanned - this.#start);
    this.#end -= this.#start;
    this.#start = 0;
    this.#buf = target;
  }

  /** One element without its children; "opened" when its children or its bytes follow. */
  #element(): Reply | "opened" | undefined {
    const end = this.#lineEnd();
    if (end < 0) return undefined;
    const type = this.#buf[this.#start] ?? 0;
    const text = this.#buf.toString("latin1", this.#start + 1, end);
    if (this.offset - this.#replyStart > this.#limits.replyBytes)
      throw this.#limit(`a reply of more than ${this.#limits.replyBytes} bytes`);
    const value = this.#value(type, text, end);
    this.#start = end + 2;
    this.#scanned = this.#start;
    return value;
  }

  #value(type: number, text: string, end: number): Reply | "opened" {
    switch (String.fromCharCode(type)) {
      case "+":
        return { type: "simple", text: this.#buf.toString("utf8", this.#start + 1, end) };
      case "-":
        return { type: "error", message: this.#buf.toString("utf8", this.#start + 1, end) };
      case ":":
      case "(":
        return this.#integer(text);
      case "$":
      case "=":
        return this.#openBulk(text, false);
      case "!":
        return this.#openBulk(text, true);
      case "*":
      case "~":
      case ">":
        return this.#openArray(this.#length(text));
      case "%":
        return this.#openArray(2 * this.#length(text));
      case "_":
        return NULL;
      case "#":
        return { type: "boolean", value: text === "t" };
      case ",":
        return this.#double(text);
      default:
        throw this.#violation(`a reply that begins with byte 0x${type.toString(16).padStart(2, "0")}`);
    }
  }

  #integer(text: string): Reply {
    if (!/^[+-]?\d+$/.test(text)) throw this.#violation("an integer reply that is not a number");
    const value = Number(text);
    return Number.isSafeInteger(value) ? { type: "integer", value } : { type: "bigint", value: BigInt(text) };
  }

  #double(text: string): Reply {
    const value = text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text);
    if (text === "" || (Number.isNaN(value) && text !== "nan"))
      throw this.#violation("a double reply that is not a number");
    return { type: "double", value };
  }

  /** A declared length; -1 for null. */
  #length(text: string): number {
    if (!/^(?:-1|\d{1,15})$/.test(text)) throw this.#violation("a length that is not a number");
    return Number(text);
  }

  #openBulk(text: string, isError: boolean): Reply | "opened" {
    const size = this.#length(text);
    if (size < 0) return NULL;
    if (this.offset - this.#replyStart + size > this.#limits.replyBytes) {
      throw this.#limit(`a string of ${size} bytes in a reply, more than ${this.#limits.replyBytes}`);
    }
    this.#bulkSize = size;
    this.#bulkIsError = isError;
    return "opened";
  }

  #finishBulk(): Reply | undefined {
    const size = this.#bulkSize;
    if (this.#end - this.#start < size + 2) return undefined;
    const end = this.#start + size;
    if (this.#buf[end] !== 13 || this.#buf[end + 1] !== 10)
      throw this.#violation("a string that does not end where its length says");
    const bytes = Buffer.from(this.#buf.subarray(this.#start, end));
    this.#start = end + 2;
    this.#scanned = this.#start;
    this.#bulkSize = -1;
    return this.#bulkIsError ? { type: "error", message: bytes.toString() } : { type: "bulk", bytes };
  }

  #openArray(size: number): Reply | "opened" {
    if (size < 0) return NULL;
    if (size === 0) return { type: "array", items: [] };
    this.#elements += size;
    if (this.#elements > this.#limits.elements) {
      throw this.#limit(`a reply of ${this.#elements} elements, more than ${this.#limits.elements}`);
    }
    if (this.#open.length >= this.#limits.depth)
      throw this.#limit(`arrays nested more than ${this.#limits.depth} deep`);
    this.#open.push({ items: [], missing: size });
    return "opened";
  }

  /** Puts a finished element where it belongs; returns the reply when that finished it. */
  #place(value: Reply): Reply | undefined {
    let done = value;
    for (;;) {
      const parent = this.#open.at(-1);
      if (parent === undefined) return done;
      parent.items.push(done);
      if (--parent.missing > 0) return undefined;
      this.#open.pop();
      done = { type: "array", items: parent.items };
    }
  }

  /** Index of the CR that ends the line at `#start`, or -1 when it is not all there. */
  #lineEnd(): number {
    const lf = this.#buf.subarray(0, this.#end).indexOf(10, Math.max(this.#scanned, this.#start));
    const size = (lf < 0 ? this.#end : lf) - this.#start;
    if (size > this.#limits.lineBytes) throw this.#limit(`a reply line of more than ${this.#limits.lineBytes} bytes`);
    if (lf < 0) {
      this.#scanned = this.#end;
      // Nonsense should be called so at its first byte, not when its line ends, which may be never.
      if (this.#end > this.#start) this.#checkType(this.#buf[this.#start] ?? 0);
      return -1;
    }
    if (lf === this.#start || this.#buf[lf - 1] !== 13) {
      this.#checkType(this.#buf[this.#start] ?? 0);
      throw this.#violation("a reply line that does not end with CR LF");
    }
    return lf - 1;
  }

  #checkType(type: number): void {
    if ("+-:$*_#,(!=%~>".includes(String.fromCharCode(type))) return;
    throw this.#violation(`a reply that begins with byte 0x${type.toString(16).padStart(2, "0")}`);
  }

  #violation(what: string): Df2RedisError {
    return this.#fail("PROTOCOL_VIOLATION", `The other side sent ${what}.`);
  }

  #limit(what: string): Df2RedisError {
    return this.#fail("LIMIT_EXCEEDED", `The other side sent ${what}.`);
  }

  #fail(code: "PROTOCOL_VIOLATION" | "LIMIT_EXCEEDED", message: string): Df2RedisError {
    this.#failure = new Df2RedisError(code, message, { context: { offset: this.offset } });
    return this.#failure;
  }
}
