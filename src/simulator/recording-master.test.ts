import { afterEach, describe, expect, test } from "vitest";
import { RawConnection } from "../../test/support/raw-connection.ts";
import { openRecording, recordingNames } from "../../test/support/recordings.ts";
import type { RecordedFlow } from "./recording.ts";
import { type RecordingMaster, type RecordingMasterOptions, startRecordingMaster } from "./recording-master.ts";

const recording = openRecording("dragonfly-1.40.1/types");
const partial = openRecording("dragonfly-1.40.1/partial");
const [flow0, flow1] = recording.first.flows as [RecordedFlow, RecordedFlow];

const masters: RecordingMaster[] = [];
const connections: RawConnection[] = [];
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  for (const master of masters.splice(0)) await master.stop();
});

async function start(options: Partial<RecordingMasterOptions> = {}): Promise<RecordingMaster> {
  const master = await startRecordingMaster({ recording, ...options });
  masters.push(master);
  return master;
}

async function open(master: RecordingMaster): Promise<RawConnection> {
  const connection = await RawConnection.open(master.port);
  connections.push(connection);
  return connection;
}

/** A control connection after its handshake. */
async function greet(master: RecordingMaster, auth?: string): Promise<RawConnection> {
  const control = await open(master);
  if (auth !== undefined) await control.ask(auth);
  await control.ask("PING");
  await control.ask("REPLCONF listening-port 6379");
  await control.ask("REPLCONF ip-address 127.0.0.1");
  await control.ask("REPLCONF capa eof capa psync2");
  await control.ask("REPLCONF capa dragonfly", 5);
  return control;
}

async function openFlow(master: RecordingMaster, flow: number, words = `SYNC1 ${flow}`): Promise<RawConnection> {
  const connection = await open(master);
  connection.send(`DFLY FLOW ${master.masterId} ${words}\r\n`);
  await connection.until(
    () => connection.bytes().toString("latin1").split("\r\n").length > (connection.bytes()[0] === 42 ? 3 : 1),
  );
  return connection;
}

async function openFlows(master: RecordingMaster): Promise<RawConnection[]> {
  const flows: RawConnection[] = [];
  for (let flow = 0; flow < master.flowCount; flow++) flows.push(await openFlow(master, flow));
  return flows;
}

/** A session up to the middle of a full sync: all bytes before STARTSTABLE were read. */
async function sync(
  master: RecordingMaster,
  recorded = recording,
): Promise<{ control: RawConnection; flows: RawConnection[] }> {
  const control = await greet(master);
  const flows = await openFlows(master);
  await control.ask("DFLY SYNC SYNC1");
  await Promise.all(flows.map((flow, i) => flow.untilSize(recorded.first.flows[i]?.syncEnd ?? 0)));
  return { control, flows };
}

async function stable(
  master: RecordingMaster,
  recorded = recording,
): Promise<{ control: RawConnection; flows: RawConnection[] }> {
  const session = await sync(master, recorded);
  await session.control.ask("DFLY STARTSTABLE SYNC1");
  await Promise.all(session.flows.map((flow, i) => flow.untilSize(recorded.first.flows[i]?.master.length ?? 0)));
  return session;
}

