/** What `target.writeMode` means for the writers: which of the target's abilities are used, and how large a body may be. Pure. */
import type { Slice } from "../../bytes/slice.ts";
import type { WriteMode } from "../../config/schema.ts";
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import { keyText } from "../../errors/key-text.ts";
import type { OptionalCommand, TargetCapabilities } from "../capabilities.ts";
import { RESTORE_FRAME_BYTES } from "./restore-writer.ts";

/** With `commands` the target is one without RESTORE; everything that depends on its version stays. */
export function capabilitiesFor(mode: WriteMode, capabilities: TargetCapabilities): TargetCapabilities {
  if (mode !== "commands") return capabilities;
  const commands = new Set<OptionalCommand>(capabilities.commands);
  commands.delete("RESTORE");
  return { ...capabilities, restorableTypes: new Set(), commands };
}

/**
 * The decoder's `bodyLimitBytes`: larger values are written by commands, so that no RESTORE is longer than the target takes.
 * @param restoreLimitBytes `advanced.restoreLimitBytes`
 */
export function bodyLimitBytesFor(
  mode: WriteMode,
  restoreLimitBytes: number,
  capabilities: TargetCapabilities,
): number {
  const most = Math.max(0, capabilities.maxBulkBytes - RESTORE_FRAME_BYTES);
  if (mode === "commands") return 0;
  return mode === "restore" ? most : Math.min(restoreLimitBytes, most);
}

/** @throws VALUE_TOO_LONG for what the target takes in no way */
export function checkBulk(
  bytes: number,
  maxBulkBytes: number,
  object: { readonly db: number; readonly key: Slice },
): void {
  if (bytes <= maxBulkBytes) return;
  const key = keyText(object.key.view());
  throw new Df2RedisError(
    "VALUE_TOO_LONG",
    `key ${JSON.stringify(key)} of database ${object.db} holds ${bytes} bytes in one piece, and the target takes at most ${maxBulkBytes} (proto-max-bulk-len)`,
    { context: { db: object.db, key, bytes, maxBulkBytes } },
  );
}
