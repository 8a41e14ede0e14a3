import { describe, expect, test } from "vitest";
import { type Answer, type Script, scriptedServer, type ScriptedServer } from "../../test/support/scripted-server.ts";
import { rejection, until } from "../../test/support/until.ts";
import { Secret } from "../config/secret.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { SourceControl, type SourceControlOptions } from "./source-control.ts";

const MASTER_ID = "3fdad4f0204a2bb4272de10512849edcad8b478f";
const CAPA = `*5\r\n+${MASTER_ID}\r\n+SYNC1\r\n:2\r\n:5\r\n+${MASTER_ID}\r\n`;
const INFO = "# Server\r\nredis_version:7.4.0\r\ndragonfly_version:df-v1.40.1\r\n";
const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

/** Answers like an idle 1.40.1 (texts from its recorded dialogs), except for `changes`. */
function dragonfly(changes: Record<string, Answer> = {}): Script {
  const table: Record<string, Answer> = {
    PING: "+PONG\r\n",
    "INFO SERVER": bulk(INFO),
    "REPLCONF listening-port": "+OK\r\n",
    "REPLCONF ip-address": "+OK\r\n",
    "REPLCONF capa eof": "+OK\r\n",
    "REPLCONF capa dragonfly": CAPA,
    "REPLCONF CLIENT-ID": "+OK\r\n",
    "REPLCONF CLIENT-VERSION": "+OK\r\n",
    "DFLY SYNC": "+OK\r\n",
    "DFLY STARTSTABLE": "+OK\r\n",
    "DFLY REPLICAOFFSET": "*2\r\n:1\r\n:7\r\n",
    ...changes,
  };
  const keyOf = (words: readonly string[]): string =>
    words[0] === "REPLCONF" && words[1] === "capa" ? words.slice(0, 3).join(" ") : words.slice(0, 2).join(" ");
  return { answer: (words) => (keyOf(words) in table ? table[keyOf(words)] : "-ERR unknown command\r\n") };
}

function connect(server: ScriptedServer, options: Partial<SourceControlOptions> = {}): Promise<SourceControl> {
  return SourceControl.connect({
    endpoint: server.endpoint,
    connectTimeoutMs: 2000,
    replyTimeoutMs: 2000,
    onClose: () => undefined,
    ...options,
  });
}

async function failure(changes: Record<string, Answer>): Promise<Df2RedisError> {
  await using server = await scriptedServer(dragonfly(changes));
  let closes = 0;
  const error = await rejection<Df2RedisError>(connect(server, { replyTimeoutMs: 200, onClose: () => void closes++ }));
  expect(closes).toBe(0);
  return error;
}

