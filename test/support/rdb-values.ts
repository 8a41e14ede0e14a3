/**
 * Builds values of every object type, cut into the parts between which a master may cut them, each part with what a receiver must be told of it.
 * Written from docs/protocol.md §4, not from the decoder.
 */
import { buildIntset, buildListpack, buildZiplist, buildZipmap, type Element, elementText } from "./codec-builders.ts";
import { type Fact, mergeSketchBytes, type RecordedEvent } from "./event-recorder.ts";
import { bytes, double, len, lenAs, moduleId, moduleItem, str, u64le, wire, type WireString } from "./rdb-builder.ts";

/** An event without its key. */
export type Step = readonly [string, ...Fact[]];

/** Never cut by a master. */
export type Part = { readonly bytes: Buffer; readonly steps: readonly Step[] };

export type BuiltValue = {
  readonly type: number;
  readonly kind: string;
  /** What `begin` says. */
  readonly count: number;
  /** What stands before the first part. */
  readonly head: Buffer;
  /** Told with `begin`. */
  readonly lead?: readonly Step[];
  readonly parts: readonly Part[];
};

export function body(value: BuiltValue): Buffer {
  return Buffer.concat([value.head, ...value.parts.map((part) => part.bytes)]);
}

/** What is told between `begin` and `end` when the value comes in one piece. */
export function valueEvents(value: BuiltValue, key: string): RecordedEvent[] {
  const steps = [...(value.lead ?? []), ...value.parts.flatMap((part) => part.steps)];
  return mergeSketchBytes(steps.map(([name, ...facts]) => [name, key, ...facts]));
}

function counted(type: number, kind: string, parts: readonly Part[]): BuiltValue {
  return { type, kind, count: parts.length, head: len(parts.length), parts };
}

export function list(items: readonly WireString[]): BuiltValue {
  return counted(
    1,
    "list",
    items.map((item) => ({ bytes: item.wire, steps: [["listItem", item.text]] })),
  );
}

export function set(members: readonly WireString[]): BuiltValue {
  return counted(
    2,
    "set",
    members.map((member) => ({ bytes: member.wire, steps: [["setMember", member.text]] })),
  );
}

/** @param score text of a number, or inf or -inf */
export function textScore(score: string): Buffer {
  if (score === "inf") return bytes(254);
  if (score === "-inf") return bytes(255);
  return Buffer.concat([bytes(score.length), Buffer.from(score)]);
}

export function zsetText(members: readonly (readonly [WireString, string])[]): BuiltValue {
  const part = ([member, score]: readonly [WireString, string]): Part => ({
    bytes: Buffer.concat([member.wire, textScore(score)]),
    steps: [["zsetMember", member.text, score]],
  });
  return counted(3, "zset", members.map(part));
}

export function hash(fields: readonly (readonly [WireString, WireString])[]): BuiltValue {
  const part = ([field, content]: readonly [WireString, WireString]): Part => ({
    bytes: Buffer.concat([field.wire, content.wire]),
    steps: [["hashField", field.text, content.text]],
  });
  return counted(4, "hash", fields.map(part));
}

/** @param members with each score as it is and as text */
export function zset2(members: readonly (readonly [WireString, number, string])[]): BuiltValue {
  const part = ([member, score, text]: readonly [WireString, number, string]): Part => ({
    bytes: Buffer.concat([member.wire, double(score)]),
    steps: [["zsetMember", member.text, text]],
  });
  return counted(5, "zset", members.map(part));
}

/** Seconds since 2023-02-01 00:00 UTC, or -1. */
export type MemberExpiry = WireString;

function unixMs(expiry: MemberExpiry): number {
  return expiry.text === "-1" ? -1 : Date.UTC(2023, 1, 1) + Number(expiry.text) * 1000;
}

export function hashTtl(fields: readonly (readonly [WireString, WireString, MemberExpiry])[]): BuiltValue {
  const part = ([field, content, expiry]: readonly [WireString, WireString, MemberExpiry]): Part => ({
    bytes: Buffer.concat([field.wire, content.wire, expiry.wire]),
    steps: [["hashFieldTtl", field.text, content.text, unixMs(expiry)]],
  });
  return counted(31, "hashTtl", fields.map(part));
}

