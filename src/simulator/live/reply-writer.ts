/**
 * Collects the replies of one connection and hands them to its socket in few writes: text and short values as one latin1 string, long values as
 * they are. Owns nothing of what it is given: Buffers that are written must not change until they are sent.
 */
const LONG_BYTES = 16 * 1024;

export class ReplyWriter {
  #text = "";
  #ready: (Buffer | string)[] = [];

  /** Sends everything so far by `write`. */
  flush(write: (bytes: Buffer | string) => void): void {
    if (this.#ready.length > 0) {
      for (const piece of this.#ready) write(piece);
      this.#ready = [];
    }
    if (this.#text === "") return;
    const text = this.#text;
    this.#text = "";
    write(text);
  }

  raw(bytes: Buffer | string): void {
    if (typeof bytes === "string") this.#text += bytes;
    else if (bytes.length < LONG_BYTES) this.#text += bytes.toString("latin1");
    else {
      if (this.#text !== "") this.#ready.push(this.#text);
      this.#text = "";
      this.#ready.push(bytes);
    }
  }

  ok(): void {
    this.#text += "+OK\r\n";
  }

  simple(text: string): void {
    this.#text += `+${text}\r\n`;
  }

  error(text: string): void {
    this.#text += `-${text}\r\n`;
  }

  integer(value: number | bigint): void {
    this.#text += `:${value}\r\n`;
  }

  /** A string is written as latin1. */
  bulk(value: Buffer | string | undefined): void {
    if (value === undefined) this.#text += "$-1\r\n";
    else if (typeof value === "string") this.#text += `$${value.length}\r\n${value}\r\n`;
    else {
      this.#text += `$${value.length}\r\n`;
      this.raw(value);
      this.#text += "\r\n";
    }
  }

  bulks(values: readonly (Buffer | string | undefined)[]): void {
    this.arrayHead(values.length);
    for (const value of values) this.bulk(value);
  }

  arrayHead(count: number): void {
    this.#text += `*${count}\r\n`;
  }

  nullArray(): void {
    this.#text += "*-1\r\n";
  }
}