describe("a legal session", () => {
  test.each(recordingNames())("%s: every flow gets its recorded bytes, and nothing is found wrong", async (name) => {
    const recorded = openRecording(name);
    const master = await start({ recording: recorded });
    const { flows } = await stable(master, recorded);
    for (const [i, flow] of flows.entries()) {
      expect(flow.bytes().equals(recorded.first.flows[i]?.master ?? Buffer.alloc(0))).toBe(true);
      for (const lsn of recorded.first.flows[i]?.acks ?? []) flow.send(`REPLCONF ACK ${lsn}\r\n`);
    }
    await master.whenAllAcked();
    await Promise.all(recorded.first.flows.map((flow) => master.whenAcked(flow.flow, flow.finalLsn)));
    expect(master.errors).toEqual([]);
  });

  test("answers with the recorded replies", async () => {
    const master = await start();
    const control = await open(master);
    const replies = [];
    for (const { request, reply } of recording.first.control.slice(0, 6)) {
      replies.push([
        reply.toString("latin1"),
        await control.ask(request.join(" "), reply.toString("latin1").split("\r\n").length - 1),
      ]);
    }
    for (const [recorded, played] of replies) expect(played).toBe(recorded);
    expect(master.errors).toEqual([]);
  });

  test("takes requests as RESP arrays", async () => {
    const master = await start();
    const control = await open(master);
    expect(await control.ask("*1\r\n$4\r\nping")).toBe("+PONG\r\n");
  });

  test("resumes the second part by LSN, without a sync", async () => {
    const master = await start({ recording: partial, second: true });
    const control = await greet(master);
    const flows = [await openFlow(master, 0, "SYNC2 0 346"), await openFlow(master, 1, "SYNC2 1 373")];
    expect(flows[0]?.bytes().toString("latin1")).toMatch(/^\*2\r\n\+PARTIAL\r\n\+[0-9a-f]{40}\r\n$/);
    expect(await control.ask("DFLY SYNC SYNC2")).toBe("-ERR invalid state\r\n");
    expect(await control.ask("DFLY STARTSTABLE SYNC2")).toBe("+OK\r\n");
    for (const [i, flow] of flows.entries()) {
      const recorded = partial.second?.flows[i];
      await flow.untilSize(recorded?.master.length ?? 0);
      flow.send(`REPLCONF ACK ${recorded?.journal.startLsn}\r\nREPLCONF ACK ${recorded?.finalLsn}\r\n`);
    }
    await master.whenAllAcked();
    expect(master.errors).toEqual(["DFLY SYNC after the flows were answered PARTIAL"]);
  });

  test("resumes with the LSNs of all flows in one argument too", async () => {
    const master = await start({ recording: partial, second: true });
    await greet(master);
    await openFlow(master, 0, `SYNC2 0 ${master.masterId} 346-373`);
    await openFlow(master, 1, `SYNC2 1 ${master.masterId} 346-373`);
    expect(master.errors).toEqual([]);
  });

  test("a second handshake starts the recording again under the next sync id", async () => {
    const master = await start();
    const first = await greet(master);
    first.close();
    await master.whenClosed();
    const again = await greet(master);
    expect(again.bytes().toString("latin1")).toContain("+SYNC2\r\n");
    const flow = await openFlow(master, 0, "SYNC2 0");
    expect(flow.bytes().toString("latin1")).toMatch(/^\*2\r\n\+FULL\r\n/);
    expect(master.sessionCount).toBe(2);
    expect(master.errors).toEqual([]);
  });
});

describe("gates", () => {
  test("only the reply comes before DFLY SYNC, only the snapshot before STARTSTABLE", async () => {
    const master = await start();
    const control = await greet(master);
    const flows = await openFlows(master);
    await control.ask("PING");
    expect(flows.map((flow) => flow.size)).toEqual([flow0.replyEnd, flow1.replyEnd]);
    await control.ask("DFLY SYNC SYNC1");
    await flows[0]?.untilSize(flow0.syncEnd);
    await flows[1]?.untilSize(flow1.syncEnd);
    await control.ask("PING");
    expect(flows.map((flow) => flow.size)).toEqual([flow0.syncEnd, flow1.syncEnd]);
  });

  test("a held flow stops at its offset, until it is released", async () => {
    const master = await start();
    master.holdFlowAt(1, 1000);
    const control = await greet(master);
    const flows = await openFlows(master);
    await control.ask("DFLY SYNC SYNC1");
    await flows[0]?.untilSize(flow0.syncEnd);
    await flows[1]?.untilSize(1000);
    await control.ask("PING");
    expect(flows[1]?.size).toBe(1000);
    master.releaseFlow(1);
    await flows[1]?.untilSize(flow1.syncEnd);
    expect(flows[1]?.size).toBe(flow1.syncEnd);
  });

  test("a reader that stalls is waited for, and gets everything later", async () => {
    const master = await start();
    const { control, flows } = await sync(master);
    flows[0]?.pause();
    await control.ask("DFLY STARTSTABLE SYNC1");
    await flows[1]?.untilSize(flow1.master.length);
    flows[0]?.resume();
    await flows[0]?.untilSize(flow0.master.length);
    expect(flows[0]?.bytes().equals(flow0.master)).toBe(true);
  });

  test("onStable is called as STARTSTABLE is granted, before more is sent", async () => {
    const sent: number[] = [];
    const master = await start({ onStable: () => sent.push(master.sentBytes(0)) });
    await stable(master);
    await master.whenStable();
    expect(sent).toEqual([flow0.syncEnd]);
  });
});

