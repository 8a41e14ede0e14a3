/**
 * The outline of a flow's RDB stream: which opcodes stand where, how large, in which blob. A plain walk of its own (docs/protocol.md §4), so that what the
 * simulator sends can be compared with recordings without the product's decoder in between. Knows what a 1.40 master emits, sketches included.
 */
import { decompressFrameSync } from "lz4-napi";
import { zstdDecompressSync } from "node:zlib";

export type OutlineItem = {
  /** "select", "object", "chunk", "journal", "aux", … */
  readonly kind: string;
  /** Of an object: RDB type. Of a chunk: its id. */
  readonly number: number;
  /** Opcodes and content. */
  readonly bytes: Buffer;
};

/** What was compressed together, or what stands uncompressed between two compressed blobs. */
export type OutlineBlob = {
  readonly compression: "none" | "zstd" | "lz4";
  readonly contentBytes: number;
  readonly items: OutlineItem[];
};

const BLOB_COMPRESSION = new Map([
  [201, "zstd"],
  [202, "lz4"],
] as const);

/** @param bytes from REDIS0009 to EOF */
export function outline(bytes: Buffer): OutlineBlob[] {
  const blobs: OutlineBlob[] = [];
  const reader = new OutlineReader(bytes);
  let open: OutlineItem[] = [];
  const close = (): void => {
    if (open.length > 0)
      blobs.push({
        compression: "none",
        contentBytes: open.reduce((sum, item) => sum + item.bytes.length, 0),
        items: open,
      });
    open = [];
  };
  reader.at = "REDIS0009".length;
  while (reader.at < bytes.length) {
    const compression = BLOB_COMPRESSION.get(bytes[reader.at] as 201 | 202);
    if (compression === undefined) {
      open.push(reader.item());
      continue;
    }
    close();
    reader.at++;
    const frame = reader.take(reader.len());
    const content = compression === "lz4" ? decompressFrameSync(frame) : zstdDecompressSync(frame);
    blobs.push({ compression, contentBytes: content.length, items: [...itemsOf(content)] });
  }
  close();
  return blobs;
}

function* itemsOf(content: Buffer): Generator<OutlineItem> {
  const reader = new OutlineReader(content);
  while (reader.at < content.length) yield reader.item();
}

/** Every object from its first opcode to its last byte, the chunks of one joined, in the order of their beginnings. */
export function objectsOf(blobs: readonly OutlineBlob[]): Buffer[] {
  const objects: Buffer[][] = [];
  const chunked = new Map<number, Buffer[]>();
  for (const { kind, number, bytes } of blobs.flatMap(({ items }) => items)) {
    if (kind === "object") objects.push([bytes]);
    if (kind !== "chunk") continue;
    const content = bytes.subarray(9);
    const known = chunked.get(number);
    if (known !== undefined) known.push(content);
    else {
      const parts = [content];
      chunked.set(number, parts);
      objects.push(parts);
    }
  }
  return objects.map((parts) => Buffer.concat(parts));
}

class OutlineReader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** One opcode with what belongs to it; an object includes the deadline and mask before it. */
  item(): OutlineItem {
    const start = this.at;
    const { kind, number } = this.#skipItem();
    return { kind, number, bytes: this.#bytes.subarray(start, this.at) };
  }

  take(size: number): Buffer {
    this.at += size;
    return this.#bytes.subarray(this.at - size, this.at);
  }

  len(): number {
    const first = this.#u8();
    if (first < 0x40) return first;
    if (first < 0x80) return ((first & 0x3f) << 8) | this.#u8();
    if (first === 0x80) return this.take(4).readUInt32BE();
    if (first !== 0x81) throw new Error(`no length at ${this.at - 1}: ${first}`);
    return Number(this.take(8).readBigUInt64BE());
  }

  #skipItem(): { readonly kind: string; readonly number: number } {
    const opcode = this.#u8();
    switch (opcode) {
      case 200:
        return this.#fixed("fullSyncEnd", 8);
      case 210:
        this.len();
        this.#string();
        return { kind: "journal", number: 0 };
      case 211:
        return this.#fixed("journalOffset", 8);
      case 224: {
        const id = this.take(4).readUInt32LE();
        this.take(this.take(4).readUInt32LE());
        return { kind: "chunk", number: id };
      }
      case 250:
        this.#strings(2);
        return { kind: "aux", number: 0 };
      case 254:
        return { kind: "select", number: this.len() };
      case 255:
        return this.#fixed("eof", 8);
      case 220:
        if ((this.take(4).readUInt32LE() & 2) !== 0) this.take(4);
        return this.#skipItem();
      case 252:
        this.take(8);
        return this.#skipItem();
      default:
        this.#string();
        this.#body(opcode);
        return { kind: "object", number: opcode };
    }
  }

  #fixed(kind: string, size: number): { readonly kind: string; readonly number: number } {
    this.take(size);
    return { kind, number: 0 };
  }

  #body(type: number): void {
    if ([0, 11, 12, 13, 16, 17, 30].includes(type)) this.#string();
    else if (type === 2) this.#strings(this.len());
    else if (type === 4 || type === 32) this.#strings(2 * this.len());
    else if (type === 31) this.#strings(3 * this.len());
    else if (type === 5) this.#times(this.len(), () => (this.#string(), this.take(8)));
    else if (type === 18) this.#times(this.len(), () => (this.len(), this.#string()));
    else if (type === 21) this.#stream();
    else this.#sketch(type);
  }

  #stream(): void {
    this.#strings(2 * this.len());
    this.#lens(8);
    this.#times(this.len(), () => {
      this.#string();
      this.#lens(3);
      this.#times(this.len(), () => (this.take(24), this.len()));
      this.#times(this.len(), () => {
        this.#string();
        this.take(16);
        this.take(16 * this.len());
      });
    });
  }

  #sketch(type: number): void {
    const chunks = (): void => {
      for (let left = this.len(); left > 0;) left -= this.take(this.len()).length;
    };
    if (type === 35) {
      const counters = this.len() * this.len();
      this.len();
      this.take(8 * counters);
    } else if (type === 36) {
      this.#lens(4);
      this.take(8);
      this.#times(this.len(), () => (this.#string(), this.len()));
      this.#string();
    } else if (type === 37) {
      this.#lens(6);
      this.#times(this.len(), chunks);
    } else if (type === 33 || type === 34) {
      this.len();
      this.take(16);
      this.#lens(3);
      this.#times(this.len(), () => (this.len(), type === 34 ? chunks() : this.#string()));
    } else throw new Error(`no object type at ${this.at}: ${type}`);
  }

  #u8(): number {
    return this.take(1)[0] ?? 0;
  }

  #string(): void {
    const first = this.#bytes[this.at] ?? 0;
    if (first < 0xc0) {
      this.take(this.len());
      return;
    }
    this.at++;
    if (first !== 0xc3) {
      this.take(2 ** (first - 0xc0));
      return;
    }
    const compressed = this.len();
    this.len();
    this.take(compressed);
  }

  #strings(count: number): void {
    this.#times(count, () => this.#string());
  }

  #lens(count: number): void {
    this.#times(count, () => this.len());
  }

  #times(count: number, step: () => unknown): void {
    for (let i = 0; i < count; i++) step();
  }
}
