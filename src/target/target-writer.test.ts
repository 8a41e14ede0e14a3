/** The writer against scripted servers: windows, order, faults. What a real Redis does with it is in `target-writer.it.test.ts`. */
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { scriptedServer, type ScriptedServer } from "../../test/support/scripted-server.ts";
import { rejection, until } from "../../test/support/until.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { type TargetRejection, TargetWriter, type TargetWriterOptions } from "./target-writer.ts";

type Rig = AsyncDisposable & {
  server: ScriptedServer;
  writer: TargetWriter;
  socket: Socket;
  rejections: TargetRejection[];
  failures: Df2RedisError[];
  drains: () => number;
  /** Commands that the server has got, the writer's own first two left out. */
  got: () => (readonly string[])[];
};

/** A writer whose server answers only when the test says so. */
async function rig(options: Partial<TargetWriterOptions> = {}): Promise<Rig> {
  const server = await scriptedServer({
    answer: (words) => (words[0] === "PING" ? "+PONG\r\n" : words[0] === "CLIENT" ? "+OK\r\n" : undefined),
  });
  const rejections: TargetRejection[] = [];
  const failures: Df2RedisError[] = [];
  let drains = 0;
  const writer = await TargetWriter.connect({
    endpoint: server.endpoint,
    limits: { batchBytes: 256, windowBytes: 1024 },
    connectTimeoutMs: 2000,
    replyTimeoutMs: 5000,
    onError: (rejected) => void rejections.push(rejected),
    onFailure: (error) => void failures.push(error),
    onDrain: () => void drains++,
    ...options,
  });
  const socket = server.sockets[0];
  if (socket === undefined) throw new Error("no connection");
  return {
    server,
    writer,
    socket,
    rejections,
    failures,
    drains: () => drains,
    got: () => server.requests.slice(2),
    [Symbol.asyncDispose]: async () => {
      writer.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

function feed(writer: TargetWriter, count: number, from = 0): void {
  for (let i = from; i < from + count; i++) {
    writer.encoder.lsn = i;
    writer.encoder.command("SET", `key:${i}`, "value");
    writer.flush();
  }
}

describe("TargetWriter", () => {
  test("sends full batches on flush, the rest only when forced", async () => {
    await using r = await rig();
    feed(r.writer, 1);
    r.writer.flush();
    expect(r.writer.commandsSent).toBe(0);
    feed(r.writer, 20, 1);
    const { commandsSent } = r.writer;
    expect(commandsSent).toBeGreaterThan(0);
    expect(commandsSent).toBeLessThan(21);
    r.writer.flush(true);
    expect(r.writer.commandsSent).toBe(21);
    await until(() => r.got().length === 21);
    expect(r.got().map((words) => words[1])).toEqual(Array.from({ length: 21 }, (_, i) => `key:${i}`));
  });

  test("counts what is in flight, fills its window and drains at half of it", async () => {
    await using r = await rig();
    let n = 0;
    while (!r.writer.isFull()) feed(r.writer, 1, n++);
    expect(r.writer.inFlightBytes).toBeGreaterThanOrEqual(1024);
    expect(r.writer.bytesSent).toBe(r.writer.inFlightBytes);
    const { commandsSent } = r.writer;
    r.socket.write("+OK\r\n");
    await until(() => r.writer.commandsDone === 1);
    expect(r.writer.isFull()).toBe(true);
    expect(r.drains()).toBe(0);
    r.socket.write("+OK\r\n".repeat(commandsSent - 1));
    await until(() => r.drains() === 1);
    expect([r.writer.isFull(), r.writer.inFlightBytes, r.writer.inFlightCommands]).toEqual([false, 0, 0]);
  });

  test("a window in commands", async () => {
    await using r = await rig({ limits: { batchBytes: 1, windowBytes: 1e9, windowCommands: 10 } });
    feed(r.writer, 9);
    expect(r.writer.isFull()).toBe(false);
    feed(r.writer, 1, 9);
    expect(r.writer.isFull()).toBe(true);
    r.socket.write("+OK\r\n".repeat(5));
    await until(() => r.drains() === 1);
  });

  test("afterApplied waits for every command before it, flushed or not, in order, and is at once when nothing is open", async () => {
    await using r = await rig();
    const ran: string[] = [];
    r.writer.afterApplied(() => void ran.push("nothing open"));
    expect(ran).toEqual(["nothing open"]);
    feed(r.writer, 2);
    r.writer.afterApplied(() => void ran.push("after 2"));
    feed(r.writer, 1, 2);
    r.writer.afterApplied(() => void ran.push("after 3"));
    r.writer.afterApplied(() => void ran.push("after 3 too"));
    expect(ran).toHaveLength(1);
    r.writer.flush(true);
    r.socket.write(":1\r\n+OK");
    await until(() => r.writer.commandsDone === 1);
    expect(ran).toHaveLength(1);
    r.socket.write("\r\n");
    await until(() => ran.length === 2);
    r.socket.write("$3\r\nabc\r\n");
    await until(() => ran.length === 4);
    expect(ran).toEqual(["nothing open", "after 2", "after 3", "after 3 too"]);
  });

  test("traces each error reply to its command, before the marks behind it", async () => {
    await using r = await rig();
    feed(r.writer, 30);
    const marks: number[] = [];
    r.writer.afterApplied(() => void marks.push(r.rejections.length));
    r.writer.flush(true);
    const replies = Array.from({ length: 30 }, (_, i) => (i === 0 || i === 17 ? `-ERR no ${i}\r\n` : "+OK\r\n"));
    r.socket.write(replies.join(""));
    await until(() => marks.length === 1);
    expect(marks).toEqual([2]);
    expect(
      r.rejections.map(({ message, index, element, command }) => [
        message,
        index,
        element,
        command.key?.toString(),
        command.lsn,
      ]),
    ).toEqual([
      ["ERR no 0", 0, -1, "key:0", 0],
      ["ERR no 17", 17, -1, "key:17", 17],
    ]);
    expect(r.failures).toEqual([]);
  });

  test("an owner that gives up on an error reply hears nothing more (I3)", async () => {
    const rejected: string[] = [];
    await using r = await rig({
      onError: ({ message }) => {
        rejected.push(message);
        r.writer.destroy();
      },
    });
    const marks: string[] = [];
    feed(r.writer, 3);
    r.writer.afterApplied(() => void marks.push("mark"));
    r.writer.flush(true);
    r.socket.write("-ERR a\r\n-ERR b\r\n+OK\r\n");
    await until(() => r.socket.destroyed);
    expect([rejected, marks, r.failures, r.writer.isFull()]).toEqual([["ERR a"], [], [], true]);
  });

  test("a connection that closes with commands in flight says how many are unconfirmed", async () => {
    await using r = await rig();
    const marks: string[] = [];
    feed(r.writer, 30);
    r.writer.afterApplied(() => void marks.push("mark"));
    r.writer.flush(true);
    r.socket.end("+OK\r\n".repeat(12));
    await until(() => r.failures.length === 1);
    expect(r.failures[0]?.code).toBe("CONNECTION_LOST");
    expect(r.failures[0]?.message).toContain("18 commands were not confirmed");
    expect(r.failures[0]?.context).toMatchObject({ role: "target", unconfirmed: 18 });
    expect(marks).toEqual([]);
    feed(r.writer, 30);
    expect([r.writer.isFull(), r.writer.commandsSent]).toEqual([true, 30]);
    expect(await rejection(r.writer.close())).toBe(r.failures[0]);
  });

  test("silence with commands in flight is a timeout; without, it is not", async () => {
    await using r = await rig({ replyTimeoutMs: 40 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(r.failures).toEqual([]);
    feed(r.writer, 1);
    r.writer.flush(true);
    await until(() => r.failures.length === 1);
    expect(r.failures[0]?.code).toBe("TIMEOUT");
    expect(r.failures[0]?.message).toContain("answered none of 1 commands");
  });

  test("a slow server that goes on answering is no timeout", async () => {
    await using r = await rig({ replyTimeoutMs: 60 });
    feed(r.writer, 30);
    r.writer.flush(true);
    for (let i = 0; i < 30; i++) {
      await new Promise((resolve) => setTimeout(resolve, 8));
      r.socket.write("+OK\r\n");
    }
    await until(() => r.writer.commandsDone === 30);
    expect(r.failures).toEqual([]);
  });

  test.each([
    ["more replies than commands", "+OK\r\n+OK\r\n", "PROTOCOL_VIOLATION", "more replies than it got commands"],
    [
      "an error that nothing asked for",
      "+OK\r\n-ERR max number of clients reached\r\n",
      "TARGET_NOT_READY",
      "maxclients",
    ],
    ["nonsense", "HTTP/1.1 200 OK\r\n", "PROTOCOL_VIOLATION", "no reply"],
  ])("%s", async (_name, bytes, code, words) => {
    await using r = await rig();
    feed(r.writer, 1);
    r.writer.flush(true);
    r.socket.write(bytes);
    await until(() => r.failures.length === 1);
    expect(r.failures[0]?.code).toBe(code);
    expect(r.failures[0]?.message).toContain(words);
  });

  test("close sends the rest, waits for its replies and ends", async () => {
    await using r = await rig();
    feed(r.writer, 3);
    let closed = false;
    const closing = r.writer.close().then(() => (closed = true));
    await until(() => r.got().length === 3);
    expect(closed).toBe(false);
    r.socket.on("end", () => r.socket.end());
    r.socket.write("+OK\r\n+OK\r\n+OK\r\n");
    await closing;
    expect(r.failures).toEqual([]);
    await r.writer.close();
  });

  test("close is rejected when the connection breaks before, and when the owner gives up", async () => {
    await using broken = await rig();
    feed(broken.writer, 3);
    const closing = rejection<Df2RedisError>(broken.writer.close());
    await until(() => broken.got().length === 3);
    broken.socket.destroy();
    expect((await closing).code).toBe("CONNECTION_LOST");
    await using given = await rig();
    feed(given.writer, 3);
    const pending = rejection<Df2RedisError>(given.writer.close());
    given.writer.destroy();
    expect((await pending).code).toBe("INTERRUPTED");
  });

  test("batches are used again, and their bytes are not touched before the socket is done with them", async () => {
    await using r = await rig({ limits: { batchBytes: 64 * 1024, windowBytes: 1e9 } });
    // The server does not read, so writes stay in our hands while their buffers would be wanted for the next batches.
    r.socket.pause();
    const value = "v".repeat(1000);
    for (let i = 0; i < 20_000; i++) {
      r.writer.encoder.command("SET", `key:${i}`, value);
      r.writer.flush();
    }
    r.writer.flush(true);
    r.socket.resume();
    await until(() => r.got().length === 20_000, "all commands");
    expect(r.got().every((words, i) => words[1] === `key:${i}` && words[2] === value)).toBe(true);
  });

  test("refuses to start on a server that is loading, wants a password or takes nobody", async () => {
    for (const [answer, code] of [
      ["-LOADING Redis is loading the dataset in memory", "TARGET_NOT_READY"],
      ["-NOAUTH Authentication required.", "AUTH_FAILED"],
      ["-ERR strange", "TARGET_UNSUITABLE"],
    ] as const) {
      await using server = await scriptedServer({ answer: () => `${answer}\r\n` });
      const error = await rejection<Df2RedisError>(
        TargetWriter.connect({
          endpoint: server.endpoint,
          limits: { batchBytes: 256, windowBytes: 1024 },
          connectTimeoutMs: 2000,
          replyTimeoutMs: 2000,
          onError: () => undefined,
          onFailure: () => undefined,
          onDrain: () => undefined,
        }),
      );
      expect(error.code).toBe(code);
    }
  });
});
