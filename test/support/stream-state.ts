/** All of a stream that commands can show, for comparing two of them: XINFO STREAM FULL without what depends on encoding or on the clock. */
import type { Reply, RespClient } from "./resp-client.ts";

/** Counts of tree nodes depend on how a stream was built, seen and active times on when its consumers were made. */
const NOT_COMPARED = new Set(["radix-tree-keys", "radix-tree-nodes", "seen-time", "active-time"]);

/** The fields that tests look into; the others are there too. */
export type StreamState = {
  readonly entries: readonly (readonly [id: string, fields: readonly string[]])[];
  readonly groups: readonly GroupState[];
};
type PendingState = readonly [id: string, ...rest: readonly unknown[]];
type GroupState = {
  readonly pending: readonly PendingState[];
  readonly consumers: readonly { readonly pending: readonly PendingState[] }[];
};

export async function streamState(client: RespClient, key: string | Buffer): Promise<StreamState> {
  return readable(await client.call("XINFO", "STREAM", key, "FULL", "COUNT", 0)) as StreamState;
}

/** What is left when pending entries whose message is deleted are taken away, and how many these were. */
export function withoutDeletedPending(state: StreamState): { state: StreamState; dropped: number } {
  const live = new Set(state.entries.map(([id]) => id));
  const keep = (pending: readonly PendingState[]): PendingState[] => pending.filter(([id]) => live.has(id));
  let dropped = 0;
  const groups = state.groups.map((group) => {
    const pending = keep(group.pending);
    dropped += group.pending.length - pending.length;
    const consumers = group.consumers.map((consumer) => {
      const own = keep(consumer.pending);
      return { ...consumer, "pel-count": own.length, pending: own };
    });
    return { ...group, "pel-count": pending.length, pending, consumers };
  });
  return { state: { ...state, groups }, dropped };
}

function readable(reply: Reply): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString("latin1");
  if (!Array.isArray(reply)) return reply;
  if (!isMap(reply)) return reply.map(readable);
  const fields: Record<string, unknown> = {};
  for (let i = 0; i < reply.length; i += 2) {
    const name = String(reply[i]);
    if (!NOT_COMPARED.has(name)) fields[name] = readable(reply[i + 1] as Reply);
  }
  return fields;
}

/** XINFO's maps: they start with "length" (the stream) or "name" (groups and consumers). */
function isMap(reply: readonly Reply[]): boolean {
  const first = reply[0];
  return Buffer.isBuffer(first) && ["length", "name"].includes(first.toString());
}
