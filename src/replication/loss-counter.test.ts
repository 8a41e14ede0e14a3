import { describe, expect, test } from "vitest";
import { Slice } from "../bytes/slice.ts";
import type { LossKind } from "../target/losses.ts";
import { LossCounter, mergeLosses } from "./loss-counter.ts";

function slice(text: string | Buffer): Slice {
  const bytes = Buffer.from(text);
  return new Slice().set(bytes, 0, bytes.length);
}

type First = [LossKind, { readonly db: number; readonly key: string }];

function counting(): { readonly counter: LossCounter; readonly firsts: First[] } {
  const firsts: First[] = [];
  return { counter: new LossCounter((...first) => firsts.push(first)), firsts };
}

describe("the loss counter", () => {
  test("counts by kind and tells the first of each", () => {
    const { counter, firsts } = counting();
    counter.record("json", 0, slice("a"));
    counter.record("json", 5, slice("b"));
    counter.record("sticky", 0, slice("a"));
    expect(counter.lost).toBe(3);
    expect(firsts).toEqual([
      ["json", { db: 0, key: "a" }],
      ["sticky", { db: 0, key: "a" }],
    ]);
    expect(counter.reports()).toEqual([
      {
        kind: "json",
        count: 2,
        samples: [
          { db: 0, key: "a" },
          { db: 5, key: "b" },
        ],
      },
      { kind: "sticky", count: 1, samples: [{ db: 0, key: "a" }] },
    ]);
  });

  test("keeps ten samples, each key once, and copies them", () => {
    const { counter } = counting();
    const bytes = Buffer.from("k00");
    const key = new Slice().set(bytes, 0, 3);
    for (let i = 0; i < 40; i++) {
      bytes.write(String(i >> 1).padStart(2, "0"), 1, "latin1");
      counter.record("fieldTtl", 0, key);
    }
    const [report] = counter.reports();
    expect(report?.count).toBe(40);
    expect(report?.samples.map((sample) => sample.key)).toEqual(
      Array.from({ length: 10 }, (_, i) => `k${String(i).padStart(2, "0")}`),
    );
  });

  test("the same key in two databases is two samples", () => {
    const { counter } = counting();
    for (const db of [0, 1, 0]) counter.record("json", db, slice("a"));
    expect(counter.reports()[0]?.samples).toEqual([
      { db: 0, key: "a" },
      { db: 1, key: "a" },
    ]);
  });

  test("samples nothing after the first thousand: a hot key must cost nothing", () => {
    const { counter } = counting();
    for (let i = 0; i < 1000; i++) counter.record("json", 0, slice("hot"));
    counter.record("json", 0, slice("late"));
    expect(counter.reports()).toEqual([{ kind: "json", count: 1001, samples: [{ db: 0, key: "hot" }] }]);
  });

  test("a key that is no text is shown in escapes", () => {
    const { counter, firsts } = counting();
    counter.record("json", 0, slice(Buffer.from([0x61, 0xff, 0x0a])));
    expect(firsts[0]?.[1].key).toBe("a\\xff\\x0a");
  });
});

describe("the losses of several workers", () => {
  const samples = (from: number, count: number): { db: number; key: string }[] =>
    Array.from({ length: count }, (_, i) => ({ db: 0, key: `k${from + i}` }));

  test("are added up by kind", () => {
    const merged = mergeLosses([
      [
        { kind: "json", count: 20, samples: samples(0, 7) },
        { kind: "lua", count: 1, samples: [] },
      ],
      [],
      [{ kind: "json", count: 300, samples: samples(50, 7) }],
    ]);
    expect(merged).toEqual([
      { kind: "json", count: 320, samples: [...samples(0, 7), ...samples(50, 3)] },
      { kind: "lua", count: 1, samples: [] },
    ]);
  });

  test("of nobody are none", () => {
    expect(mergeLosses([])).toEqual([]);
  });
});
