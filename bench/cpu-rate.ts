/** CPU time of a piece of work in this process, over several rounds. */
import { median } from "./statistics.ts";

const MICROSECONDS = 1e6;

/** Median of user and system seconds. A first round warms the code up and does not count. */
export function medianCpuSeconds(rounds: number, work: () => void): number {
  work();
  return median(Array.from({ length: rounds }, () => cpuSecondsOf(work)));
}

function cpuSecondsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / MICROSECONDS;
}
