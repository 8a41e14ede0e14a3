import { describe, expect, test } from "vitest";
import { RequestReader } from "./request-reader.ts";

function readAll(reader: RequestReader): string[][] {
  const requests: string[][] = [];
  for (let request = reader.next(); request !== undefined; request = reader.next())
    requests.push(request.map((arg) => arg.toString("latin1")));
  return requests;
}

function read(...chunks: readonly string[]): string[][] {
  const reader = new RequestReader();
  return chunks.flatMap((chunk) => {
    reader.push(Buffer.from(chunk, "latin1"));
    return readAll(reader);
  });
}

const STREAM =
  "*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING  x\r\n\r\n*0\r\n*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\xff\0\r\nECHO y\n";
const REQUESTS = [
  ["GET", "k"],
  ["PING", "x"],
  ["SET", "", "\r\n\xff\0"],
  ["ECHO", "y"],
];

describe("RequestReader", () => {
  test("reads arrays and inline commands, one behind the other", () => {
    expect(read(STREAM)).toEqual(REQUESTS);
  });

  test("reads the same wherever the chunks end", () => {
    expect(read(...STREAM.split(""))).toEqual(REQUESTS);
    for (let at = 1; at < STREAM.length; at++) expect(read(STREAM.slice(0, at), STREAM.slice(at))).toEqual(REQUESTS);
  });

  test("gives out views that stay as they are", () => {
    const reader = new RequestReader();
    reader.push(Buffer.from("*1\r\n$1\r\na\r\n*1\r\n$1\r\n"));
    const first = reader.next();
    reader.push(Buffer.from("b\r\n"));
    expect(reader.next()?.map(String)).toEqual(["b"]);
    expect(first?.map(String)).toEqual(["a"]);
  });

  test("takes a long argument that comes in many chunks", () => {
    const long = "x".repeat(1_000_000);
    const text = `*2\r\n$4\r\nECHO\r\n$${long.length}\r\n${long}\r\nPING\r\n`;
    const chunks = Array.from({ length: Math.ceil(text.length / 1000) }, (_, i) =>
      text.slice(i * 1000, (i + 1) * 1000),
    );
    expect(read(...chunks)).toEqual([["ECHO", long], ["PING"]]);
  });

  test.each([
    ["a length that is no number", "*x\r\n"],
    ["a negative length", "*1\r\n$-1\r\n"],
    ["no length", "*\r\n"],
    ["too many arguments", "*99999999\r\n"],
    ["an argument that is no bulk string", "*1\r\n:1\r\n"],
    ["a bulk string over the limit", "*1\r\n$9999999999\r\n"],
    ["an endless line", "x".repeat(70_000)],
  ])("refuses %s", (_name, text) => {
    expect(() => read(text)).toThrowError(expect.objectContaining({ name: "Error" }));
  });
});
