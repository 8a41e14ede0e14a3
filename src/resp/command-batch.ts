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
};

/** Where the first key stands, when it is not the first argument. */
const KEY_POSITIONS: Readonly<Record<string, number>> = { BITOP: 2, EVAL: 3, XGROUP: 2 };

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

  /** What command `index` was, read back from its bytes. */
  describe(index: number): CommandDescription {
    let at = (this.#starts[index] ?? 0) + 1;
    const line = (): number => {
      const end = this.buf.indexOf("\r\n", at, "latin1");
      const n = Number(this.buf.toString("latin1", at, end));
      at = end + 2;
      return n;
    };
    const bulk = (): Buffer => {
      at++;
      const size = line();
      const value = Buffer.from(this.buf.subarray(at, at + size));
      at += size + 2;
      return value;
    };
    const argc = line();
    const name = bulk().toString("latin1").toUpperCase();
    const keyAt = KEY_POSITIONS[name] ?? 1;
    let key: Buffer | undefined;
    for (let i = 1; i <= keyAt && i < argc; i++) key = bulk();
    return { name, key, argc, db: this.#dbs[index] ?? 0, lsn: this.#lsns[index] ?? -1, flow: this.#flows[index] ?? 0 };
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

function viewOf(buf: Buffer): DataView {
  return new DataView(buf.buffer, buf.byteOffset, buf.length);
}
