import { expect, test } from "vitest";
import { REDIS_62, REDIS_70 } from "../../../test/support/capabilities.ts";
import { canScriptStreams, hasStreamCounters } from "./stream-counters.ts";

const NO_TYPES = { restorableTypes: new Set<number>() };

test.each([
  ["Redis 6.2", REDIS_62, false, true],
  ["Redis 7.0", REDIS_70, true, true],
  ["Redis 7.0 without RESTORE", { ...REDIS_70, ...NO_TYPES }, true, true],
  ["Redis 7.0 without EVAL", { ...REDIS_70, commands: new Set(["RESTORE", "LMPOP"] as const) }, true, false],
  ["a Dragonfly", { ...REDIS_70, ...NO_TYPES, product: "dragonfly" }, false, false],
  ["a server that is not known", { ...REDIS_70, ...NO_TYPES, product: "unknown" }, false, false],
] as const)("%s", (_name, capabilities, counters, scripts) => {
  expect(hasStreamCounters(capabilities)).toBe(counters);
  expect(canScriptStreams(capabilities)).toBe(scripts);
});
