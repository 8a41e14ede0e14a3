/** Stream ids, `ms-seq` in text form, both halves unsigned 64-bit. */
import { Df2RedisError } from "../../errors/df2redis-error.ts";

export type StreamId = { readonly ms: bigint; readonly seq: bigint };

export function parseStreamId(text: string): StreamId {
  const dash = text.indexOf("-");
  if (dash <= 0) throw new Df2RedisError("INTERNAL", `"${text}" is no stream id`);
  return { ms: BigInt(text.slice(0, dash)), seq: BigInt(text.slice(dash + 1)) };
}

/** Below 0, 0 or above, as for a sort. Halves may be numbers or bigints: they compare by value. */
export function compareIds(
  ms: bigint | number,
  seq: bigint | number,
  otherMs: bigint | number,
  otherSeq: bigint | number,
): number {
  if (ms < otherMs) return -1;
  if (ms > otherMs) return 1;
  if (seq < otherSeq) return -1;
  return seq > otherSeq ? 1 : 0;
}
