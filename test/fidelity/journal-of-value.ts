/** Journal entries that make a value: a RESTORE, or commands that come to it by detours. What they are is decided by the random numbers given. */
import { integerOf } from "../../src/simulator/live/replication/integer-text.ts";
import { dumpValue } from "../../src/simulator/live/replication/dump-value.ts";
import type { RdbProfile } from "../../src/simulator/live/replication/rdb-profile.ts";
import { scoreText } from "../../src/simulator/live/replication/score-text.ts";
import type {
  HashValue,
  KeyEntry,
  ListValue,
  SetValue,
  StreamValue,
  StringValue,
  Value,
  ZsetValue,
} from "../../src/simulator/live/values.ts";
import type { SeededRandom } from "../support/hostile.ts";

type Word = string | number | Buffer;
type Entry = readonly Word[];

export function journalOf(entry: KeyEntry, random: SeededRandom, profile: RdbProfile): Buffer[][] {
  const { key, value, expireAtMs } = entry;
  const entries =
    random.below(3) === 0 || hasMemberDeadlines(value)
      ? [["RESTORE", key, Math.max(0, expireAtMs), dumpValue(value, { profile }), "REPLACE", "ABSTTL"]]
      : [["DEL", key], ...byCommands(key, value, random), ...deadlineOf(key, expireAtMs)];
  return entries.map((words) => words.map((word) => (Buffer.isBuffer(word) ? word : Buffer.from(String(word)))));
}

/** Masters journal relative deadlines of members, which cannot be told here. */
function hasMemberDeadlines(value: Value): boolean {
  if (value.type === "set") return [...value.members.values()].some(({ expireAtMs }) => expireAtMs >= 0);
  return value.type === "hash" && [...value.fields.values()].some(({ expireAtMs }) => expireAtMs >= 0);
}

function deadlineOf(key: Buffer, expireAtMs: number): Entry[] {
  return expireAtMs < 0 ? [] : [["PEXPIREAT", key, expireAtMs]];
}

function byCommands(key: Buffer, value: Value, random: SeededRandom): Entry[] {
  switch (value.type) {
    case "string":
      return ofString(key, value, random);
    case "list":
      return ofList(key, value, random);
    case "set":
      return ofSet(key, value, random);
    case "hash":
      return ofHash(key, value, random);
    case "zset":
      return ofZset(key, value, random);
    case "stream":
      return ofStream(key, value, random);
    default:
      throw new Error(`no commands make a ${value.type}`);
  }
}

function ofString(key: Buffer, { bytes }: StringValue, random: SeededRandom): Entry[] {
  const integer = integerOf(bytes);
  const fits = integer !== undefined && integer > -(2n ** 63n) + 10n;
  const at = random.below(bytes.length + 1);
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  const ways: Entry[][] = [
    [["SET", key, bytes]],
    [
      ["SET", key, head],
      ["APPEND", key, tail],
    ],
    [
      ["SET", key, Buffer.concat([head, Buffer.alloc(tail.length, "?")])],
      ["SETRANGE", key, at, tail],
    ],
    [
      ["MSET", key, "other"],
      ["GETSET", key, bytes],
    ],
    fits
      ? [
          ["SET", key, String(integer - 7n)],
          ["INCRBY", key, 7],
        ]
      : [["SET", key, bytes]],
  ];
  return ways[random.below(ways.length)] ?? [];
}

/** Of 1 to 200 elements each. */
function* cutUp<T>(all: readonly T[], random: SeededRandom): Generator<T[]> {
  for (let at = 0; at < all.length;) {
    const size = 1 + random.below(random.below(2) === 0 ? 4 : 200);
    yield all.slice(at, at + size);
    at += size;
  }
}

function ofList(key: Buffer, { items }: ListValue, random: SeededRandom): Entry[] {
  const start = random.below(items.length + 1);
  const right = [...cutUp(items.slice(start), random)].map((some) => ["RPUSH", key, ...some]);
  const left = [...cutUp(items.slice(0, start).toReversed(), random)].map((some) => ["LPUSH", key, ...some]);
  const wrong = random.below(items.length);
  return [
    ...right,
    ...left,
    ["LSET", key, wrong, "wrong"],
    ["LSET", key, wrong, items[wrong] ?? ""],
    ["RPUSH", key, "too", "many"],
    random.below(2) === 0 ? ["RPOP", key, 2] : ["LTRIM", key, 0, -3],
  ];
}

