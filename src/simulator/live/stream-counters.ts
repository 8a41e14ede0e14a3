/** The logical counters of streams and their groups: how many entries a group has read when that is not known (Redis src/t_stream.c, 7.0). Pure. */
import { compareIds, isZero } from "./stream-ids.ts";
import type { StreamGroup, StreamId, StreamValue } from "./values.ts";

export const UNKNOWN_COUNT = -1;

/** The number of the entry `id` counted from the first that was ever added; -1 when it cannot be told. */
export function distanceFromStart(stream: StreamValue, id: StreamId): number {
  if (stream.entriesAdded === 0) return 0;
  const last = compareIds(id, stream.lastId);
  const [first] = stream.entries;
  if (first === undefined && last <= 0) return stream.entriesAdded;
  if (last === 0) return stream.entriesAdded;
  if (last > 0 || first === undefined) return UNKNOWN_COUNT;
  if (!isZero(stream.maxDeletedId) && compareIds(stream.maxDeletedId, first.id) >= 0) return UNKNOWN_COUNT;
  const place = compareIds(id, first.id);
  if (place < 0) return stream.entriesAdded - stream.entries.length;
  return place === 0 ? stream.entriesAdded - stream.entries.length + 1 : UNKNOWN_COUNT;
}

/** Whether entries from `start` on may have been deleted. */
function hasDeletedFrom(stream: StreamValue, start: StreamId): boolean {
  return stream.entries.length > 0 && !isZero(stream.maxDeletedId) && compareIds(start, stream.maxDeletedId) <= 0;
}

/** The group is given the entry `id`: moves on its last id and its count. */
export function advanceGroup(stream: StreamValue, group: StreamGroup, id: StreamId): void {
  if (group.entriesRead !== UNKNOWN_COUNT && !hasDeletedFrom(stream, id)) group.entriesRead += 1;
  else if (stream.entriesAdded > 0) group.entriesRead = distanceFromStart(stream, id);
  group.lastId = id;
}

/** How many entries the group has still to read; undefined when it cannot be told. */
export function groupLag(stream: StreamValue, group: StreamGroup): number | undefined {
  if (stream.entriesAdded === 0) return 0;
  if (group.entriesRead !== UNKNOWN_COUNT && !hasDeletedFrom(stream, group.lastId))
    return stream.entriesAdded - group.entriesRead;
  const read = distanceFromStart(stream, group.lastId);
  return read === UNKNOWN_COUNT ? undefined : stream.entriesAdded - read;
}
