import fc from "fast-check";
import { expect, test } from "vitest";
import { MemberTimeIndex, type Timed } from "./member-time-index.ts";

type Item = Timed & { readonly name: number };

test("gives what is due, earliest first, whatever was added and removed", () => {
  const step = fc.record({ second: fc.nat(20), action: fc.constantFrom("add", "remove", "move", "take") });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const index = new MemberTimeIndex<Item>();
      let live: Item[] = [];
      let names = 0;
      for (const { second, action } of steps) {
        const some = live[second % Math.max(1, live.length)];
        if (action === "add") {
          const item = { second, slot: 0, name: names++ };
          index.add(item);
          live.push(item);
        } else if (action === "remove" && some !== undefined) {
          index.remove(some);
          live = live.filter((item) => item !== some);
        } else if (action === "move" && some !== undefined) {
          index.remove(some);
          some.second = second;
          index.add(some);
        } else if (action === "take") {
          const due: Item[] = [];
          for (let taken = index.takeUpTo(second); taken !== undefined; taken = index.takeUpTo(second)) {
            expect(new Set(taken.map((item) => item.second)).size).toBe(1);
            expect(taken[0]?.second).toBeGreaterThanOrEqual(due.at(-1)?.second ?? 0);
            due.push(...taken);
          }
          const byName = (a: Item, b: Item): number => a.name - b.name;
          expect(due.toSorted(byName)).toEqual(live.filter((item) => item.second <= second).toSorted(byName));
          live = live.filter((item) => item.second > second);
        }
      }
    }),
    { numRuns: 300 },
  );
});
