/** Builds streams (object types 15, 19, 21) for tests from Redis src/rdb.c rdbSaveObject, not from the decoder. */
import { buildStreamNode, elementText, type StreamEntry, type StreamId, streamKey } from "./codec-builders.ts";
import { len, lenAs, str, u64le, wire } from "./rdb-builder.ts";
import type { BuiltValue, Part, Step, Wrap } from "./rdb-values.ts";

export type BuiltPending = { readonly id: StreamId; readonly timeMs: number; readonly deliveries: number };

export type BuiltConsumer = {
  readonly name: string;
  readonly seenMs: number;
  readonly activeMs: number;
  readonly pending: readonly StreamId[];
};

export type BuiltGroup = {
  readonly name: string;
  readonly lastId: StreamId;
  /** -1 for unknown. */
  readonly entriesRead: bigint;
  readonly pending: readonly BuiltPending[];
  readonly consumers: readonly BuiltConsumer[];
};

export type BuiltStream = {
  readonly type: 15 | 19 | 21;
  /** Entries of each node; the first one's id is the node's. */
  readonly nodes: readonly (readonly StreamEntry[])[];
  readonly groups: readonly BuiltGroup[];
  readonly lastId: StreamId;
  readonly maxDeletedId?: StreamId;
  readonly entriesAdded?: bigint;
  readonly wrap?: Wrap;
};

export function streamId(ms: number | bigint, seq: number | bigint): StreamId {
  return { ms: BigInt(ms), seq: BigInt(seq) };
}

export function stream(options: BuiltStream): BuiltValue {
  const wrap: Wrap = options.wrap ?? ((node) => wire(node));
  const nodes = options.nodes.map((entries) => nodePart(entries, wrap));
  const groups = options.groups.flatMap((group) => groupParts(group, options.type));
  return {
    type: options.type,
    kind: "stream",
    count: nodes.length,
    head: len(nodes.length),
    parts: [...nodes, metaPart(options), ...groups],
  };
}

function nodePart(entries: readonly StreamEntry[], wrap: Wrap): Part {
  const [first] = entries;
  if (first === undefined) throw new Error("a stream node has an entry at least");
  const node = buildStreamNode(
    first.id,
    first.fields.filter((_, i) => i % 2 === 0),
    entries,
  );
  const steps = entries
    .filter((entry) => entry.deleted !== true)
    .map((entry): Step => ["streamEntry", idText(entry.id), entry.fields.map(elementText)]);
  return { bytes: Buffer.concat([str(node.key), wrap(node.listpack).wire]), steps };
}

function metaPart(options: BuiltStream): Part {
  const { type, lastId, nodes, groups } = options;
  const live = nodes.flat().filter((entry) => entry.deleted !== true);
  const firstId = live[0]?.id ?? streamId(0, 0);
  const maxDeletedId = options.maxDeletedId ?? streamId(0, 0);
  const entriesAdded = options.entriesAdded ?? BigInt(nodes.flat().length);
  const counters = type >= 19 ? [...idPair(firstId), ...idPair(maxDeletedId), wide(entriesAdded)] : [];
  const meta = {
    length: String(live.length),
    lastId: idText(lastId),
    firstId: type >= 19 ? idText(firstId) : undefined,
    maxDeletedId: type >= 19 ? idText(maxDeletedId) : undefined,
    entriesAdded: type >= 19 ? String(entriesAdded) : undefined,
  };
  return {
    bytes: Buffer.concat([len(live.length), ...idPair(lastId), ...counters, len(groups.length)]),
    steps: [["streamMeta", meta]],
  };
}

function groupParts(group: BuiltGroup, type: number): Part[] {
  const { name, lastId, entriesRead, pending, consumers } = group;
  const read = type >= 19 ? [wide(BigInt.asUintN(64, entriesRead))] : [];
  return [
    {
      bytes: Buffer.concat([str(name), ...idPair(lastId), ...read, len(pending.length)]),
      steps: [["streamGroup", name, idText(lastId), type >= 19 ? String(entriesRead) : undefined]],
    },
    ...pending.map(({ id, timeMs, deliveries }): Part => ({
      bytes: Buffer.concat([streamKey(id), u64le(timeMs), len(deliveries)]),
      steps: [["streamPending", idText(id), timeMs, deliveries]],
    })),
    { bytes: len(consumers.length), steps: [] },
    ...consumers.flatMap((consumer) => consumerParts(consumer, type)),
  ];
}

function consumerParts({ name, seenMs, activeMs, pending }: BuiltConsumer, type: number): Part[] {
  const active = type >= 21 ? [u64le(activeMs)] : [];
  return [
    {
      bytes: Buffer.concat([str(name), u64le(seenMs), ...active, len(pending.length)]),
      steps: [["streamConsumer", name, seenMs, type >= 21 ? activeMs : -1]],
    },
    ...pending.map((id): Part => ({ bytes: streamKey(id), steps: [["streamConsumerPending", idText(id)]] })),
  ];
}

function idPair(id: StreamId): Buffer[] {
  return [wide(id.ms), wide(id.seq)];
}

function wide(value: bigint): Buffer {
  return value < 2n ** 32n ? len(value) : lenAs(64, value);
}

function idText(id: StreamId): string {
  return `${id.ms}-${id.seq}`;
}
