/** Every flow of every recording decodes to its last byte, however its bytes arrive, and agrees with what the real replica acknowledged. */
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import {
  ALL_BODIES,
  BY_BYTE,
  decodeFlow,
  type FedFlow,
  feedFlow,
  type FeedOptions,
  type Pieces,
  WHOLE,
} from "../../test/support/feed-flow.ts";
import { mutate, SeededRandom } from "../../test/support/hostile.ts";
import { openRecording, recordingNames } from "../../test/support/recordings.ts";
import type { RecordedFlow } from "../simulator/recording.ts";

type NamedFlow = { readonly name: string; readonly flow: RecordedFlow };

function flowsOf(name: string): NamedFlow[] {
  const { first, second } = openRecording(name);
  const named = (part: string, flows: readonly RecordedFlow[]): NamedFlow[] =>
    flows.map((flow) => ({ name: `${name}${part} flow ${flow.flow}`, flow }));
  return [...named("", first.flows), ...named("/second", second?.flows ?? [])];
}

/** What the master sent after its reply to DFLY FLOW. */
function streamOf(flow: RecordedFlow): Buffer {
  return flow.master.subarray(flow.replyEnd);
}

function startOf(flow: RecordedFlow): NonNullable<FeedOptions["start"]> {
  if (flow.fullSyncEnd === undefined) return { kind: "partial", lsn: flow.acks[0] ?? -1 };
  const token = flow.master.toString("latin1", flow.stableStart - 40, flow.stableStart);
  return { kind: "full", eofToken: token };
}

function digest(fed: FedFlow): string {
  return createHash("sha1").update(JSON.stringify(fed.events)).digest("hex");
}

const PIECES: readonly (readonly [string, Pieces])[] = [
  ["1", BY_BYTE],
  ["7", [7]],
  ["4096", [4096]],
];

describe.each(recordingNames())("%s", (name) => {
  const flows: NamedFlow[] = [];
  beforeAll(() => {
    flows.push(...flowsOf(name));
  });

  test.each([
    ["bodies", { wanted: ALL_BODIES }],
    ["elements", {}],
    ["bodies of 200 bytes at most", { wanted: ALL_BODIES, bodyLimitBytes: 200 }],
  ] as const)("decodes as %s", (_name, wish: FeedOptions) => {
    // Byte by byte once each with bodies and elements is enough; this is the slowest way.
    const ways = wish.bodyLimitBytes === undefined ? PIECES : PIECES.slice(1);
    for (const { name: flowName, flow } of flows) {
      const options = { ...wish, start: startOf(flow), flow: flow.flow };
      const whole = decodeFlow(streamOf(flow), { ...options, pieces: WHOLE });
      // The LSN of the next entry is what the replica acknowledged last: the cut's LSN and all entries since.
      expect({ flowName, lsn: whole.decoder.lsn }).toEqual({ flowName, lsn: flow.finalLsn });
      expect(whole.decoder.phase).toBe("journal");
      const ends = whole.events.filter((event) => event[0] === "snapshotEnd");
      expect(ends).toEqual(flow.fullSyncEnd === undefined ? [] : [["snapshotEnd", flow.acks[0]]]);
      for (const [size, pieces] of ways) {
        const pauses = size === "7" ? { pauses: new SeededRandom(7) } : {};
        expect(
          digest(decodeFlow(streamOf(flow), { ...options, ...pauses, pieces })),
          `${flowName} in pieces of ${size}`,
        ).toBe(digest(whole));
      }
    }
  });
});

describe("the recording idle of 1.40.1, which has LSN marks on every flow", () => {
  const flows = flowsOf("dragonfly-1.40.1/idle");

  test("has as many entries as were counted", () => {
    for (const { flow } of flows) {
      const { decoder, events } = decodeFlow(streamOf(flow), { start: startOf(flow) });
      const counted = flow.journal.ends.length;
      expect(counted).toBeGreaterThan(5);
      expect(decoder.lsn).toBe(flow.journal.startLsn + counted);
      const at = events.findIndex(([event]) => event === "snapshotEnd");
      expect(events.slice(at + 1)).toHaveLength(counted);
    }
  });

  test("with an entry left out or doubled it is refused at the next mark", () => {
    for (const { name, flow } of flows) {
      const { master, replyEnd } = flow;
      const [from = 0, to = 0] = flow.journal.ends;
      const entry = master.subarray(from, to);
      const without = Buffer.concat([master.subarray(replyEnd, from), master.subarray(to)]);
      const twice = Buffer.concat([master.subarray(replyEnd, to), entry, master.subarray(to)]);
      for (const bytes of [without, twice]) {
        const { error } = feedFlow(bytes, { start: startOf(flow), flow: flow.flow });
        expect(`${name}: ${error?.message}`).toContain("the master marks the last journal entry");
        expect(error?.context).toMatchObject({ flow: flow.flow, offset: expect.any(Number) as number });
      }
    }
  });
});

test("errors name flow, offset and key", () => {
  const [named] = flowsOf("dragonfly-1.40.1/uncompressed");
  if (named === undefined) throw new Error("no flow");
  const { flow } = named;
  const stream = streamOf(flow).subarray(0, 60_000);
  const random = new SeededRandom(1);
  let withKey = 0;
  for (let i = 0; i < 200; i++) {
    const { error } = feedFlow(mutate(stream, random), { start: startOf(flow), flow: 8 });
    if (error === undefined) continue;
    expect(error.context["flow"]).toBe(8);
    expect(error.context["offset"]).toBeLessThanOrEqual(stream.length + 1);
    expect(error.message).toMatch(/^flow 8, offset \d+/);
    if (error.context["key"] !== undefined) withKey++;
  }
  expect(withKey).toBeGreaterThan(10);
});
