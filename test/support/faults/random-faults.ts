/** Random faults from a seed: the same seed and options give the same rules, whatever the machine does. */
import { SeededRandom } from "../../../src/simulator/generated/seeded-random.ts";
import { DIRECTIONS, type FaultAction } from "./fault-action.ts";
import type { FaultRule } from "./fault-rules.ts";

const KINDS = ["cutFin", "cutRst", "stall", "delay", "throttle", "split", "corrupt"] as const;

export type RandomFaultKind = (typeof KINDS)[number];

export type RandomFaultsOptions = {
  readonly seed: number;
  /** How many rules. */
  readonly count?: number;
  /** What they are about, each with the same chance. Default: the first 8 connections. */
  readonly connections?: readonly FaultRule["connection"][];
  /** Faults lie in the first so many bytes of a direction. */
  readonly withinBytes?: number;
  /** Those that end by themselves do so within. */
  readonly withinMs?: number;
  readonly kinds?: readonly RandomFaultKind[];
};

export function randomFaults(options: RandomFaultsOptions): FaultRule[] {
  const { count = 5, withinBytes = 65_536, withinMs = 200, kinds = KINDS } = options;
  const connections = options.connections ?? Array.from({ length: 8 }, (_, i) => i);
  const random = new SeededRandom(scramble(options.seed));
  return Array.from({ length: count }, (_, i) => {
    const direction = pick(random, DIRECTIONS);
    const connection = pick(random, connections);
    // Most bytes of a session are in its middle; faults are wanted at its beginning as well.
    const offset = random.below(1 + random.below(withinBytes));
    const action = randomAction(pick(random, kinds), random, { direction, forMs: 1 + random.below(withinMs) });
    return { name: `random ${i}`, connection, at: { direction, offset }, action };
  });
}

type Shaping = { readonly direction: (typeof DIRECTIONS)[number]; readonly forMs: number };

function randomAction(kind: RandomFaultKind, random: SeededRandom, shaping: Shaping): FaultAction {
  switch (kind) {
    case "cutFin":
      return { do: "cut", how: "fin" };
    case "cutRst":
      return { do: "cut", how: "rst" };
    case "stall":
      return { do: "stall", ...shaping };
    case "delay":
      return { do: "delay", ms: 1 + random.below(20), ...shaping };
    case "throttle":
      return { do: "throttle", bytesPerSecond: 1000 * (1 + random.below(100)), ...shaping };
    case "split":
      return { do: "split", pieceBytes: 1 + random.below(16), ...shaping };
    case "corrupt":
      return { do: "corrupt", direction: shaping.direction, xor: 1 + random.below(255) };
  }
}

function pick<T>(random: SeededRandom, values: readonly T[]): T {
  return values[random.below(values.length)] as T;
}

/** Near seeds are to give unlike schedules; the generator alone begins alike for them (the finalizer of MurmurHash3). */
function scramble(seed: number): number {
  let x = seed | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85_eb_ca_6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2_b2_ae_35);
  return x ^ (x >>> 16);
}
