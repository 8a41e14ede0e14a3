/** `SCRIPT LOAD` on the target of what the source's script cache holds. Pure. */
import type { Slice } from "../../bytes/slice.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";

const ASYNC_CALL = /redis\.a(p?call)\b/g;

/**
 * Loads `body` as clients know it. With `--lua_auto_async` Dragonfly keeps `redis.acall` where the client wrote `redis.call`
 * (src/core/interpreter.cc DetectPossibleAsyncCalls): no other server knows it, and the script's SHA would not be the one that clients ask for.
 * A `--!df flags=…` line is a comment to other servers, and part of the SHA.
 */
export function encodeScriptLoad(encoder: CommandEncoder, body: Slice): void {
  encoder.begin(3);
  encoder.argText("SCRIPT");
  encoder.argText("LOAD");
  if (body.view().includes("redis.a")) {
    encoder.argBytes(Buffer.from(body.toLatin1().replaceAll(ASYNC_CALL, "redis.$1"), "latin1"));
  } else encoder.arg(body);
}
