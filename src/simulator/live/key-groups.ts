/** The keys of one command by shard, each shard's in the order of the command. */
import type { Call } from "./call.ts";
import type { Shard } from "./shard.ts";

export type KeyGroup = { readonly shard: Shard; readonly keys: Buffer[] };

export function groupByShard(call: Call, keys: readonly Buffer[]): KeyGroup[] {
  const groups = new Map<Shard, KeyGroup>();
  for (const key of keys) {
    const shard = call.shard(key);
    const group = groups.get(shard);
    if (group === undefined) groups.set(shard, { shard, keys: [key] });
    else group.keys.push(key);
  }
  return [...groups.values()];
}

/** How a command that may span shards journals: with a transaction's number only when it does. */
export function recorder(call: Call, shards: number): (shard: Shard, args: readonly Buffer[]) => void {
  return shards === 1 ? (shard, args) => call.record(shard, args) : (shard, args) => call.recordPart(shard, args);
}
