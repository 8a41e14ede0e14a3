/** The smallest power of two that is not below `least`, 1 for all below it. Pure. */
export function nextPowerOfTwo(least: number): number {
  return least <= 1 ? 1 : 2 ** Math.ceil(Math.log2(least));
}
