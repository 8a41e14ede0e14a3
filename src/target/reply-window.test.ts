import { describe, expect, test } from "vitest";
import type { CommandBatch } from "../resp/command-batch.ts";
import { CommandEncoder } from "../resp/command-encoder.ts";
import { ReplyWindow } from "./reply-window.ts";

function batchOf(...keys: string[]): CommandBatch {
  const encoder = new CommandEncoder(256);
  for (const key of keys) encoder.command("DEL", key);
  const batch = encoder.take();
  if (batch === undefined) throw new Error("no batch");
  return batch;
}

describe("ReplyWindow", () => {
  test("releases a batch once it is both flushed and answered, in either order", () => {
    const released: CommandBatch[] = [];
    const window = new ReplyWindow((batch) => void released.push(batch));
    const first = window.add(batchOf("a", "b"));
    const second = window.add(batchOf("c"));
    expect([window.sent, window.inFlightCommands, window.inFlightBytes]).toEqual([3, 3, first.bytes + second.bytes]);
    window.flushed(first);
    window.answered(1);
    expect(released).toEqual([]);
    window.answered(2);
    expect(released).toEqual([first.batch]);
    expect([window.done, window.inFlightCommands, window.inFlightBytes]).toEqual([3, 0, 0]);
    window.flushed(second);
    expect(released).toEqual([first.batch, second.batch]);
  });

  test("finds the command of a position, across batches", () => {
    const window = new ReplyWindow(() => undefined);
    window.add(batchOf("a", "b"));
    window.add(batchOf("c", "d"));
    expect(window.describe(1)?.key?.toString()).toBe("b");
    expect(window.describe(2)?.key?.toString()).toBe("c");
    expect(window.describe(4)).toBeUndefined();
    window.answered(2);
    expect(window.describe(1)).toBeUndefined();
    expect(window.describe(3)?.key?.toString()).toBe("d");
  });

  test("runs marks in order, when due, and stops when told to", () => {
    const window = new ReplyWindow(() => undefined);
    const ran: string[] = [];
    window.mark(0, () => void ran.push("at once"));
    window.add(batchOf("a", "b", "c"));
    window.mark(1, () => {
      ran.push("one");
      window.mark(1, () => void ran.push("one, from inside"));
    });
    window.mark(2, () => void ran.push("two"));
    window.mark(3, () => void ran.push("three"));
    window.answered(1);
    window.runMarks(() => false);
    expect(ran).toEqual(["at once", "one"]);
    window.answered(2);
    window.runMarks(() => ran.includes("three"));
    expect(ran).toEqual(["at once", "one", "two", "three"]);
    window.runMarks(() => false);
    expect(ran.at(-1)).toBe("one, from inside");
  });

  test("holds answered batches and the marks behind a refused command until it is let go", () => {
    const released: CommandBatch[] = [];
    const ran: string[] = [];
    const window = new ReplyWindow((batch) => void released.push(batch));
    const entries = [window.add(batchOf("a", "b")), window.add(batchOf("c", "d")), window.add(batchOf("e"))];
    for (const entry of entries) window.flushed(entry);
    for (const position of [2, 3, 4, 5]) window.mark(position, () => void ran.push(`${position}`));
    window.hold(3);
    window.answered(5);
    window.runMarks(() => false);
    expect(released).toEqual([entries[0]?.batch]);
    expect(window.held).toEqual(entries.slice(1));
    expect(ran).toEqual(["2", "3"]);
    expect([window.done, window.inFlightCommands, window.inFlightBytes]).toEqual([5, 0, 0]);
    window.mark(5, () => void ran.push("5 again"));
    window.letGo();
    window.runMarks(() => false);
    expect(ran).toEqual(["2", "3", "4", "5", "5 again"]);
    expect([released, window.held]).toEqual([entries.map(({ batch }) => batch), []]);
  });

  test("gives back a held batch that is flushed late, once", () => {
    const released: CommandBatch[] = [];
    const window = new ReplyWindow((batch) => void released.push(batch));
    const entry = window.add(batchOf("a"));
    window.hold(0);
    window.answered(1);
    window.letGo();
    expect(released).toEqual([]);
    window.flushed(entry);
    expect(released).toEqual([entry.batch]);
  });

  test("runs no mark while the owner holds them", () => {
    const ran: string[] = [];
    const window = new ReplyWindow(() => undefined);
    window.marksHeld = true;
    window.mark(0, () => void ran.push("due"));
    window.runMarks(() => false);
    expect(ran).toEqual([]);
    window.marksHeld = false;
    window.runMarks(() => false);
    expect(ran).toEqual(["due"]);
  });
});
