import { describe, expect, test } from "vitest";
import type { CommandBatch } from "./command-batch.ts";
import { CommandEncoder } from "./command-encoder.ts";

function batchOf(...commands: readonly (readonly (string | Buffer)[])[]): CommandBatch {
  const encoder = new CommandEncoder(1024);
  encoder.lsn = 7;
  encoder.flow = 2;
  encoder.select(3);
  for (const words of commands) encoder.command(...words);
  const batch = encoder.take();
  if (batch === undefined) throw new Error("no commands");
  return batch;
}

const BINARY = Buffer.from("$3\r\n\xff\r\n*2\r\n", "latin1");

describe("a command read back", () => {
  test("key, place and, when asked for, all arguments, as copies", () => {
    const batch = batchOf(["rpush", BINARY, "", BINARY], ["PING"]);
    const described = batch.describe(1, { args: true });
    expect(batch.describe(1)).toEqual({ name: "RPUSH", key: BINARY, argc: 4, db: 3, lsn: 7, flow: 2 });
    expect(batch.describe(2, { args: true })).toMatchObject({ name: "PING", key: undefined, args: [] });
    batch.buf.fill(0);
    expect(described.args).toEqual([BINARY, Buffer.alloc(0), BINARY]);
    expect(described.key).toEqual(BINARY);
  });

  test("the key of a script is not the script", () => {
    expect(batchOf(["EVAL", "return 1", "1", "k", "v"]).describe(1).key?.toString()).toBe("k");
    expect(batchOf(["EVAL", "return 1", "0"]).describe(1).key?.toString()).toBe("0");
  });

  test("its bytes, to the end of the batch", () => {
    const batch = batchOf(["SET", "k", BINARY], ["DEL", "k"]);
    expect(Buffer.concat([0, 1, 2].map((index) => batch.bytesOf(index)))).toEqual(batch.bytes());
    expect(batch.bytesOf(2).toString()).toBe("*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n");
    expect(batch.words(1).map(String)).toEqual(["SET", "k", BINARY.toString()]);
    expect(batch.words(1, 2).map(String)).toEqual(["SET", "k"]);
    expect([batch.argc(1), batch.dbOf(1)]).toEqual([3, 3]);
  });
});
