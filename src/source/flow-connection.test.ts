import { describe, expect, test } from "vitest";
import { type Answer, scriptedServer, type ScriptedServer } from "../../test/support/scripted-server.ts";
import { rejection, until } from "../../test/support/until.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { openFlow, type OpenFlowOptions } from "./flow-connection.ts";

const TOKEN = "845c4fc06e0aaa1d0743a1cd26b78e9eddfdc646";

function options(server: ScriptedServer, more: Partial<OpenFlowOptions> = {}): OpenFlowOptions {
  return {
    endpoint: server.endpoint,
    masterId: "m".repeat(40),
    syncId: "SYNC1",
    flow: 3,
    connectTimeoutMs: 2000,
    replyTimeoutMs: 200,
    ...more,
  };
}

describe("openFlow", () => {
  test("asks for a flow, with an LSN or without, and reads the answer", async () => {
    await using server = await scriptedServer({
      answer: (words) => `*2\r\n+${words.length > 5 ? "PARTIAL" : "FULL"}\r\n+${TOKEN}\r\n`,
    });
    const full = await openFlow(options(server));
    const partial = await openFlow(options(server, { lsn: 2 ** 52 }));
    expect([full.kind, full.eofToken, full.flow, partial.kind]).toEqual(["full", TOKEN, 3, "partial"]);
    expect(server.requests).toEqual([
      ["DFLY", "FLOW", "m".repeat(40), "SYNC1", "3"],
      ["DFLY", "FLOW", "m".repeat(40), "SYNC1", "3", "4503599627370496"],
    ]);
    full.destroy();
    partial.destroy();
  });

  test("reads nothing until attached; then everything, in order, from the first byte behind the reply", async () => {
    const stream = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * 31) % 251));
    await using server = await scriptedServer({
      answer: (_words, socket) => {
        socket.write(Buffer.concat([Buffer.from(`*2\r\n+FULL\r\n+${TOKEN}\r\n`), stream.subarray(0, 100)]));
        setImmediate(() => socket.end(stream.subarray(100)));
        return undefined;
      },
    });
    const flow = await openFlow(options(server, { readBufferBytes: 8192 }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(flow.bytesRead).toBeLessThanOrEqual(8192);
    const received: Buffer[] = [];
    const closed: unknown[] = [];
    flow.attach({
      onData: (chunk) => void received.push(Buffer.from(chunk)),
      onClose: (error) => void closed.push(error?.code),
    });
    await until(() => closed.length === 1);
    expect(Buffer.concat(received).equals(stream)).toBe(true);
    expect(flow.bytesRead).toBe(stream.length);
    expect(closed).toEqual(["CONNECTION_LOST"]);
  });

  test("a handler may pause with the first bytes; resume goes on", async () => {
    await using server = await scriptedServer({
      answer: (_words, socket) => {
        socket.end(`*2\r\n+FULL\r\n+${TOKEN}\r\nabc${"x".repeat(100_000)}`);
        return undefined;
      },
    });
    const flow = await openFlow(options(server, { readBufferBytes: 100 }));
    let size = 0;
    let paused = false;
    const closed: unknown[] = [];
    flow.attach({
      onData: (chunk) => {
        expect(paused).toBe(false);
        size += chunk.length;
        paused = true;
        flow.pause();
        setImmediate(() => {
          paused = false;
          flow.resume();
        });
      },
      onClose: (error) => void closed.push(error?.code),
    });
    await until(() => closed.length === 1);
    expect(size).toBe(100_003);
  });

  test("a handler that throws on the first bytes closes the flow with its error", async () => {
    await using server = await scriptedServer({ answer: () => `*2\r\n+FULL\r\n+${TOKEN}\r\nREDIS` });
    const flow = await openFlow(options(server));
    const closed: (Df2RedisError | undefined)[] = [];
    flow.attach({
      onData: () => {
        throw new Df2RedisError("STREAM_CORRUPT", "bad magic");
      },
      onClose: (error) => void closed.push(error),
    });
    await until(() => closed.length === 1);
    expect(closed[0]?.code).toBe("STREAM_CORRUPT");
  });

  test("acknowledges, and the last acknowledgement gets through before the end", async () => {
    await using server = await scriptedServer({
      answer: (words) => (words[1] === "FLOW" ? `*2\r\n+FULL\r\n+${TOKEN}\r\n` : undefined),
    });
    const flow = await openFlow(options(server));
    flow.attach({ onData: () => undefined, onClose: () => undefined });
    flow.sendAck(1);
    flow.sendAck(351);
    flow.end();
    await until(() => server.requests.length === 3);
    expect(server.requests.slice(1)).toEqual([
      ["REPLCONF", "ACK", "1"],
      ["REPLCONF", "ACK", "351"],
    ]);
  });

  test.each<[Answer, string, string]>([
    ["-ERR bad master id\r\n", "SOURCE_REFUSED", "not the master that we shook hands with"],
    ["-ERR syncid not found\r\n", "SOURCE_REFUSED", "forgotten our session"],
    ["-ERR value is not an integer or out of range\r\n", "SOURCE_REFUSED", "number of threads"],
    ["-ERR invalid state\r\n", "SOURCE_REFUSED", "not in the state"],
    ["-NOAUTH Authentication required.\r\n", "AUTH_FAILED", "wants a password"],
    ["-NOPERM low has no ACL permissions\r\n", "AUTH_FAILED", "may not run DFLY FLOW"],
    ["-LOADING Dragonfly is loading the dataset in memory\r\n", "SOURCE_REFUSED", "still loading"],
    ["+OK\r\n", "PROTOCOL_VIOLATION", "neither FULL nor PARTIAL"],
    [`*2\r\n+HALF\r\n+${TOKEN}\r\n`, "PROTOCOL_VIOLATION", "neither FULL nor PARTIAL"],
    ["*2\r\n+FULL\r\n+abc\r\n", "PROTOCOL_VIOLATION", "end token"],
    ["garbage", "PROTOCOL_VIOLATION", "does not speak the Redis protocol"],
    [undefined, "TIMEOUT", "did not answer DFLY FLOW"],
  ])("refused with %j", async (answer, code, words) => {
    await using server = await scriptedServer({ answer: () => answer });
    const error = await rejection<Df2RedisError>(openFlow(options(server)));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.context).toMatchObject({ flow: 3, role: "source" });
    await until(() => server.sockets.every((socket) => socket.destroyed));
  });
});
