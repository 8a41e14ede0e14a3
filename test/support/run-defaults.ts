/**
 * What runs of tests are told unless they test just that: filters and sketches, which recordings hold and no target can, are left out (by default their
 * first one ends a run), and files of a run go to a directory that nobody looks at.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Flags } from "../../src/config/flag-layer.ts";

const STATE_DIR = join(tmpdir(), `df2redis-test-state-${process.pid}`);

export const DROP_SKETCHES: Flags = {
  "unsupported-bloom": "drop",
  "unsupported-cuckoo": "drop",
  "unsupported-cms": "drop",
  "unsupported-topk": "drop",
};

export const RUN_FLAGS: Flags = { ...DROP_SKETCHES, "state-dir": STATE_DIR };

/** The same for a run in a process of its own. */
export const RUN_ENV: Readonly<Record<string, string>> = {
  DF2REDIS_UNSUPPORTED_BLOOM: "drop",
  DF2REDIS_UNSUPPORTED_CUCKOO: "drop",
  DF2REDIS_UNSUPPORTED_CMS: "drop",
  DF2REDIS_UNSUPPORTED_TOPK: "drop",
  DF2REDIS_STATE_DIR: STATE_DIR,
};
