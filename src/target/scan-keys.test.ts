/** SCAN against servers that answer as no real one does on demand. */
import { expect, test } from "vitest";
import { type Answer, scriptedServer } from "../../test/support/scripted-server.ts";
import { rejection, until } from "../../test/support/until.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { scanKeys } from "./scan-keys.ts";

const TIMEOUTS = { connectTimeoutMs: 5000, replyTimeoutMs: 5000 };
const PLACES = [{ db: 0, prefix: "" }];

/** The largest cursor of a server: no number holds it. */
const CURSOR = "18446744073709551615";

const page = (cursor: string, key: string): string =>
  `*2\r\n$${cursor.length}\r\n${cursor}\r\n*1\r\n$${key.length}\r\n${key}\r\n`;

const answers =
  (pages: Readonly<Record<string, Answer>>) =>
  (words: readonly string[]): Answer =>
    words[0] === "SCAN" ? pages[words[1] ?? ""] : "+OK\r\n";

test("gives a cursor back digit by digit, and asks for the next page while the caller has the one before", async () => {
  await using server = await scriptedServer({ answer: answers({ "0": page(CURSOR, "a"), [CURSOR]: page("0", "b") }) });
  const keys: string[] = [];
  for await (const found of scanKeys({ endpoint: server.endpoint, ...TIMEOUTS, places: PLACES })) {
    keys.push(...found.keys.map(String));
    await until(() => server.requests.length === 3, "the request for the second page");
  }
  expect(keys).toEqual(["a", "b"]);
  expect(server.requests).toEqual([
    ["SELECT", "0"],
    ["SCAN", "0", "COUNT", "1000"],
    ["SCAN", CURSOR, "COUNT", "1000"],
  ]);
});

test("a connection that breaks while the caller works is an error when it comes back, and nowhere else", async () => {
  await using server = await scriptedServer({
    answer: (words, socket) => {
      if (words[1] === "7") socket.destroy();
      return answers({ "0": page("7", "a") })(words);
    },
  });
  const run = async (): Promise<void> => {
    for await (const { keys } of scanKeys({ endpoint: server.endpoint, ...TIMEOUTS, places: PLACES })) {
      expect(keys.map(String)).toEqual(["a"]);
      await until(() => server.sockets.every((socket) => socket.destroyed), "the server to hang up");
    }
  };
  expect(await rejection<Df2RedisError>(run())).toMatchObject({ code: "CONNECTION_LOST" });
});

test.each([
  ["a status", "+OK\r\n"],
  ["no array of keys", "*2\r\n$1\r\n0\r\n:1\r\n"],
  ["a key that is a number", "*2\r\n$1\r\n0\r\n*1\r\n:1\r\n"],
  ["a cursor that is an array", "*2\r\n*0\r\n*0\r\n"],
])("%s is no answer to SCAN", async (_, answer) => {
  await using server = await scriptedServer({ answer: answers({ "0": answer }) });
  const run = async (): Promise<void> => {
    for await (const found of scanKeys({ endpoint: server.endpoint, ...TIMEOUTS, places: PLACES }))
      expect(found).toBe(0);
  };
  expect(await rejection<Df2RedisError>(run())).toMatchObject({ code: "PROTOCOL_VIOLATION" });
});
