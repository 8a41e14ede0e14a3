/** What the commands on groups have in common: their errors, consumers, entries by id. */
import { text } from "../arguments.ts";
import { CommandError } from "../command-error.ts";
import { compareIds } from "../stream-ids.ts";
import type { StreamConsumer, StreamEntry, StreamGroup, StreamId, StreamValue } from "../values.ts";

export function noGroup(key: Buffer, group: Buffer): CommandError {
  return new CommandError(`NOGROUP No such consumer group '${text(group)}' for key name '${text(key)}'`);
}

export function noGroupOrKey(key: Buffer, group: Buffer, suffix = ""): CommandError {
  return new CommandError(`NOGROUP No such key '${text(key)}' or consumer group '${text(group)}'${suffix}`);
}

/** The consumer, made when it is new. */
export function obtainConsumer(
  group: StreamGroup,
  name: Buffer,
  nowMs: number,
): { readonly consumer: StreamConsumer; readonly isNew: boolean } {
  const known = group.consumers.get(text(name));
  if (known !== undefined) return { consumer: known, isNew: false };
  const consumer: StreamConsumer = { name: Buffer.from(name), seenTimeMs: nowMs, activeTimeMs: -1 };
  group.consumers.set(text(name), consumer);
  return { consumer, isNew: true };
}

export function entryOf(stream: StreamValue, id: StreamId): StreamEntry | undefined {
  return stream.entries.find((entry) => compareIds(entry.id, id) === 0);
}
