import { describe, expect, test } from "vitest";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { describeReply, type Reply, replyInteger, replyItems, replyText } from "./reply.ts";
import { ReplyDecoder, type ReplyLimits } from "./reply-decoder.ts";

const bulk = (text: string): Reply => ({ type: "bulk", bytes: Buffer.from(text) });
const simple = (text: string): Reply => ({ type: "simple", text });
const integer = (value: number): Reply => ({ type: "integer", value });
const array = (...items: Reply[]): Reply => ({ type: "array", items });
const NULL: Reply = { type: "null" };

const VECTORS: readonly (readonly [string, Reply])[] = [
  ["+OK\r\n", simple("OK")],
  ["+\r\n", simple("")],
  ["-ERR invalid state\r\n", { type: "error", message: "ERR invalid state" }],
  [":0\r\n", integer(0)],
  [":-42\r\n", integer(-42)],
  [":9007199254740991\r\n", integer(9007199254740991)],
  [":9223372036854775807\r\n", { type: "bigint", value: 9223372036854775807n }],
  ["$0\r\n\r\n", bulk("")],
  ["$5\r\nhello\r\n", bulk("hello")],
  ["$7\r\n\r\n+OK\r\n\r\n", bulk("\r\n+OK\r\n")],
  ["$-1\r\n", NULL],
  ["*-1\r\n", NULL],
  ["*0\r\n", array()],
  [
    "*2\r\n+FULL\r\n+845c4fc06e0aaa1d0743a1cd26b78e9eddfdc646\r\n",
    array(simple("FULL"), simple("845c4fc06e0aaa1d0743a1cd26b78e9eddfdc646")),
  ],
  ["*3\r\n*2\r\n:1\r\n*0\r\n$-1\r\n*1\r\n$1\r\nx\r\n", array(array(integer(1), array()), NULL, array(bulk("x")))],
  ["*2\r\n-ERR a\r\n$2\r\nok\r\n", array({ type: "error", message: "ERR a" }, bulk("ok"))],
  ["_\r\n", NULL],
  ["#t\r\n", { type: "boolean", value: true }],
  [",1.5\r\n", { type: "double", value: 1.5 }],
  [",-inf\r\n", { type: "double", value: -Infinity }],
  ["(12345678901234567890\r\n", { type: "bigint", value: 12345678901234567890n }],
  ["%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n", array(simple("a"), integer(1), simple("b"), integer(2))],
  ["~1\r\n+a\r\n", array(simple("a"))],
  ["!5\r\nERR x\r\n", { type: "error", message: "ERR x" }],
  ["=7\r\ntxt:abc\r\n", bulk("txt:abc")],
];

function decodeAll(decoder: ReplyDecoder, pieces: readonly Buffer[]): Reply[] {
  const replies: Reply[] = [];
  for (const piece of pieces) {
    decoder.push(piece);
    for (let reply = decoder.next(); reply !== undefined; reply = decoder.next()) replies.push(reply);
  }
  return replies;
}

function failure(text: string | Buffer, limits: Partial<ReplyLimits> = {}): Df2RedisError {
  const decoder = new ReplyDecoder(limits);
  try {
    decodeAll(decoder, [Buffer.from(text)]);
  } catch (error) {
    expect(error).toBeInstanceOf(Df2RedisError);
    // It stays broken: nothing behind an undecodable byte can be trusted.
    expect(() => decoder.next()).toThrow(error);
    return error as Df2RedisError;
  }
  throw new Error("decoded without an error");
}

