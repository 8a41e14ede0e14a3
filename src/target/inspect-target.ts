/**
 * Looks at the target and changes nothing: what it is, what it holds, what our user may do there. What a managed service or an ACL hides is
 * undefined in the answer; only a server that tells nothing of itself at all is an error. Judges nothing.
 */
import type { Conversation } from "../net/conversation.ts";
import { infoNumber, keysInDatabases, parseInfo } from "../net/info.ts";
import { Inquiry } from "../net/inquiry.ts";
import { identifyServer } from "../net/server-identity.ts";
import { serverRefusal } from "../net/server-words.ts";
import { peerError, peerName } from "../net/socket-errors.ts";
import { type Reply, replyInteger, replyItems, replyText } from "../resp/reply.ts";
import { findCommandRights } from "./command-rights.ts";
import { findRestoreVersions } from "./restore-probe.ts";
import { countDatabases, countKeys } from "./target-databases.ts";
import type { TargetFacts, TargetMemory, TargetModule, TargetPersistence } from "./target-facts.ts";

type Info = ReadonlyMap<string, string>;

/** Leaves the conversation in database 0. */
export async function inspectTarget(conversation: Conversation): Promise<TargetFacts> {
  const inquiry = new Inquiry(conversation);
  const { info, tellsKeys } = await readInfo(conversation);
  const databases = await countDatabases(inquiry);
  const keysByDatabase = tellsKeys ? keysInDatabases(info) : await countKeys(inquiry, databases);
  const { rights, keysRefused } = await findCommandRights(conversation);
  const maxBulkBytes = positive(await inquiry.setting("proto-max-bulk-len"));
  const maxClients = infoNumber(info, "maxclients") ?? positive(await inquiry.setting("maxclients"));
  return {
    identity: identifyServer(info),
    mode: modeOf(info),
    isReplica: /^(?:slave|replica)$/.test(info.get("role") ?? ""),
    masterAddress: info.has("master_host") ? `${info.get("master_host")}:${info.get("master_port")}` : undefined,
    isLoading: info.get("loading") === "1" || info.get("async_loading") === "1",
    databases,
    keysByDatabase,
    rights,
    keysRefused,
    restoreVersions: rights.get("RESTORE") === "allowed" ? await findRestoreVersions(conversation) : undefined,
    modules: modulesOf(await inquiry.ask("MODULE", "LIST")),
    maxBulkBytes,
    memory: await memoryOf(inquiry, info),
    persistence: await persistenceOf(inquiry, info),
    connectedReplicas: infoNumber(info, "connected_slaves"),
    maxClients,
    connectedClients: infoNumber(info, "connected_clients"),
    refusals: inquiry.refusals,
  };
}

/** @returns `tellsKeys`: a database that it does not name has none */
async function readInfo(conversation: Conversation): Promise<{ readonly info: Info; readonly tellsKeys: boolean }> {
  const reply = await conversation.request("INFO");
  if (reply.type === "bulk") return { info: parseInfo(reply), tellsKeys: true };
  if (reply.type !== "error") {
    throw peerError(
      "PROTOCOL_VIOLATION",
      conversation.peer,
      `The ${peerName(conversation.peer)} does not answer INFO as a Redis does.`,
    );
  }
  const hello =
    reply.message.startsWith("NOPERM") || /unknown command/i.test(reply.message)
      ? await readHello(conversation)
      : undefined;
  if (hello !== undefined) return { info: hello, tellsKeys: false };
  const refusal = `The ${peerName(conversation.peer)} refuses INFO: ${reply.message}.`;
  throw (
    serverRefusal(conversation.peer, "INFO", reply.message) ??
    peerError("TARGET_UNSUITABLE", conversation.peer, refusal)
  );
}

/** HELLO tells version, mode and role to users who may not run INFO. In the words of INFO. */
async function readHello(conversation: Conversation): Promise<Info | undefined> {
  const items = replyItems(await conversation.request("HELLO"));
  if (items === undefined) return undefined;
  const said = new Map<string, string>();
  for (let i = 0; i + 1 < items.length; i += 2) said.set(replyText(items[i]) ?? "", replyText(items[i + 1]) ?? "");
  const server = said.get("server") ?? "redis";
  const version = said.get("version") ?? "unknown";
  return new Map([
    ["redis_version", version],
    ...(server === "valkey" ? [["valkey_version", version] as const] : []),
    ["server_name", server],
    ["redis_mode", said.get("mode") ?? "standalone"],
    ["role", said.get("role") === "replica" ? "slave" : "master"],
  ]);
}

function modeOf(info: Info): TargetFacts["mode"] {
  if (info.get("redis_mode") === "sentinel") return "sentinel";
  return info.get("cluster_enabled") === "1" || info.get("redis_mode") === "cluster" ? "cluster" : "standalone";
}

async function memoryOf(inquiry: Inquiry, info: Info): Promise<TargetMemory> {
  const limit = infoNumber(info, "maxmemory") ?? Number((await inquiry.setting("maxmemory")) ?? Number.NaN);
  return {
    usedBytes: infoNumber(info, "used_memory"),
    limitBytes: Number.isSafeInteger(limit) ? limit : undefined,
    systemBytes: infoNumber(info, "total_system_memory"),
    policy: info.get("maxmemory_policy") ?? (await inquiry.setting("maxmemory-policy")),
  };
}

async function persistenceOf(inquiry: Inquiry, info: Info): Promise<TargetPersistence> {
  const aof = info.get("aof_enabled") ?? (await inquiry.setting("appendonly"));
  const save = await inquiry.setting("save");
  return {
    aof: aof === undefined ? undefined : aof === "1" || aof === "yes",
    snapshots: save === undefined ? undefined : save !== "",
    lastSnapshot: info.get("rdb_last_bgsave_status"),
    lastAofWrite: info.get("aof_last_write_status"),
  };
}

/** Each module is an array of names and values. */
function modulesOf(reply: Reply | undefined): readonly TargetModule[] | undefined {
  return replyItems(reply)?.map((item) => {
    const pairs = replyItems(item) ?? [];
    const value = (name: string): Reply | undefined => pairs[pairs.findIndex((pair) => replyText(pair) === name) + 1];
    return { name: replyText(value("name")) ?? "unknown", version: moduleVersion(replyInteger(value("ver"))) };
  });
}

/** Modules of Redis count 20408 for 2.4.8. */
function moduleVersion(version: number | undefined): string {
  if (version === undefined) return "unknown";
  if (version < 10_000) return String(version);
  return `${Math.floor(version / 10_000)}.${Math.floor(version / 100) % 100}.${version % 100}`;
}

function positive(text: string | undefined): number | undefined {
  const value = Number(text);
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
