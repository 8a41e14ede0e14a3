/** How many workers a run has when nobody says (`advanced.workers`). */

/**
 * One worker outruns one Redis, and each costs some 50 MB (docs/benchmarks.md): two, for the share of decoding, and a core is left to the rest.
 * Never more than there are flows.
 */
export function defaultWorkers(flows: number, cores: number): number {
  return Math.min(flows, 2, Math.max(1, cores - 1));
}
