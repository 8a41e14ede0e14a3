/**
 * `SORT … BY pattern GET pattern STORE dst` reads keys whose names it makes up from the patterns, so whether it can be run in a mapped database
 * depends on them. Pure.
 */
import type { JournalCommand } from "../journal/journal-command.ts";
import type { PlacedDatabase } from "./database-map.ts";
import { commandKeys, forEachSortPattern, starAt } from "./translate/command-keys.ts";

const STAR = "*";

/** Why the SORT cannot be run on the target, if so. Without a destination it is a read, and without patterns it reads no other keys. */
export function unrunnableSort(command: JournalCommand, place: PlacedDatabase): string | undefined {
  let why: string | undefined;
  if (!stores(command)) return undefined;
  forEachSortPattern(command, (index) => {
    const pattern = command.arg(index);
    const head = pattern.view().subarray(0, starAt(pattern));
    // The first star is the one that counts.
    if (place.prefix.includes(STAR)) why ??= "SORT with a pattern, in a database whose prefix has a `*`";
    if (place.sources.length > 1)
      why ??= "SORT with a pattern, in a database that is merged with another: it could read the other's keys";
    if (place.reserved.some(({ start }) => mayMeet(head, start))) {
      why ??= "SORT with a pattern that could read keys of another database with a longer prefix";
    }
  });
  return why;
}

function stores(command: JournalCommand): boolean {
  let found = false;
  commandKeys(command)?.forEach(command, (_, access) => {
    found ||= access === "write";
  });
  return found;
}

/** Whether a name can begin with both. */
function mayMeet(head: Buffer, start: Buffer): boolean {
  const common = Math.min(head.length, start.length);
  return head.compare(start, 0, common, 0, common) === 0;
}
