/** What Linux tells of a process under /proc. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export type ProcessUsage = { readonly peakRssBytes: number; readonly rssBytes: number; readonly cpuSeconds: number };

/** `R` running, `S` sleeping, `T` stopped, `Z` dead and not waited for; undefined when there is no such process. */
export function processState(pid: number): string | undefined {
  return statFields(pid)?.[0];
}

/** undefined when there is no such process (any more). */
export function processUsage(pid: number): ProcessUsage | undefined {
  const fields = statFields(pid);
  const status = readProc(pid, "status");
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status ?? "")?.[1];
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? "")?.[1];
  if (fields === undefined || peak === undefined || rss === undefined) return undefined;
  // utime and stime are the 14th and 15th field of `stat`, state being the 3rd (man 5 proc).
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { peakRssBytes: Number(peak) * 1024, rssBytes: Number(rss) * 1024, cpuSeconds: ticks / ticksPerSecond() };
}

/** From the state on: the program's name before it may hold spaces and brackets. */
function statFields(pid: number): string[] | undefined {
  const stat = readProc(pid, "stat");
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}

let cachedTicks: number | undefined;

function ticksPerSecond(): number {
  cachedTicks ??= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  return cachedTicks;
}
