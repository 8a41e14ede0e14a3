/**
 * Hostile input for decoders: seeded mutations, truncation at each byte, and the one thing that may come of them: a result or a typed error.
 */
import { expect } from "vitest";
import { Df2RedisError } from "../../src/errors/df2redis-error.ts";

/** A small generator of numbers, the same ones for the same seed. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 … bound - 1 */
  below(bound: number): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * bound);
  }

  bytes(length: number): Buffer {
    const out = Buffer.alloc(length);
    for (let i = 0; i < length; i++) out[i] = this.below(256);
    return out;
  }
}

const EDGES = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

/** A copy of `bytes` with one to three bytes changed, or a byte cut out, doubled or added. */
export function mutate(bytes: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length === 0) return random.bytes(1);
  const at = random.below(copy.length);
  switch (random.below(6)) {
    case 0:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1)]);
    case 1:
      return Buffer.concat([copy.subarray(0, at), random.bytes(1), copy.subarray(at)]);
    case 2:
      copy[at] = EDGES[random.below(EDGES.length)] as number;
      return copy;
    case 3:
      copy[at] = (copy[at] as number) ^ (1 << random.below(8));
      return copy;
    default:
      for (let i = random.below(3); i >= 0; i--) copy[random.below(copy.length)] = random.below(256);
      return copy;
  }
}

/** Runs a decoder on bad input: undefined after a typed error about the input, else what it returned. Any other error fails the test. */
export function typedErrorOr<R>(run: () => R): R | undefined {
  try {
    return run();
  } catch (error) {
    expectTyped(error);
    return undefined;
  }
}

/** `run` must throw a typed error about its input, with the offset in it. */
export function expectTypedError(run: () => unknown, code?: string): Df2RedisError {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  const error = expectTyped(thrown);
  if (code !== undefined) expect(error.code).toBe(code);
  return error;
}

function expectTyped(thrown: unknown): Df2RedisError {
  if (!(thrown instanceof Df2RedisError)) throw thrown ?? new Error("no error was thrown");
  expect(["STREAM_CORRUPT", "LIMIT_EXCEEDED"]).toContain(thrown.code);
  expect(thrown.context["inputOffset"]).toBeTypeOf("number");
  return thrown;
}

/** Each proper prefix of `bytes`, in a buffer of its own, so that reading past the end cannot go unseen. */
export function* truncations(bytes: Buffer): Generator<Buffer> {
  for (let end = 0; end < bytes.length; end++) yield Buffer.from(bytes.subarray(0, end));
}
