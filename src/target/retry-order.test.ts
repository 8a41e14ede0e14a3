import { describe, expect, test } from "vitest";
import { type Outcome, RetryOrder } from "./retry-order.ts";

/** `+` ran, `-` was refused for now, `!` was refused for another reason; `3:` in front of the name is the database. */
function order(...lines: readonly string[]): { order: RetryOrder; again: number[] } {
  const result = new RetryOrder();
  const again: number[] = [];
  for (const [position, line] of lines.entries()) {
    const [, mark = "", db, text = ""] = /^([-+!])(?:(\d+):)?(.*)$/s.exec(line) ?? [];
    const outcome = ({ "+": "applied", "-": "waiting", "!": "refused" } as Record<string, Outcome>)[mark] ?? "applied";
    const words = text.split(" ").map((word) => Buffer.from(word));
    if (result.add({ position, db: Number(db ?? 0), words }, outcome)) again.push(position);
  }
  return { order: result, again };
}

const positions = (result: RetryOrder): number[] => result.waiting.map(({ position }) => position);

describe("what may be sent again", () => {
  test.each([
    ["other keys", "-SET a 1", "+SET b 1", "+DEL c"],
    ["the same key in another database", "-0:SET a 1", "+1:APPEND a 1"],
    ["a value that reads as the key", "-SET a 1", "+SET b a"],
    ["additions to a set", "-SADD a x", "+SADD a y"],
    ["counters", "-INCR a", "+DECRBY a 3", "+INCRBY a 5"],
    ["fields that differ", "-HSET a x 1 y 2", "+HSET a z 3", "+HSET a w 4"],
    ["scores of members that differ", "-ZADD a 1 x", "+ZADD a -2.5 y 3 z"],
    ["a script on other keys, the key among its arguments", "-SET a 1", "+EVAL script 1 b a"],
    ["before it", "+APPEND a 1", "-APPEND a 2"],
  ])("%s", (_name, ...lines) => {
    const { order: result } = order(...lines);
    expect(result.conflict).toBeUndefined();
    expect(positions(result)).toEqual([lines.findIndex((line) => line.startsWith("-"))]);
  });

  test.each([
    ["the same key", "-APPEND a 1", "+APPEND a 2"],
    ["a list", "-RPUSH a 1", "+RPUSH a 2"],
    ["a deadline", "-SET a 1", "+PEXPIREAT a 99"],
    ["a read of it", "-SET a 1", "+COPY a b"],
    ["a rename onto it", "-SET a 1", "+EVAL script 2 b a"],
    ["one of several keys", "-MSET a 1 b 2", "+LPUSH b 1"],
    ["DEL of only one of several keys", "-MSET a 1 b 2", "+DEL b"],
    ["DEL of the destination of a rename", "-EVAL script 2 a b", "+DEL b"],
    ["SET that keeps something", "-HSET a x 1", "+SET a 1 KEEPTTL"],
    ["the same field", "-HSET a x 1 y 2", "+HSET a z 3 y 4"],
    ["the same member", "-ZADD a 1 x", "+ZADD a 2 x"],
    ["ZADD with options", "-ZADD a 1 x", "+ZADD a NX 2 y"],
    ["SADD and SREM", "-SADD a x", "+SREM a x"],
    ["the database that MOVE writes to", "-0:MOVE a 3", "+3:APPEND a 1"],
    ["MOVE to it", "-3:APPEND a 1", "+0:MOVE a 3"],
    ["a command that nobody knows", "-NEW a", "+OTHER b a"],
    ["a read of keys by pattern", "-SORT l BY w_* STORE d", "+DEL w_1"],
    ["the same the other way round", "-SET w_1 1", "+SORT l BY w_* STORE d"],
  ])("not behind %s", (_name, ...lines) => {
    const { order: result } = order(...lines);
    expect(result.conflict).toEqual({ waiting: 0, applied: 1, kind: "order" });
  });
});

describe("what later commands make void", () => {
  test.each([
    ["DEL", "+DEL b a"],
    ["UNLINK", "+UNLINK a"],
    ["SET", "+SET a 2"],
    ["SET with a deadline", "+SET a 2 PXAT 99"],
    ["RESTORE", "+RESTORE a 0 x REPLACE ABSTTL"],
  ])("%s", (_name, line) => {
    const { order: result } = order("-SET a 1", "-SET c 1", line);
    expect([result.conflict, result.superseded, positions(result)]).toEqual([undefined, 1, [1]]);
  });

  test("all writes to the key, but what was read from it meanwhile is a conflict", () => {
    const { order: result } = order("-SET a 1", "-APPEND a 2", "+DEL a", "+APPEND a 3");
    expect([result.conflict, positions(result)]).toEqual([undefined, []]);
    expect(order("-SET a 1", "-COPY a b", "+DEL a").order.conflict).toMatchObject({ waiting: 1, applied: 2 });
  });
});

describe("refusals for another reason", () => {
  test("are judged again when an earlier command on the key did not run, else at once", () => {
    const { order: result, again } = order("-XGROUP CREATE s g 0", "!XCLAIM s g c 0 1-0", "!LPUSH t 1");
    expect(again).toEqual([0, 1]);
    expect(positions(result)).toEqual([0, 1]);
  });
});

describe("SELECT", () => {
  test("that was refused is not sent again by itself, and made good by a later one", () => {
    const { order: result } = order("-SELECT 3", "-3:SET a 1", "+SELECT 4", "+4:SET b 1");
    expect([result.conflict, positions(result)]).toEqual([undefined, [1]]);
  });

  test("that was refused: what runs behind it goes to another database", () => {
    expect(order("-SELECT 3", "-3:SET a 1", "+3:DEL b").order.conflict).toEqual({
      waiting: 0,
      applied: 2,
      kind: "database",
    });
  });

  test("that was refused: what is refused behind it is sent again in its own database", () => {
    expect(order("-SELECT 3", "!3:LPUSH s 1").again).toEqual([0, 1]);
  });
});
