/** Properties of the reply decoder and the reply counter: splits do not matter, hostile bytes end in a typed error. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { Reply } from "./reply.ts";
import { ReplyCounter } from "./reply-counter.ts";
import { ReplyDecoder } from "./reply-decoder.ts";

const line = fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[\r\n]/g, "_"));

const { reply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    line.map((text): Reply => ({ type: "simple", text })),
    line.map((message): Reply => ({ type: "error", message })),
    fc.maxSafeInteger().map((value): Reply => ({ type: "integer", value })),
    fc.uint8Array({ maxLength: 60 }).map((bytes): Reply => ({ type: "bulk", bytes: Buffer.from(bytes) })),
    fc.constant<Reply>({ type: "null" }),
    fc.array(tie("reply"), { maxLength: 5 }).map((items): Reply => ({ type: "array", items })),
  ),
}));

function encode(value: Reply): Buffer {
  switch (value.type) {
    case "simple":
      return Buffer.from(`+${value.text}\r\n`);
    case "error":
      return Buffer.from(`-${value.message}\r\n`);
    case "integer":
      return Buffer.from(`:${value.value}\r\n`);
    case "bulk":
      return Buffer.concat([Buffer.from(`$${value.bytes.length}\r\n`), value.bytes, Buffer.from("\r\n")]);
    case "array":
      return Buffer.concat([Buffer.from(`*${value.items.length}\r\n`), ...value.items.map((item) => encode(item))]);
    default:
      return Buffer.from("$-1\r\n");
  }
}

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const points = [0, ...cuts.map((point) => point % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return points.slice(1).map((end, i) => bytes.subarray(points[i], end));
}

function decode(pieces: readonly Buffer[]): Reply[] {
  const decoder = new ReplyDecoder();
  const replies: Reply[] = [];
  for (const piece of pieces) {
    decoder.push(piece);
    for (let next = decoder.next(); next !== undefined; next = decoder.next()) replies.push(next);
  }
  return replies;
}

type Counted = { count: number; errors: [number, string, number][] };

function count(pieces: readonly Buffer[]): Counted {
  const errors: [number, string, number][] = [];
  const counter = new ReplyCounter({
    onErrorReply: (index, message, element) => errors.push([index, message, element]),
  });
  for (const piece of pieces) counter.feed(piece);
  return { count: counter.count, errors };
}

/** What the counter should say, worked out from the values. */
function errorsOf(replies: readonly Reply[]): [number, string, number][] {
  const errors: [number, string, number][] = [];
  const walk = (value: Reply, index: number, element: number): void => {
    if (value.type === "error") errors.push([index, value.message, element]);
    if (value.type === "array") value.items.forEach((item, i) => walk(item, index, element === -1 ? i : element));
  };
  replies.forEach((value, index) => walk(value, index, -1));
  return errors;
}

const replies = fc.array(reply, { maxLength: 8 });
const cuts = fc.array(fc.nat(), { maxLength: 12 });

describe("replies in random pieces", () => {
  test("the decoder gives back what was encoded", () => {
    fc.assert(
      fc.property(replies, cuts, (values, points) => {
        expect(decode(cut(Buffer.concat(values.map((value) => encode(value))), points))).toEqual(values);
      }),
    );
  });

  test("the counter counts them and finds the errors", () => {
    fc.assert(
      fc.property(replies, cuts, (values, points) => {
        const counted = count(cut(Buffer.concat(values.map((value) => encode(value))), points));
        expect(counted).toEqual({ count: values.length, errors: errorsOf(values) });
      }),
    );
  });

  test("mutated bytes end in replies or in a typed error, for both", () => {
    const hits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(reply, { minLength: 1, maxLength: 8 }), cuts, hits, (values, points, changes) => {
        const wire = Buffer.concat(values.map((value) => encode(value)));
        for (const [at, byte] of changes) wire[at % wire.length] = byte;
        for (const run of [decode, count]) {
          try {
            run(cut(wire, points));
          } catch (error) {
            expect(error).toBeInstanceOf(Df2RedisError);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("a truncated stream gives the whole replies and no error", () => {
    fc.assert(
      fc.property(fc.array(reply, { minLength: 1, maxLength: 5 }), fc.nat(), (values, at) => {
        const parts = values.map((value) => encode(value));
        const wire = Buffer.concat(parts);
        const size = at % wire.length;
        let whole = 0;
        for (let end = parts[0]?.length ?? 0; end <= size; end += parts[whole]?.length ?? Infinity) whole++;
        expect(decode([wire.subarray(0, size)])).toHaveLength(whole);
        expect(count([wire.subarray(0, size)]).count).toBe(whole);
      }),
    );
  });
});
