/** What all readers of packed bodies must do: give back what was packed, refuse what is cut off, survive what is changed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildIntset,
  buildListpack,
  buildZiplist,
  buildZipmap,
  elementText,
  type Element,
} from "../../test/support/codec-builders.ts";
import { expectTypedError, mutate, SeededRandom, truncations, typedErrorOr } from "../../test/support/hostile.ts";
import { Slice } from "../bytes/slice.ts";
import type { ElementReader } from "./element-reader.ts";
import { IntsetReader } from "./intset.ts";
import { ListpackReader } from "./listpack.ts";
import { ZiplistReader } from "./ziplist.ts";
import { ZipmapReader } from "./zipmap.ts";

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

const bytes = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 80 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 110, maxLength: 300 }) },
);
const string = bytes.map((value): Element => Buffer.from(value));
const integer = fc
  .oneof(fc.bigInt({ min: -20n, max: 200n }), fc.bigInt({ min: -70_000n, max: 70_000n }), fc.bigInt(INT64))
  .map((value): Element => value);
const elements = fc.array(fc.oneof(string, integer), { maxLength: 40 });
const pairs = fc.array(fc.tuple(bytes.map(toBuffer), bytes.map(toBuffer)), { maxLength: 20 });

function toBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value);
}

type Packed = { readonly body: Buffer; readonly expected: string[] };

const KINDS: { name: string; reader: ElementReader; packed: fc.Arbitrary<Packed> }[] = [
  {
    name: "listpack",
    reader: new ListpackReader(),
    packed: elements.map((list) => ({ body: buildListpack(list), expected: list.map(elementText) })),
  },
  {
    name: "ziplist",
    reader: new ZiplistReader(),
    packed: fc
      .tuple(elements, fc.boolean())
      .map(([list, widePrevious]) => ({ body: buildZiplist(list, { widePrevious }), expected: list.map(elementText) })),
  },
  {
    name: "zipmap",
    reader: new ZipmapReader(),
    packed: fc.tuple(pairs, fc.integer({ min: 0, max: 3 })).map(([list, free]) => ({
      body: buildZipmap(list, free),
      expected: list.flat().map((element) => element.toString("latin1")),
    })),
  },
  {
    name: "intset",
    reader: new IntsetReader(),
    packed: fc.constantFrom(2, 4, 8).chain((width) =>
      fc
        .uniqueArray(fc.bigInt({ min: -(2n ** BigInt(width * 8 - 1)), max: 2n ** BigInt(width * 8 - 1) - 1n }))
        .map((values) => {
          const sorted = values.toSorted((a, b) => (a < b ? -1 : 1));
          return { body: buildIntset(sorted, width), expected: sorted.map(String) };
        }),
    ),
  },
];

function readAll(reader: ElementReader, buf: Buffer, start: number, end: number): string[] {
  const out = new Slice();
  const found: string[] = [];
  reader.reset(buf, start, end);
  while (reader.next(out)) found.push(out.toLatin1());
  // At the end it stays at the end.
  expect(reader.next(out)).toBe(false);
  return found;
}

/** The body between other bytes, so that reading outside it cannot go unseen. */
function readPadded(reader: ElementReader, body: Buffer, fill = 0xfe): string[] {
  return readAll(reader, Buffer.concat([Buffer.alloc(7, fill), body, Buffer.alloc(400, fill)]), 7, 7 + body.length);
}

describe.each(KINDS)("$name", ({ name, reader, packed }) => {
  test("gives back what was packed, and counts it", () => {
    fc.assert(
      fc.property(packed, ({ body, expected }) => {
        expect(readPadded(reader, body)).toEqual(expected);
        expect(reader.count).toBe(expected.length);
      }),
      { numRuns: 300 },
    );
  });

  test("cut at any byte it is a typed error", () => {
    fc.assert(
      fc.property(packed, ({ body }) => {
        for (const cut of truncations(body)) expectTypedError(() => readPadded(reader, cut, 0xff), "STREAM_CORRUPT");
        for (let end = 0; end < body.length; end++)
          expectTypedError(() => readAll(reader, body, 0, end), "STREAM_CORRUPT");
      }),
      { numRuns: 60 },
    );
  });

  test("followed by a byte it is a typed error", () => {
    fc.assert(
      fc.property(packed, fc.nat(255), ({ body }, byte) => {
        expectTypedError(() => readPadded(reader, Buffer.concat([body, Buffer.from([byte])])), "STREAM_CORRUPT");
      }),
    );
  });

  test("changed, it is a typed error or other elements within its bytes", () => {
    const random = new SeededRandom(name.length);
    let refused = 0;
    fc.assert(
      fc.property(packed, ({ body }) => {
        for (let i = 0; i < 20; i++) {
          const bad = mutate(body, random);
          const found = typedErrorOr(() => readPadded(reader, bad));
          if (found === undefined) refused++;
          else expect(found.length).toBeLessThanOrEqual(bad.length);
        }
      }),
      { numRuns: 200 },
    );
    expect(refused).toBeGreaterThan(500);
  });
});
