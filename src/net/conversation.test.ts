import { describe, expect, test } from "vitest";
import { type Script, scriptedServer } from "../../test/support/scripted-server.ts";
import { rejection, until } from "../../test/support/until.ts";
import type { Endpoint } from "../config/endpoint.ts";
import { Secret } from "../config/secret.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { Conversation, type ConversationOptions } from "./conversation.ts";

const OPTIONS: ConversationOptions = { role: "source", connectTimeoutMs: 2000, replyTimeoutMs: 2000 };

function withPassword(endpoint: Endpoint, password = "pa55word", user?: string): Endpoint {
  return { ...endpoint, user, password: new Secret(password) };
}

const answers = (table: Record<string, string>): Script => ({
  answer: (words) => table[words.join(" ")] ?? "-ERR unknown command\r\n",
});

describe("Conversation", () => {
  test("asks in order and gets the replies in order, error replies as replies", async () => {
    await using server = await scriptedServer(answers({ PING: "+PONG\r\n", "GET a": "$1\r\nx\r\n" }));
    const conversation = await Conversation.open(server.endpoint, OPTIONS);
    const replies = await Promise.all([
      conversation.request("PING"),
      conversation.request("NO"),
      conversation.request("GET", "a"),
    ]);
    expect(replies).toEqual([
      { type: "simple", text: "PONG" },
      { type: "error", message: "ERR unknown command" },
      { type: "bulk", bytes: Buffer.from("x") },
    ]);
    conversation.close();
  });

  test("logs in first, with the user when there is one", async () => {
    await using server = await scriptedServer({ answer: () => "+OK\r\n" });
    (await Conversation.open(withPassword(server.endpoint), OPTIONS)).close();
    (await Conversation.open(withPassword(server.endpoint, "pw", "repl"), OPTIONS)).close();
    (await Conversation.open(server.endpoint, OPTIONS)).close();
    expect(server.requests).toEqual([
      ["AUTH", "pa55word"],
      ["AUTH", "repl", "pw"],
    ]);
  });

  test.each([
    ["-WRONGPASS invalid username-password pair or user is disabled.", "does not accept the password"],
    ["-ERR invalid password", "does not accept the password"],
    [
      "-ERR AUTH <password> called without any password configured for the default user. Are you sure?",
      "has no password",
    ],
    ["-ERR something new", "refused the login"],
    [":1", "refused the login"],
  ])("a refused login: %s", async (answer, words) => {
    await using server = await scriptedServer({ answer: () => `${answer}\r\n` });
    const error = await rejection<Df2RedisError>(Conversation.open(withPassword(server.endpoint), OPTIONS));
    expect(error.code).toBe("AUTH_FAILED");
    expect(error.message).toContain(words);
    expect(JSON.stringify(error.toPlain())).not.toContain("pa55word");
  });

  test.each([
    ["-DENIED Redis is running in protected mode because …", "AUTH_FAILED", "protected mode"],
    ["-ERR max number of clients reached", "SOURCE_REFUSED", "maxclients"],
    ["-LOADING Redis is loading the dataset in memory", "SOURCE_REFUSED", "loading"],
  ])("a server that refuses the connection by itself: %s", async (greeting, code, words) => {
    await using server = await scriptedServer({ greeting: `${greeting}\r\n` });
    const closed: (Df2RedisError | undefined)[] = [];
    await Conversation.open(server.endpoint, { ...OPTIONS, onClose: (error) => void closed.push(error) });
    await until(() => closed.length === 1);
    expect(closed[0]).toMatchObject({ code });
    expect(closed[0]?.message).toContain(words);
    expect(closed[0]?.message).toContain(greeting.slice(1));
  });

  test.each([
    ["HTTP/1.1 400 Bad Request\r\n\r\n", "an HTTP server answers there"],
    ["\x15\x03\x01\x00\x02\x02\x0a", "turn TLS on"],
    ["SSH-2.0-OpenSSH_9.2\r\n", "an SSH server"],
    ["\x00\x01\x02\x03", "does not speak the Redis protocol"],
  ])("nonsense %j is named", async (bytes, words) => {
    await using server = await scriptedServer({ answer: () => Buffer.from(bytes, "latin1") });
    const conversation = await Conversation.open(server.endpoint, OPTIONS);
    const error = await rejection<Df2RedisError>(conversation.request("PING"));
    expect(error.code).toBe("PROTOCOL_VIOLATION");
    expect(error.message).toContain(words);
    expect(error.context).toMatchObject({ role: "source" });
    expect(await rejection(conversation.request("PING"))).toBe(error);
  });

  test("nonsense behind good replies names who sent it", async () => {
    await using server = await scriptedServer(answers({ PING: "+PONG\r\n", ROLE: "\u0001\r\n" }));
    const conversation = await Conversation.open(server.endpoint, OPTIONS);
    await conversation.request("PING");
    const error = await rejection<Df2RedisError>(conversation.request("ROLE"));
    expect(error.code).toBe("PROTOCOL_VIOLATION");
    expect(error.message).toBe(
      `The source Dragonfly at 127.0.0.1:${server.port} sent something that is no reply: The other side sent a reply that begins with byte 0x01.`,
    );
    expect(error.context).toMatchObject({ role: "source", address: `127.0.0.1:${server.port}` });
  });

  test("silence is a timeout", async () => {
    await using server = await scriptedServer({});
    const conversation = await Conversation.open(server.endpoint, { ...OPTIONS, replyTimeoutMs: 50 });
    const error = await rejection<Df2RedisError>(conversation.request("INFO", "SERVER"));
    expect(error.code).toBe("TIMEOUT");
    expect(error.message).toContain("did not answer INFO SERVER within 50 ms");
  });

  test("who waits hears of a timeout at once, before the connection is closed", async () => {
    await using server = await scriptedServer({});
    const heard: string[] = [];
    const conversation = await Conversation.open(server.endpoint, {
      ...OPTIONS,
      replyTimeoutMs: 30,
      onClose: (error) => void heard.push(`closed: ${error?.code}`),
    });
    const asked = ["PING", "ROLE"].map((request) =>
      conversation.request(request).catch((error: Df2RedisError) => void heard.push(`${request}: ${error.code}`)),
    );
    await Promise.all(asked);
    await until(() => heard.length === 3);
    expect(heard).toEqual(["PING: TIMEOUT", "ROLE: TIMEOUT", "closed: TIMEOUT"]);
  });

  test("closed without a word: perhaps a TLS port", async () => {
    await using server = await scriptedServer({ onConnection: (socket) => void socket.end() });
    const error = await rejection<Df2RedisError>(
      Conversation.open(server.endpoint, OPTIONS).then((conversation) => conversation.request("PING")),
    );
    expect(error.code).toBe("CONNECTION_LOST");
    expect(error.message).toContain("TLS");
  });

  test("a lost connection rejects all that waits, and tells the owner once", async () => {
    await using server = await scriptedServer({
      answer: (words, socket) => (words[0] === "PING" ? "+PONG\r\n" : (socket.destroy(), undefined)),
    });
    const closed: unknown[] = [];
    const conversation = await Conversation.open(server.endpoint, {
      ...OPTIONS,
      onClose: (error) => void closed.push(error?.code),
    });
    await conversation.request("PING");
    const results = await Promise.allSettled([conversation.request("GET", "a"), conversation.request("GET", "b")]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "rejected"]);
    expect(closed).toEqual(["CONNECTION_LOST"]);
  });

  test("our own close is no error", async () => {
    await using server = await scriptedServer({
      onConnection: (socket) => void socket.on("end", () => socket.end()).resume(),
    });
    const closed: unknown[] = [];
    const conversation = await Conversation.open(server.endpoint, {
      ...OPTIONS,
      onClose: (error) => void closed.push(error),
    });
    conversation.close();
    await until(() => closed.length === 1);
    expect(closed).toEqual([undefined]);
    expect((await rejection<Df2RedisError>(conversation.request("PING"))).code).toBe("INTERRUPTED");
  });

  test("detaches right behind the reply, wherever the segments are cut", async () => {
    const reply = "*2\r\n+FULL\r\n+token\r\n";
    const stream = "REDIS0009 and more";
    for (let cut = 1; cut < reply.length + stream.length; cut++) {
      await using server = await scriptedServer({
        answer: (_words, socket) => {
          const bytes = Buffer.from(reply + stream);
          socket.setNoDelay(true);
          socket.write(bytes.subarray(0, cut));
          setImmediate(() => socket.end(bytes.subarray(cut)));
          return undefined;
        },
      });
      const closed: unknown[] = [];
      const conversation = await Conversation.open(server.endpoint, {
        ...OPTIONS,
        onClose: (error) => void closed.push(error),
      });
      const detached = await conversation.requestAndDetach("DFLY", "FLOW");
      expect(detached.reply).toMatchObject({ type: "array" });
      let received = detached.leftover.toString();
      let ended = false;
      detached.socket.setHandlers({
        onData: (chunk) => void (received += chunk.toString()),
        onClose: () => void (ended = true),
      });
      detached.socket.resume();
      await until(() => ended);
      expect(received).toBe(stream);
      expect(closed).toEqual([]);
    }
  });
});
