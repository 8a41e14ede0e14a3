/** Reading the arguments of a command: numbers, option words, and their errors. Arguments are bytes; `word` is for names of options. */
import { CommandError, NOT_A_FLOAT, NOT_AN_INTEGER, syntaxError } from "./command-error.ts";

const EMPTY = Buffer.alloc(0);
const INT64_MAX = (1n << 63n) - 1n;
const INT64_MIN = -(1n << 63n);

/** Argument `i`, which the arity says is there. */
export function arg(args: readonly Buffer[], i: number): Buffer {
  return args[i] ?? EMPTY;
}

/** Upper case, one character a byte. */
export function word(bytes: Buffer | undefined): string {
  return bytes === undefined ? "" : bytes.toString("latin1").toUpperCase();
}

export function text(bytes: Buffer | undefined): string {
  return bytes === undefined ? "" : bytes.toString("latin1");
}

export function bytesOf(value: string | number | bigint): Buffer {
  return Buffer.from(String(value), "latin1");
}

/** A 64-bit integer, undefined when the text is none. */
export function parseInt64(bytes: Buffer): bigint | undefined {
  if (bytes.length === 0 || bytes.length > 20) return undefined;
  const digits = bytes.toString("latin1");
  if (!/^-?\d+$/.test(digits)) return undefined;
  const value = BigInt(digits);
  return value > INT64_MAX || value < INT64_MIN ? undefined : value;
}

export function fitsInt64(value: bigint): boolean {
  return value <= INT64_MAX && value >= INT64_MIN;
}

/** A 64-bit integer that may lose its last bits above 2^53 (deadlines, counts, indices). */
export function integer(bytes: Buffer | undefined, error = NOT_AN_INTEGER): number {
  const value = bytes === undefined ? undefined : parseInt64(bytes);
  if (value === undefined) throw new CommandError(error);
  return Number(value);
}

/** As strtod reads it, NaN refused. */
export function float(bytes: Buffer | undefined, error = NOT_A_FLOAT): number {
  const value = parseDouble(bytes === undefined ? "" : bytes.toString("latin1"));
  if (value === undefined) throw new CommandError(error);
  return value;
}

export function parseDouble(digits: string): number | undefined {
  if (/^[+-]?inf(inity)?$/i.test(digits)) return digits.startsWith("-") ? -Infinity : Infinity;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(digits)) return undefined;
  return Number(digits);
}

/** The shortest text that reads back as the same number, in the way Dragonfly prints doubles. */
export function doubleText(value: number): string {
  if (value === Infinity) return "inf";
  if (value === -Infinity) return "-inf";
  // -0 as 0, too.
  return String(value);
}

/** Walks the option words behind the fixed arguments. */
export class OptionReader {
  readonly #args: readonly Buffer[];
  #at: number;

  constructor(args: readonly Buffer[], start: number) {
    this.#args = args;
    this.#at = start;
  }

  get left(): number {
    return this.#args.length - this.#at;
  }

  get position(): number {
    return this.#at;
  }

  /** The next word in upper case, undefined at the end. */
  nextWord(): string | undefined {
    if (this.left === 0) return undefined;
    return word(this.next());
  }

  /** Takes the next word if it is `expected`. */
  takes(expected: string): boolean {
    if (this.left === 0 || word(this.#args[this.#at]) !== expected) return false;
    this.#at += 1;
    return true;
  }

  next(): Buffer {
    const value = this.#args[this.#at];
    if (value === undefined) throw syntaxError();
    this.#at += 1;
    return value;
  }

  nextInteger(): number {
    return integer(this.next());
  }

  rest(): readonly Buffer[] {
    return this.#args.slice(this.#at);
  }

  /** Throws when words are left. */
  end(): void {
    if (this.left > 0) throw syntaxError();
  }
}
