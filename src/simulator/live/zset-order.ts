/** The members of a zset in order: by score, then by bytes. Sorted when asked for and kept until the zset changes. */
import type { ZsetMember, ZsetValue } from "./values.ts";

const sorted = new WeakMap<ZsetValue, readonly ZsetMember[]>();

export function inOrder(zset: ZsetValue): readonly ZsetMember[] {
  const known = sorted.get(zset);
  if (known !== undefined) return known;
  const members = [...zset.members.values()].toSorted(compare);
  sorted.set(zset, members);
  return members;
}

/** To be called when a member came, went or got another score. */
export function orderChanged(zset: ZsetValue): void {
  sorted.delete(zset);
}

function compare(a: ZsetMember, b: ZsetMember): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1;
  return Buffer.compare(a.member, b.member);
}
