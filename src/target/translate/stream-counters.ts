/** What a target's product and version mean for streams. Pure. */
import { RDB_TYPE_STREAM_LISTPACKS_2 } from "../../rdb/opcodes.ts";
import type { TargetCapabilities, TargetProduct } from "../capabilities.ts";

/** Those whose streams are Redis's own code. */
const REDIS_STREAMS: ReadonlySet<TargetProduct> = new Set(["redis", "valkey", "keydb"]);

/**
 * Whether the target counts a stream's entries added, a group's entries read, and knows the greatest deleted id: from Redis 7.0 on, which also
 * brought type 19 and LMPOP (Redis src/rdb.h, src/commands/lmpop.json). Dragonfly has LMPOP, but its XSETID takes no counters
 * (Dragonfly src/server/stream_family.cc).
 */
export function hasStreamCounters({ product, restorableTypes, commands }: TargetCapabilities): boolean {
  if (restorableTypes.has(RDB_TYPE_STREAM_LISTPACKS_2)) return true;
  return commands.has("LMPOP") && REDIS_STREAMS.has(product);
}

/** Whether a stream can be written again by scripts with stand-ins for deleted messages (`stream-tombstones.ts`). */
export function canScriptStreams({ product, commands }: TargetCapabilities): boolean {
  return commands.has("EVAL") && REDIS_STREAMS.has(product);
}
