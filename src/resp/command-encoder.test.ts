import { describe, expect, test } from "vitest";
import { Slice } from "../bytes/slice.ts";
import { CommandEncoder } from "./command-encoder.ts";
import { encodeRequest } from "./encode-request.ts";

function wire(encoder: CommandEncoder): string {
  return encoder.take()?.bytes().toString("latin1") ?? "";
}

describe("CommandEncoder", () => {
  test("encodes a command of each kind of argument", () => {
    const encoder = new CommandEncoder(1024);
    encoder.begin(6);
    encoder.argText("SET");
    encoder.arg(Slice.from("key"));
    encoder.argRange(Buffer.from("xxvaluexx"), 2, 7);
    encoder.argBytes(Uint8Array.of(0, 255));
    encoder.argInt(1924992000123);
    const { buf, at } = encoder.argReserve(3);
    buf.write("abc", at);
    expect(wire(encoder)).toBe(
      "*6\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n$2\r\n\x00\xff\r\n$13\r\n1924992000123\r\n$3\r\nabc\r\n",
    );
  });

  test("counts text in bytes, not in characters", () => {
    const encoder = new CommandEncoder(64);
    encoder.command("ECHO", "größe");
    expect(encoder.take()?.bytes()).toEqual(encodeRequest(["ECHO", "größe"]));
  });

  test("grows for any size, on both sides of each fast path", () => {
    for (const size of [0, 1, 23, 24, 25, 100, 4095, 4096, 4097, 70_000]) {
      const encoder = new CommandEncoder(64);
      const value = Buffer.alloc(size, "ab");
      encoder.begin(3);
      encoder.argText("SET");
      encoder.argText("k");
      encoder.arg(Slice.from(value));
      expect(encoder.take()?.bytes()).toEqual(encodeRequest(["SET", "k", value]));
    }
  });

  test("copies its arguments", () => {
    const encoder = new CommandEncoder(64);
    const value = Buffer.from("value");
    encoder.begin(2);
    encoder.argText("ECHO");
    encoder.argBytes(value);
    value.fill(0);
    expect(wire(encoder)).toContain("value");
  });

  test("selects a database once, and again after a reconnect", () => {
    const encoder = new CommandEncoder(256);
    encoder.select(0);
    encoder.select(3);
    encoder.select(3);
    encoder.command("PING");
    expect(wire(encoder)).toBe("*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*1\r\n$4\r\nPING\r\n");
    encoder.forgetDatabase();
    encoder.select(3);
    expect(encoder.commandCount).toBe(1);
  });

  test("describes each command of a batch, also after the index has grown", () => {
    const encoder = new CommandEncoder(128);
    for (let i = 0; i < 1000; i++) {
      encoder.lsn = 2 ** 40 + i;
      encoder.flow = i % 5;
      encoder.select(i % 2 === 0 ? 1 : 9);
      encoder.command("set", `key:${i}`, "x".repeat(i % 50));
    }
    const batch = encoder.take();
    expect(batch?.count).toBe(2000);
    expect(batch?.describe(2 * 777)).toEqual({
      name: "SELECT",
      key: Buffer.from("9"),
      argc: 2,
      db: 9,
      lsn: 2 ** 40 + 777,
      flow: 2,
    });
    expect(batch?.describe(2 * 777 + 1)).toEqual({
      name: "SET",
      key: Buffer.from("key:777"),
      argc: 3,
      db: 9,
      lsn: 2 ** 40 + 777,
      flow: 2,
    });
    expect(batch?.describe(1)).toMatchObject({ db: 1, lsn: 2 ** 40 });
  });

  test("describes a command without a key, of snapshot data, with a binary key", () => {
    const encoder = new CommandEncoder(128);
    encoder.command("FLUSHALL");
    encoder.command("DEL", Uint8Array.of(13, 10, 36, 0));
    const batch = encoder.take();
    expect(batch?.describe(0)).toEqual({ name: "FLUSHALL", key: undefined, argc: 1, db: 0, lsn: -1, flow: 0 });
    expect(batch?.describe(1)).toMatchObject({ name: "DEL", key: Buffer.from([13, 10, 36, 0]) });
  });

  test("take gives nothing when nothing was encoded; release lets a batch be used again, unless it has grown large", () => {
    const encoder = new CommandEncoder(64);
    expect(encoder.take()).toBeUndefined();
    encoder.command("PING");
    const first = encoder.take();
    if (first === undefined) throw new Error("no batch");
    encoder.release(first);
    encoder.command("PING");
    encoder.take();
    encoder.command("ECHO", "again");
    expect(encoder.take()).toBe(first);
    expect(first.bytes()).toEqual(encodeRequest(["ECHO", "again"]));

    encoder.command("ECHO", "x".repeat(1000));
    const large = encoder.take();
    if (large === undefined) throw new Error("no batch");
    encoder.release(large);
    encoder.command("PING");
    encoder.take();
    encoder.command("PING");
    expect(encoder.take()).not.toBe(large);
  });
});
