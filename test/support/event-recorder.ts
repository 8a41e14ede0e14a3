/**
 * A receiver of what a flow's decoder tells, as plain data: bytes as latin1 text. It also holds the decoder to the contract of `RdbHandler`:
 * what it is told about a value comes between `begin` and `end`, and nothing else comes in between without `pieceEnd`.
 *
 * Neighbouring pieces of one filter's bytes become one event, since where they are cut depends on how the bytes arrive.
 */
import { expect } from "vitest";
import type { Slice } from "../../src/bytes/slice.ts";
import type { JournalCommand } from "../../src/journal/journal-command.ts";
import type { ObjectHeader, StreamMeta, ValueKind } from "../../src/rdb/rdb-handler.ts";
import type { FlowHandler } from "../../src/source/flow-decoder.ts";

export type Fact =
  | string
  | number
  | undefined
  | readonly (string | number)[]
  | Readonly<Record<string, string | number | boolean | undefined>>;
/** Its name, then its facts. What concerns one value has the value's key first. */
export type RecordedEvent = readonly [string, ...Fact[]];

export type RecordedValue = { readonly key: string; ended: boolean };

export class EventRecorder implements FlowHandler<RecordedValue> {
  readonly events: RecordedEvent[] = [];
  isFull: () => boolean = () => false;
  readonly #wanted: (type: number) => boolean;
  /** The value about which something was told since its last `pieceEnd`. */
  #current: RecordedValue | undefined;

  /** @param wanted types whose bodies are taken verbatim */
  constructor(wanted: (type: number) => boolean = () => false) {
    this.#wanted = wanted;
  }

  wantsBody(type: number): boolean {
    return this.#wanted(type);
  }

  aux(key: Slice, value: Slice): void {
    this.#apart("aux", key.toLatin1(), value.toLatin1());
  }

  string(object: ObjectHeader, value: Slice): void {
    this.#apart("string", object.key.toLatin1(), attributes(object), value.toLatin1());
  }

  body(object: ObjectHeader, body: Slice): void {
    this.#apart("body", object.key.toLatin1(), attributes(object), body.toLatin1());
  }

  begin(object: ObjectHeader, kind: ValueKind, count: number): RecordedValue {
    const value = { key: object.key.toLatin1(), ended: false };
    this.#apart("begin", value.key, attributes(object), kind, count);
    this.#current = value;
    return value;
  }

  listItem(value: RecordedValue, item: Slice): void {
    this.#of(value, "listItem", item.toLatin1());
  }

  setMember(value: RecordedValue, member: Slice): void {
    this.#of(value, "setMember", member.toLatin1());
  }

  zsetMember(value: RecordedValue, member: Slice, score: Slice): void {
    this.#of(value, "zsetMember", member.toLatin1(), score.toLatin1());
  }

  hashField(value: RecordedValue, field: Slice, content: Slice): void {
    this.#of(value, "hashField", field.toLatin1(), content.toLatin1());
  }

  hashFieldTtl(value: RecordedValue, field: Slice, content: Slice, expireAtMs: number): void {
    this.#of(value, "hashFieldTtl", field.toLatin1(), content.toLatin1(), expireAtMs);
  }

  setMemberTtl(value: RecordedValue, member: Slice, expireAtMs: number): void {
    this.#of(value, "setMemberTtl", member.toLatin1(), expireAtMs);
  }

  streamEntry(value: RecordedValue, id: string, fields: readonly Slice[], count: number): void {
    const words = fields.slice(0, count).map((field) => field.toLatin1());
    this.#of(value, "streamEntry", id, words);
  }

  streamMeta(value: RecordedValue, meta: StreamMeta): void {
    this.#of(value, "streamMeta", { ...meta });
  }

  streamGroup(value: RecordedValue, name: Slice, lastId: string, entriesRead: string | undefined): void {
    this.#of(value, "streamGroup", name.toLatin1(), lastId, entriesRead);
  }

  streamPending(value: RecordedValue, id: string, deliveryTimeMs: number, deliveryCount: number): void {
    this.#of(value, "streamPending", id, deliveryTimeMs, deliveryCount);
  }