export function setTtl(members: readonly (readonly [WireString, MemberExpiry])[]): BuiltValue {
  const part = ([member, expiry]: readonly [WireString, MemberExpiry]): Part => ({
    bytes: Buffer.concat([member.wire, expiry.wire]),
    steps: [["setMemberTtl", member.text, unixMs(expiry)]],
  });
  return counted(32, "setTtl", members.map(part));
}

/** How a node's bytes become a string of the stream: `wire` or `wireLzf`. */
export type Wrap = (node: Buffer) => WireString;

const plain: Wrap = (node) => wire(node);

function single(type: number, kind: string, node: Buffer, steps: readonly Step[], wrap: Wrap): BuiltValue {
  return { type, kind, count: 1, head: Buffer.alloc(0), parts: [{ bytes: wrap(node).wire, steps }] };
}

function pairs(elements: readonly Element[], name: string): Step[] {
  const texts = elements.map(elementText);
  return texts.flatMap((text, i): Step[] => (i % 2 === 0 ? [[name, text, texts[i + 1]]] : []));
}

function each(elements: readonly Element[], name: string): Step[] {
  return elements.map((element) => [name, elementText(element)]);
}

export function hashZipmap(fields: readonly (readonly [Buffer, Buffer])[], wrap = plain): BuiltValue {
  return single(9, "hash", buildZipmap(fields), pairs(fields.flat(), "hashField"), wrap);
}

export function listZiplist(items: readonly Element[], wrap = plain): BuiltValue {
  return single(10, "list", buildZiplist(items), each(items, "listItem"), wrap);
}

/** @param members in ascending order */
export function setIntset(members: readonly bigint[], width: 2 | 4 | 8, wrap = plain): BuiltValue {
  return single(11, "set", buildIntset(members, width), each(members, "setMember"), wrap);
}

/** @param elements member, score, member, score, … */
export function zsetZiplist(elements: readonly Element[], wrap = plain): BuiltValue {
  return single(12, "zset", buildZiplist(elements), pairs(elements, "zsetMember"), wrap);
}

/** @param elements field, value, field, value, … */
export function hashZiplist(elements: readonly Element[], wrap = plain): BuiltValue {
  return single(13, "hash", buildZiplist(elements), pairs(elements, "hashField"), wrap);
}

export function hashListpack(elements: readonly Element[], wrap = plain): BuiltValue {
  return single(16, "hash", buildListpack(elements), pairs(elements, "hashField"), wrap);
}

export function zsetListpack(elements: readonly Element[], wrap = plain): BuiltValue {
  return single(17, "zset", buildListpack(elements), pairs(elements, "zsetMember"), wrap);
}

/** In streams of RDB version 10 and later. */
export function setListpack(elements: readonly Element[], wrap = plain): BuiltValue {
  return single(20, "set", buildListpack(elements), each(elements, "setMember"), wrap);
}

/** Nodes that are ziplists. */
export function quicklist(nodes: readonly (readonly Element[])[], wrap = plain): BuiltValue {
  return counted(
    14,
    "list",
    nodes.map((items) => ({ bytes: wrap(buildZiplist(items)).wire, steps: each(items, "listItem") })),
  );
}

/** Nodes that are listpacks, or one plain item. */
export function quicklist2(nodes: readonly (readonly Element[] | WireString)[], wrap = plain): BuiltValue {
  const part = (node: readonly Element[] | WireString): Part => {
    if ("wire" in node) return { bytes: Buffer.concat([len(1), node.wire]), steps: [["listItem", node.text]] };
    return { bytes: Buffer.concat([len(2), wrap(buildListpack(node)).wire]), steps: each(node, "listItem") };
  };
  return counted(18, "list", nodes.map(part));
}

export function json(text: WireString): BuiltValue {
  return {
    type: 30,
    kind: "json",
    count: 1,
    head: Buffer.alloc(0),
    parts: [{ bytes: text.wire, steps: [["json", text.text]] }],
  };
}

/** As old masters write it: type 20, in streams of RDB version 9. */
export function oldJson(text: WireString): BuiltValue {
  return { ...json(text), type: 20 };
}

