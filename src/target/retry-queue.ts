/**
 * The commands that wait to be sent again, in order, and the runs in which they go out. A run has one database and no key twice: whichever of
 * its commands are refused again, none on the same key ran behind them (I2). Pure; the bytes belong to the batches.
 */
import type { InFlightBatch } from "./reply-window.ts";
import type { SentKeys } from "./retry-keys.ts";

export type WaitingCommand = SentKeys & {
  readonly entry: InFlightBatch;
  /** Of the command in its batch. */
  readonly index: number;
  readonly db: number;
};

export type RunLimits = { readonly commands: number; readonly bytes: number };

export class RetryQueue {
  #commands: WaitingCommand[];

  constructor(commands: readonly WaitingCommand[]) {
    this.#commands = [...commands];
  }

  get size(): number {
    return this.#commands.length;
  }

  /** The database of the next run. */
  get db(): number | undefined {
    return this.#commands[0]?.db;
  }

  /** Takes the next run out; at least one command, when there is one. */
  take(limits: RunLimits): WaitingCommand[] {
    const [first] = this.#commands;
    if (first === undefined) return [];
    const keys = new Set(first.keys);
    let bytes = bytesOf(first).length;
    let end = 1;
    for (; end < this.#commands.length && end < limits.commands && !first.isOpen; end++) {
      const next = this.#commands[end];
      if (next === undefined || next.isOpen || next.db !== first.db || next.keys.some((key) => keys.has(key))) break;
      bytes += bytesOf(next).length;
      if (bytes > limits.bytes) break;
      for (const key of next.keys) keys.add(key);
    }
    return this.#commands.splice(0, end);
  }

  /** Puts those of a run that were refused again back to the front. */
  putBack(commands: readonly WaitingCommand[]): void {
    this.#commands = [...commands, ...this.#commands];
  }
}

export function bytesOf({ entry, index }: WaitingCommand): Buffer {
  return entry.batch.bytesOf(index);
}
