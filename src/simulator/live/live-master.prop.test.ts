/**
 * What replication rests on, for whatever commands come: a second master that runs the journal of the first holds the same, and no key changes before it
 * was announced to the watchers of its shard.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LiveCommands, type Request } from "../../../test/support/live-commands.ts";
import { dumpValue } from "./replication/dump-value.ts";
import type { JournalRecord } from "./shard.ts";
import type { KeyEntry, Value } from "./values.ts";

const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
const member = fc.constantFrom("m", "n", "o", "p");
const number = fc.integer({ min: -3, max: 9 }).map(String);

/** Commands whose journal another master of this kind can run: not those that write RESTORE. */
const request: fc.Arbitrary<Request> = fc.oneof(
  fc
    .tuple(key, number, fc.constantFrom([], ["NX"], ["XX"], ["PX", "5"], ["KEEPTTL"], ["STICK"]))
    .map(([k, v, options]) => ["SET", k, v, ...options]),
  fc.tuple(fc.constantFrom("INCRBY", "APPEND", "SETNX", "GETSET"), key, number).map((words) => words),
  fc
    .tuple(fc.constantFrom("INCR", "GETDEL", "PERSIST", "LPOP", "RPOP", "SPOP", "ZPOPMIN", "ZPOPMAX"), key)
    .map((words) => words),
  fc
    .tuple(fc.constantFrom("RPUSH", "LPUSHX", "SADD", "SREM", "HDEL", "ZREM"), key, member, member)
    .map((words) => words),
  fc.tuple(fc.constantFrom("HSET", "HSETNX", "HINCRBY"), key, member, number).map((words) => words),
  fc
    .tuple(key, fc.constantFrom([], ["NX"], ["XX"], ["GT"], ["LT", "CH"]), number, member)
    .map(([k, flags, score, m]) => ["ZADD", k, ...flags, score, m]),
  fc.tuple(key, number, number).map(([k, start, stop]) => ["LTRIM", k, start, stop]),
  fc.tuple(fc.constantFrom("DEL", "MSET", "MSETNX"), key, key, key, key).map((words) => words),
  fc.tuple(fc.constantFrom("PEXPIRE", "EXPIRE"), key, number).map((words) => words),
  fc.tuple(fc.constantFrom("RPOPLPUSH", "SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"), key, key).map((words) => words),
  fc.tuple(key, key, member).map(([from, to, m]) => ["SMOVE", from, to, m]),
  fc.tuple(key, number).map(([k, db]) => ["MOVE", k, db]),
  fc.tuple(fc.constantFrom("ZUNIONSTORE", "ZINTERSTORE"), key, key, key).map(([name, to, a, b]) => [name, to, 2, a, b]),
  fc
    .tuple(key, fc.constantFrom([], ["MAXLEN", "2"], ["NOMKSTREAM"]))
    .map(([k, options]) => ["XADD", k, ...options, "*", "f", "v"]),
  fc.tuple(key, fc.constantFrom("CREATE")).map(([k, word]) => ["XGROUP", word, k, "g", "0", "MKSTREAM"]),
  fc
    .tuple(key, member, fc.constantFrom([], ["NOACK"]))
    .map(([k, consumer, options]) => ["XREADGROUP", "GROUP", "g", consumer, ...options, "COUNT", 2, "STREAMS", k, ">"]),
  fc.constantFrom<Request>("FLUSHDB", "SELECT 1", "SELECT 0", "MULTI", "EXEC", "DISCARD"),
);

test("a master that runs the journal holds the same", () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 60 }), (requests) => {
      const source = new LiveCommands({ shards: 3 });
      const replica = new LiveCommands({ shards: 3 });
      const records: JournalRecord[] = [];
      for (const shard of source.master.shards) shard.onRecord = (record) => void records.push(record);
      const startMs = source.nowMs;
      for (const [i, one] of requests.entries()) {
        source.ask(one);
        source.nowMs += i % 3;
        source.master.expireDue();
      }
      // Before every deadline: what expired comes as DEL.
      replica.nowMs = startMs - 1;
      for (const { db, args } of records) {
        replica.ask(["SELECT", db]);
        replica.ask([...args]);
      }
      expect(held(replica)).toEqual(held(source));
    }),
    { numRuns: 300 },
  );
});

test("every change of a key is announced before it is made", () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 60 }), (requests) => {
      const live = new LiveCommands({ shards: 3 });
      let before = held(live);
      let announced = new Map<string, unknown>();
      let flushed = false;
      for (const shard of live.master.shards) {
        shard.watchers.add({
          beforeChange: (db, name, entry) => {
            const id = `${db} ${name.toString("latin1")}`;
            if (!announced.has(id)) announced.set(id, entry && plain(entry));
          },
          beforeFlush: () => {
            flushed = true;
          },
        });
      }
      for (const one of requests) {
        live.ask(one);
        live.nowMs += 1;
        live.master.expireDue();
        const after = held(live);
        const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
          (id) => JSON.stringify(before[id]) !== JSON.stringify(after[id]),
        );
        if (!flushed) {
          expect(changed.filter((id) => !announced.has(id))).toEqual([]);
          for (const [id, state] of announced) expect({ id, state }).toEqual({ id, state: before[id] });
        }
        before = after;
        announced = new Map();
        flushed = false;
      }
    }),
    { numRuns: 200 },
  );
});

function held(live: LiveCommands): Record<string, unknown> {
  const entries = live.master.shards.flatMap((shard) =>
    shard.databases.flatMap((database, db) =>
      [...database].map(([name, entry]) => [`${db} ${name}`, plain(entry)] as const),
    ),
  );
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function plain({ value, expireAtMs, sticky }: KeyEntry): unknown {
  return { expireAtMs, sticky, value: plainValue(value) };
}

function plainValue(value: Value): unknown {
  switch (value.type) {
    case "string":
      return value.bytes.toString();
    case "list":
      return value.items.map(String);
    case "set":
      return [...value.members.keys()].toSorted();
    case "hash":
      return [...value.fields].map(([name, { content }]) => `${name} ${content.toString()}`).toSorted();
    case "zset":
      return [...value.members].map(([name, { score }]) => `${name} ${score || 0}`).toSorted();
    case "stream":
      return [
        value.entries.map(({ id }) => id),
        value.lastId,
        [...value.groups].map(([name, group]) => [
          name,
          group.lastId,
          group.entriesRead,
          [...group.pending].map(([id, item]) => [id, item.consumer, item.deliveryCount]),
          [...group.consumers.keys()],
        ]),
      ];
    case "json":
      return value.document;
    case "bloom":
    case "cms":
    case "topk":
    case "cuckoo":
      return dumpValue(value).toString("latin1");
  }
}
