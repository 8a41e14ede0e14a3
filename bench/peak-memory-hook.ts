/** Loaded into a measured Node process before anything else (`NODE_OPTIONS=--import`): writes its peak memory to a file when it ends. */
import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

/** The configuration of df2redis leaves variables of this prefix alone. */
export const PEAK_FILE_VARIABLE = "DF2REDIS_TEST_PEAK_FILE";

const file = process.env[PEAK_FILE_VARIABLE];

if (isMainThread && file !== undefined) {
  process.on("exit", () => writeFileSync(file, String(process.resourceUsage().maxRSS)));
}
