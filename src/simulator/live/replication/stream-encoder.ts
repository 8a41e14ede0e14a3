/**
 * Serializes streams as type 21 (docs/protocol.md §4; Redis src/t_stream.c streamAppendItem, src/rdb.c): nodes of at most 100 entries and about 4 KiB,
 * counters, groups with their pending entries and consumers. Entries lie in nodes as if they had just been appended: what the real master leaves behind
 * of deleted ones is not there. Yields between nodes.
 */
import type { StreamEntry, StreamGroup, StreamId, StreamValue } from "../values.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { ListpackWriter } from "./listpack-writer.ts";
import { writeString } from "./rdb-string-writer.ts";

const MAX_NODE_BYTES = 4096;
const MAX_NODE_ENTRIES = 100;
const FLAG_SAMEFIELDS = 2n;
const NO_ID: StreamId = { ms: 0, seq: 0 };

export function* encodeStream(out: ByteWriter, stream: StreamValue, lzf: boolean): Generator<undefined, void> {
  const nodes = splitNodes(stream.entries);
  out.len(nodes.length);
  for (const [i, node] of nodes.entries()) {
    writeString(out, rawId(node[0]?.id ?? NO_ID), lzf);
    writeString(out, nodeListpack(node), lzf);
    // Counters and groups stay with the last node.
    if (i + 1 < nodes.length) yield;
  }
  out.len(stream.entries.length);
  writeId(out, stream.lastId);
  writeId(out, stream.entries[0]?.id ?? NO_ID);
  writeId(out, stream.maxDeletedId);
  out.len(stream.entriesAdded);
  const groups = [...stream.groups.values()].toSorted(byName);
  out.len(groups.length);
  for (const group of groups) writeGroup(out, group, lzf);
}

function writeGroup(out: ByteWriter, group: StreamGroup, lzf: boolean): void {
  writeString(out, group.name, lzf);
  writeId(out, group.lastId);
  out.len64(BigInt.asUintN(64, BigInt(group.entriesRead)));
  const pending = [...group.pending.values()].toSorted((a, b) => compareIds(a.id, b.id));
  out.len(pending.length);
  for (const { id, deliveryTimeMs, deliveryCount } of pending) {
    out.bytes(rawId(id));
    out.int64Le(deliveryTimeMs);
    out.len(deliveryCount);
  }
  const consumers = [...group.consumers.values()].toSorted(byName);
  out.len(consumers.length);
  for (const { name, seenTimeMs, activeTimeMs } of consumers) {
    writeString(out, name, lzf);
    out.int64Le(seenTimeMs);
    out.int64Le(activeTimeMs);
    const text = name.toString("latin1");
    const own = pending.filter(({ consumer }) => consumer === text);
    out.len(own.length);
    for (const { id } of own) out.bytes(rawId(id));
  }
}

/** An entry goes to the last node when that node's bytes and the raw bytes of the entry's fields stay under the limit. */
function splitNodes(entries: readonly StreamEntry[]): StreamEntry[][] {
  const nodes: StreamEntry[][] = [];
  const size = new ListpackWriter();
  for (const entry of entries) {
    const added = entry.fields.reduce((sum, field) => sum + field.length, 0);
    let node = nodes.at(-1);
    if (node === undefined || node.length >= MAX_NODE_ENTRIES || size.byteLength + added >= MAX_NODE_BYTES) {
      node = [];
      nodes.push(node);
      size.clear();
      addMaster(size, entry, 1);
    }
    node.push(entry);
    addEntry(size, entry, node[0] ?? entry);
  }
  return nodes;
}

/** Facts: the drawing over streamAppendItem in Redis src/t_stream.c. */
function nodeListpack(node: readonly StreamEntry[]): Buffer {
  const out = new ListpackWriter();
  const [master] = node;
  if (master === undefined) return out.finish();
  addMaster(out, master, node.length);
  for (const entry of node) addEntry(out, entry, master);
  return out.finish();
}

function addMaster(out: ListpackWriter, master: StreamEntry, count: number): void {
  const names = namesOf(master);
  for (const value of [count, 0, names.length]) out.addInteger(BigInt(value));
  for (const name of names) out.add(name);
  out.addInteger(0n);
}

function addEntry(out: ListpackWriter, entry: StreamEntry, master: StreamEntry): void {
  const names = namesOf(entry);
  const masterNames = namesOf(master);
  const same = names.length === masterNames.length && names.every((name, i) => name.equals(masterNames[i] ?? name));
  out.addInteger(same ? FLAG_SAMEFIELDS : 0n);
  out.addInteger(BigInt(entry.id.ms) - BigInt(master.id.ms));
  out.addInteger(BigInt(entry.id.seq) - BigInt(master.id.seq));
  if (!same) out.addInteger(BigInt(names.length));
  for (const [i, field] of entry.fields.entries()) if (!same || i % 2 === 1) out.add(field);
  out.addInteger(BigInt(same ? names.length + 3 : 2 * names.length + 4));
}

function namesOf(entry: StreamEntry): Buffer[] {
  return entry.fields.filter((_, i) => i % 2 === 0);
}

function rawId({ ms, seq }: StreamId): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64BE(BigInt(ms), 0);
  bytes.writeBigUInt64BE(BigInt(seq), 8);
  return bytes;
}

function writeId(out: ByteWriter, { ms, seq }: StreamId): void {
  out.len(ms);
  out.len(seq);
}

function compareIds(a: StreamId, b: StreamId): number {
  return a.ms - b.ms || a.seq - b.seq;
}

function byName(a: { readonly name: Buffer }, b: { readonly name: Buffer }): number {
  return Buffer.compare(a.name, b.name);
}
