/**
 * Reads everything a Redis server holds: every database, key, value and deadline. Meant for a server that nobody else writes to meanwhile.
 * Byte strings are given with one character a byte, so that they compare and index as plain strings.
 */
import type { Reply, RespClient } from "./resp-client.ts";
import { RespError } from "./resp-client.ts";

/** One character a byte. */
export type Bytes = string;

export type StreamGroup = {
  readonly name: Bytes;
  readonly lastId: string;
  /** `id consumer count`, in the order of ids. */
  readonly pending: readonly string[];
};

export type Value =
  | { readonly type: "string"; readonly text: Bytes }
  | { readonly type: "list"; readonly items: readonly Bytes[] }
  | { readonly type: "set"; readonly members: ReadonlySet<Bytes> }
  | { readonly type: "hash"; readonly fields: ReadonlyMap<Bytes, Bytes> }
  | { readonly type: "zset"; readonly members: readonly (readonly [Bytes, number])[] }
  | {
      readonly type: "stream";
      readonly entries: readonly StreamEntry[];
      readonly lastId: string;
      readonly groups: readonly StreamGroup[];
    }
  /** A type that is not looked into. */
  | { readonly type: "other"; readonly name: string };

export type StreamEntry = { readonly id: string; readonly fields: readonly Bytes[] };

export type KeyState = {
  readonly db: number;
  readonly key: Bytes;
  readonly expireAt: number | null;
  /** How far `expireAt` may be off: a server before 7.0 tells only how much time is left. 0 when not given. */
  readonly deadlineSlackMs?: number;
  readonly value: Value;
};

/** `db` and key in one string, to index by. */
export function keyName(db: number, key: Bytes): string {
  return `${db} ${key}`;
}

const KEYS_PER_PIPELINE = 1000;

export async function readServerState(client: RespClient): Promise<Map<string, KeyState>> {
  const state = new Map<string, KeyState>();
  for (const db of await usedDatabases(client)) {
    await client.call("SELECT", db);
    const keys = await scanKeys(client);
    for (let at = 0; at < keys.length; at += KEYS_PER_PIPELINE) {
      for (const key of await readKeys(client, db, keys.slice(at, at + KEYS_PER_PIPELINE)))
        state.set(keyName(db, key.key), key);
    }
  }
  await client.call("SELECT", 0);
  return state;
}

/** The databases that hold keys, or did. */
export async function usedDatabases(client: RespClient): Promise<number[]> {
  const info = toBytes(await client.call("INFO", "keyspace"));
  return [...info.matchAll(/^db(\d+):/gm)].map((match) => Number(match[1]));
}

async function scanKeys(client: RespClient): Promise<Buffer[]> {
  const keys: Buffer[] = [];
  for await (const page of scanPages(client)) keys.push(...page);
  return keys;
}

/** The keys of the selected database in pages, each key once. */
export async function* scanPages(client: RespClient): AsyncGenerator<readonly Buffer[]> {
  const seen = new Set<Bytes>();
  let cursor = "0";
  do {
    const [next, page] = items(await client.call("SCAN", cursor, "COUNT", KEYS_PER_PIPELINE));
    const fresh = items(page).filter((key): key is Buffer => Buffer.isBuffer(key) && !seen.has(toBytes(key)));
    for (const key of fresh) seen.add(toBytes(key));
    yield fresh;
    cursor = toBytes(next);
  } while (cursor !== "0");
}

/** What keys of the selected database hold; those that are not there (any more) are left out. */
export async function readKeys(client: RespClient, db: number, keys: readonly Buffer[]): Promise<KeyState[]> {
  const types = (await client.pipeline(keys.map((key) => ["TYPE", key]))).map(toBytes);
  const { deadlines, slackMs } = await readDeadlines(client, keys);
  const values = await client.pipeline(keys.map((key, i) => readCommand(types[i] ?? "none", key)));
  return keys.flatMap((key, i) => {
    const value = toValue(types[i] ?? "none", values[i] ?? null);
    const deadline = deadlines[i] ?? -1;
    const expireAt = deadline < 0 ? null : deadline;
    return value === undefined ? [] : [{ db, key: toBytes(key), expireAt, deadlineSlackMs: slackMs, value }];
  });
}

/** PTTL rounds, and the clock goes on between it and TIME. */
const PTTL_SLACK_MS = 50;
const DEADLINE_BY_PTTL =
  "local t=redis.call('TIME') local left=redis.call('PTTL',KEYS[1]) if left<0 then return left end " +
  "return left+t[1]*1000+math.floor(t[2]/1000)";