describe("the handshake", () => {
  test("sends what the protocol page says, as arrays, in that order", async () => {
    await using server = await scriptedServer(dragonfly());
    const control = await connect(server, { listeningPort: 7382, announceAddress: "10.0.0.9", clientId: "replica-7" });
    expect(server.requests).toEqual([
      ["PING"],
      ["REPLCONF", "listening-port", "7382"],
      ["REPLCONF", "ip-address", "10.0.0.9"],
      ["REPLCONF", "capa", "eof", "capa", "psync2"],
      ["REPLCONF", "capa", "dragonfly"],
      ["REPLCONF", "CLIENT-ID", "replica-7"],
      ["REPLCONF", "CLIENT-VERSION", "5"],
    ]);
    expect(control.master).toEqual({
      masterId: MASTER_ID,
      syncId: "SYNC1",
      flowCount: 2,
      protocolVersion: 5,
      lineageId: MASTER_ID,
    });
    control.close();
  });

  test("logs in first", async () => {
    const script = dragonfly();
    await using server = await scriptedServer({
      answer: (words, socket) => (words[0] === "AUTH" ? "+OK\r\n" : script.answer?.(words, socket)),
    });
    const control = await connect(server, {
      endpoint: { ...server.endpoint, user: "repl", password: new Secret("pw") },
    });
    expect(server.requests[0]).toEqual(["AUTH", "repl", "pw"]);
    control.close();
  });

  test.each([
    [
      "3 elements",
      `*3\r\n+${MASTER_ID}\r\n+SYNC12\r\n:4\r\n`,
      { flowCount: 4, protocolVersion: 0, lineageId: undefined, syncId: "SYNC12" },
    ],
    ["4 elements", `*4\r\n+${MASTER_ID}\r\n+SYNC1\r\n:2\r\n:3\r\n`, { protocolVersion: 3, lineageId: undefined }],
    [
      "bulk strings",
      `*4\r\n${bulk(MASTER_ID)}${bulk("SYNC1")}${bulk("1024")}${bulk("4")}`,
      { flowCount: 1024, protocolVersion: 4 },
    ],
    [
      "more elements than we know",
      `*6\r\n+${MASTER_ID}\r\n+SYNC1\r\n:1\r\n:9\r\n+${MASTER_ID}\r\n:1\r\n`,
      { protocolVersion: 9 },
    ],
  ])("reads an answer of %s", async (_name, answer, master) => {
    await using server = await scriptedServer(dragonfly({ "REPLCONF capa dragonfly": answer }));
    const control = await connect(server);
    expect(control.master).toMatchObject(master);
    control.close();
  });

  test("goes on when an old master or a narrow ACL refuses what is not needed", async () => {
    const no = "-ERR syntax error\r\n";
    const changes = {
      "REPLCONF ip-address": no,
      "REPLCONF CLIENT-ID": no,
      "REPLCONF CLIENT-VERSION": no,
    };
    await using server = await scriptedServer(dragonfly(changes));
    const control = await connect(server, { announceAddress: "10.0.0.9" });
    expect(control.master.syncId).toBe("SYNC1");
    control.close();
  });

  test.each([
    ["two elements", `*2\r\n+${MASTER_ID}\r\n+SYNC1\r\n`],
    ["a short master id", "*4\r\n+abc\r\n+SYNC1\r\n:2\r\n:3\r\n"],
    ["a strange sync id", `*4\r\n+${MASTER_ID}\r\n+SYNC1 x\r\n:2\r\n:3\r\n`],
    ["no flows", `*4\r\n+${MASTER_ID}\r\n+SYNC1\r\n:0\r\n:3\r\n`],
    ["too many flows", `*4\r\n+${MASTER_ID}\r\n+SYNC1\r\n:1025\r\n:3\r\n`],
    ["a version that is no number", `*4\r\n+${MASTER_ID}\r\n+SYNC1\r\n:2\r\n+x\r\n`],
    ["null", "$-1\r\n"],
    ["another kind of PONG", undefined],
  ])("nonsense for an answer: %s", async (_name, answer) => {
    const error = await failure(answer === undefined ? { PING: "+HELLO\r\n" } : { "REPLCONF capa dragonfly": answer });
    expect(error.code).toBe("PROTOCOL_VIOLATION");
    expect(error.message).toContain("not what a Dragonfly answers");
  });

  test.each([
    ["a Redis", "# Server\r\nredis_version:7.0.15\r\n", "is Redis 7.0.15, not a Dragonfly"],
    ["a Valkey", "# Server\r\nredis_version:7.2.4\r\nvalkey_version:8.0.1\r\n", "is Valkey 8.0.1, not a Dragonfly"],
  ])("%s is named", async (_name, info, words) => {
    const error = await failure({ "INFO SERVER": bulk(info), "REPLCONF capa dragonfly": "+OK\r\n" });
    expect(error.code).toBe("NOT_A_DRAGONFLY");
    expect(error.message).toContain(words);
  });

  test("what knows no REPLCONF is no Dragonfly either", async () => {
    const error = await failure({
      "INFO SERVER": "-ERR unknown command\r\n",
      "REPLCONF listening-port": "-ERR unknown command 'REPLCONF'\r\n",
    });
    expect(error.code).toBe("NOT_A_DRAGONFLY");
  });

  test.each([
    ["PING", "-NOAUTH Authentication required.\r\n", "AUTH_FAILED", "wants a password"],
    ["PING", "-LOADING Dragonfly is loading the dataset in memory\r\n", "SOURCE_REFUSED", "still loading"],
    ["PING", "-ERR max number of clients reached\r\n", "SOURCE_REFUSED", "maxclients"],
    [
      "REPLCONF listening-port",
      "-ERR Replicating a replica is unsupported\r\n",
      "NOT_A_DRAGONFLY",
      "is itself a replica",
    ],
    [
      "REPLCONF capa dragonfly",
      "-NOPERM low has no ACL permissions\r\n",
      "AUTH_FAILED",
      "may not run REPLCONF capa dragonfly",
    ],
    ["REPLCONF capa eof", "-ERR brand new words\r\n", "SOURCE_REFUSED", "brand new words"],
    ["PING", "HTTP/1.1 400 Bad Request\r\n\r\n", "PROTOCOL_VIOLATION", "HTTP server"],
    ["PING", undefined, "TIMEOUT", "did not answer PING"],
    ["REPLCONF capa dragonfly", undefined, "TIMEOUT", "did not answer REPLCONF capa"],
  ])("%s answered by %j", async (request, answer, code, words) => {
    const error = await failure({ [request]: answer });
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.context).toMatchObject({ role: "source" });
  });
});

describe("the session's commands", () => {
  test("sync, startStable, offsets and anything else", async () => {
    await using server = await scriptedServer(dragonfly());
    const control = await connect(server);
    await control.sync();
    await control.startStable();
    expect(await control.replicaOffsets()).toEqual([1, 7]);
    expect(await control.command("NONSENSE")).toEqual({ type: "error", message: "ERR unknown command" });
    expect(server.requests.slice(-4, -1)).toEqual([
      ["DFLY", "SYNC", "SYNC1"],
      ["DFLY", "STARTSTABLE", "SYNC1"],
      ["DFLY", "REPLICAOFFSET"],
    ]);
    control.close();
  });

  test.each([
    ["-ERR invalid state\r\n", "SOURCE_REFUSED", "not in the state for that"],
    ["-ERR syncid not found\r\n", "SOURCE_REFUSED", "forgotten our session"],
    ["-NOPERM low has no ACL permissions\r\n", "AUTH_FAILED", "may not run DFLY SYNC"],
    [":1\r\n", "PROTOCOL_VIOLATION", "not what a Dragonfly answers"],
  ])("SYNC answered by %j", async (answer, code, words) => {
    await using server = await scriptedServer(dragonfly({ "DFLY SYNC": answer }));
    const control = await connect(server);
    const error = await rejection<Df2RedisError>(control.sync());
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    control.close();
  });

  test("the owner hears of the end, once", async () => {
    await using server = await scriptedServer(dragonfly());
    const closed: unknown[] = [];
    const control = await connect(server, { onClose: (error) => void closed.push(error?.code) });
    server.sockets[0]?.end();
    await until(() => closed.length > 0);
    expect(closed).toEqual(["CONNECTION_LOST"]);
    expect((await rejection<Df2RedisError>(control.sync())).code).toBe("CONNECTION_LOST");
  });
});
