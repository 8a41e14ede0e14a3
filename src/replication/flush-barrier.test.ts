import { describe, expect, test } from "vitest";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { FlushBarrier } from "./flush-barrier.ts";
import type { FlushRequest } from "./worker-messages.ts";

function request(flow: number, txid = 9, db = -1): FlushRequest {
  return { flow, txid, lsn: 100 + flow, db };
}

describe("I6: the flush barrier", () => {
  test("gives the flush when the last flow has come, not before", () => {
    const barrier = new FlushBarrier(3);
    expect(barrier.reach(request(2))).toBeUndefined();
    expect(barrier.reach(request(0))).toBeUndefined();
    expect(barrier.waiting).toBe(2);
    expect(barrier.reach(request(1))).toMatchObject({ txid: 9, db: -1 });
  });

  test("with one flow gives it at once", () => {
    expect(new FlushBarrier(1).reach(request(0, 4, 5))).toEqual(request(0, 4, 5));
  });

  test("a flow that comes twice counts once", () => {
    const barrier = new FlushBarrier(2);
    barrier.reach(request(0));
    expect(barrier.reach(request(0))).toBeUndefined();
    expect(barrier.waiting).toBe(1);
  });

  test("starts again after reset, with another flush", () => {
    const barrier = new FlushBarrier(2);
    barrier.reach(request(0));
    barrier.reach(request(1));
    barrier.reset();
    expect(barrier.waiting).toBe(0);
    expect(barrier.reach(request(1, 10, 5))).toBeUndefined();
    expect(barrier.reach(request(0, 10, 5))).toMatchObject({ txid: 10, db: 5 });
  });

  test.each([
    ["of another transaction", request(1, 10)],
    ["of another database", request(1, 9, 5)],
  ])("refuses a flush %s: the flows would wait for ever", (_, other) => {
    const barrier = new FlushBarrier(2);
    barrier.reach(request(0));
    try {
      barrier.reach(other);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(Df2RedisError);
      expect(error).toMatchObject({
        code: "PROTOCOL_VIOLATION",
        context: { flow: 1, lsn: 101, txid: other.txid, otherFlow: 0, otherTxid: 9 },
      });
    }
  });
});