function ofSet(key: Buffer, { members }: SetValue, random: SeededRandom): Entry[] {
  const all = [...members.values()].map(({ member }) => member);
  return [
    ["SADD", key, "one that goes", ...all.slice(0, 2)],
    ...[...cutUp(all, random)].map((some) => ["SADD", key, ...some]),
    ["SREM", key, "one that goes", "one that never was"],
  ];
}

function ofHash(key: Buffer, { fields }: HashValue, random: SeededRandom): Entry[] {
  const all = [...fields.values()];
  const [first] = all;
  return [
    ["HSET", key, "one that goes", 1, ...(first === undefined ? [] : [first.field, "wrong"])],
    ...[...cutUp(all, random)].map((some) => ["HSET", key, ...some.flatMap(({ field, content }) => [field, content])]),
    ["HDEL", key, "one that goes", "one that never was"],
  ];
}

function ofZset(key: Buffer, { members }: ZsetValue, random: SeededRandom): Entry[] {
  const all = [...members.values()];
  const [first] = all;
  return [
    ["ZADD", key, 1, "one that goes", ...(first === undefined ? [] : [-3, first.member])],
    ...[...cutUp(all, random)].map((some) => [
      "ZADD",
      key,
      ...some.flatMap(({ member, score }) => [scoreText(score), member]),
    ]),
    ["ZREM", key, "one that goes", "one that never was"],
  ];
}

/** All that ever was is added; what is gone by now is deleted at the end, behind its delivery. */
function ofStream(key: Buffer, value: StreamValue, random: SeededRandom): Entry[] {
  const held = new Map(value.entries.map((entry) => [`${entry.id.ms}-${entry.id.seq}`, entry.fields]));
  const gone = goneIds(value, held);
  const ids = [...held.keys(), ...gone].toSorted(byId);
  const groups = [...value.groups.values()].flatMap((group): Entry[] => {
    const read = group.entriesRead < 0 ? [] : ["ENTRIESREAD", group.entriesRead];
    return [
      ["XGROUP", "CREATE", key, group.name, `${group.lastId.ms}-${group.lastId.seq}`, ...read],
      ...[...group.consumers.values()].map(({ name }) => ["XGROUP", "CREATECONSUMER", key, group.name, name]),
      ...[...group.pending].map(([id, { consumer, deliveryTimeMs, deliveryCount }]) => {
        const times = ["TIME", deliveryTimeMs, "RETRYCOUNT", deliveryCount];
        return ["XCLAIM", key, group.name, Buffer.from(consumer, "latin1"), 0, id, ...times, "FORCE", "JUSTID"];
      }),
    ];
  });
  return [
    ...ids.map((id): Entry => ["XADD", key, id, ...(held.get(id) ?? ["gone", "by now"])]),
    ...groups,
    ...[...cutUp(gone, random)].map((some) => ["XDEL", key, ...some]),
    ["XSETID", key, `${value.lastId.ms}-${value.lastId.seq}`, "ENTRIESADDED", value.entriesAdded],
  ];
}

function goneIds(value: StreamValue, held: ReadonlyMap<string, unknown>): string[] {
  const named = [value.lastId, value.maxDeletedId].filter(({ ms, seq }) => ms !== 0 || seq !== 0);
  const pending = [...value.groups.values()].flatMap((group) => [...group.pending.values()].map(({ id }) => id));
  const texts = [...named, ...pending].map(({ ms, seq }) => `${ms}-${seq}`);
  return [...new Set(texts)].filter((id) => !held.has(id));
}

function byId(a: string, b: string): number {
  const [aMs = 0, aSeq = 0] = a.split("-").map(Number);
  const [bMs = 0, bSeq = 0] = b.split("-").map(Number);
  return aMs - bMs || aSeq - bSeq;
}
