import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildListpack,
  buildStreamNode,
  elementText,
  streamKey,
  type Element,
  type StreamEntry,
  type StreamId,
  type StreamNode,
} from "../../test/support/codec-builders.ts";
import { expectTypedError, mutate, SeededRandom, truncations, typedErrorOr } from "../../test/support/hostile.ts";
import { StreamNodeReader } from "./stream-listpack.ts";

const TOP = 2n ** 64n - 1n;

type Entry = [id: string, ...fields: string[]];

function read(node: Pick<StreamNode, "key" | "listpack">, reader = new StreamNodeReader()): Entry[] {
  reader.reset(node.key, 0, node.key.length, node.listpack, 0, node.listpack.length);
  const found: Entry[] = [];
  while (reader.next())
    found.push([reader.id, ...reader.fields.slice(0, reader.fieldCount).map((field) => field.toLatin1())]);
  expect(reader.next()).toBe(false);
  return found;
}

function expected(entries: readonly StreamEntry[]): Entry[] {
  return entries
    .filter((entry) => !entry.deleted)
    .map((entry) => [`${entry.id.ms}-${entry.id.seq}`, ...entry.fields.map(elementText)]);
}

function text(...parts: string[]): Element[] {
  return parts.map((part) => Buffer.from(part));
}

const MASTER: StreamId = { ms: 1_700_000_000_000n, seq: 0n };
const ENTRIES: StreamEntry[] = [
  { id: MASTER, fields: [...text("a", "1"), Buffer.from("b"), 22n], sameFields: true },
  { id: { ms: 1_700_000_000_001n, seq: 3n }, fields: text("other", "x") },
  { id: { ms: 1_700_000_000_001n, seq: 4n }, fields: text("a", "gone", "b", "gone"), sameFields: true, deleted: true },
  { id: { ms: 1_700_000_009_999n, seq: 0n }, fields: text("a", "3", "b", "4"), sameFields: true },
  { id: { ms: 1_700_000_009_999n, seq: 1n }, fields: [7n, 8n, ...text("q", "gone")], deleted: true },
];
const NODE = buildStreamNode(MASTER, text("a", "b"), ENTRIES);

describe("StreamNodeReader", () => {
  test("entries with the master's fields and with their own, deleted ones skipped", () => {
    expect(read(NODE)).toEqual([
      ["1700000000000-0", "a", "1", "b", "22"],
      ["1700000000001-3", "other", "x"],
      ["1700000009999-0", "a", "3", "b", "4"],
    ]);
  });

  test("field names that are integers, too", () => {
    const entries: StreamEntry[] = [1n, 2n].map((value) => ({
      id: { ms: value, seq: 1n },
      fields: [300n, value, 2n ** 60n, 5n],
      sameFields: true,
    }));
    expect(read(buildStreamNode({ ms: 1n, seq: 1n }, [300n, 2n ** 60n], entries))).toEqual(expected(entries));
  });

  test("ids that need all 64 bits", () => {
    const master = { ms: TOP - 1n, seq: TOP - 2n };
    const entries: StreamEntry[] = [
      { id: master, fields: text("f", "v") },
      { id: { ms: TOP - 1n, seq: TOP }, fields: text("f", "v") },
      { id: { ms: TOP, seq: 0n }, fields: text("f", "v") },
      { id: { ms: TOP, seq: 2n ** 53n + 1n }, fields: text("f", "v") },
    ];
    expect(read(buildStreamNode(master, text("f"), entries))).toEqual(expected(entries));
  });

  test("sums on both sides of what a number holds", () => {
    for (const ms of [2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n]) {
      for (const step of [0n, 1n, 2n, 2n ** 53n - 1n, 2n ** 62n]) {
        const entries: StreamEntry[] = [{ id: { ms: BigInt.asUintN(64, ms + step), seq: 0n }, fields: text("f", "v") }];
        expect(read(buildStreamNode({ ms, seq: 5n }, [], entries))).toEqual(expected(entries));
      }
    }
  });

  test("the slices are used again, without what was in them", () => {
    const reader = new StreamNodeReader();
    const wide = buildStreamNode(
      MASTER,
      [],
      [{ id: MASTER, fields: Array.from({ length: 6000 }, (_, i) => BigInt(i)) }],
    );
    expect(read(wide, reader)[0]).toHaveLength(6001);
    expect(read(NODE, reader)).toEqual(expected(ENTRIES));
    expect(reader.fields.length).toBeLessThanOrEqual(2048);
  });

  test("a node whose entries were all deleted", () => {
    expect(
      read(
        buildStreamNode(MASTER, text("a"), [{ id: MASTER, fields: text("a", "1"), sameFields: true, deleted: true }]),
      ),
    ).toEqual([]);
  });

  test("any node", () => {
    const id = fc.record({ ms: fc.bigInt({ min: 0n, max: TOP }), seq: fc.bigInt({ min: 0n, max: TOP }) });
    const element = fc.oneof(
      fc.uint8Array({ maxLength: 20 }).map((bytes): Element => Buffer.from(bytes)),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value): Element => value),
    );
    const pair = fc.tuple(element, element);
    const names = fc.array(element, { minLength: 1, maxLength: 4 });
    const entry = fc.record({
      id,
      deleted: fc.boolean(),
      same: fc.boolean(),
      own: fc.array(pair, { minLength: 1, maxLength: 5 }),
      value: element,
    });
    const reader = new StreamNodeReader();
    fc.assert(
      fc.property(id, names, fc.array(entry, { maxLength: 12 }), (master, masterFields, drawn) => {
        const entries = drawn.map(({ id: entryId, deleted, same, own, value }): StreamEntry => {
          const fields = same ? masterFields.flatMap((name) => [name, value]) : own.flat();
          return { id: entryId, deleted, sameFields: same, fields };
        });
        expect(read(buildStreamNode(master, masterFields, entries), reader)).toEqual(expected(entries));
      }),
      { numRuns: 300 },
    );
  });
});