  streamConsumer(value: RecordedValue, name: Slice, seenTimeMs: number, activeTimeMs: number): void {
    this.#of(value, "streamConsumer", name.toLatin1(), seenTimeMs, activeTimeMs);
  }

  streamConsumerPending(value: RecordedValue, id: string): void {
    this.#of(value, "streamConsumerPending", id);
  }

  json(value: RecordedValue, text: Slice): void {
    this.#of(value, "json", text.toLatin1());
  }

  sketchParameters(value: RecordedValue, parameters: readonly number[]): void {
    this.#of(value, "sketchParameters", [...parameters]);
  }

  sketchBytes(value: RecordedValue, filter: number, total: number, piece: Slice): void {
    this.#of(value, "sketchBytes", filter, total, piece.toLatin1());
    const merged = mergeSketchBytes(this.events.splice(-2));
    this.events.push(...merged);
  }

  sketchItem(value: RecordedValue, item: Slice, count: number): void {
    this.#of(value, "sketchItem", item.toLatin1(), count);
  }

  pieceEnd(value: RecordedValue): void {
    this.#of(value, "pieceEnd");
    this.#current = undefined;
  }

  end(value: RecordedValue): void {
    this.#of(value, "end");
    value.ended = true;
    this.#current = undefined;
  }

  command(command: JournalCommand): void {
    const args = command.args.slice(0, command.argc).map((arg) => arg.toLatin1());
    this.#apart("command", { db: command.db, txid: command.txid, lsn: command.lsn }, args);
  }

  ping(): void {
    this.#apart("ping");
  }

  fullSyncEnd(): void {
    this.#apart("fullSyncEnd");
  }

  snapshotEnd(lsn: number): void {
    this.#apart("snapshotEnd", lsn);
  }

  #of(value: RecordedValue, name: string, ...facts: readonly Fact[]): void {
    if (value.ended) throw new Error(`${name} of ${value.key} after its end`);
    if (this.#current !== undefined && this.#current !== value) {
      throw new Error(`${name} of ${value.key} comes inside of ${this.#current.key}, without pieceEnd`);
    }
    this.#current = value;
    this.events.push([name, value.key, ...facts]);
  }

  #apart(name: string, ...facts: readonly Fact[]): void {
    if (this.#current !== undefined) throw new Error(`${name} comes inside of ${this.#current.key}, without pieceEnd`);
    this.events.push([name, ...facts]);
  }
}

export type Attributes = {
  readonly type: number;
  readonly db?: number;
  readonly expireAtMs?: number;
  readonly sticky?: boolean;
  readonly mcFlags?: number;
};

/** What stands before an object, the ordinary left out. */
function attributes(object: ObjectHeader): Attributes {
  const { type, db, expireAtMs, sticky, mcFlags } = object;
  return {
    type,
    ...(db === 0 ? {} : { db }),
    ...(expireAtMs === -1 ? {} : { expireAtMs }),
    ...(sticky ? { sticky } : {}),
    ...(mcFlags === -1 ? {} : { mcFlags }),
  };
}

/** Neighbouring pieces of one filter's bytes become one. */
export function mergeSketchBytes(events: readonly RecordedEvent[]): RecordedEvent[] {
  const merged: RecordedEvent[] = [];
  for (const event of events) {
    const last = merged.at(-1);
    const isNext =
      event[0] === "sketchBytes" && last?.[0] === "sketchBytes" && [1, 2, 3].every((i) => event[i] === last[i]);
    if (!isNext) merged.push(event);
    else merged[merged.length - 1] = ["sketchBytes", event[1], event[2], event[3], `${bytesOf(last)}${bytesOf(event)}`];
  }
  return merged;
}

function bytesOf(event: RecordedEvent): string {
  return typeof event[4] === "string" ? event[4] : "";
}

/** Cheap where they are equal, which is nearly always. */
export function expectEvents(actual: readonly RecordedEvent[], expected: readonly RecordedEvent[]): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) expect(actual).toEqual(expected);
  expect(actual).toHaveLength(expected.length);
}
