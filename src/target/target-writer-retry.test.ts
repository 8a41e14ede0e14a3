/** I7, I2, I3: what the writer does with commands that the target cannot take now. Scripted servers and a clock that only tests move. */
import { describe, expect, test } from "vitest";
import { OOM, retryBench, sendLines } from "../../test/support/retry-bench.ts";
import { rejection, until } from "../../test/support/until.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";

const READONLY = "-READONLY You can't write against a read only replica.\r\n";
const WRONGTYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

describe("commands that the target cannot take now", () => {
  test("I3: are sent again until they are applied; marks wait, nothing new is sent, everything is counted once", async () => {
    await using r = await retryBench({ refuse: ["SET b"] });
    const marks: string[] = [];
    sendLines(r.writer, "SET a 1", "SET b 2", "SET c 3");
    r.writer.afterApplied(() => void marks.push("three"));
    await until(() => r.clock.waiting === 1, "the first pause");
    expect(r.writer.isFull()).toBe(true);
    expect([r.writer.commandsDone, r.writer.inFlightCommands]).toEqual([2, 0]);
    sendLines(r.writer, "SET d 4");
    r.writer.afterApplied(() => void marks.push("four"));
    await r.clock.next();
    await until(() => r.got().filter((line) => line === "SET b 2").length === 2, "the second attempt");
    expect(marks).toEqual([]);
    r.answers.clear();
    await r.clock.next();
    await until(() => marks.length === 2, "the marks");
    expect(marks).toEqual(["three", "four"]);
    // Each attempt begins with the database, which is not taken for granted.
    expect(r.got()).toEqual(["SET a 1", "SET b 2", "SET c 3", "SELECT 0", "SET b 2", "SET b 2", "SET d 4"]);
    expect([r.writer.commandsSent, r.writer.commandsDone, r.writer.isFull(), r.drains()]).toEqual([4, 4, false, 1]);
    expect([r.rejections, r.failures]).toEqual([[], []]);
    expect(r.waits).toEqual([{ words: OOM.slice(1, -2), commands: 1, sinceMs: 1000 }]);
    expect(r.resumed).toEqual([{ waitedMs: 300 }]);
  });

  test("a mark before the first refused command runs", async () => {
    await using r = await retryBench({ refuse: ["SET b"] });
    const marks: string[] = [];
    sendLines(r.writer, "SET a 1");
    r.writer.afterApplied(() => void marks.push("a"));
    sendLines(r.writer, "SET b 2");
    r.writer.afterApplied(() => void marks.push("b"));
    await until(() => r.clock.waiting === 1, "the pause");
    expect(marks).toEqual(["a"]);
  });

  test("the pauses double up to two seconds, and a success begins anew", async () => {
    await using r = await retryBench({ retryMs: 60_000, refuse: ["SET a"] });
    sendLines(r.writer, "SET a 1", "SET b 2");
    for (let i = 0; i < 7; i++) await r.clock.next();
    await until(() => r.clock.waiting === 1, "the eighth pause");
    expect(r.clock.delays).toEqual([100, 200, 400, 800, 1600, 2000, 2000, 2000]);
  });

  test("after the first success more go at once, in order, each key once per run", async () => {
    await using r = await retryBench({ refuse: ["RPUSH"] });
    sendLines(r.writer, "RPUSH x 1", "RPUSH x 2", "RPUSH y 1", "RPUSH z 1", "RPUSH x 3");
    await until(() => r.clock.waiting === 1, "the pause");
    r.answers.clear();
    await r.clock.next();
    await until(() => r.resumed.length === 1, "the end of the wait");
    expect(r.got().slice(5)).toEqual(["SELECT 0", "RPUSH x 1", "RPUSH x 2", "RPUSH y 1", "RPUSH z 1", "RPUSH x 3"]);
  });

  test("I2: a run of which only some are refused again keeps the order of each key", async () => {
    await using r = await retryBench({ refuse: ["RPUSH"] });
    sendLines(r.writer, "RPUSH a 1", "RPUSH b 1", "RPUSH c 1", "RPUSH b 2", "RPUSH c 2");
    await until(() => r.clock.waiting === 1, "the pause");
    r.answers.clear();
    // Out of memory again for one command in the middle of the second run.
    let refusals = 1;
    r.answers.set("RPUSH b 1", () => (refusals-- > 0 ? OOM : ":1\r\n"));
    await r.clock.next();
    await r.clock.next();
    await until(() => r.resumed.length === 1, "the end of the wait");
    expect(r.got().slice(5)).toEqual([
      "SELECT 0",
      "RPUSH a 1",
      "RPUSH b 1",
      "RPUSH c 1",
      "RPUSH b 1",
      "RPUSH b 2",
      "RPUSH c 2",
    ]);
    expect(r.clock.delays).toEqual([100, 100]);
    expect(r.waits.map((wait) => wait.commands)).toEqual([5, 3]);
  });

  test("time over: the run ends with the server's words, how long it was tried and how many wait", async () => {
    await using r = await retryBench({ retryMs: 1000, refuse: ["SET"] });
    r.answers.set("SET", READONLY);
    const marks: string[] = [];
    sendLines(r.writer, "SET a 1", "SET b 2");
    r.writer.afterApplied(() => void marks.push("mark"));
    const closing = rejection<Df2RedisError>(r.writer.close());
    for (let i = 0; i < 4; i++) await r.clock.next();
    await until(() => r.failures.length === 1, "the failure");
    expect(r.failures[0]).toMatchObject({
      code: "TARGET_NOT_READY",
      context: { commands: 2, triedMs: 1000, words: READONLY.slice(1, -2) },
    });
    expect(r.failures[0]?.message).toMatch(/READONLY You can't write .* tried for 1 s; 2 commands wait/);
    expect([marks, r.writer.isFull(), r.writer.commandsDone]).toEqual([[], true, 0]);
    expect(await closing).toBe(r.failures[0]);
    expect(r.clock.waiting).toBe(0);
  });

  test("no time at all: such an error is an error as any other", async () => {
    await using r = await retryBench({ retryMs: 0, refuse: ["SET"] });
    sendLines(r.writer, "SET a 1");
    await until(() => r.rejections.length === 1, "the rejection");
    expect([r.writer.isFull(), r.writer.commandsDone, r.waits]).toEqual([false, 1, []]);
  });

  test("a refusal for another reason at a later attempt goes to the owner, before the marks", async () => {
    await using r = await retryBench({ refuse: ["SET b", "INCR"] });
    const marks: number[] = [];
    r.writer.encoder.lsn = 7;
    sendLines(r.writer, "SET a 1", "SET b 2", "INCR c");
    r.writer.afterApplied(() => void marks.push(r.rejections.length));
    await until(() => r.clock.waiting === 1, "the pause");
    r.answers.delete("INCR");
    r.answers.set("SET b", WRONGTYPE);
    await r.clock.next();
    await until(() => marks.length === 1, "the mark");
    expect(r.rejections).toMatchObject([{ index: 1, element: -1, message: WRONGTYPE.slice(1, -2) }]);
    expect(r.rejections[0]?.command).toMatchObject({ name: "SET", lsn: 7, db: 0 });
    expect(marks).toEqual([1]);
    expect(r.writer.commandsDone).toBe(3);
  });

  test("an owner that gives up on such a refusal hears nothing more", async () => {
    const marks: string[] = [];
    await using r = await retryBench({ refuse: ["SET b"], onError: () => r.writer.destroy() });
    sendLines(r.writer, "SET b 2", "SET d 2");
    r.writer.afterApplied(() => void marks.push("mark"));
    await until(() => r.clock.waiting === 1, "the pause");
    r.answers.set("SET b", WRONGTYPE);
    await r.clock.next();
    await until(() => r.writer.isFull() && r.server.sockets[0]?.destroyed === true, "the end");
    expect([marks, r.failures, r.resumed]).toEqual([[], [], []]);
  });

  test("an error of another class elsewhere in the window goes to the owner, and is not sent again", async () => {
    await using r = await retryBench({ refuse: ["SET a"] });
    r.answers.set("LPUSH", WRONGTYPE);
    sendLines(r.writer, "SET a 1", "LPUSH l 1");
    await until(() => r.rejections.length === 1, "the rejection");
    expect(r.rejections[0]).toMatchObject({ index: 1, command: { name: "LPUSH" } });
    r.answers.clear();
    await r.clock.next();
    await until(() => r.resumed.length === 1, "the end of the wait");
    expect(r.got()).toEqual(["SET a 1", "LPUSH l 1", "SELECT 0", "SET a 1"]);
  });

  test("one that may come of a refused command before it is judged at its next attempt", async () => {
    await using r = await retryBench({ refuse: ["XGROUP CREATE"] });
    r.answers.set("XCLAIM", "-NOGROUP No such key\r\n");
    sendLines(r.writer, "XGROUP CREATE s g 0", "XCLAIM s g c 0 1-0");
    await until(() => r.clock.waiting === 1, "the pause");
    r.answers.clear();
    await r.clock.next();
    await until(() => r.resumed.length === 1, "the end of the wait");
    expect(r.rejections).toEqual([]);
    expect(r.got().slice(2)).toEqual(["SELECT 0", "XGROUP CREATE s g 0", "XCLAIM s g c 0 1-0"]);
  });
});

describe("order (I2)", () => {
  test("a later command of the same key that ran: the run ends and says why", async () => {
    await using r = await retryBench({ refuse: ["APPEND k"] });
    const marks: string[] = [];
    r.writer.encoder.lsn = 9;
    sendLines(r.writer, "APPEND k v", "PEXPIREAT k 99");
    r.writer.afterApplied(() => void marks.push("mark"));
    await until(() => r.failures.length === 1, "the failure");
    expect(r.failures[0]).toMatchObject({
      code: "TARGET_REJECTED",
      context: { command: "APPEND", key: "k", db: 0, lsn: 9, words: OOM.slice(1, -2) },
    });
    expect(r.failures[0]?.message).toMatch(/APPEND of key "k" .* but ran PEXPIREAT of key "k" .* behind it/);
    expect([marks, r.got()]).toEqual([[], ["APPEND k v", "PEXPIREAT k 99"]]);
  });

  test("a later DEL that ran has made the refused write void: it is not sent again", async () => {
    await using r = await retryBench({ refuse: ["SET k", "SET m"] });
    const marks: string[] = [];
    sendLines(r.writer, "SET k v", "SET m v", "DEL k");
    r.writer.afterApplied(() => void marks.push("mark"));
    await until(() => r.clock.waiting === 1, "the pause");
    r.answers.clear();
    await r.clock.next();
    await until(() => marks.length === 1, "the mark");
    expect(r.got()).toEqual(["SET k v", "SET m v", "DEL k", "SELECT 0", "SET m v"]);
    expect([r.failures, r.writer.commandsDone]).toEqual([[], 3]);
  });

  test("when all refused writes are void the wait ends at once", async () => {
    await using r = await retryBench({ refuse: ["SET k"] });
    sendLines(r.writer, "SET k v", "DEL k");
    await until(() => r.resumed.length === 1, "the end of the wait");
    expect(r.got()).toEqual(["SET k v", "DEL k", "SELECT 0"]);
    expect(r.clock.delays).toEqual([]);
  });
});

describe("databases", () => {
  test("each command runs in its own, and the connection is back in the encoder's before anything else is sent", async () => {
    await using r = await retryBench({ refuse: ["SET"] });
    sendLines(r.writer, "SELECT 3", "SET a 1", "SELECT 5", "SET b 1", "DEL x", "SELECT 7", "DEL y");
    await until(() => r.clock.waiting === 1, "the pause");
    // Not sent yet: it goes without a SELECT, since the encoder knows itself in 7.
    sendLines(r.writer, "SET later 1");
    r.answers.clear();
    await r.clock.next();
    await until(() => r.got().at(-1) === "SET later 1", "the rest");
    expect(r.got().slice(7)).toEqual(["SELECT 3", "SET a 1", "SELECT 5", "SET b 1", "SELECT 7", "SET later 1"]);
  });

  test("a SELECT that was refused as well is made good", async () => {
    await using r = await retryBench();
    r.answers.set("SE", "-BUSY Redis is busy running a script.\r\n");
    sendLines(r.writer, "SELECT 3", "SET a 1");
    await r.clock.next();
    await until(() => r.got().length === 3 && r.clock.waiting === 1, "the second pause");
    r.answers.clear();
    await r.clock.next();
    await until(() => r.resumed.length === 1, "the end of the wait");
    // Behind a refused SELECT nothing is sent.
    expect(r.got()).toEqual(["SELECT 3", "SET a 1", "SELECT 3", "SELECT 3", "SET a 1"]);
    expect(r.failures).toEqual([]);
  });

  test("what ran behind a refused SELECT went to another database: the run ends and says so", async () => {
    await using r = await retryBench();
    r.answers.set("SELECT", "-BUSY Redis is busy running a script.\r\n");
    sendLines(r.writer, "SELECT 3", "SET a 1");
    await until(() => r.failures.length === 1, "the failure");
    expect(r.failures[0]?.code).toBe("TARGET_REJECTED");
    expect(r.failures[0]?.message).toMatch(/refused SELECT 3 .* ran SET of key "a" .* another database/);
  });

  test("a database that is refused for good ends the run", async () => {
    await using r = await retryBench({ refuse: ["SET a"] });
    sendLines(r.writer, "SELECT 3", "SET a 1");
    await until(() => r.clock.waiting === 1, "the pause");
    r.answers.set("SELECT 3", "-NOPERM no\r\n");
    await r.clock.next();
    await until(() => r.failures.length === 1, "the failure");
    expect(r.failures[0]).toMatchObject({ code: "TARGET_REJECTED", context: { db: 3, words: "NOPERM no" } });
  });
});

describe("the end during a wait", () => {
  test("close waits for what waits", async () => {
    await using r = await retryBench({ refuse: ["SET a"] });
    sendLines(r.writer, "SET a 1");
    await until(() => r.clock.waiting === 1, "the pause");
    r.writer.encoder.command("SET", "z", "1");
    let closed = false;
    const closing = r.writer.close().then(() => (closed = true));
    await r.clock.next();
    await until(() => r.got().length === 3, "the attempt");
    expect(closed).toBe(false);
    r.answers.clear();
    r.server.sockets[0]?.on("end", () => r.server.sockets[0]?.end());
    await r.clock.next();
    await closing;
    expect(r.got().slice(3)).toEqual(["SET a 1", "SET z 1"]);
    expect([r.writer.commandsDone, r.failures]).toEqual([2, []]);
  });

  test("destroy ends it: no timer is left, nothing runs", async () => {
    await using r = await retryBench({ refuse: ["SET a"] });
    const marks: string[] = [];
    sendLines(r.writer, "SET a 1");
    r.writer.afterApplied(() => void marks.push("mark"));
    await until(() => r.clock.waiting === 1, "the pause");
    r.writer.destroy();
    expect(r.clock.waiting).toBe(0);
    await until(() => r.server.sockets[0]?.destroyed === true, "the end");
    expect([marks, r.failures, r.resumed]).toEqual([[], [], []]);
  });

  test("a connection that is lost says how many are unconfirmed", async () => {
    await using r = await retryBench({ refuse: ["SET"] });
    sendLines(r.writer, "SET a 1", "SET b 1");
    await until(() => r.clock.waiting === 1, "the pause");
    r.writer.encoder.command("SET", "c", "1");
    r.server.sockets[0]?.destroy();
    await until(() => r.failures.length === 1, "the failure");
    expect(r.failures[0]).toMatchObject({ code: "CONNECTION_LOST", context: { unconfirmed: 3 } });
    expect(r.clock.waiting).toBe(0);
  });

  test("a server that does not answer an attempt is a timeout", async () => {
    await using r = await retryBench({ refuse: ["SET"], replyTimeoutMs: 40 });
    sendLines(r.writer, "SET a 1");
    await until(() => r.clock.waiting === 1, "the pause");
    r.answers.set("SET", "");
    r.answers.set("SELECT", "");
    await r.clock.next();
    await until(() => r.failures.length === 1, "the failure");
    expect(r.failures[0]?.code).toBe("TIMEOUT");
  });

  test.each([
    ["between two attempts", "-ERR max number of clients reached\r\n", "TARGET_NOT_READY"],
    ["in an attempt", "+OK\r\n+OK\r\n", "PROTOCOL_VIOLATION"],
  ])("a reply that nothing asked for %s", async (where, bytes, code) => {
    await using r = await retryBench({ refuse: ["SET"] });
    sendLines(r.writer, "SET a 1");
    await until(() => r.clock.waiting === 1, "the pause");
    if (where === "in an attempt") {
      r.answers.set("SELECT", bytes);
      await r.clock.next();
    } else r.server.sockets[0]?.write(bytes);
    await until(() => r.failures.length === 1, "the failure");
    expect(r.failures[0]?.code).toBe(code);
  });
});

describe("marks that the owner holds", () => {
  test("run when it lets them go, in order", async () => {
    await using r = await retryBench();
    const marks: string[] = [];
    r.writer.holdMarks();
    r.writer.afterApplied(() => void marks.push("nothing sent"));
    sendLines(r.writer, "SET a 1");
    r.writer.afterApplied(() => void marks.push("a"));
    await until(() => r.writer.commandsDone === 1, "the reply");
    expect(marks).toEqual([]);
    r.writer.releaseMarks();
    expect(marks).toEqual(["nothing sent", "a"]);
    r.writer.afterApplied(() => void marks.push("at once"));
    expect(marks).toHaveLength(3);
  });
});