describe("pieces", () => {
  test.each([1, 7, 4096])("of %d bytes arrive as such", async (chunkBytes) => {
    const sentBytes = flow1.replyEnd + 5000 * Math.min(chunkBytes, 8);
    const master = await start({ chunkBytes });
    const control = await greet(master);
    const flows = await openFlows(master);
    master.holdFlowAt(0, 0);
    master.holdFlowAt(1, sentBytes);
    await control.ask("DFLY SYNC SYNC1");
    await flows[1]?.untilSize(sentBytes);
    expect(flows[1]?.bytes().equals(flow1.master.subarray(0, sentBytes))).toBe(true);
    const whole = flows[1]?.chunkSizes.filter((size) => size === chunkBytes).length ?? 0;
    expect(whole).toBeGreaterThan(0.5 * Math.floor((sentBytes - flow1.replyEnd) / chunkBytes));
  });
});

describe("illegal requests are answered as a real master does, and told", () => {
  type Case = { readonly ask: string; readonly reply: string; readonly told: string };
  const id = recording.first.masterId;

  test.each<Case>([
    { ask: "DFLY FLOW x SYNC1 0", reply: "-ERR bad master id", told: "DFLY FLOW x SYNC1 0: ERR bad master id" },
    {
      ask: `DFLY FLOW ${id} SYNC9 0`,
      reply: "-ERR syncid not found",
      told: `DFLY FLOW ${id} SYNC9 0: ERR syncid not found`,
    },
    { ask: "DFLY SYNC SYNC9", reply: "-ERR syncid not found", told: "DFLY SYNC SYNC9: ERR syncid not found" },
    { ask: "DFLY SYNC bad", reply: "-ERR bad sync id", told: "DFLY SYNC bad: ERR bad sync id" },
    {
      ask: "DFLY STARTSTABLE SYNC9",
      reply: "-ERR syncid not found",
      told: "DFLY STARTSTABLE SYNC9: ERR syncid not found",
    },
    { ask: "REPLCONF nonsense 1", reply: "-ERR syntax error", told: "unknown request REPLCONF nonsense 1" },
    { ask: "PSYNC ? -1", reply: "-ERR unknown command `PSYNC`", told: "unknown command PSYNC ? -1" },
    { ask: "REPLCONF listening-port 1", reply: "+OK", told: "listening-port was sent before PING" },
  ])("$ask", async ({ ask, reply, told }) => {
    const master = await start();
    const connection = await open(master);
    expect(await connection.ask(ask)).toBe(`${reply}\r\n`);
    expect(master.errors).toEqual([told]);
  });

  test.each([
    ["SYNC1 2", "-ERR value is not an integer or out of range", "DFLY FLOW for flow 2"],
    ["SYNC1 x", "-ERR value is not an integer or out of range", undefined],
    ["SYNC1 0 x", "-ERR value is not an integer or out of range", undefined],
    ["SYNC2 0", "-ERR syncid not found", undefined],
  ])("DFLY FLOW … %s after the handshake", async (words, reply, told) => {
    const master = await start();
    await greet(master);
    const flow = await openFlow(master, 0, words);
    expect(flow.bytes().toString("latin1")).toBe(`${reply}\r\n`);
    expect(master.errors[0]).toContain(told ?? reply.slice(1));
  });

  test("DFLY SYNC before every flow is open", async () => {
    const master = await start();
    const control = await greet(master);
    await openFlow(master, 0);
    expect(await control.ask("DFLY SYNC SYNC1")).toBe("-ERR invalid state\r\n");
    expect(master.errors).toEqual(["DFLY SYNC before flow 1 was opened"]);
  });

  test("DFLY SYNC twice", async () => {
    const master = await start();
    const { control } = await sync(master);
    expect(await control.ask("DFLY SYNC SYNC1")).toBe("-ERR invalid state\r\n");
    expect(master.errors).toEqual(["DFLY SYNC in state full_sync"]);
  });

  test("DFLY STARTSTABLE without a sync, and twice", async () => {
    const master = await start();
    const control = await greet(master);
    expect(await control.ask("DFLY STARTSTABLE SYNC1")).toBe("-ERR invalid state\r\n");
    await openFlows(master);
    await control.ask("DFLY SYNC SYNC1");
    await master.whenSent(0, flow0.syncEnd);
    await master.whenSent(1, flow1.syncEnd);
    await control.ask("DFLY STARTSTABLE SYNC1");
    expect(await control.ask("DFLY STARTSTABLE SYNC1")).toBe("-ERR invalid state\r\n");
    expect(master.errors).toEqual(["DFLY STARTSTABLE in state preparation", "DFLY STARTSTABLE in state stable"]);
  });

  test("I1: DFLY STARTSTABLE before one flow was sent the last byte of its FULLSYNC_END", async () => {
    const end = flow1.fullSyncEnd ?? 0;
    const master = await start();
    master.holdFlowAt(1, end - 1);
    const control = await greet(master);
    await openFlows(master);
    await control.ask("DFLY SYNC SYNC1");
    await master.whenSent(0, flow0.syncEnd);
    await master.whenSent(1, end - 1);
    expect(await control.ask("DFLY STARTSTABLE SYNC1")).toBe("+OK\r\n");
    expect(master.errors).toEqual([
      `DFLY STARTSTABLE before flow 1 was sent its FULLSYNC_END (${end - 1} of ${end} bytes)`,
    ]);
  });

  test("a flow opened twice", async () => {
    const master = await start();
    await greet(master);
    await openFlow(master, 0);
    await openFlow(master, 0);
    expect(master.errors).toEqual(["flow 0 was opened twice"]);
  });

  test("a flow opened on the control connection", async () => {
    const master = await start();
    const control = await greet(master);
    expect(await control.ask(`DFLY FLOW ${master.masterId} SYNC1 0`)).toBe("-ERR invalid state\r\n");
    expect(master.errors).toHaveLength(1);
  });

  test("DFLY SYNC on another connection than the control connection", async () => {
    const master = await start();
    await greet(master);
    await openFlows(master);
    const other = await open(master);
    await other.ask("DFLY SYNC SYNC1");
    expect(master.errors).toEqual(["DFLY SYNC SYNC1 on a connection that is not its session's control connection"]);
  });

  test("a resume at another LSN than the recording's", async () => {
    const master = await start({ recording: partial, second: true });
    await greet(master);
    await openFlow(master, 0, "SYNC2 0 345");
    expect(master.errors).toEqual(["flow 0 asks for LSN 345, the recording starts at 346"]);
  });

  test("bytes that are no request", async () => {
    const master = await start();
    const connection = await open(master);
    connection.send("*1\r\n:5\r\n");
    await connection.untilClosed();
    expect(connection.bytes().toString()).toBe("-ERR Protocol error\r\n");
    expect(master.errors).toHaveLength(1);
  });
});

