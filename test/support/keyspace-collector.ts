/**
 * Builds the values that the live simulator holds from what the product's decoder tells: to read back what a simulated master sent, and to rebuild from
 * a recording what a real one held. Elements keep the order in which they came.
 */
import type { Slice } from "../../src/bytes/slice.ts";
import type { ObjectHeader, RdbHandler, StreamMeta, ValueKind } from "../../src/rdb/rdb-handler.ts";
import type { KeyEntry, StreamGroup, StreamId, StreamValue, Value } from "../../src/simulator/live/values.ts";

export type CollectedObject = { readonly type: number; readonly db: number; readonly entry: KeyEntry };

type Open = { readonly object: CollectedObject; group: StreamGroup | undefined; consumer: string };

/** A key's address in all databases. */
export function addressOf(db: number, key: Buffer): string {
  return `${db}/${key.toString("latin1")}`;
}

export class KeyspaceCollector implements RdbHandler<Open> {
  /** Objects whose last element has come, in that order. */
  readonly objects: CollectedObject[] = [];
  readonly auxFields: [string, string][] = [];
  /** How often a value was interrupted (tagged chunks). */
  pieces = 0;
  readonly #onObject: (object: CollectedObject) => void;

  constructor(onObject: (object: CollectedObject) => void = () => {}) {
    this.#onObject = onObject;
  }

  aux(key: Slice, value: Slice): void {
    this.auxFields.push([key.toLatin1(), value.toLatin1()]);
  }

  isFull(): boolean {
    return false;
  }

  wantsBody(): boolean {
    return false;
  }

  body(): void {
    throw new Error("no bodies were wanted");
  }

  string(header: ObjectHeader, value: Slice): void {
    this.#done(collected(header, { type: "string", bytes: value.toBuffer() }));
  }

  begin(header: ObjectHeader, kind: ValueKind): Open {
    return { object: collected(header, emptyValue(kind)), group: undefined, consumer: "" };
  }

  listItem({ object }: Open, item: Slice): void {
    if (object.entry.value.type === "list") object.entry.value.items.push(item.toBuffer());
  }

  setMember(open: Open, member: Slice): void {
    this.setMemberTtl(open, member, -1);
  }

  setMemberTtl({ object }: Open, member: Slice, expireAtMs: number): void {
    if (object.entry.value.type === "set")
      object.entry.value.members.set(member.toLatin1(), { member: member.toBuffer(), expireAtMs });
  }

  zsetMember({ object }: Open, member: Slice, score: Slice): void {
    const text = score.toLatin1();
    const number = text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text);
    if (object.entry.value.type === "zset")
      object.entry.value.members.set(member.toLatin1(), { member: member.toBuffer(), score: number });
  }

  hashField(open: Open, field: Slice, content: Slice): void {
    this.hashFieldTtl(open, field, content, -1);
  }

  hashFieldTtl({ object }: Open, field: Slice, content: Slice, expireAtMs: number): void {
    const { value } = object.entry;
    if (value.type === "hash")
      value.fields.set(field.toLatin1(), { field: field.toBuffer(), content: content.toBuffer(), expireAtMs });
  }

  streamEntry({ object }: Open, id: string, fields: readonly Slice[], count: number): void {
    streamOf(object).entries.push({ id: parseId(id), fields: fields.slice(0, count).map((field) => field.toBuffer()) });
  }

  streamMeta({ object }: Open, meta: StreamMeta): void {
    const stream = streamOf(object);
    stream.lastId = parseId(meta.lastId);
    stream.maxDeletedId = parseId(meta.maxDeletedId ?? "0-0");
    stream.entriesAdded = Number(meta.entriesAdded ?? meta.length);
  }

  streamGroup(open: Open, name: Slice, lastId: string, entriesRead: string | undefined): void {
    const group: StreamGroup = {
      name: name.toBuffer(),
      lastId: parseId(lastId),
      entriesRead: Number(entriesRead ?? -1),
      pending: new Map(),
      consumers: new Map(),
    };
    streamOf(open.object).groups.set(name.toLatin1(), group);
    open.group = group;
  }

  streamPending({ group }: Open, id: string, deliveryTimeMs: number, deliveryCount: number): void {
    group?.pending.set(id, { id: parseId(id), consumer: "", deliveryTimeMs, deliveryCount });
  }

  streamConsumer(open: Open, name: Slice, seenTimeMs: number, activeTimeMs: number): void {
    open.group?.consumers.set(name.toLatin1(), { name: name.toBuffer(), seenTimeMs, activeTimeMs });
    open.consumer = name.toLatin1();
  }

  streamConsumerPending({ group, consumer }: Open, id: string): void {
    const pending = group?.pending.get(id);
    if (pending !== undefined) pending.consumer = consumer;
  }

  json({ object }: Open, text: Slice): void {
    if (object.entry.value.type === "json") object.entry.value.document = JSON.parse(text.toText());
  }

  sketchParameters(): void {}
  sketchBytes(): void {}
  sketchItem(): void {}

  pieceEnd(): void {
    this.pieces++;
  }

  end({ object }: Open): void {
    this.#done(object);
  }

  #done(object: CollectedObject): void {
    this.objects.push(object);
    this.#onObject(object);
  }
}

function collected(header: ObjectHeader, value: Value): CollectedObject {
  const { type, db, key, expireAtMs, sticky, mcFlags } = header;
  const entry: KeyEntry = { key: key.toBuffer(), value, expireAtMs, sticky };
  return { type, db, entry: mcFlags < 0 ? entry : { ...entry, mcFlags } };
}

function emptyValue(kind: ValueKind): Value {
  switch (kind) {
    case "list":
      return { type: "list", items: [] };
    case "set":
    case "setTtl":
      return { type: "set", members: new Map() };
    case "hash":
    case "hashTtl":
      return { type: "hash", fields: new Map() };
    case "zset":
      return { type: "zset", members: new Map() };
    case "stream": {
      const none = { ms: 0, seq: 0 };
      return { type: "stream", entries: [], lastId: none, maxDeletedId: none, entriesAdded: 0, groups: new Map() };
    }
    default:
      // Filters and sketches are not compared here: an empty document stands for them.
      return { type: "json", document: null };
  }
}

function streamOf({ entry }: CollectedObject): StreamValue {
  if (entry.value.type !== "stream") throw new Error("not a stream");
  return entry.value;
}

function parseId(text: string): StreamId {
  const [ms = "0", seq = "0"] = text.split("-");
  return { ms: Number(ms), seq: Number(seq) };
}