describe("hostile nodes", () => {
  /** The good node with one listpack element replaced. */
  function replaced(index: number, element: Element): Pick<StreamNode, "key" | "listpack"> {
    return { key: NODE.key, listpack: buildListpack(NODE.elements.with(index, element)) };
  }

  // 0 count, 1 deleted, 2 number of fields, 3–4 fields, 5 zero, 6 flags, 7 ms, 8 seq, 9–10 values, 11 lp-count, …
  test.each([
    ["a key of 15 bytes", { key: NODE.key.subarray(1), listpack: NODE.listpack }],
    ["an entry count that is too high", replaced(0, 4n)],
    ["an entry count that is too low", replaced(0, 2n)],
    ["a negative entry count", replaced(0, -1n)],
    ["a huge entry count", replaced(0, 2n ** 62n)],
    ["a text for the entry count", replaced(0, Buffer.from("3"))],
    ["a deleted count that is too high", replaced(1, 3n)],
    ["counts whose sum is right", { key: NODE.key, listpack: buildListpack(NODE.elements.with(0, 4n).with(1, 1n)) }],
    ["a huge number of master fields", replaced(2, 2n ** 40n)],
    ["a negative number of master fields", replaced(2, -2n)],
    ["a master entry that does not end with 0", replaced(5, 1n)],
    ["unknown flags", replaced(6, 6n)],
    ["flags beyond 32 bits", replaced(6, 2n ** 32n + 2n)],
    ["a text for a part of the id", replaced(7, Buffer.from("x"))],
    ["a wrong element count", replaced(11, 6n)],
    ["an entry without fields", { key: NODE.key, listpack: buildListpack([1n, 0n, 0n, 0n, 2n, 0n, 0n, 3n]) }],
    ["an element behind the last entry", { key: NODE.key, listpack: buildListpack([...NODE.elements, 0n]) }],
    ["no listpack", { key: NODE.key, listpack: Buffer.alloc(0) }],
    ["an empty listpack", { key: NODE.key, listpack: buildListpack([]) }],
  ])("%s", (_name, node) => {
    expectTypedError(() => read(node), "STREAM_CORRUPT");
  });

  test("with any number of elements missing", () => {
    for (let count = 0; count < NODE.elements.length; count++) {
      expectTypedError(
        () => read({ key: NODE.key, listpack: buildListpack(NODE.elements.slice(0, count)) }),
        "STREAM_CORRUPT",
      );
    }
  });

  test("cut at each byte", () => {
    for (const listpack of truncations(NODE.listpack))
      expectTypedError(() => read({ key: NODE.key, listpack }), "STREAM_CORRUPT");
  });

  test("mutated", () => {
    const random = new SeededRandom(41);
    const reader = new StreamNodeReader();
    for (let i = 0; i < 5000; i++) {
      const found = typedErrorOr(() =>
        read({ key: streamKey(MASTER), listpack: mutate(NODE.listpack, random) }, reader),
      );
      if (found !== undefined) expect(found.length).toBeLessThanOrEqual(ENTRIES.length);
    }
    expect(read(NODE, reader)).toEqual(expected(ENTRIES));
  });
});