/** Unix ms, or below 0 for none. */
async function readDeadlines(
  client: RespClient,
  keys: readonly Buffer[],
): Promise<{ readonly deadlines: readonly number[]; readonly slackMs: number }> {
  const replies = await client.pipeline(keys.map((key) => ["PEXPIRETIME", key]));
  const isUnknown = replies.some((reply) => reply instanceof RespError && /unknown command/i.test(reply.message));
  if (!isUnknown) return { deadlines: replies.map(Number), slackMs: 0 };
  const left = await client.pipeline(keys.map((key) => ["EVAL", DEADLINE_BY_PTTL, 1, key]));
  return { deadlines: left.map(Number), slackMs: PTTL_SLACK_MS };
}

/** Whether two keys have the same deadline, as far as their servers tell. */
export function sameDeadline(a: KeyState, b: KeyState): boolean {
  if (a.expireAt === null || b.expireAt === null) return a.expireAt === b.expireAt;
  return Math.abs(a.expireAt - b.expireAt) <= (a.deadlineSlackMs ?? 0) + (b.deadlineSlackMs ?? 0);
}

function readCommand(type: string, key: Buffer): (string | number | Buffer)[] {
  switch (type) {
    case "string":
      return ["GET", key];
    case "list":
      return ["LRANGE", key, 0, -1];
    case "set":
      return ["SMEMBERS", key];
    case "hash":
      return ["HGETALL", key];
    case "zset":
      return ["ZRANGE", key, 0, -1, "WITHSCORES"];
    case "stream":
      return ["XINFO", "STREAM", key, "FULL", "COUNT", 0];
    default:
      return ["EXISTS", key];
  }
}

/** undefined for a key that expired while it was read. */
function toValue(type: string, reply: Reply): Value | undefined {
  if (reply instanceof RespError) {
    if (reply.message.includes("no such key")) return undefined;
    throw reply;
  }
  if (type === "none" || reply === null) return undefined;
  if (type === "string") return { type, text: toBytes(reply) };
  if (!Array.isArray(reply)) return { type: "other", name: type };
  // No collection is ever empty, except a stream.
  if (reply.length === 0) return undefined;
  if (type === "stream") return toStream(reply as readonly Reply[]);
  return toCollection(type, reply.map(toBytes));
}

function toCollection(type: string, texts: readonly Bytes[]): Value {
  if (type === "list") return { type, items: texts };
  if (type === "set") return { type, members: new Set(texts) };
  const pairs = toPairs(texts);
  if (type === "hash") return { type, fields: new Map(pairs) };
  if (type === "zset") return { type, members: pairs.map(([member, score]) => [member, parseScore(score)]) };
  return { type: "other", name: type };
}

function toStream(reply: readonly Reply[]): Value {
  const info = toFields(reply);
  const entries = items(info.get("entries")).map((entry) => {
    const [id, fields] = items(entry);
    return { id: toBytes(id), fields: items(fields).map(toBytes) };
  });
  const groups = items(info.get("groups")).map((group) => toGroup(toFields(items(group))));
  return { type: "stream", entries, lastId: toBytes(info.get("last-generated-id")), groups: sortGroups(groups) };
}

function toGroup(group: ReadonlyMap<string, Reply>): StreamGroup {
  const pending = items(group.get("pending")).map((entry) => {
    const [id, consumer, , count] = items(entry);
    return `${toBytes(id)} ${toBytes(consumer)} ${toBytes(count)}`;
  });
  return { name: toBytes(group.get("name")), lastId: toBytes(group.get("last-delivered-id")), pending };
}

export function sortGroups(groups: readonly StreamGroup[]): StreamGroup[] {
  return groups.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** A score as a server prints it, as the double it stands for. */
export function parseScore(text: string): number {
  if (/^[+]?inf(inity)?$/i.test(text)) return Infinity;
  if (/^-inf(inity)?$/i.test(text)) return -Infinity;
  return Number(text);
}

export function toPairs<T>(flat: readonly T[]): [T, T][] {
  const pairs: [T, T][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.push([flat[i] as T, flat[i + 1] as T]);
  return pairs;
}

function toFields(flat: readonly Reply[]): Map<string, Reply> {
  return new Map(toPairs(flat).map(([name, value]) => [toBytes(name), value]));
}

function items(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : [];
}

function toBytes(reply: Reply | undefined): Bytes {
  if (Buffer.isBuffer(reply)) return reply.toString("latin1");
  return typeof reply === "string" || typeof reply === "number" ? String(reply) : "";
}
