import fc from "fast-check";
import { expect, test } from "vitest";
import { StreamIdIndex } from "./stream-id-index.ts";
import { compareIds, parseStreamId } from "./stream-id.ts";

const half = fc.oneof(fc.nat(3), fc.nat(300), fc.maxSafeNat());
const id = fc.tuple(half, half).filter(([ms, seq]) => ms > 0 || seq > 0);

test("an index of any ascending ids finds exactly these", () => {
  fc.assert(
    fc.property(fc.array(id, { maxLength: 60 }), fc.array(id, { maxLength: 30 }), (live, others) => {
      const liveTexts = sortedUnique(live);
      const index = new StreamIdIndex(1 << 16);
      for (const text of liveTexts) index.add(text);
      expect(index.complete).toBe(true);
      const reader = index.reader();
      const isLive = new Set(liveTexts);
      for (const text of sortedUnique([...live, ...others])) {
        const { ms, seq } = parseStreamId(text);
        expect([text, reader.has(ms, seq)]).toEqual([text, isLive.has(text)]);
      }
    }),
    { numRuns: 300 },
  );
});

function sortedUnique(ids: readonly [number, number][]): string[] {
  return [...new Set(ids.map(([ms, seq]) => `${ms}-${seq}`))].toSorted((a, b) => {
    const x = parseStreamId(a);
    const y = parseStreamId(b);
    return compareIds(x.ms, x.seq, y.ms, y.seq);
  });
}
