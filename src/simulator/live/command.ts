/** One command of the simulated master, as its table declares it. */
import type { Call } from "./call.ts";

export type CommandRun = (call: Call, args: readonly Buffer[]) => void;

/** Beside `readonly` and `write`, none: a command about the server or the connection. */
export type CommandFlag = "readonly" | "write" | "fast" | "admin" | "noauth" | "notInMulti" | "denyoom";

export type Command = {
  /** Upper case, as it stands in the journal. */
  readonly name: string;
  /** The name as the journal's first argument. */
  readonly nameBytes: Buffer;
  /** Arguments with the name; negative: at least so many. */
  readonly arity: number;
  readonly flags: ReadonlySet<CommandFlag>;
  /** First and last key (negative: from the end) and their distance; all 0 when it has none. */
  readonly keys: readonly [first: number, last: number, step: number];
  /** ACL categories, lower case. */
  readonly categories: readonly string[];
  readonly run: CommandRun;
};

export type CommandOptions = {
  readonly arity: number;
  readonly flags?: readonly CommandFlag[];
  readonly keys?: readonly [number, number, number];
  /** Beside those that follow from the flags. */
  readonly categories?: readonly string[];
};

const ONE_KEY = [1, 1, 1] as const;
const NO_KEYS = [0, 0, 0] as const;

export function command(name: string, options: CommandOptions, run: CommandRun): Command {
  const flags = new Set(options.flags ?? []);
  const keys = options.keys ?? (flags.has("readonly") || flags.has("write") ? ONE_KEY : NO_KEYS);
  const derived = [
    flags.has("readonly") && "read",
    flags.has("write") && "write",
    flags.has("admin") && "admin",
    flags.has("fast") && "fast",
  ];
  return {
    name,
    nameBytes: Buffer.from(name),
    arity: options.arity,
    flags,
    keys,
    categories: [...derived.filter((category) => category !== false), ...(options.categories ?? [])],
    run,
  };
}

/** A family of commands with the same ACL category; `arity` is of the usual kind: with the name, negative for "at least". */
export class CommandFamily {
  readonly commands: Command[] = [];
  readonly #category: string;

  constructor(category: string) {
    this.#category = category;
  }

  /** A command that changes the key at position 1. */
  write(name: string, arity: number, run: CommandRun, keys?: readonly [number, number, number]): this {
    return this.add(name, { arity, flags: ["write"], ...(keys && { keys }) }, run);
  }

  /** A command that reads the key at position 1. */
  read(name: string, arity: number, run: CommandRun, keys?: readonly [number, number, number]): this {
    return this.add(name, { arity, flags: ["readonly"], ...(keys && { keys }) }, run);
  }

  add(name: string, options: CommandOptions, run: CommandRun): this {
    const categories = [...(options.categories ?? []), this.#category];
    this.commands.push(command(name, { ...options, categories }, run));
    return this;
  }
}
