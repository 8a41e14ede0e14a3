/**
 * Builders of packed bodies for tests, written from the formats' descriptions and not from the readers: listpack, ziplist, intset, zipmap, stream
 * nodes. Each has switches to take a form that the real writers would not take, or to lie in a header.
 */

/** A string, or an integer that is stored as one. */
export type Element = Buffer | bigint;

export function elementText(element: Element): string {
  return typeof element === "bigint" ? element.toString() : element.toString("latin1");
}

function int(bytes: number, value: bigint): Buffer {
  const out = Buffer.alloc(bytes);
  for (let i = 0, rest = value; i < bytes; i++, rest >>= 8n) out[i] = Number(rest & 0xffn);
  return out;
}

function fits(bits: number, value: bigint): boolean {
  return BigInt.asIntN(bits, value) === value;
}

function u32(value: number): Buffer {
  return int(4, BigInt(value));
}

function backLength(length: number): Buffer {
  const width = length <= 127 ? 1 : length < 16383 ? 2 : length < 2097151 ? 3 : length < 268435455 ? 4 : 5;
  const out = Buffer.alloc(width);
  for (let i = width - 1, rest = length; i >= 0; i--, rest = Math.floor(rest / 128))
    out[i] = (rest % 128) | (i > 0 ? 0x80 : 0);
  return out;
}

function listpackHead(element: Element): Buffer {
  if (typeof element !== "bigint") {
    const { length } = element;
    if (length < 64) return Buffer.from([0x80 | length]);
    if (length < 4096) return Buffer.from([0xe0 | (length >> 8), length & 0xff]);
    return Buffer.concat([Buffer.from([0xf0]), u32(length)]);
  }
  if (element >= 0n && element < 128n) return int(1, element);
  if (fits(13, element)) return Buffer.from([0xc0 | (Number(element >> 8n) & 0x1f), Number(element & 0xffn)]);
  if (fits(16, element)) return Buffer.concat([Buffer.from([0xf1]), int(2, element)]);
  if (fits(24, element)) return Buffer.concat([Buffer.from([0xf2]), int(3, element)]);
  if (fits(32, element)) return Buffer.concat([Buffer.from([0xf3]), int(4, element)]);
  return Buffer.concat([Buffer.from([0xf4]), int(8, element)]);
}

export function listpackElement(element: Element): Buffer {
  const head = listpackHead(element);
  const body = typeof element === "bigint" ? head : Buffer.concat([head, element]);
  return Buffer.concat([body, backLength(body.length)]);
}

/** @param count what the header says; 65535 means that it does not say */
export function buildListpack(elements: readonly Element[], count = Math.min(elements.length, 0xffff)): Buffer {
  return wrapListpack(elements.map(listpackElement), count);
}

export function wrapListpack(encoded: readonly Buffer[], count: number): Buffer {
  const body = Buffer.concat(encoded);
  return Buffer.concat([u32(body.length + 7), int(2, BigInt(count)), body, Buffer.from([0xff])]);
}

function ziplistHead(element: Element): Buffer {
  if (typeof element !== "bigint") {
    const { length } = element;
    if (length < 64) return Buffer.from([length]);
    if (length < 16384) return Buffer.from([0x40 | (length >> 8), length & 0xff]);
    const wide = Buffer.from([0x80, 0, 0, 0, 0]);
    wide.writeUInt32BE(length, 1);
    return wide;
  }
  if (element >= 0n && element <= 12n) return Buffer.from([0xf1 + Number(element)]);
  if (fits(8, element)) return Buffer.concat([Buffer.from([0xfe]), int(1, element)]);
  if (fits(16, element)) return Buffer.concat([Buffer.from([0xc0]), int(2, element)]);
  if (fits(24, element)) return Buffer.concat([Buffer.from([0xf0]), int(3, element)]);
  if (fits(32, element)) return Buffer.concat([Buffer.from([0xd0]), int(4, element)]);
  return Buffer.concat([Buffer.from([0xe0]), int(8, element)]);
}

export type ZiplistOptions = {
  readonly count?: number;
  /** Write the length of the element before in five bytes always, as a ziplist that once held long elements may. */
  readonly widePrevious?: boolean;
};

export function buildZiplist(elements: readonly Element[], options: ZiplistOptions = {}): Buffer {
  const parts: Buffer[] = [];
  let previous = 0;
  let tail = 10;
  let at = 10;
  for (const element of elements) {
    const back =
      previous < 254 && !options.widePrevious
        ? Buffer.from([previous])
        : Buffer.concat([Buffer.from([254]), u32(previous)]);
    const entry = Buffer.concat([back, ziplistHead(element), typeof element === "bigint" ? Buffer.alloc(0) : element]);
    tail = at;
    previous = entry.length;
    at += entry.length;
    parts.push(entry);
  }
  const count = options.count ?? Math.min(elements.length, 0xffff);
  return Buffer.concat([u32(at + 1), u32(tail), int(2, BigInt(count)), ...parts, Buffer.from([0xff])]);
}

/** @param width bytes of each integer: 2, 4 or 8 */
export function buildIntset(values: readonly bigint[], width: number): Buffer {
  return Buffer.concat([u32(width), u32(values.length), ...values.map((value) => int(width, value))]);
}

/** @param free unused bytes behind each value */
export function buildZipmap(
  pairs: readonly (readonly [Buffer, Buffer])[],
  free = 0,
  count = Math.min(pairs.length, 254),
): Buffer {
  const length = (size: number): Buffer =>
    size < 254 ? Buffer.from([size]) : Buffer.concat([Buffer.from([254]), u32(size)]);
  const parts = pairs.flatMap(([field, value]) => [
    length(field.length),
    field,
    length(value.length),
    Buffer.from([free]),
    value,
    Buffer.alloc(free, 0x55),
  ]);
  return Buffer.concat([Buffer.from([count]), ...parts, Buffer.from([0xff])]);
}

export type StreamId = { readonly ms: bigint; readonly seq: bigint };

export type StreamEntry = {
  readonly id: StreamId;
  readonly deleted?: boolean;
  /** field, value, field, value, … */
  readonly fields: readonly Element[];
  readonly sameFields?: boolean;
};

export type StreamNode = { readonly key: Buffer; readonly listpack: Buffer; readonly elements: readonly Element[] };

/** A stream node with the ids relative to `master`, as unsigned 64-bit differences that wrap around. */
export function buildStreamNode(
  master: StreamId,
  masterFields: readonly Element[],
  entries: readonly StreamEntry[],
): StreamNode {
  const deleted = entries.filter((entry) => entry.deleted).length;
  const elements: Element[] = [
    BigInt(entries.length - deleted),
    BigInt(deleted),
    BigInt(masterFields.length),
    ...masterFields,
    0n,
  ];
  for (const entry of entries) {
    const head = [
      BigInt((entry.deleted ? 1 : 0) | (entry.sameFields ? 2 : 0)),
      BigInt.asIntN(64, entry.id.ms - master.ms),
      BigInt.asIntN(64, entry.id.seq - master.seq),
    ];
    const values = entry.fields.filter((_, index) => index % 2 === 1);
    const body = entry.sameFields ? values : [BigInt(entry.fields.length / 2), ...entry.fields];
    elements.push(...head, ...body, BigInt(head.length + body.length));
  }
  return { key: streamKey(master), listpack: buildListpack(elements), elements };
}

export function streamKey(id: StreamId): Buffer {
  const key = Buffer.alloc(16);
  key.writeBigUInt64BE(id.ms, 0);
  key.writeBigUInt64BE(id.seq, 8);
  return key;
}
