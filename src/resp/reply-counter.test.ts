import { describe, expect, test } from "vitest";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { ReplyCounter } from "./reply-counter.ts";

type Seen = { readonly count: number; readonly errors: readonly (readonly [number, string, number])[] };

function countAll(pieces: readonly Buffer[]): Seen {
  const errors: [number, string, number][] = [];
  const counter = new ReplyCounter({
    onErrorReply: (index, message, element) => errors.push([index, message, element]),
  });
  let fed = 0;
  for (const piece of pieces) fed += counter.feed(piece);
  expect(fed).toBe(counter.count);
  return { count: counter.count, errors };
}

const bytewise = (wire: string): Buffer[] => [...Buffer.from(wire)].map((byte) => Buffer.from([byte]));

const VECTORS: readonly (readonly [string, Seen])[] = [
  ["", { count: 0, errors: [] }],
  ["+OK\r\n+OK\r\n+OK\r\n", { count: 3, errors: [] }],
  [":1\r\n:0\r\n:-1\r\n:123456789\r\n+OK\r\n", { count: 5, errors: [] }],
  ["+QUEUED\r\n+PONG\r\n", { count: 2, errors: [] }],
  ["$5\r\nhello\r\n$-1\r\n$0\r\n\r\n_\r\n", { count: 4, errors: [] }],
  ["$10\r\n+OK\r\n-ER\r\n\r\n:1\r\n", { count: 2, errors: [] }],
  ["*0\r\n*-1\r\n*2\r\n:1\r\n$1\r\nx\r\n", { count: 3, errors: [] }],
  ["*2\r\n*2\r\n:1\r\n*0\r\n*1\r\n*1\r\n+a\r\n+OK\r\n", { count: 2, errors: [] }],
  ["#t\r\n,1.5\r\n(99\r\n%1\r\n+a\r\n:1\r\n~1\r\n+a\r\n=5\r\ntxt:a\r\n", { count: 6, errors: [] }],
  [
    "-ERR first\r\n+OK\r\n-WRONGTYPE second\r\n",
    {
      count: 3,
      errors: [
        [0, "ERR first", -1],
        [2, "WRONGTYPE second", -1],
      ],
    },
  ],
  [
    "+OK\r\n*3\r\n+OK\r\n-ERR in exec\r\n:1\r\n-ERR after\r\n",
    {
      count: 3,
      errors: [
        [1, "ERR in exec", 1],
        [2, "ERR after", -1],
      ],
    },
  ],
  ["*3\r\n*2\r\n:1\r\n*1\r\n:2\r\n:3\r\n-ERR third\r\n", { count: 1, errors: [[0, "ERR third", 2]] }],
  ["*2\r\n+OK\r\n*2\r\n:1\r\n-ERR deep\r\n", { count: 1, errors: [[0, "ERR deep", 1]] }],
  ["-ERR ünï\r\n", { count: 1, errors: [[0, "ERR ünï", -1]] }],
];

function failure(...pieces: readonly string[]): Df2RedisError {
  try {
    countAll(pieces.map((piece) => Buffer.from(piece, "latin1")));
  } catch (error) {
    expect(error).toBeInstanceOf(Df2RedisError);
    return error as Df2RedisError;
  }
  throw new Error("counted without an error");
}

describe("ReplyCounter", () => {
  test.each(VECTORS)("counts %j whole", (wire, seen) => {
    expect(countAll([Buffer.from(wire)])).toEqual(seen);
  });

  test.each(VECTORS)("counts %j byte by byte", (wire, seen) => {
    expect(countAll(bytewise(wire))).toEqual(seen);
  });

  test.each(VECTORS)("counts %j cut in two anywhere", (wire, seen) => {
    const bytes = Buffer.from(wire);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(countAll([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(seen);
    }
  });

  test("counts a reply with its last byte, not before", () => {
    for (const wire of ["+OK\r\n", ":12\r\n", "$3\r\nabc\r\n", "*2\r\n:1\r\n$-1\r\n", "-ERR x\r\n"]) {
      const bytes = Buffer.from(wire);
      expect(countAll([bytes.subarray(0, -1)]).count).toBe(0);
      expect(countAll([bytes.subarray(0, -1), bytes.subarray(-1)]).count).toBe(1);
    }
  });

  test("does not keep a caller's buffer", () => {
    const errors: string[] = [];
    const counter = new ReplyCounter({ onErrorReply: (_index, message) => errors.push(message) });
    const buffer = Buffer.from("-ERR some");
    counter.feed(buffer);
    buffer.fill(0);
    counter.feed(Buffer.from("thing\r\n"));
    expect(errors).toEqual(["ERR something"]);
  });

  test.each([
    [["HTTP/1.1"], "byte 0x48"],
    [["+OK\r\nx"], "byte 0x78"],
    [["!5\r\nERR x\r\n"], "byte 0x21"],
    [["+OK\rx"], "CR LF"],
    [["+OK\r", "x\n"], "CR LF"],
    [["$x\r\n"], "not a number"],
    [["$\r\n"], "not a number"],
    [["*99999999999999999999\r\n"], "not a number"],
    [["$3\r\nabcd\r\n"], "does not end where its length says"],
    [["$3\r\nabc", "\rx"], "does not end where its length says"],
    [["$3\r\nab", "cd", "\r\n"], "does not end where its length says"],
    [["-" + "x".repeat(70_000)], "more than"],
  ])("calls %j a violation", (pieces, words) => {
    const error = failure(...pieces);
    expect(error.code).toBe("PROTOCOL_VIOLATION");
    expect(error.message).toContain(words);
  });

  test("a hostile array length allocates nothing and waits", () => {
    expect(countAll([Buffer.from("*999999999999999\r\n+OK\r\n")]).count).toBe(0);
  });
});
