/** The scanner finds where bodies end, resumes where it was, and gives up where a body cannot stand whole. */
import { describe, expect, test } from "vitest";
import { expectEvents } from "../../test/support/event-recorder.ts";
import { ALL_BODIES, decodeFlow, feedFlow } from "../../test/support/feed-flow.ts";
import { needsMore } from "../../test/support/cursor-outcome.ts";
import { fullSync, lenAs, object, rdb, str, string, wire } from "../../test/support/rdb-builder.ts";
import { SAMPLES } from "../../test/support/rdb-samples.ts";
import { body, hash, valueEvents } from "../../test/support/rdb-values.ts";
import { Cursor } from "../bytes/cursor.ts";
import { StreamBuffer } from "../bytes/stream-buffer.ts";
import { BodyScanner, isScannable } from "./body-scanner.ts";

const SCANNABLE = SAMPLES.filter(({ value }) => isScannable(value.type) && (value.type !== 20 || value.kind === "set"));

test("bodies of types that no Redis loads are not looked for", () => {
  const types = Array.from({ length: 64 }, (_, type) => type).filter(isScannable);
  expect(types).toEqual([1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]);
});

describe.each(SCANNABLE)("$name", ({ value }) => {
  const bytes = body(value);

  test("ends where it ends", () => {
    const cursor = new Cursor().resetTo(Buffer.concat([bytes, Buffer.alloc(50, 0xff)]), 0, bytes.length + 50);
    expect(new BodyScanner(1 << 20, 1 << 20).scan(cursor, value.type)).toBe("whole");
    expect(cursor.pos).toBe(bytes.length);
  });

  test("is resumed byte by byte, also when it moves in memory", () => {
    const input = new StreamBuffer(64);
    const scanner = new BodyScanner(1 << 20, 1 << 20);
    input.append(Buffer.from("passed over"));
    input.cursor.skip(11);
    input.cursor.commit();
    for (let i = 0; i < bytes.length - 1; i++) {
      input.append(bytes.subarray(i, i + 1));
      expect(
        needsMore(() => scanner.scan(input.cursor, value.type)),
        `after ${i + 1} bytes`,
      ).toBe(true);
      input.cursor.rewind();
    }
    input.append(bytes.subarray(-1));
    expect(scanner.scan(input.cursor, value.type)).toBe("whole");
    expect(input.cursor.offset).toBe(11 + bytes.length);
  });

  test("at its limit it is whole, over it partial, with the cursor where it was", () => {
    const cursor = new Cursor().resetTo(bytes, 0, bytes.length);
    expect(new BodyScanner(bytes.length, 1 << 20).scan(cursor, value.type)).toBe("whole");
    cursor.resetTo(bytes, 0, bytes.length);
    expect(new BodyScanner(bytes.length - 1, 1 << 20).scan(cursor, value.type)).toBe("partial");
    expect(cursor.pos).toBe(0);
  });

  test("cut by the end of a chunk it is partial", () => {
    for (let end = 0; end < bytes.length; end += 1 + Math.floor(bytes.length / 200)) {
      const cursor = new Cursor().resetTo(bytes, 0, end);
      expect(new BodyScanner(1 << 20, 1 << 20).scan(cursor, value.type), `cut at ${end}`).toBe("partial");
      expect(cursor.pos).toBe(0);
    }
  });
});

describe("in the decoder", () => {
  const value = hash([1, 2, 3].map((i) => [wire(`f${i}`), wire("v".repeat(50))]));
  const bytes = body(value);

  test("a body over the limit comes as elements, one at the limit whole, whatever the pieces", () => {
    const flow = fullSync([object(4, "h", bytes), string("s", "")]);
    for (const pieces of [[1], [40], [Number.POSITIVE_INFINITY]]) {
      const at = decodeFlow(flow, { pieces, wanted: ALL_BODIES, bodyLimitBytes: bytes.length });
      expect(at.events[0]?.[0]).toBe("body");
      const over = decodeFlow(flow, { pieces, wanted: ALL_BODIES, bodyLimitBytes: bytes.length - 1 });
      expectEvents(over.events.slice(1, 4), valueEvents(value, "h"));
    }
  });

  test("a body that will be over the limit is not waited for", () => {
    const announced = object(4, "h", Buffer.concat([lenAs(32, 1), str("field"), lenAs(32, 5000)]));
    const { events } = feedFlow(rdb([announced]), { wanted: ALL_BODIES, bodyLimitBytes: 1000 });
    expect(events).toEqual([["begin", "h", { type: 4 }, "hash", 1]]);
  });
});
