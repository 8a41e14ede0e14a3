/**
 * What a replica holds that applies one flow's objects and journal entries in stream order: a model to compare with the simulated master's own keys.
 * It knows the few commands that `TestWriter` journals.
 */
import type { JournalCommand } from "../../src/journal/journal-command.ts";
import type { FlowHandler } from "../../src/source/flow-decoder.ts";
import { dumpValue } from "../../src/simulator/live/replication/dump-value.ts";
import { jsonText } from "../../src/simulator/live/replication/json-text.ts";
import type { KeyEntry } from "../../src/simulator/live/values.ts";
import { addressOf, KeyspaceCollector } from "./keyspace-collector.ts";

type Open = Parameters<KeyspaceCollector["end"]>[0];

export class ReplicaModel extends KeyspaceCollector implements FlowHandler<Open> {
  readonly keys = new Map<string, KeyEntry>();
  /** Every entry in words, in order. */
  readonly journal: string[] = [];
  /** Journal entries that came before the end of the snapshot. */
  blobEntries = 0;
  pings = 0;
  flushes = 0;
  isFullSyncEnded = false;
  startLsn = -1;

  constructor() {
    super(({ db, entry }) => this.keys.set(addressOf(db, entry.key), entry));
  }

  fullSyncEnd(): void {
    this.isFullSyncEnded = true;
  }

  snapshotEnd(lsn: number): void {
    this.startLsn = lsn;
  }

  ping(): void {
    this.pings++;
  }

  command(command: JournalCommand): void {
    const args = command.args.slice(0, command.argc).map((arg) => arg.toBuffer());
    this.journal.push(args.join(" "));
    if (command.lsn < 0) this.blobEntries++;
    this.#apply(command.db, args);
  }

  #apply(db: number, [name, key, ...rest]: readonly Buffer[]): void {
    if (name === undefined) return;
    if (name.toString().startsWith("FLUSH")) {
      this.flushes++;
      const all = name.toString() === "FLUSHALL";
      for (const address of this.keys.keys()) if (all || address.startsWith(`${db}/`)) this.keys.delete(address);
      return;
    }
    if (key === undefined) return;
    const address = addressOf(db, key);
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = rest;
    const value = this.keys.get(address)?.value;
    if (name.toString() === "DEL") this.keys.delete(address);
    else if (name.toString() === "SET") this.keys.set(address, entryOf(key, { type: "string", bytes: first }));
    else if (name.toString() === "RPUSH") {
      if (value?.type === "list") value.items.push(first);
      else this.keys.set(address, entryOf(key, { type: "list", items: [first] }));
    } else if (name.toString() === "HSET") {
      const field = { field: first, content: second, expireAtMs: -1 };
      if (value?.type === "hash") value.fields.set(first.toString("latin1"), field);
      else this.keys.set(address, entryOf(key, { type: "hash", fields: new Map([[first.toString("latin1"), field]]) }));
    } else throw new Error(`the model does not know ${name.toString()}`);
  }
}

export function entryOf(key: Buffer, value: KeyEntry["value"]): KeyEntry {
  return { key, value, expireAtMs: -1, sticky: false };
}

/** All keys in a form that two sides can be compared in. */
export function comparable(entries: Iterable<readonly [string, KeyEntry]>): Record<string, string> {
  const sorted = [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([address, entry]) => [address, describe(entry)]));
}

function describe({ value, expireAtMs, sticky, mcFlags }: KeyEntry): string {
  const head = `${expireAtMs} ${sticky} ${mcFlags ?? ""} ${value.type}`;
  switch (value.type) {
    case "string":
      return `${head} ${value.bytes.toString("latin1")}`;
    case "list":
      return `${head} ${value.items.map((item) => item.toString("latin1")).join("|")}`;
    case "set":
      return `${head} ${[...value.members.values()]
        .map((m) => `${m.member.toString("latin1")}@${seconds(m.expireAtMs)}`)
        .toSorted()
        .join("|")}`;
    case "hash":
      return `${head} ${[...value.fields.values()]
        .map((f) => `${f.field.toString("latin1")}=${f.content.toString("latin1")}@${seconds(f.expireAtMs)}`)
        .toSorted()
        .join("|")}`;
    case "zset":
      return `${head} ${[...value.members.values()]
        .map((m) => `${m.member.toString("latin1")}=${m.score}`)
        .toSorted()
        .join("|")}`;
    case "json":
      return `${head} ${jsonText(value.document)}`;
    case "bloom":
    case "cms":
    case "topk":
    case "cuckoo":
      return `${head} ${dumpValue(value).toString("latin1")}`;
    case "stream": {
      const entries = value.entries.map(
        ({ id, fields }) => `${id.ms}-${id.seq} ${fields.map((field) => field.toString("latin1")).join(" ")}`,
      );
      const groups = [...value.groups.values()].map((group) =>
        JSON.stringify([
          group.name.toString(),
          group.lastId,
          group.entriesRead,
          [...group.pending.values()],
          [...group.consumers.keys()],
        ]),
      );
      return `${head} ${[...entries, ...groups.toSorted(), JSON.stringify([value.lastId, value.maxDeletedId, value.entriesAdded])].join("|")}`;
    }
  }
}

/** Member deadlines are sent in whole seconds. */
function seconds(expireAtMs: number): number {
  return expireAtMs < 0 ? -1 : Math.floor(expireAtMs / 1000);
}
