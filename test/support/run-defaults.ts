/**
 * What runs of tests are told unless they test just that: filters and sketches, which recordings hold and no target can, are left out (by default their
 * first one ends a run), and files of a run go to a directory that nobody looks at.
 */
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Flags } from "../../src/config/flag-layer.ts";

/** `npm test` names a directory that goes with it. */
const STATES = join(process.env["DF2REDIS_TEST_STATES"] ?? tmpdir(), `df2redis-test-state-${randomUUID()}`);

let runs = 0;

/** Of its own for each: tests run side by side under one task name. */
function stateDir(): string {
  return join(STATES, String(runs++));
}

export const DROP_SKETCHES: Flags = {
  "unsupported-bloom": "drop",
  "unsupported-cuckoo": "drop",
  "unsupported-cms": "drop",
  "unsupported-topk": "drop",
};

export function runFlags(): Flags {
  return { ...DROP_SKETCHES, "state-dir": stateDir() };
}

/** The same for a run in a process of its own. */
export function runEnv(): Readonly<Record<string, string>> {
  return {
    DF2REDIS_UNSUPPORTED_BLOOM: "drop",
    DF2REDIS_UNSUPPORTED_CUCKOO: "drop",
    DF2REDIS_UNSUPPORTED_CMS: "drop",
    DF2REDIS_UNSUPPORTED_TOPK: "drop",
    DF2REDIS_STATE_DIR: stateDir(),
  };
}
