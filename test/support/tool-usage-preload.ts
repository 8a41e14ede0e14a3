/** Loaded into the tool by tool-process.ts: at its exit it tells, on file descriptor 3, what it has used, which nobody can read any more afterwards. */
import { writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { processUsage } from "./process-stat.ts";

const USAGE_FD = 3;

if (isMainThread) {
  process.on("exit", () => {
    try {
      writeSync(USAGE_FD, JSON.stringify(processUsage(process.pid)));
    } catch {
      // The test that wanted to know is gone.
    }
  });
}
