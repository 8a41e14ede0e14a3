/**
 * The encoded commands of one write to a connection, with the start, LSN and database of each, so that an error reply can be traced
 * to its command. Owned by a `CommandEncoder` until taken, then by the connection until its replies are in.
 */
export type CommandDescription = {
  /** Upper-case name. */
  readonly name: string;
  /** The command's first key; undefined when there is no argument. */
  readonly key: Buffer | undefined;
  readonly argc: number;
  readonly db: number;
  /** -1 for snapshot data. */
  readonly lsn: number;
  readonly flow: number;
  /** All arguments, the name not among them. Only when asked for: values are in it. */
  readonly args?: readonly Buffer[];
};

/** Where the first key stands, when it is not the first argument. */
const KEY_POSITIONS: Readonly<Record<string, number>> = { BITOP: 2, EVAL: 3, XGROUP: 2 };
const MOST_KEY_WORDS = 4;

const CACHED = 4096;
/** `N\r\n` for small N, the length lines of nearly all arguments. */
const DIGITS: readonly Buffer[] = Array.from({ length: CACHED }, (_, n) => Buffer.from(`${n}\r\n`));

export class CommandBatch {
  buf: Buffer;
  /** Over `buf`, for word-wise writes. */
  view: DataView;
  length = 0;
  count = 0;
  #starts = new Float64Array(256);
  #lsns = new Float64Array(256);
  #dbs = new Uint16Array(256);
  #flows = new Uint16Array(256);

  constructor(bytes: number) {
    this.buf = Buffer.allocUnsafeSlow(bytes);
    this.view = viewOf(this.buf);
  }

  reset(): void {
    this.length = 0;
    this.count = 0;
  }

  startCommand(lsn: number, db: number, flow = 0): void {
    const i = this.count;
    if (i === this.#starts.length) this.#growIndex();
    this.#starts[i] = this.length;
    this.#lsns[i] = lsn;
    this.#dbs[i] = db;
    this.#flows[i] = flow;
    this.count = i + 1;
  }

  /** Makes room for `bytes` more. */
  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buf.length) return;
    const bigger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.buf.length));
    this.buf.copy(bigger, 0, 0, this.length);
    this.buf = bigger;
    this.view = viewOf(bigger);
  }

  /** `n` and CRLF; the caller has reserved room. */
  writeDigits(n: number): void {
    const cached = DIGITS[n];
    const out = this.buf;
    if (cached === undefined) {
      this.length += out.write(`${n}\r\n`, this.length, "latin1");
      return;
    }
    let at = this.length;
    for (let i = 0; i < cached.length; i++) out[at++] = cached[i] as number;
    this.length = at;
  }

  bytes(): Buffer {
    return this.buf.subarray(0, this.length);
  }

  /** What command `index` was, read back from its bytes; a copy. */
  describe(index: number, want: { readonly args?: boolean } = {}): CommandDescription {
    const words = this.words(index, want.args === true ? Number.POSITIVE_INFINITY : MOST_KEY_WORDS);
    const argc = this.argc(index);
    const name = commandName(words);
    // The last word before the key stands in for it when an entry is cut short.
    const shown = words[Math.min(KEY_POSITIONS[name] ?? 1, argc - 1)];
    const key = argc < 2 || shown === undefined ? undefined : Buffer.from(shown);
    const description = {
      name,
      key,
      argc,
      db: this.dbOf(index),
      lsn: this.#lsns[index] ?? -1,
      flow: this.#flows[index] ?? 0,
    };
    return want.args === true ? { ...description, args: words.slice(1).map((word) => Buffer.from(word)) } : description;
  }

  /** The database that command `index` runs in. */
  dbOf(index: number): number {
    return this.#dbs[index] ?? 0;
  }

  /** Arguments of command `index`, its name included. */
  argc(index: number): number {
    return this.#number((this.#starts[index] ?? 0) + 1).value;
  }

  /** The first `most` words of command `index`, its name among them. Views: valid as long as the batch is not used again. */
  words(index: number, most = Number.POSITIVE_INFINITY): Buffer[] {
    const words: Buffer[] = [];
    let { value: left, next: at } = this.#number((this.#starts[index] ?? 0) + 1);
    for (; left > 0 && words.length < most; left--) {
      const { value: size, next } = this.#number(at + 1);
      words.push(this.buf.subarray(next, next + size));
      at = next + size + 2;
    }
    return words;
  }

  /** The bytes of command `index` as they were sent. A view. */
  bytesOf(index: number): Buffer {
    const end = index + 1 < this.count ? this.#starts[index + 1] : this.length;
    return this.buf.subarray(this.#starts[index] ?? 0, end);
  }

  /** A number and its CRLF at `at`. */
  #number(at: number): { value: number; next: number } {
    const end = this.buf.indexOf("\r\n", at, "latin1");
    return { value: Number(this.buf.toString("latin1", at, end)), next: end + 2 };
  }

  #growIndex(): void {
    const size = 2 * this.#starts.length;
    const grow = <T extends Float64Array | Uint16Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#starts = grow(this.#starts, new Float64Array(size));
    this.#lsns = grow(this.#lsns, new Float64Array(size));
    this.#dbs = grow(this.#dbs, new Uint16Array(size));
    this.#flows = grow(this.#flows, new Uint16Array(size));
  }
}

/** In upper case. */
export function commandName(words: readonly Buffer[]): string {
  return (words[0] ?? Buffer.alloc(0)).toString("latin1").toUpperCase();
}

function viewOf(buf: Buffer): DataView {
  return new DataView(buf.buffer, buf.byteOffset, buf.length);
}
