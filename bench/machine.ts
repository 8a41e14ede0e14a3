/** What the numbers were measured on. */
import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";

export type Machine = {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryBytes: number;
  readonly node: string;
  readonly redis: string;
  /** Of the last minute, before the benchmarks: other work makes the numbers worse. */
  readonly load: number;
};

export function describeMachine(): Machine {
  const version = execFileSync("redis-server", ["--version"], { encoding: "utf8" });
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    memoryBytes: totalmem(),
    node: process.version,
    redis: /v=(\S+)/.exec(version)?.[1] ?? version.trim(),
    load: loadavg()[0] ?? 0,
  };
}
