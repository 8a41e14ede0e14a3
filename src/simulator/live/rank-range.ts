/** The slice that two ranks mean, negative ones from the end: [start, stop), empty when they mean nothing. */
export function rankRange(first: number, last: number, length: number): [start: number, stop: number] {
  const start = Math.max(0, first < 0 ? length + first : first);
  const stop = Math.min(length, (last < 0 ? length + last : last) + 1);
  return start >= stop ? [0, 0] : [start, stop];
}
