/**
 * Filters and sketches against real ones: every recorded object, rebuilt as a value from what the product's decoder tells, is encoded to the recorded
 * bytes again; and the recorded commands give objects of the recorded kind, numbers and sizes. Which bits and counters are set depends on the hash
 * function, which is not Dragonfly's: those differ.
 */
import { describe, expect, test } from "vitest";
import { decodeFlow } from "../../../../test/support/feed-flow.ts";
import type { RecordedEvent } from "../../../../test/support/event-recorder.ts";
import { LiveCommands } from "../../../../test/support/live-commands.ts";
import { EOF_TOKEN, fullSyncEnd, journalOffset, object, rdb, selectDb } from "../../../../test/support/rdb-builder.ts";
import { objectsOf, outline } from "../../../../test/support/rdb-outline.ts";
import { openRecording, recordedBytes, recordedCommands } from "../../../../test/support/recordings.ts";
import { cloneValue } from "../clone-value.ts";
import { addToCuckoo, createCuckoo } from "../sketches/cuckoo-filter.ts";
import type { KeyEntry, Value } from "../values.ts";
import { ByteWriter } from "./byte-writer.ts";
import { dumpValue } from "./dump-value.ts";
import { type RdbProfile, rdbProfile } from "./rdb-profile.ts";
import { rdbEnd } from "./rdb-header.ts";
import { SnapshotSerializer } from "./snapshot-serializer.ts";
import { encodeBody, rdbType } from "./value-encoder.ts";

const RECORDINGS = ["dragonfly-1.40.1/types", "dragonfly-1.40.1/lzf", "dragonfly-1.27.4/types"];
const KEYS = new Set(["bf", "cms", "topk", "cf"]);
const FIRST_SKETCH = 33;
const CRC_AND_VERSION_BYTES = 10;

type Sketch = { readonly type: number; readonly kind: string; readonly events: readonly RecordedEvent[] };

function recordedFlows(name: string): RecordedEvent[] {
  return openRecording(name).first.flows.flatMap(({ master, replyEnd, stableStart }) => {
    const bytes = Buffer.from(master.subarray(replyEnd, stableStart));
    const eofToken = bytes.subarray(-EOF_TOKEN.length).toString("latin1");
    return decodeFlow(bytes, { start: { kind: "full", eofToken } }).events;
  });
}

function textOf(fact: unknown): string {
  if (typeof fact !== "string") throw new Error("a text was expected");
  return fact;
}

/** What was told of each sketch, by key. */
function sketchesOf(events: readonly RecordedEvent[]): Map<string, Sketch> {
  const sketches = new Map<string, Sketch>();
  for (const [name, key, attributes, kind] of events) {
    const { type = 0 } = (name === "begin" ? attributes : {}) as { readonly type?: number };
    if (type < FIRST_SKETCH) continue;
    const own = events.filter(([other, of]) => of === key && other.startsWith("sketch"));
    sketches.set(textOf(key), { type, kind: textOf(kind), events: own });
  }
  return sketches;
}

/** All that depends neither on the hash function nor on chance, as the counts of top-k do: names, parameters, items, sizes. */
function numbersOf({ type, kind, events }: Sketch): unknown {
  const facts = events.map((event) => {
    if (event[0] === "sketchBytes") return event.slice(0, 4);
    return event[0] === "sketchItem" ? event.slice(0, 3) : event;
  });
  return { type, kind, facts: facts.map((fact) => JSON.stringify(fact)).toSorted() };
}

function parametersOf({ events }: Sketch): number[] {
  return [...((events.find(([name]) => name === "sketchParameters")?.[2] ?? []) as readonly number[])];
}

function bytesOf({ events }: Sketch): Buffer[] {
  return events.filter(([name]) => name === "sketchBytes").map((event) => Buffer.from(textOf(event[4]), "latin1"));
}

/** The value that the decoder has read; a Bloom filter's hash count is not told and follows from its error rate. */
function rebuilt(sketch: Sketch): Value {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = parametersOf(sketch);
  const filters = bytesOf(sketch);
  const [counters = Buffer.alloc(0)] = filters;
  switch (sketch.kind) {
    case "bloom": {
      const hashed = filters.map((bits, i) => ({
        hashCount: Math.ceil(-Math.log2(c * 2 ** (filters.length - 1 - i))),
        bits,
      }));
      return { type: "bloom", growth: b, errorRate: c, previousCapacity: d, size: e, capacity: f, filters: hashed };
    }
    case "cms":
      return { type: "cms", width: a, depth: b, total: BigInt(c), counters };
    case "topk": {
      const items = sketch.events
        .filter(([name]) => name === "sketchItem")
        .map(([, , item, count]) => ({ item: Buffer.from(textOf(item), "latin1"), count: Number(count) }));
      return { type: "topk", k: b, width: c, depth: d, decay: e, items, counters };
    }
    default:
      return {
        type: "cuckoo",
        slotsPerBucket: a,
        maxIterations: b,
        expansion: c,
        buckets: d,
        items: e,
        deletes: f,
        filters,
      };
  }
}

function encoded(value: Value, profile: RdbProfile, lzf = false): Buffer {
  const out = new ByteWriter();
  for (const _ of encodeBody(out, value, rdbType(value, profile), { profile, lzf }));
  return out.take();
}