describe("acknowledgements", () => {
  const acknowledge = async (...lsns: readonly (number | string)[]): Promise<readonly string[]> => {
    const master = await start();
    const { flows } = await stable(master);
    for (const lsn of lsns) flows[0]?.send(`REPLCONF ACK ${lsn}\r\n`);
    flows[1]?.send("REPLCONF ACK 1\r\n");
    await master.whenAcked(1, 1);
    await master.whenAcked(0, 1);
    return master.errors;
  };

  test("that never go down and stay within the recording are legal", async () => {
    expect(await acknowledge(1, 1, 200, 351)).toEqual([]);
  });

  test.each([
    [[2, 1], "flow 0: REPLCONF ACK 1 came after 2"],
    [[1, 352], "flow 0: REPLCONF ACK 352 is beyond the recording's end, 351"],
    [[0, 1], "flow 0: REPLCONF ACK 0 is below the first LSN, 1"],
    [["x", 1], "flow 0: REPLCONF ACK x is not a number"],
  ])("%j is told", async (lsns, told) => {
    expect(await acknowledge(...lsns)).toEqual([told]);
  });

  test("beyond what was sent so far are told", async () => {
    const master = await start();
    const { control, flows } = await sync(master);
    const third = flow0.journal.ends[2] ?? 0;
    master.holdFlowAt(0, third);
    await control.ask("DFLY STARTSTABLE SYNC1");
    await flows[0]?.untilSize(third);
    flows[0]?.send("REPLCONF ACK 4\r\n");
    await master.whenAcked(0, 4);
    expect(master.errors).toEqual([]);
    flows[0]?.send("REPLCONF ACK 5\r\n");
    await master.whenAcked(0, 5);
    expect(master.errors).toEqual(["flow 0: REPLCONF ACK 5 is beyond what was sent, 4"]);
  });

  test("before the stable journal are told", async () => {
    const master = await start();
    const { flows } = await sync(master);
    flows[0]?.send("REPLCONF ACK 1\r\n");
    await master.whenAcked(0, 1);
    expect(master.errors).toEqual(["flow 0: REPLCONF ACK 1 came before the stable journal"]);
  });

  test("on the control connection are told, and not answered", async () => {
    const master = await start();
    const { control } = await stable(master);
    const before = control.size;
    control.send("REPLCONF ACK 1\r\n");
    await control.ask("PING");
    expect(control.bytes().subarray(before).toString()).toBe("+PONG\r\n");
    expect(master.errors).toEqual(["REPLCONF ACK 1 on a connection that is no flow"]);
  });

  test("anything else on a flow is told", async () => {
    const master = await start();
    const { flows } = await stable(master);
    flows[0]?.send("PING\r\nREPLCONF ACK 1\r\n");
    await master.whenAcked(0, 1);
    expect(master.errors).toEqual(["flow 0: PING"]);
    expect(flows[0]?.size).toBe(flow0.master.length);
  });

  test("DFLY REPLICAOFFSET says what was sent: 0 while no journal is active", async () => {
    const master = await start();
    const { control, flows } = await sync(master);
    expect(await control.ask("DFLY REPLICAOFFSET", 3)).toBe("*2\r\n:0\r\n:0\r\n");
    await control.ask("DFLY STARTSTABLE SYNC1");
    await flows[0]?.untilSize(flow0.master.length);
    await flows[1]?.untilSize(flow1.master.length);
    await master.whenSent(0, flow0.master.length);
    await master.whenSent(1, flow1.master.length);
    expect(await control.ask("DFLY REPLICAOFFSET", 3)).toBe("*2\r\n:351\r\n:368\r\n");
  });
});

