/**
 * Cuts a client's bytes into requests: RESP arrays of bulk strings, and inline commands (words in one line). Sans-IO. Requests are small here
 * (a handshake, acknowledgements), so arguments are strings, one character a byte, and what is incomplete is kept as a copy.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";

/** Arguments, one character a byte, the name first. */
export type Request = readonly string[];

const MAX_PENDING_BYTES = 1 << 20;
const MAX_ARGUMENTS = 1024;

export class RequestParser {
  #pending = "";
  #at = 0;

  /** The requests that are complete with `chunk`. Throws `PROTOCOL_VIOLATION` on bytes that are no request. */
  push(chunk: Buffer): Request[] {
    this.#pending = this.#pending.slice(this.#at) + chunk.toString("latin1");
    this.#at = 0;
    const requests: Request[] = [];
    for (;;) {
      const start = this.#at;
      const request = this.#request();
      if (request === undefined) {
        this.#at = start;
        if (this.#pending.length - start > MAX_PENDING_BYTES) throw violation("a request of more than 1 MiB");
        return requests;
      }
      if (request.length > 0) requests.push(request);
    }
  }

  #request(): Request | undefined {
    const line = this.#line();
    if (line === undefined) return undefined;
    if (!line.startsWith("*")) return line.split(/[ \t]+/).filter((word) => word !== "");
    const count = length(line, MAX_ARGUMENTS);
    const args: string[] = [];
    for (let i = 0; i < count; i++) {
      const arg = this.#bulk();
      if (arg === undefined) return undefined;
      args.push(arg);
    }
    return args;
  }

  #bulk(): string | undefined {
    const line = this.#line();
    if (line === undefined) return undefined;
    if (!line.startsWith("$")) throw violation(`a bulk string was expected, not ${JSON.stringify(line.slice(0, 20))}`);
    const end = this.#at + length(line, MAX_PENDING_BYTES);
    if (this.#pending.length < end + 2) return undefined;
    if (this.#pending.slice(end, end + 2) !== "\r\n") throw violation("a bulk string without CRLF at its end");
    const value = this.#pending.slice(this.#at, end);
    this.#at = end + 2;
    return value;
  }

  /** A line without its end; a lone LF ends one too, as servers accept it in inline commands. */
  #line(): string | undefined {
    const end = this.#pending.indexOf("\n", this.#at);
    if (end < 0) return undefined;
    const line = this.#pending.slice(this.#at, end);
    this.#at = end + 1;
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  }
}

function length(line: string, limit: number): number {
  const text = line.slice(1);
  const n = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (n < 0 || n > limit) throw violation(`a length of ${JSON.stringify(text.slice(0, 20))}`);
  return n;
}

function violation(what: string): Df2RedisError {
  return new Df2RedisError("PROTOCOL_VIOLATION", `The client sent ${what}.`);
}