/** @param items with each one's steps, as `moduleItem` gives them */
export function moduleValue(name: string, items: readonly Buffer[], steps: readonly Step[] = []): BuiltValue {
  const parts = [...items, bytes(0)].map((item, i) => ({ bytes: item, steps: steps.slice(i, i + 1) }));
  return { type: 7, kind: name === "ReJSON-RL" ? "json" : "module", count: 0, head: lenAs(64, moduleId(name)), parts };
}

export function reJson(text: WireString): BuiltValue {
  return moduleValue("ReJSON-RL", [moduleItem(5, text.wire)], [["json", text.text]]);
}

export type BloomFilter = { readonly hashes: number; readonly bytes: Buffer };

function bloomLead(filters: readonly BloomFilter[]): Pick<BuiltValue, "kind" | "count" | "head" | "lead"> {
  const head = [len(0), double(2), double(0.01), len(100), len(7), len(1000), len(filters.length)];
  return {
    kind: "bloom",
    count: filters.length,
    head: Buffer.concat(head),
    lead: [["sketchParameters", [0, 2, 0.01, 100, 7, 1000, filters.length]]],
  };
}

/** Type 33: each filter's bytes as one string. */
export function bloom(filters: readonly BloomFilter[], wrap = plain): BuiltValue {
  const part = (filter: BloomFilter, i: number): Part => ({
    bytes: Buffer.concat([len(filter.hashes), wrap(filter.bytes).wire]),
    steps: [["sketchBytes", i, filter.bytes.length, filter.bytes.toString("latin1")]],
  });
  return { type: 33, ...bloomLead(filters), parts: filters.map(part) };
}

/** Type 34: each filter's bytes in pieces of `pieceBytes`. */
export function bloom2(filters: readonly BloomFilter[], pieceBytes: number): BuiltValue {
  const parts = filters.flatMap((filter, i) => chunkedFilter(len(filter.hashes), filter.bytes, i, pieceBytes));
  return { type: 34, ...bloomLead(filters), parts };
}

function chunkedFilter(lead: Buffer, content: Buffer, filter: number, pieceBytes: number): Part[] {
  const parts: Part[] = [{ bytes: Buffer.concat([lead, len(content.length)]), steps: [] }];
  for (let at = 0; at < content.length; at += pieceBytes) {
    const piece = content.subarray(at, at + pieceBytes);
    parts.push({ bytes: str(piece), steps: [["sketchBytes", filter, content.length, piece.toString("latin1")]] });
  }
  return parts;
}

export function countMin(width: number, depth: number, counters: readonly bigint[]): BuiltValue {
  const total = counters.length * 8;
  const part = (counter: bigint): Part => {
    const raw = u64le(counter);
    return { bytes: raw, steps: [["sketchBytes", 0, total, raw.toString("latin1")]] };
  };
  const head = Buffer.concat([len(width), len(depth), len(77)]);
  return {
    type: 35,
    kind: "cms",
    count: counters.length,
    head,
    lead: [["sketchParameters", [width, depth, 77]]],
    parts: counters.map(part),
  };
}

export function topK(items: readonly (readonly [WireString, number])[], counters: Buffer): BuiltValue {
  const head = [len(0), len(10), len(8), len(7), double(0.9), len(items.length)];
  const parts = items.map(([item, count]): Part => ({
    bytes: Buffer.concat([item.wire, len(count)]),
    steps: [["sketchItem", item.text, count]],
  }));
  const last: Part = {
    bytes: str(counters),
    steps: [["sketchBytes", 0, counters.length, counters.toString("latin1")]],
  };
  const lead: Step[] = [["sketchParameters", [0, 10, 8, 7, 0.9, items.length]]];
  return { type: 36, kind: "topk", count: items.length, head: Buffer.concat(head), lead, parts: [...parts, last] };
}

export function cuckoo(filters: readonly Buffer[], pieceBytes: number): BuiltValue {
  const numbers = [4, 20, 1, 1024, 3, 1, filters.length];
  const parts = filters.flatMap((filter, i) => chunkedFilter(Buffer.alloc(0), filter, i, pieceBytes));
  const head = Buffer.concat(numbers.map((number) => len(number)));
  return { type: 37, kind: "cuckoo", count: filters.length, head, lead: [["sketchParameters", numbers]], parts };
}
