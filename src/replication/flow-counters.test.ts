import { describe, expect, test } from "vitest";
import { FlowCounters, type FlowField } from "./flow-counters.ts";

const FIELDS: readonly FlowField[] = [
  "keys",
  "journalEntries",
  "receivedBytes",
  "lsn",
  "appliedLsn",
  "commands",
  "losses",
  "rejected",
];

describe("counters of the flows", () => {
  test("start at zero, and without an LSN", () => {
    const counters = new FlowCounters(2);
    for (const field of FIELDS) expect(counters.get(1, field)).toBe(field === "lsn" || field === "appliedLsn" ? -1 : 0);
    expect(counters.appliedLsns()).toEqual([undefined, undefined]);
    expect(counters.lag()).toBeUndefined();
  });

  test("each field of each flow has a place of its own", () => {
    const counters = new FlowCounters(3);
    for (let flow = 0; flow < 3; flow++) {
      for (const [i, field] of FIELDS.entries()) counters.set(flow, field, 100 * flow + i + 1);
    }
    for (let flow = 0; flow < 3; flow++) {
      for (const [i, field] of FIELDS.entries()) expect(counters.get(flow, field)).toBe(100 * flow + i + 1);
    }
    expect(counters.sum("keys")).toBe(1 + 101 + 201);
    expect(counters.sum("rejected")).toBe(8 + 108 + 208);
  });

  test("are shared by all that look at one buffer, and a second look resets nothing", () => {
    const main = new FlowCounters(2);
    main.set(1, "lsn", 2 ** 52);
    const worker = new FlowCounters(2, main.buffer);
    expect(worker.get(1, "lsn")).toBe(2 ** 52);
    worker.add(1, "keys", 5);
    worker.add(1, "keys", 2);
    worker.set(0, "appliedLsn", 0);
    expect(main.get(1, "keys")).toBe(7);
    expect(main.appliedLsns()).toEqual([0, undefined]);
  });

  describe("lag", () => {
    test("is what was received and not applied, of all flows", () => {
      const counters = new FlowCounters(2);
      counters.set(0, "lsn", 110);
      counters.set(0, "appliedLsn", 100);
      counters.set(1, "lsn", 7);
      counters.set(1, "appliedLsn", 7);
      expect(counters.lag()).toBe(10);
    });

    test("is not known while a flow is in its snapshot", () => {
      const counters = new FlowCounters(2);
      counters.set(0, "lsn", 110);
      counters.set(0, "appliedLsn", 110);
      expect(counters.lag()).toBeUndefined();
    });

    // A master that runs for long starts at a high LSN: the whole of it is no lag. And one at LSN 0 has not caught up.
    test.each([1_000_000, 0])("is not known while the snapshot is read but not applied (LSN %d)", (lsn) => {
      const counters = new FlowCounters(1);
      counters.set(0, "lsn", lsn);
      expect(counters.lag()).toBeUndefined();
      counters.set(0, "appliedLsn", lsn);
      expect(counters.lag()).toBe(0);
    });
  });
});
