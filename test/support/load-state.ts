/** Writes keys into a server by plain commands: to test the comparison with, independently of the product. */
import type { Argument, RespClient } from "./resp-client.ts";
import { RespError } from "./resp-client.ts";
import type { KeyState, Value } from "./server-state.ts";

const COMMANDS_PER_PIPELINE = 1000;

export async function loadState(client: RespClient, keys: readonly KeyState[]): Promise<void> {
  const commands = keys.flatMap(({ db, key, expireAt, value }) => [
    ["SELECT", db],
    ...valueCommands(bytes(key), value),
    ...(expireAt === null ? [] : [["PEXPIREAT", bytes(key), expireAt]]),
  ]);
  for (let at = 0; at < commands.length; at += COMMANDS_PER_PIPELINE) {
    const replies = await client.pipeline(commands.slice(at, at + COMMANDS_PER_PIPELINE));
    const error = replies.find((reply) => reply instanceof RespError);
    if (error !== undefined) throw error;
  }
  await client.call("SELECT", 0);
}

function valueCommands(key: Buffer, value: Value): Argument[][] {
  switch (value.type) {
    case "string":
      return [["SET", key, bytes(value.text)]];
    case "list":
      return [["RPUSH", key, ...value.items.map(bytes)]];
    case "set":
      return [["SADD", key, ...[...value.members].map(bytes)]];
    case "hash":
      return [["HSET", key, ...[...value.fields].flatMap((pair) => pair.map(bytes))]];
    case "zset":
      return [["ZADD", key, ...value.members.flatMap(([member, score]) => [scoreText(score), bytes(member)])]];
    case "stream":
      return streamCommands(key, value);
    default:
      return [];
  }
}

/** Pending entries whose message is gone need one for a moment. */
function streamCommands(key: Buffer, stream: Extract<Value, { readonly type: "stream" }>): Argument[][] {
  const kept = new Map(stream.entries.map(({ id, fields }) => [id, fields]));
  const pendingIds = stream.groups.flatMap((group) => group.pending.map((pending) => pending.split(" ")[0] ?? ""));
  const ids = [...new Set([...kept.keys(), ...pendingIds])].toSorted(compareIds);
  const gone = ids.filter((id) => !kept.has(id));
  const groups = stream.groups.flatMap((group) => [
    ["XGROUP", "CREATE", key, bytes(group.name), group.lastId, "MKSTREAM"],
    ...group.pending.map((pending) => {
      const [id = "", consumer = "", count = ""] = pending.split(" ");
      return ["XCLAIM", key, bytes(group.name), bytes(consumer), 0, id, "RETRYCOUNT", count, "FORCE", "JUSTID"];
    }),
  ]);
  return [
    ["XGROUP", "CREATE", key, "made", "0", "MKSTREAM"],
    ["XGROUP", "DESTROY", key, "made"],
    ...ids.map((id) => ["XADD", key, id, ...(kept.get(id) ?? ["gone", ""]).map(bytes)]),
    ...groups,
    ...gone.map((id) => ["XDEL", key, id]),
    ["XSETID", key, stream.lastId],
  ];
}

function compareIds(a: string, b: string): number {
  const [aMs = "", aSeq = ""] = a.split("-");
  const [bMs = "", bSeq = ""] = b.split("-");
  const difference = BigInt(aMs) - BigInt(bMs) || BigInt(aSeq) - BigInt(bSeq);
  return Number(difference);
}

function scoreText(score: number): string {
  if (Object.is(score, -0)) return "-0";
  return Number.isFinite(score) ? String(score) : score > 0 ? "inf" : "-inf";
}

function bytes(text: string): Buffer {
  return Buffer.from(text, "latin1");
}
