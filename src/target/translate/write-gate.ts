/**
 * What every script of ours does first: a write that changes nothing. A server that takes no writes now (`OOM`, `MISCONF`, `READONLY`, …) checks that
 * at the first write of a script (Redis src/script.c scriptVerifyWriteCommandAllow, scriptVerifyOOM; 6.2 src/scripting.c luaRedisGenericCommand),
 * so without it a script that finds nothing to write, since what it looks for was refused before it, would run, and could not be tried again behind
 * that (`../retry-order.ts`). With it a script is refused whole, like any other write. Pure.
 */

/**
 * `SETNX` of a key that is there and `SETRANGE` of nothing into one that is not: both are writes that need memory, of any type of key, and do
 * nothing. KEYS[1] and no name of ours, because our user may be allowed some keys only.
 */
export const WRITE_GATE =
  "if redis.call('EXISTS',KEYS[1])==1 then redis.call('SETNX',KEYS[1],'') else redis.call('SETRANGE',KEYS[1],0,'') end ";

const GATED = new WeakMap<Buffer, Buffer>();

/** The script with the gate before it; the same bytes for the same script. */
export function gatedScript(script: Buffer): Buffer {
  let gated = GATED.get(script);
  if (gated === undefined) GATED.set(script, (gated = Buffer.concat([Buffer.from(WRITE_GATE), script])));
  return gated;
}
