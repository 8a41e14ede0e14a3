import { describe, expect, test } from "vitest";
import { RequestParser } from "./request-parser.ts";

const ARRAY = "*2\r\n$4\r\nAUTH\r\n$9\r\npass\r\nwor\r\n";

describe("RequestParser", () => {
  test("takes arrays and inline commands", () => {
    const requests = new RequestParser().push(Buffer.from(`PING\r\n${ARRAY}REPLCONF  listening-port\t6379\n\r\n`));
    expect(requests).toEqual([["PING"], ["AUTH", "pass\r\nwor"], ["REPLCONF", "listening-port", "6379"]]);
  });

  test("takes them byte by byte", () => {
    const parser = new RequestParser();
    const bytes = Buffer.from(`${ARRAY}PING\r\n${ARRAY}`);
    const requests = [...bytes].flatMap((_, i) => parser.push(bytes.subarray(i, i + 1)));
    expect(requests).toEqual([["AUTH", "pass\r\nwor"], ["PING"], ["AUTH", "pass\r\nwor"]]);
  });

  test("keeps bytes that are not UTF-8", () => {
    const [request] = new RequestParser().push(
      Buffer.concat([Buffer.from("*1\r\n$2\r\n"), Buffer.from([0xff, 0x00]), Buffer.from("\r\n")]),
    );
    expect(request).toEqual(["\xff\x00"]);
  });

  test.each([
    ["a length that is no number", "*x\r\n"],
    ["a negative length", "*1\r\n$-1\r\n"],
    ["too many arguments", "*99999999\r\n"],
    ["an argument that is no bulk string", "*1\r\n:1\r\n"],
    ["a bulk string that is longer than said", "*1\r\n$1\r\nabc\r\n"],
    ["a bulk string over the limit", "*1\r\n$99999999\r\n"],
    ["an endless line", "x".repeat((1 << 20) + 1)],
  ])("refuses %s", (_name, text) => {
    expect(() => new RequestParser().push(Buffer.from(text))).toThrowError(
      expect.objectContaining({ code: "PROTOCOL_VIOLATION" }),
    );
  });
});
