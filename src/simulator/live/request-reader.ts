/**
 * Cuts a client's bytes into requests: RESP arrays of bulk strings, and inline commands. Sans-IO. Arguments are views of the chunks that were
 * pushed and stay valid (a chunk is never written to again), but they hold the whole chunk in memory: what is stored must be copied.
 */
import { ProtocolError } from "./protocol-error.ts";

const MAX_BULK_BYTES = 512 * 1024 * 1024;
const MAX_ARGUMENTS = 1 << 20;
const MAX_INLINE_BYTES = 64 * 1024;

const CR = 13;
const LF = 10;
const DOLLAR = 36;
const STAR = 42;
const ZERO = 48;

export class RequestReader {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Chunks behind `#bytes` that are only joined once `#wanted` bytes are there, so that a long argument is copied once. */
  #later: Buffer[] = [];
  #laterBytes = 0;
  #wanted = 0;
  /** Set by `#readLength`. */
  #length = 0;

  push(chunk: Buffer): void {
    this.#later.push(chunk);
    this.#laterBytes += chunk.length;
  }

  get pendingBytes(): number {
    return this.#bytes.length - this.#at + this.#laterBytes;
  }

  /** The next whole request, undefined when its end is not there yet. Throws `ProtocolError`. */
  next(): Buffer[] | undefined {
    this.#join();
    while (this.#at < this.#bytes.length) {
      const request = this.#bytes[this.#at] === STAR ? this.#array() : this.#inline();
      if (request === undefined) return undefined;
      if (request.length > 0) return request;
    }
    return undefined;
  }

  #join(): void {
    if (this.#laterBytes === 0 || this.pendingBytes < this.#wanted) return;
    const rest = this.#bytes.subarray(this.#at);
    const [only] = this.#later;
    this.#bytes =
      rest.length === 0 && this.#later.length === 1 && only !== undefined
        ? only
        : Buffer.concat([rest, ...this.#later]);
    this.#at = 0;
    this.#later = [];
    this.#laterBytes = 0;
    this.#wanted = 0;
  }

  #array(): Buffer[] | undefined {
    let at = this.#readLength(this.#at + 1);
    if (at < 0) return undefined;
    const count = this.#length;
    if (count > MAX_ARGUMENTS) throw new ProtocolError("invalid multibulk length");
    const args: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      if (at >= this.#bytes.length) return undefined;
      if (this.#bytes[at] !== DOLLAR) throw new ProtocolError("expected '$'");
      at = this.#readLength(at + 1);
      if (at < 0) return undefined;
      const end = at + this.#length;
      if (this.#length > MAX_BULK_BYTES) throw new ProtocolError("invalid bulk length");
      if (end + 2 > this.#bytes.length) {
        this.#wanted = end + 2 - this.#at;
        return undefined;
      }
      args.push(this.#bytes.subarray(at, end));
      at = end + 2;
    }
    this.#at = at;
    return args;
  }

  /** Reads a length and its CRLF into `#length`; returns the offset behind it, -1 when it is not all there. */
  #readLength(start: number): number {
    const bytes = this.#bytes;
    let at = start;
    let length = 0;
    for (; at < bytes.length && bytes[at] !== CR; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9 || at - start > 10) throw new ProtocolError("invalid length");
      length = length * 10 + digit;
    }
    if (at + 1 >= bytes.length) return -1;
    if (bytes[at + 1] !== LF || at === start) throw new ProtocolError("invalid length");
    this.#length = length;
    return at + 2;
  }

  #inline(): Buffer[] | undefined {
    const end = this.#bytes.indexOf(LF, this.#at);
    if (end < 0) {
      if (this.#bytes.length - this.#at > MAX_INLINE_BYTES) throw new ProtocolError("too big inline request");
      return undefined;
    }
    const line = this.#bytes.toString("latin1", this.#at, end);
    this.#at = end + 1;
    const words = line.split(/[ \t\r]+/).filter((word) => word !== "");
    return words.map((word) => Buffer.from(word, "latin1"));
  }
}
