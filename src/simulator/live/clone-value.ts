/** A copy of a value that can change on its own. Buffers are shared, since they never change; but for those of filters and sketches. */
import type { StreamGroup, StreamValue, Value } from "./values.ts";

export function cloneValue(value: Value): Value {
  switch (value.type) {
    case "string":
      return { ...value };
    case "list":
      return { type: "list", items: [...value.items] };
    case "set":
      return { ...value, members: cloneMap(value.members) };
    case "hash":
      return { ...value, fields: cloneMap(value.fields) };
    case "zset":
      return { type: "zset", members: cloneMap(value.members) };
    case "stream":
      return cloneStream(value);
    case "json":
      return { type: "json", document: structuredClone(value.document) };
    case "bloom":
      return {
        ...value,
        filters: value.filters.map(({ hashCount, bits }) => ({ hashCount, bits: Buffer.from(bits) })),
      };
    case "cms":
      return { ...value, counters: Buffer.from(value.counters) };
    case "topk":
      return { ...value, items: value.items.map((item) => ({ ...item })), counters: Buffer.from(value.counters) };
    case "cuckoo":
      return { ...value, filters: value.filters.map((filter) => Buffer.from(filter)) };
  }
}

function cloneMap<T extends object>(map: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...map].map(([name, item]) => [name, { ...item }]));
}

function cloneStream(stream: StreamValue): StreamValue {
  return {
    ...stream,
    entries: [...stream.entries],
    groups: new Map([...stream.groups].map(([name, group]) => [name, cloneGroup(group)])),
  };
}

function cloneGroup(group: StreamGroup): StreamGroup {
  return { ...group, pending: cloneMap(group.pending), consumers: cloneMap(group.consumers) };
}