describe("the session dies as a whole", () => {
  test("when one flow closes, every flow is closed, the session is forgotten, and the control connection stays", async () => {
    const master = await start();
    const { control, flows } = await stable(master);
    flows[0]?.close();
    await flows[1]?.untilClosed();
    await master.whenClosed();
    expect(await control.ask("DFLY STARTSTABLE SYNC1")).toBe("-ERR syncid not found\r\n");
    expect(control.closed).toBe(false);
  });

  test("when the control connection closes, every flow is closed", async () => {
    const master = await start();
    const { control, flows } = await stable(master);
    control.close();
    await Promise.all(flows.map((flow) => flow.untilClosed()));
    expect(flows.every((flow) => flow.closed)).toBe(true);
  });

  test("cutFlows breaks the link and leaves the control connection", async () => {
    const master = await start();
    const { control, flows } = await sync(master);
    master.cutFlows();
    await Promise.all(flows.map((flow) => flow.untilClosed()));
    expect(await control.ask("PING")).toBe("+PONG\r\n");
  });

  test("stop ends the waiting of those who watch", async () => {
    const master = await start();
    const waiting = master.whenAcked(0, 1).catch((error: unknown) => error);
    await master.stop();
    expect(await waiting).toMatchObject({ code: "CONNECTION_LOST" });
  });
});

describe("authentication", () => {
  test("every connection needs it first", async () => {
    const master = await start({ password: "secret" });
    const control = await open(master);
    expect(await control.ask("PING")).toBe("-NOAUTH Authentication required.\r\n");
    const flow = await open(master);
    expect(await flow.ask(`DFLY FLOW ${master.masterId} SYNC1 0`)).toBe("-NOAUTH Authentication required.\r\n");
    expect(master.errors).toEqual(["PING before AUTH", "DFLY before AUTH"]);
  });

  test.each(["AUTH secret", "AUTH default secret"])("%s is taken", async (auth) => {
    const master = await start({ password: "secret" });
    const control = await greet(master, auth);
    expect(control.bytes().toString("latin1")).toMatch(/^\+OK\r\n\+PONG\r\n/);
    expect(master.errors).toEqual([]);
  });

  test.each(["AUTH wrong", "AUTH default wrong", "AUTH other secret"])("%s is refused", async (auth) => {
    const master = await start({ password: "secret" });
    const control = await open(master);
    expect(await control.ask(auth)).toBe("-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    expect(master.errors).toEqual(["AUTH with a wrong user or password"]);
  });

  test("a user other than the default one", async () => {
    const master = await start({ user: "repl", password: "pw" });
    const control = await open(master);
    expect(await control.ask("AUTH pw")).toContain("-WRONGPASS");
    const other = await open(master);
    expect(await other.ask("AUTH repl pw")).toBe("+OK\r\n");
  });
});

test("a recording without a second part cannot play it", async () => {
  await expect(startRecordingMaster({ recording, second: true })).rejects.toMatchObject({ code: "USAGE" });
});