/** What the decoder tells of values that a simulated master sends, in its own blobs. */
function sent(
  entries: readonly KeyEntry[],
  { profile, maxChunkBytes = 0 }: { profile: RdbProfile; maxChunkBytes?: number },
): RecordedEvent[] {
  const blobs: Buffer[] = [Buffer.from("REDIS0009")];
  const serializer = new SnapshotSerializer({ profile, compression: 3, tagged: true, maxChunkBytes }, (blob) =>
    blobs.push(blob),
  );
  for (const entry of entries) serializer.finish(serializer.begin(0, entry));
  serializer.flush();
  const tail = [fullSyncEnd(), journalOffset(1), rdbEnd(), Buffer.from(EOF_TOKEN)];
  return [...decodeFlow(Buffer.concat([...blobs, ...tail])).events];
}

/** The keys of the recorded commands on filters and sketches. */
function played(name: string): KeyEntry[] {
  const live = new LiveCommands({ dragonflyVersion: openRecording(name).manifest.dragonfly });
  for (const { phase, command } of recordedCommands(openRecording(name))) {
    const words = command.map((word) => recordedBytes(word));
    if (phase === "pre" && KEYS.has(String(words[1]))) live.ask(words);
  }
  return [...(live.master.shards[0]?.databases[0]?.values() ?? [])];
}

describe.each(RECORDINGS)("%s", (name) => {
  const profile = rdbProfile(openRecording(name).manifest.dragonfly);
  const recorded = sketchesOf(recordedFlows(name));
  const isLzf = name.endsWith("/lzf");
  const expectedTypes = profile.ziplists ? [33] : [34, 35, 36, 37];

  test("recorded objects come out the same, byte for byte", () => {
    const objects = openRecording(name).first.flows.flatMap(({ master, replyEnd, stableStart }) =>
      objectsOf(outline(master.subarray(replyEnd, stableStart - EOF_TOKEN.length))),
    );
    const known = new Set(objects.map((bytes) => bytes.toString("latin1")));
    expect([...recorded.values()].map(({ type }) => type).toSorted((a, b) => a - b)).toEqual(expectedTypes);
    for (const [key, sketch] of recorded) {
      const value = rebuilt(sketch);
      expect(rdbType(value, profile), `key ${key}`).toBe(sketch.type);
      expect(known.has(object(sketch.type, key, encoded(value, profile, isLzf)).toString("latin1")), `key ${key}`).toBe(
        true,
      );
    }
  });

  test("the recorded commands give objects of the same numbers", () => {
    const ours = sketchesOf(sent(played(name), { profile }));
    expect([...ours.keys()].toSorted()).toEqual([...recorded.keys()].toSorted());
    for (const [key, sketch] of recorded)
      expect(numbersOf(ours.get(key) as Sketch), `key ${key}`).toEqual(numbersOf(sketch));
  });

  test("what the decoder reads is the value that was sent", () => {
    const entries = played(name);
    const ours = sketchesOf(sent(entries, { profile }));
    expect(entries.length).toBe(expectedTypes.length);
    for (const { key, value } of entries)
      expect(encoded(rebuilt(ours.get(String(key)) as Sketch), profile).equals(encoded(value, profile))).toBe(true);
  });
});

test("a dump is type, body, version and checksum, and decodes to the same", () => {
  const profile = rdbProfile("df-v1.40.1");
  for (const { key, value } of played("dragonfly-1.40.1/types")) {
    const dump = dumpValue(value);
    const body = dump.subarray(1, -CRC_AND_VERSION_BYTES);
    const parts = [selectDb(0), object(dump[0] ?? 0, key, body), fullSyncEnd(), journalOffset(1), rdbEnd()];
    const { events } = decodeFlow(Buffer.concat([rdb(parts), Buffer.from(EOF_TOKEN)]));
    expect(encoded(rebuilt(sketchesOf(events).get(String(key)) as Sketch), profile)).toEqual(encoded(value, profile));
  }
});

test("filters are cut between one another, tagged, and come together again", () => {
  const profile = rdbProfile("df-v1.40.1");
  const value = createCuckoo({ capacity: 8, slotsPerBucket: 2, maxIterations: 20, expansion: 1 });
  for (let i = 0; i < 50; i++) addToCuckoo(value, Buffer.from(`item ${i}`));
  const events = sent([{ key: Buffer.from("cf"), value, expireAtMs: -1, sticky: false }], {
    profile,
    maxChunkBytes: 8,
  });
  expect(value.filters.length).toBeGreaterThan(5);
  expect(events.filter(([name]) => name === "pieceEnd").length).toBeGreaterThan(4);
  expect(encoded(rebuilt(sketchesOf(events).get("cf") as Sketch), profile)).toEqual(encoded(value, profile));
});

test("a clone shares nothing that is written in place", () => {
  const profile = rdbProfile("df-v1.40.1");
  const live = new LiveCommands();
  const requests = [
    "BF.ADD a x",
    "CMS.INITBYDIM b 3 2",
    "CMS.INCRBY b x 1",
    "TOPK.RESERVE c 2",
    "TOPK.ADD c x",
    "CF.ADD d x",
  ];
  for (const request of requests) live.ask(request);
  const entries = [...(live.master.shards[0]?.databases[0]?.values() ?? [])];
  const clones = entries.map(({ value }) => cloneValue(value));
  const before = clones.map((value) => encoded(value, profile));
  for (const request of ["BF.ADD a y", "CMS.INCRBY b y 1", "TOPK.ADD c y z", "CF.ADD d y"]) live.ask(request);
  expect(entries).toHaveLength(4);
  expect(clones.map((value) => encoded(value, profile))).toEqual(before);
  for (const [i, { value }] of entries.entries()) expect(encoded(value, profile)).not.toEqual(before[i]);
});
