/**
 * Deadlines of set members and hash fields (SADDEX, HSETEX, FIELDEXPIRE). Members that are past theirs vanish when the value is met next, and no journal
 * says so, unless the key is empty then: replicas keep their own clock (docs/protocol.md §5, recording `expiry`).
 */
import type { HashValue, SetValue } from "./values.ts";

type Deadlined = { readonly expireAtMs: number };

/** Removes what is past. False when nothing is left. */
export function dropExpiredMembers(
  value: SetValue | HashValue,
  options: { readonly nowMs: number; readonly beforeDrop: () => void },
): boolean {
  const members: Map<string, Deadlined> = value.type === "set" ? value.members : value.fields;
  let announced = false;
  let deadlines = false;
  for (const [name, member] of members) {
    if (member.expireAtMs < 0) continue;
    if (member.expireAtMs > options.nowMs) {
      deadlines = true;
      continue;
    }
    if (!announced) options.beforeDrop();
    announced = true;
    members.delete(name);
  }
  value.deadlines = deadlines;
  return members.size > 0;
}
