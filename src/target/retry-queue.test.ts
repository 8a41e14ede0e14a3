import { describe, expect, test } from "vitest";
import { CommandEncoder } from "../resp/command-encoder.ts";
import { InFlightBatch } from "./reply-window.ts";
import { keysOf } from "./retry-keys.ts";
import { RetryQueue, type WaitingCommand, bytesOf } from "./retry-queue.ts";

/** `3:` in front of a line is its database. */
function waiting(...lines: readonly string[]): WaitingCommand[] {
  const encoder = new CommandEncoder(4096);
  const dbs: number[] = [];
  for (const line of lines) {
    const [, db, text = ""] = /^(?:(\d):)?(.*)$/s.exec(line) ?? [];
    dbs.push(Number(db ?? 0));
    encoder.command(...text.split(" "));
  }
  const batch = encoder.take();
  if (batch === undefined) throw new Error("no commands");
  const entry = new InFlightBatch(batch, 0);
  return dbs.map((db, index) => {
    const words = batch.words(index);
    return { entry, index, db, ...keysOf(words[0]?.toString() ?? "", words, db) };
  });
}

const MANY = { commands: 100, bytes: 1 << 20 };
const indexes = (run: readonly WaitingCommand[]): number[] => run.map(({ index }) => index);

describe("runs", () => {
  test("end before a key that is in them already, before another database, and at their limits", () => {
    const queue = new RetryQueue(
      waiting("SET a 1", "SET b 1", "APPEND a 2", "1:SET a 1", "1:SET c 1", "1:SET d 1", "1:SET e 1"),
    );
    expect(indexes(queue.take(MANY))).toEqual([0, 1]);
    expect([queue.size, queue.db]).toEqual([5, 0]);
    expect(indexes(queue.take(MANY))).toEqual([2]);
    expect(indexes(queue.take({ ...MANY, commands: 2 }))).toEqual([3, 4]);
    expect(indexes(queue.take({ ...MANY, bytes: 1 }))).toEqual([5]);
    expect(indexes(queue.take(MANY))).toEqual([6]);
    expect(queue.take(MANY)).toEqual([]);
    expect(queue.db).toBeUndefined();
  });

  test("what is put back goes first", () => {
    const queue = new RetryQueue(waiting("SET a 1", "SET b 1", "SET c 1", "SET a 2"));
    const run = queue.take(MANY);
    queue.putBack(run.slice(1));
    expect(indexes(queue.take(MANY))).toEqual([1, 2, 3]);
  });

  test("a command that may read any key goes alone", () => {
    const queue = new RetryQueue(waiting("SET a 1", "SORT l BY w_* STORE d", "SET w_1 1"));
    expect([1, 2, 3].map(() => indexes(queue.take(MANY)))).toEqual([[0], [1], [2]]);
  });

  test("the bytes are those of the command, whatever they hold", () => {
    const [first, second] = waiting("SET a *2\r\n$3", "1:DEL x");
    if (first === undefined || second === undefined) throw new Error("no commands");
    expect(bytesOf(first).toString()).toBe("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$6\r\n*2\r\n$3\r\n");
    expect(bytesOf(second).toString()).toBe("*2\r\n$3\r\nDEL\r\n$1\r\nx\r\n");
  });
});