describe("ReplyDecoder", () => {
  test.each(VECTORS)("decodes %j whole", (wire, reply) => {
    expect(decodeAll(new ReplyDecoder(), [Buffer.from(wire)])).toEqual([reply]);
  });

  test.each(VECTORS)("decodes %j byte by byte, and not before its last byte", (wire, reply) => {
    const decoder = new ReplyDecoder();
    const bytes = Buffer.from(wire);
    for (let i = 0; i < bytes.length - 1; i++) {
      decoder.push(bytes.subarray(i, i + 1));
      expect(decoder.next()).toBeUndefined();
    }
    decoder.push(bytes.subarray(-1));
    expect(decoder.next()).toEqual(reply);
    expect(decoder.next()).toBeUndefined();
    expect(decoder.offset).toBe(bytes.length);
  });

  test("does not keep a caller's buffer", () => {
    const decoder = new ReplyDecoder();
    const chunk = Buffer.from("$5\r\nhello\r\n+OK\r\n");
    decoder.push(chunk);
    chunk.fill(0);
    expect(decoder.next()).toEqual(bulk("hello"));
    expect(decoder.next()).toEqual(simple("OK"));
  });

  test("a bulk that was handed out stays as it is", () => {
    const decoder = new ReplyDecoder();
    decoder.push(Buffer.from("$5\r\nhello\r\n"));
    const first = decoder.next();
    decoder.push(Buffer.from("$5\r\nHELLO\r\n"));
    decoder.next();
    expect(first).toEqual(bulk("hello"));
  });

  test("gives back what follows a reply", () => {
    const decoder = new ReplyDecoder();
    decoder.push(Buffer.from("*2\r\n+FULL\r\n+x\r\nREDIS"));
    decoder.push(Buffer.from("0009\xfa", "latin1"));
    expect(decoder.next()).toEqual(array(simple("FULL"), simple("x")));
    expect(decoder.takeRemaining()).toEqual(Buffer.from("REDIS0009\xfa", "latin1"));
    expect(decoder.takeRemaining()).toHaveLength(0);
    decoder.push(Buffer.from("+OK\r\n"));
    expect(decoder.next()).toEqual(simple("OK"));
  });

  test("a large bulk in many chunks", () => {
    const value = Buffer.alloc(300_000, "abcdefg");
    const wire = Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from("\r\n:7\r\n")]);
    const pieces = Array.from({ length: Math.ceil(wire.length / 1000) }, (_, i) =>
      wire.subarray(1000 * i, 1000 * (i + 1)),
    );
    expect(decodeAll(new ReplyDecoder(), pieces)).toEqual([{ type: "bulk", bytes: value }, integer(7)]);
  });

  test.each([
    ["HTTP/1.1 400 Bad Request\r\n", "byte 0x48"],
    ["\x15\x03\x01\x00\x02", "byte 0x15"],
    ["SSH", "byte 0x53"],
    [":12a\r\n", "not a number"],
    [":\r\n", "not a number"],
    ["$x\r\n", "length that is not a number"],
    ["$-2\r\n", "length that is not a number"],
    ["*1e3\r\n", "length that is not a number"],
    ["$3\r\nabcd\r\n", "does not end where its length says"],
    ["+OK\n", "CR LF"],
    ["\r\n", "byte 0x0d"],
    [",abc\r\n", "double"],
  ])("calls %j a violation", (wire, words) => {
    const error = failure(wire);
    expect(error.code).toBe("PROTOCOL_VIOLATION");
    expect(error.message).toContain(words);
    expect(error.context).toHaveProperty("offset");
  });

  test("names the offset of what is wrong", () => {
    expect(failure("+OK\r\n:1\r\nx").context["offset"]).toBe(9);
  });

  test.each([
    ["a string", "$1000\r\n", { replyBytes: 100 }],
    ["strings that are long together", "*2\r\n$60\r\n" + "x".repeat(60) + "\r\n$60\r\n", { replyBytes: 100 }],
    ["an array", "*1000\r\n", { elements: 100 }],
    ["arrays that are long together", "*60\r\n*60\r\n", { elements: 100 }],
    ["nesting", "*1\r\n*1\r\n*1\r\n*1\r\n", { depth: 3 }],
    ["a line without an end", "+" + "x".repeat(200), { lineBytes: 100 }],
    ["a line with an end", "+" + "x".repeat(200) + "\r\n", { lineBytes: 100 }],
    ["a hostile length", "$999999999999999\r\n", {}],
    ["a hostile array", "*999999999999999\r\n", {}],
  ])("limits %s", (_name, wire, limits) => {
    expect(failure(wire, limits).code).toBe("LIMIT_EXCEEDED");
  });

  test("the limits are per reply", () => {
    const decoder = new ReplyDecoder({ elements: 3, replyBytes: 40 });
    const wire = Buffer.from("*2\r\n+a\r\n$10\r\n0123456789\r\n");
    for (let i = 0; i < 20; i++) expect(decodeAll(decoder, [wire])).toHaveLength(1);
  });
});

describe("reading a Reply", () => {
  test("text, integers and items of what may come in several forms", () => {
    expect([
      replyText(simple("a")),
      replyText(bulk("b")),
      replyText(integer(3)),
      replyText(NULL),
      replyText(undefined),
    ]).toEqual(["a", "b", "3", undefined, undefined]);
    expect([
      replyInteger(integer(3)),
      replyInteger(bulk("4")),
      replyInteger(simple("x")),
      replyInteger(array()),
    ]).toEqual([3, 4, undefined, undefined]);
    expect(replyItems(array(NULL))).toEqual([NULL]);
    expect(replyItems(NULL)).toBeUndefined();
  });

  test("describes a reply without pouring out a long one", () => {
    expect(describeReply(bulk("x".repeat(5000))).length).toBeLessThan(100);
    expect(describeReply(array(NULL, NULL))).toBe("an array of 2");
    expect(describeReply({ type: "error", message: "ERR no" })).toContain("ERR no");
    expect(describeReply(NULL)).toBe("null");
  });
});
