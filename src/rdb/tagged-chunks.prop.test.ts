/** Any values, cut anywhere between their parts, in any order, in any blobs, arriving in any pieces: each is told whole and in order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RecordedEvent } from "../../test/support/event-recorder.ts";
import { ALL_BODIES, decodeFlow, randomPieces } from "../../test/support/feed-flow.ts";
import { SeededRandom } from "../../test/support/hostile.ts";
import { command } from "../../test/support/journal-builder.ts";
import { fullSync, journalBlob, lz4Blob, string, taggedChunk, zstdBlob } from "../../test/support/rdb-builder.ts";
import { cutValue, eventsOf, type Piece, pieceEvents } from "../../test/support/rdb-chunks.ts";
import { SAMPLES } from "../../test/support/rdb-samples.ts";

const VALUES = SAMPLES.filter(({ name }) => name !== "json 20 of old masters").map(({ value }) => value);

const flows = fc.record({
  values: fc.array(
    fc.record({ sample: fc.nat(VALUES.length - 1), partCounts: fc.array(fc.nat(6), { minLength: 1, maxLength: 12 }) }),
    {
      minLength: 1,
      maxLength: 6,
    },
  ),
  seed: fc.nat(),
  wanted: fc.boolean(),
});

function wrap(piece: Piece, id: number, random: SeededRandom): Buffer {
  const content = piece.startsRaw || random.below(4) > 0 ? piece.content : lz4Blob(piece.content);
  const chunk = taggedChunk(id, content);
  const outer = random.below(4);
  return outer === 0 ? lz4Blob(chunk) : outer === 1 ? zstdBlob(chunk) : chunk;
}

function filler(random: SeededRandom, n: number): Buffer[] {
  if (random.below(3) > 0) return [];
  const one =
    random.below(2) === 0 ? string(`filler ${n}`, "x") : journalBlob(1, [command(["SET", `filler ${n}`, "y"])]);
  return [random.below(2) === 0 ? one : lz4Blob(one)];
}

/** The next chunk of a random value, until all are out. */
function interleave(queues: readonly Piece[][], random: SeededRandom): Buffer[] {
  const parts: Buffer[] = [];
  let left = queues.map((queue, i) => ({ id: i + 1, queue: [...queue] }));
  while (left.length > 0) {
    const next = left[random.below(left.length)];
    const piece = next?.queue.shift();
    if (next !== undefined && piece !== undefined)
      parts.push(wrap(piece, next.id, random), ...filler(random, parts.length));
    left = left.filter(({ queue }) => queue.length > 0);
  }
  return parts;
}

test("values in chunks", () => {
  fc.assert(
    fc.property(flows, ({ values, seed, wanted }) => {
      const random = new SeededRandom(seed);
      const queues = values.map(({ sample, partCounts }, i) => {
        const value = VALUES[sample];
        return value === undefined ? [] : cutValue(value, { key: `key ${i}`, partCounts });
      });
      const flow = fullSync(interleave(queues, random), { version: 10 });
      const options = wanted ? { wanted: ALL_BODIES } : {};
      const { events } = decodeFlow(flow, { ...options, pieces: randomPieces(random, 200), pauses: random });
      queues.forEach((pieces, i) => {
        const found = eventsOf(events, `key ${i}`);
        const expected: RecordedEvent[] = eventsOf(pieceEvents(pieces), `key ${i}`);
        // A body comes whole when one chunk holds all of it, and only then.
        if (found[0]?.[0] === "body") expect(pieces).toHaveLength(1);
        else expect(found).toEqual(expected);
      });
    }),
    { numRuns: 250 },
  );
});
