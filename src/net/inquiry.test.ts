/** Questions that a server may refuse, the clock and the latency, against scripted servers. */
import { expect, test } from "vitest";
import { type Answer, scriptedServer } from "../../test/support/scripted-server.ts";
import { Conversation } from "./conversation.ts";
import { Inquiry } from "./inquiry.ts";
import { medianPingMs } from "./ping-latency.ts";
import { readClock } from "./server-clock.ts";

async function asking<T>(table: Record<string, Answer>, use: (inquiry: Inquiry) => Promise<T>): Promise<T> {
  await using server = await scriptedServer({
    answer: (words) => table[words.join(" ")] ?? `-ERR unknown command '${words[0]}'\r\n`,
  });
  const timeouts = { connectTimeoutMs: 2000, replyTimeoutMs: 2000 };
  const conversation = await Conversation.open(server.endpoint, { role: "target", ...timeouts });
  return await use(new Inquiry(conversation)).finally(() => conversation.close());
}

test("a refusal is noted under the request's name, without its arguments", async () => {
  await asking({ "GET a": "$1\r\nx\r\n" }, async (inquiry) => {
    expect(await inquiry.ask("GET", "a")).toMatchObject({ type: "bulk" });
    expect(await inquiry.ask("GET", "secret")).toBeUndefined();
    expect(await inquiry.ask("CONFIG", "GET", "x")).toBeUndefined();
    expect([...inquiry.refusals]).toEqual([
      ["GET", "ERR unknown command 'GET'"],
      ["CONFIG GET", "ERR unknown command 'CONFIG'"],
    ]);
  });
});

test("a setting is taken only from an answer to the question", async () => {
  const table = {
    "CONFIG GET databases": "*2\r\n$9\r\ndatabases\r\n$2\r\n16\r\n",
    "CONFIG GET maxclients": "*2\r\n$9\r\ndatabases\r\n$2\r\n16\r\n",
    "CONFIG GET save": "*0\r\n",
  };
  await asking(table, async (inquiry) => {
    expect(await inquiry.setting("databases")).toBe("16");
    expect(await inquiry.setting("maxclients")).toBeUndefined();
    expect(await inquiry.setting("save")).toBeUndefined();
    expect(await inquiry.setting("hidden")).toBeUndefined();
  });
});

test("the clock: against the middle between question and answer", async () => {
  const times = [1_000_000, 1_000_400];
  const reading = await asking({ TIME: "*2\r\n$4\r\n1005\r\n$6\r\n500000\r\n" }, (inquiry) =>
    readClock(inquiry, () => times.shift() ?? 0),
  );
  expect(reading).toEqual({ offsetMs: 5300, errorMs: 200 });
  expect(await asking({}, (inquiry) => readClock(inquiry))).toBeUndefined();
  expect(await asking({ TIME: "*1\r\n+soon\r\n" }, (inquiry) => readClock(inquiry))).toBeUndefined();
});

test("the latency is taken also where PING is refused", async () => {
  expect(await asking({}, (inquiry) => medianPingMs(inquiry, 3))).toBeGreaterThan(0);
});
